//! Where an HAProxy takes commands, and speaking to it: one connection for each command, as it
//! wants it.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// A thousand servers answer within some milliseconds (tried on HAProxy 2.6.12).
const DEADLINE: Duration = Duration::from_secs(2);

/// A row of `show stat` is some 500 bytes.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// HAProxy's words for an address that is no path (its configuration manual, section 11).
const TCP: [&str; 3] = ["tcp@", "ipv4@", "ipv6@"];

/// HAProxy's `stats socket`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminSocket {
    /// A file: who may use it is the file system's affair.
    Unix(PathBuf),
    /// `host:port`: whoever reaches it may use it, for HAProxy asks nobody who they are, and `ssl`
    /// on a `stats socket` is taken without a word and then not spoken (tried on HAProxy 2.6.12).
    Tcp(String),
}

impl AdminSocket {
    /// As settings and HAProxy's configuration write it: a path, or `ipv4@HOST:PORT`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let host = TCP.iter().find_map(|word| text.strip_prefix(word));
        match host {
            Some(host) => Self::Tcp(host.to_owned()),
            None => Self::Unix(text.strip_prefix("unix@").unwrap_or(text).into()),
        }
    }

    /// Whether only this machine reaches it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let Self::Tcp(address) = self else {
            return true;
        };
        let host = address.rsplit_once(':').map_or("", |(host, _)| host);
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare == "localhost" || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    /// Sends one command and gives the whole answer.
    ///
    /// # Errors
    /// When nobody answers within two seconds. What HAProxy refuses is an answer.
    pub async fn ask(&self, command: &str) -> Result<String> {
        let talk = async {
            match self {
                Self::Unix(path) => talk(UnixStream::connect(path).await?, command).await,
                Self::Tcp(address) => talk(TcpStream::connect(address).await?, command).await,
            }
        };
        let answer = timeout(DEADLINE, talk)
            .await
            .with_context(|| format!("{self} did not answer `{command}` in {DEADLINE:?}"))?
            .with_context(|| {
                format!("cannot talk to {self}: is it HAProxy's `stats socket`, and may we use it?")
            })?;
        // Even success is an empty line.
        ensure!(!answer.is_empty(), "{self} hung up on `{command}`");
        Ok(answer)
    }
}

impl From<&Path> for AdminSocket {
    fn from(path: &Path) -> Self {
        Self::of(&path.to_string_lossy())
    }
}

impl std::fmt::Display for AdminSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp@{address}"),
        }
    }
}

async fn talk(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    command: &str,
) -> io::Result<String> {
    socket.write_all(format!("{command}\n").as_bytes()).await?;
    let mut answer = String::new();
    socket
        .take(ANSWER_BYTES_MAX)
        .read_to_string(&mut answer)
        .await?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::AdminSocket;

    #[test]
    fn only_a_file_and_loopback_are_this_machines_own() {
        for local in [
            "/run/haproxy/admin.sock",
            "unix@/run/admin.sock",
            "ipv4@127.0.0.1:9999",
            "tcp@localhost:9999",
            "ipv6@[::1]:9999",
        ] {
            assert!(AdminSocket::of(local).is_local(), "{local}");
        }
        for open in [
            "ipv4@10.0.0.1:9999",
            "ipv4@0.0.0.0:9999",
            "tcp@*:9999",
            "tcp@:9999",
            "ipv6@[::]:9999",
            "tcp@lb1.example:9999",
        ] {
            assert!(!AdminSocket::of(open).is_local(), "{open}");
        }
    }
}
