//! HAProxy's counters, read over a socket of level `user`: it can change nothing.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use events::Requests;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::watch::{Line, Reading, Stands};

/// HAProxy answers within milliseconds; a look must not wait for one that hangs.
const DEADLINE: Duration = Duration::from_secs(1);

/// A row of `show stat` is some 500 bytes, and a target has at most 1,000 servers.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// Where a HAProxy's counters are read: the path of a Unix socket, or `tcp:HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StatsSocket {
    Unix(PathBuf),
    Tcp(String),
}

impl StatsSocket {
    pub(crate) fn of(text: &str) -> Self {
        match text.strip_prefix("tcp:") {
            Some(address) => Self::Tcp(address.to_owned()),
            None => Self::Unix(PathBuf::from(text)),
        }
    }

    /// The lines of one backend, and the process that counts, both of one moment.
    pub(crate) async fn read(&self, backend: &str) -> Result<Reading> {
        let command = format!("show info;show stat {backend} 4 -1\n");
        let talk = async {
            match self {
                Self::Unix(path) => ask(UnixStream::connect(path).await?, &command).await,
                Self::Tcp(address) => ask(TcpStream::connect(address).await?, &command).await,
            }
        };
        let answer = timeout(DEADLINE, talk)
            .await
            .with_context(|| format!("{self} did not answer in {DEADLINE:?}"))?
            .with_context(|| {
                format!("cannot talk to {self}: is it a `stats socket .. level user`?")
            })?;
        reading(&answer)
    }
}

impl fmt::Display for StatsSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

async fn ask(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    command: &str,
) -> std::io::Result<String> {
    socket.write_all(command.as_bytes()).await?;
    let mut answer = String::new();
    socket
        .take(ANSWER_BYTES_MAX)
        .read_to_string(&mut answer)
        .await?;
    Ok(answer)
}

/// Tables are read by the names of their columns: versions differ in their order.
fn reading(answers: &str) -> Result<Reading> {
    let (info, stat) = answers
        .split_once("\n\n")
        .context("HAProxy did not answer `show info`")?;
    let pid = info.lines().find_map(|line| line.strip_prefix("Pid: "));
    let process = pid.context("`show info` has no `Pid`")?.parse()?;
    let mut rows = stat.lines();
    let header = rows.next().and_then(|line| line.strip_prefix("# "));
    let header = header.with_context(|| format!("HAProxy said `{}`", stat.trim()))?;
    ensure!(stat.ends_with("\n\n"), "`show stat` was cut short");
    let names: Vec<&str> = header.split(',').collect();
    let lines = rows.filter_map(|row| {
        let cells: Vec<&str> = row.split(',').collect();
        let cell = |name: &str| {
            let column = names.iter().position(|one| *one == name)?;
            cells.get(column).copied()
        };
        let number = |name: &str| cell(name).and_then(|text| text.parse::<u64>().ok());
        let line = Line {
            stands: stands(cell("status")?),
            counted: counted(&number)?,
        };
        Some((cell("svname")?.to_owned(), line))
    });
    Ok(Reading {
        process,
        lines: lines.collect(),
    })
}

/// See [`Requests`]. A transfer that the server broke off (`srv_abrt`) stands in `req_tot` and in
/// `eresp`.
fn counted(number: &impl Fn(&str) -> Option<u64>) -> Option<Requests> {
    let broken = number("econ")?.saturating_add(number("eresp")?);
    let twice = number("srv_abrt").unwrap_or(0);
    let requests = number("req_tot")?.saturating_add(broken);
    Some(Requests {
        requests: requests.saturating_sub(twice),
        errors_5xx: number("hrsp_5xx")?,
        broken,
    })
}

fn stands(status: &str) -> Stands {
    if status.starts_with("UP") || status == "no check" {
        Stands::Up
    } else if status.starts_with("DOWN") {
        Stands::Down
    } else {
        Stands::Out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "Name: HAProxy\nPid: 42\n\n";

    #[test]
    fn what_haproxy_says_for_a_server_counts_as_well_as_what_the_server_says() {
        let stat = "# svname,hrsp_5xx,status,req_tot,econ,eresp,srv_abrt,later\n\
                    web1,2,UP,90,4,6,3,x\nweb2,0,MAINT,7,0,0,0,x\nweb3,,DOWN,,,,,x\n\n";
        let reading = reading(&format!("{INFO}{stat}")).unwrap();
        assert_eq!(reading.process, 42);
        let web1 = reading.lines.get("web1").unwrap();
        let counted = Requests {
            requests: 97,
            errors_5xx: 2,
            broken: 10,
        };
        assert_eq!((web1.counted, web1.stands), (counted, Stands::Up));
        assert_eq!(reading.lines.get("web2").unwrap().stands, Stands::Out);
        assert_eq!(reading.lines.len(), 2, "an empty cell is no count");
    }

    #[test]
    fn a_pool_that_is_not_there_is_an_error_with_haproxys_words() {
        let error = reading(&format!("{INFO}No such proxy.\n\n")).unwrap_err();
        assert_eq!(error.to_string(), "HAProxy said `No such proxy.`");
        assert!(reading("Name: HAProxy\n").is_err());
    }
}
