use poolshift_bus::Bus;

use crate::suite::place::Place;

/// A file.
pub(crate) struct Sqlite {
    folder: tempfile::TempDir,
}

impl Place for Sqlite {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    async fn open(&self) -> Bus {
        let path = self.folder.path().join("log");
        tokio::task::spawn_blocking(move || Bus::open(&path))
            .await
            .unwrap()
            .unwrap()
    }
}
