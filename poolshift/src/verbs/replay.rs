//! `poolshift replay`.

use std::path::Path;

use anyhow::Context as _;

use crate::backups::open_log;
use crate::exit;
use crate::replay;
use crate::said::Said;

/// Decides everything in a log again. It must not be in use.
pub(crate) async fn run(log: &Path, json: bool) -> anyhow::Result<Said> {
    let bus = open_log(log).await?;
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
