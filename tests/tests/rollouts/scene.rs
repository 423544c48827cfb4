//! A small world for each test.

use poolshift_tests::programs::Programs;
use poolshift_tests::world::{Setup, World};
use std::path::Path;
use std::time::Duration;
use tokio::sync::OnceCell;

/// A rollout of three servers takes seconds; some tests let deadlines pass.
pub(crate) const ROLLOUT: Duration = Duration::from_secs(120);

static PROGRAMS: OnceCell<Programs> = OnceCell::const_new();

/// The programs, built once for all tests.
pub(crate) async fn programs() -> &'static Programs {
    let build = || async { Programs::build().await.unwrap() };
    PROGRAMS.get_or_init(build).await
}

/// Three servers on machines of their own; none needs to stay UP.
pub(crate) fn three() -> Setup {
    Setup {
        servers: 3,
        per_machine: 1,
        batches: "[3]".to_owned(),
        floor: "0".to_owned(),
        ..Setup::default()
    }
}

/// A world of this setup.
pub(crate) async fn world(root: &Path, setup: Setup) -> World {
    World::set(programs().await, root, setup).await.unwrap()
}
