//! The reports of a partition: what was said.

use std::collections::BTreeMap;

use bus::{Bus, Stream};
use events::{Envelope, Report, ReportId};
use rollout::Heard;

/// By id; the first one counts where it was delivered twice.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    heard: BTreeMap<ReportId, Heard>,
}

impl Inputs {
    /// Those that are still kept. One that nobody can read led to no event.
    pub(super) async fn read(bus: &Bus, partition: u32) -> anyhow::Result<Self> {
        let mut heard = BTreeMap::new();
        for record in super::all(bus, Stream::Reports, partition).await? {
            let Ok(envelope) = Envelope::from_headers(&record.headers) else {
                continue;
            };
            let report = Report::from_bytes(&envelope.kind, envelope.version, &record.value);
            let Ok(report) = report else {
                continue;
            };
            let id = ReportId::new(envelope.id);
            heard.entry(id).or_insert(Heard {
                id,
                actor: envelope.actor,
                report,
            });
        }
        Ok(Self { heard })
    }

    pub(super) fn get(&self, id: ReportId) -> Option<&Heard> {
        self.heard.get(&id)
    }
}
