//! Logs on brokers that all tests of this program share.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use poolshift_bus::Bus;
use poolshift_bus::kafka::{Settings, topics};
use tests::kafka::{Cluster, Layout, ensure_installed};

use crate::suite::place::Place;

/// How the folder of the shared broker begins; the id of its process follows.
const SHARED_BROKER: &str = "shared-broker-";

/// Topics of its own: another log than that of any other test.
pub(crate) struct Topics {
    pub(crate) settings: Settings,
}

impl Place for Topics {
    fn new() -> Self {
        static LOGS: AtomicU32 = AtomicU32::new(0);
        let mut settings = Settings::new(&addresses());
        settings.prefix = format!("log{}", LOGS.fetch_add(1, Ordering::Relaxed));
        Self { settings }
    }

    async fn open(&self) -> Bus {
        topics::create(&self.settings, 1).await.unwrap();
        Bus::connect(&self.settings).await.unwrap()
    }
}

/// Those of the one broker, which is started by the first who asks.
fn addresses() -> String {
    static SHARED: OnceLock<Mutex<Cluster>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        tidy_up(folder);
        let folder = folder.join(format!("{SHARED_BROKER}{}", std::process::id()));
        Mutex::new(start(&Layout::plain(folder, 1)))
    });
    shared.lock().unwrap().addresses()
}

/// Nothing is dropped at the end of a test program, so the next one tidies up after those that have
/// ended.
fn tidy_up(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name
            .to_str()
            .and_then(|name| name.strip_prefix(SHARED_BROKER));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            // Another may be at it, too.
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

/// A cluster of its own.
pub(crate) fn start(layout: &Layout) -> Cluster {
    let layout = layout.clone();
    // The caller may be in a runtime, in which no other may wait.
    let started = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let jars = runtime.block_on(ensure_installed()).unwrap();
        Cluster::start(&jars, &layout).unwrap()
    });
    started.join().unwrap()
}
