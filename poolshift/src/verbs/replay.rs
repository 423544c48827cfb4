//! `poolshift replay`.

use std::path::Path;

use anyhow::Context as _;
use bus::Bus;

use crate::exit;
use crate::failure::Failure;
use crate::replay;
use crate::said::Said;

/// Decides everything in a log again. It must not be in use.
pub(crate) async fn run(log: &Path, json: bool) -> anyhow::Result<Said> {
    if !log.is_file() {
        return Err(
            Failure::refused(format!("there is no log {}", log.display()))
                .mend("name the file that `serve` has as `log`, or a copy of it")
                .into(),
        );
    }
    let path = log.to_owned();
    let opened = tokio::task::spawn_blocking(move || Bus::open(&path)).await?;
    let bus = opened.with_context(|| format!("cannot open {}", log.display()))?;
    let replayed = replay::replay(&bus).await;
    bus.close().await.context("cannot close the log")?;
    let replayed = replayed?;
    let code = if replayed.is_same() {
        exit::DONE
    } else {
        exit::REFUSED
    };
    let text = if json {
        serde_json::to_string(&replayed)?
    } else {
        replayed.to_string()
    };
    Ok(Said::new(code, text))
}
