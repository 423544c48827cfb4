//! From the states that were kept, or from the first event of a partition, to the very record with
//! which it was taken.

use std::time::Duration;

use anyhow::{Context as _, bail};
use bus::{Bus, Position, Stream};

use crate::snapshot;
use crate::subject::Subjects;

/// How long the next record of a log may take that is known to be there.
const PATIENCE: Duration = Duration::from_secs(30);

const BATCH: usize = 1_000;

/// Folds all that lies before `taken_at`. Reading that very record back is the barrier: nothing
/// of a former owner can come after it.
pub(crate) async fn fold(bus: &Bus, partition: u32, taken_at: u64) -> anyhow::Result<Subjects> {
    let (mut subjects, after) = snapshot::load(bus, partition).await?;
    let mut follower = bus
        .follow(
            Stream::Events,
            &[partition],
            &Position::after(partition, after),
        )
        .with_context(|| format!("cannot follow the events of partition {partition}"))?;
    loop {
        let records = follower
            .next_batch(BATCH, PATIENCE)
            .await
            .with_context(|| format!("cannot read the events of partition {partition}"))?;
        if records.is_empty() {
            bail!("partition {partition} ends before the record with which it was taken");
        }
        for record in &records {
            if record.offset >= taken_at {
                subjects.appended(&[taken_at]);
                subjects.end_fold();
                return Ok(subjects);
            }
            subjects.fold(record);
        }
    }
}
