//! Proof of what runs: the service says so itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use events::{FailedBecause, Failure, Proof, Prove, Version, cut};
use tokio::time::Instant;

use super::Bench;
use crate::clients::{beginning, describe};
use crate::program::{self, Program};

const INTERVAL: Duration = Duration::from_millis(50);
const ASK_WITHIN: Duration = Duration::from_secs(2);
const PROGRAM_WITHIN: Duration = Duration::from_secs(10);
const PRINTED_BYTES_MAX: usize = 64 * 1024;
const VALUE_BYTES_MAX: usize = 1024;

/// Asks until the version runs, or until `until`; at least once. A program runs in `folder`.
pub(super) async fn prove(
    bench: &Bench<'_>,
    (prove, folder): (&Prove, &Path),
    version: &Version,
    until: Instant,
) -> Result<Proof, Failure> {
    loop {
        let asked = Instant::now();
        let found = ask(bench, prove, folder).await;
        let failure = match found {
            Ok(text) if names(&text, version) => return Ok(proof(bench, prove, &text)),
            Ok(text) => Failure::new(
                FailedBecause::WrongVersion,
                &format!(
                    "`{version}` was installed, but what runs says: {}",
                    cut(&text, 200)
                ),
            ),
            Err(why) => Failure::new(
                FailedBecause::Unreachable,
                &format!("`{version}` was installed, but does not prove itself: {why}"),
            ),
        };
        let next = asked + INTERVAL;
        if next >= until {
            return Err(failure);
        }
        tokio::time::sleep_until(next).await;
    }
}

/// Whether anything that runs answers, whatever its version.
pub(super) async fn answers(bench: &Bench<'_>, prove: &Prove, folder: &Path) -> bool {
    ask(bench, prove, folder).await.is_ok()
}

async fn ask(bench: &Bench<'_>, prove: &Prove, folder: &Path) -> Result<String, String> {
    match prove {
        Prove::Http { url } => by_http(bench, url).await,
        Prove::Command { argv } => by_command(bench, argv, folder).await,
    }
}

/// Whether the text names the version as a whole word: `1.1` is not in `1.10`, nor in `1.1-rc1`.
pub(super) fn names(text: &str, version: &Version) -> bool {
    let in_versions = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    text.split(|c: char| !in_versions(c))
        .map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
        .any(|word| word == version.as_str())
}

fn proof(bench: &Bench<'_>, prove: &Prove, text: &str) -> Proof {
    let kind = match prove {
        Prove::Http { .. } => "http",
        Prove::Command { .. } => "command",
    };
    Proof {
        kind: kind.to_owned(),
        value: cut(&bench.tools.masks.text(text), VALUE_BYTES_MAX),
    }
}

async fn by_http(bench: &Bench<'_>, url: &str) -> Result<String, String> {
    let ask = async {
        let response = bench.tools.clients.inside.get(url).send().await;
        let response = response.map_err(describe)?;
        let status = response.status();
        let text = beginning(response).await.map_err(describe)?;
        // A service that is not ready may well know its version already.
        if status.is_success() {
            Ok(text)
        } else {
            Err(format!("it answered {status}"))
        }
    };
    tokio::time::timeout(ASK_WITHIN, ask)
        .await
        .unwrap_or_else(|_| Err("it did not answer in 2 s".to_owned()))
}

async fn by_command(bench: &Bench<'_>, argv: &[String], folder: &Path) -> Result<String, String> {
    let output = bench.output_path().with_extension("prove");
    let mark = bench.mark("prove");
    for path in [&output, &mark] {
        let _gone = std::fs::remove_file(path);
    }
    let program = Program {
        argv,
        folder,
        environment: BTreeMap::new(),
        mark: &mark,
        output: &output,
    };
    let until = Instant::now() + PROGRAM_WITHIN;
    let status = program::run(&bench.tools.launcher, &program, until)
        .await
        .map_err(|failure| failure.detail)?;
    let printed = std::fs::read(&output).unwrap_or_default();
    let printed = printed.get(..PRINTED_BYTES_MAX).unwrap_or(&printed);
    if status.success() {
        Ok(String::from_utf8_lossy(printed).into_owned())
    } else {
        Err(format!("the program {}", program::describe(status)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_only_as_a_whole_word() {
        let version: Version = "1.1".parse().expect("a version");
        for text in [
            "1.1",
            r#"{"version":"1.1"}"#,
            "runs 1.1.",
            "checkout/1.1 (x)",
        ] {
            assert!(names(text, &version), "{text}");
        }
        for text in ["1.10", "1.1.0", "11.1", "1.1-rc1", "v1.1", "", "1,1"] {
            assert!(!names(text, &version), "{text}");
        }
    }
}
