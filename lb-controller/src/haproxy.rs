//! HAProxy by its admin socket.

mod parse;

use anyhow::{Result, bail, ensure};

use crate::observed::{Admin, Observed};
use crate::socket::AdminSocket;

pub(crate) use parse::saved;

/// The oldest HAProxy that this was tried on.
const OLDEST: (u32, u32) = (2, 6);

/// Speaks to one HAProxy.
#[derive(Debug, Clone)]
pub(crate) struct Haproxy {
    socket: AdminSocket,
}

impl Haproxy {
    pub(crate) const fn new(socket: AdminSocket) -> Self {
        Self { socket }
    }

    /// Process, counters and states, all of one moment: one line of three commands.
    pub(crate) async fn observe(&self) -> Result<Observed> {
        let answer = self
            .socket
            .ask("show info;show stat;show servers state")
            .await?;
        parse::observed(&answer)
    }

    /// What belongs into the state file.
    pub(crate) async fn state(&self) -> Result<String> {
        let answer = self.socket.ask("show servers state").await?;
        // Cut short, it would bring some servers back online at the next start.
        ensure!(
            !saved(&answer).is_empty() && answer.ends_with("\n\n"),
            "`show servers state` was cut short"
        );
        let state = answer.trim_end_matches('\n');
        Ok(format!("{state}\n"))
    }

    /// Asks a server to be ready, draining or in maintenance. Read it back: nothing says whether it
    /// was done.
    pub(crate) async fn set_state(&self, backend: &str, line: &str, to: Admin) -> Result<()> {
        let word = to.word();
        self.order(&format!("set server {backend}/{line} state {word}"))
            .await
    }

    /// Ends all requests that run on a server; they are gone a moment later.
    pub(crate) async fn cut_sessions(&self, backend: &str, line: &str) -> Result<()> {
        self.order(&format!("shutdown sessions server {backend}/{line}"))
            .await
    }

    /// HAProxy says nothing but an empty line to what it does; any word is a refusal.
    async fn order(&self, command: &str) -> Result<()> {
        let answer = self.socket.ask(command).await?;
        let said = answer.trim();
        ensure!(
            said.is_empty(),
            "HAProxy refused `{command}`: {said} (the admin socket needs `level admin`)"
        );
        Ok(())
    }
}

/// Refuses what we never tried.
///
/// # Errors
/// When `version`, as `show info` says it, is older than 2.6 or no version.
pub fn check_version(version: &str) -> Result<()> {
    let mut numbers = version
        .split(['.', '-'])
        .map_while(|part| part.parse().ok());
    let (Some(major), Some(minor)) = (numbers.next(), numbers.next()) else {
        bail!("HAProxy says it is version `{version}`: expected a number such as 2.6.12");
    };
    let (oldest_major, oldest_minor) = OLDEST;
    ensure!(
        (major, minor) >= OLDEST,
        "HAProxy {version} is too old: install {oldest_major}.{oldest_minor} or later"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_version;

    #[test]
    fn a_haproxy_older_than_2_6_is_refused() {
        for good in [
            "2.6.12-1+deb12u4",
            "2.6-dev3",
            "2.10.0",
            "3.0.1",
            "3.5-dev5",
        ] {
            assert!(check_version(good).is_ok(), "{good}");
        }
        let error = check_version("2.4.22-f8e3218").unwrap_err().to_string();
        insta::assert_snapshot!(error, @"HAProxy 2.4.22-f8e3218 is too old: install 2.6 or later");
        assert!(check_version("unknown").is_err());
    }
}
