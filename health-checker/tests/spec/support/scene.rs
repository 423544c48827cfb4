//! All that a check needs.

use bus::Bus;
use events::{Answer, FailedBecause};

use super::answers::Answers;
use super::haproxy::Haproxy;
use super::orders::Orders;

/// Two servers behind one HAProxy, a bus, and the orchestrator's place.
pub(crate) struct Scene {
    pub(crate) web1: Answers,
    pub(crate) web2: Answers,
    pub(crate) lb1: Haproxy,
    pub(crate) bus: Bus,
    pub(crate) orders: Orders,
    _folder: tempfile::TempDir,
}

impl Scene {
    pub(crate) async fn with(web1: (u16, &str), web2: (u16, &str)) -> Self {
        let web1 = Answers::start(web1.0, web1.1).await;
        let web2 = Answers::start(web2.0, web2.1).await;
        let lines = [
            ("web1", web1.address.clone()),
            ("web2", web2.address.clone()),
        ];
        let folder = tempfile::tempdir().unwrap();
        let bus = Bus::open(&folder.path().join("log.db")).unwrap();
        Self {
            lb1: Haproxy::start(&lines).await,
            orders: Orders::take(&bus).await,
            bus,
            web1,
            web2,
            _folder: folder,
        }
    }
}

/// Why it is not healthy, and the evidence.
pub(crate) fn failure(answer: Answer) -> (FailedBecause, String) {
    let Answer::Unhealthy(unhealthy) = answer else {
        panic!("{answer:?} is not `Unhealthy`")
    };
    (unhealthy.failure.reason, unhealthy.failure.detail)
}
