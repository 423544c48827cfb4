//! Servers for these tests.

use poolshift_tests::{fleet::Fleet, shop::Release};
use std::path::Path;

pub(crate) async fn fleet(root: &Path, count: usize, release: &Release) -> Fleet {
    let program = Path::new(env!("CARGO_BIN_EXE_shop"));
    Fleet::start(program, root, count, release).await.unwrap()
}
