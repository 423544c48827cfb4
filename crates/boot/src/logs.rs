//! Where logs go, and in which form.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::EnvFilter;

/// What is logged when `RUST_LOG` does not say.
const FILTER: &str = "info";

/// To stderr: as text on a terminal, as JSON for a machine. A process that has its logs already
/// keeps them.
pub(crate) fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(FILTER));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr);
    let started = if stderr().is_terminal() {
        logs.try_init()
    } else {
        logs.json()
            .flatten_event(true)
            .with_target(false)
            .try_init()
    };
    if let Err(error) = started {
        tracing::debug!(%error, "logs were started before");
    }
}
