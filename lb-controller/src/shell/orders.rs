//! The stream of commands, read whole: one record a server.

use std::time::Duration;

use anyhow::{Context, Result};
use bus::{Error, Follower, Record};
use events::CommandRecord;

const AGAIN_AFTER: Duration = Duration::from_millis(250);
const BATCH: usize = 256;

pub(super) struct Orders {
    follower: Follower,
    is_failing: bool,
}

impl Orders {
    pub(super) const fn new(follower: Follower) -> Self {
        Self {
            follower,
            is_failing: false,
        }
    }

    /// Everything up to the end that is there now. Waits for a log that cannot be read.
    pub(super) async fn all_until_now(&mut self) -> Result<Vec<CommandRecord>> {
        loop {
            let read = self.follower.catch_up().await;
            if let Some(records) = self.readable(read).await? {
                return Ok(records);
            }
        }
    }

    /// What came, at the latest after `wait`; nothing, if nothing came.
    pub(super) async fn next(&mut self, wait: Duration) -> Result<Vec<CommandRecord>> {
        let read = self.follower.next_batch(BATCH, wait).await;
        Ok(self.readable(read).await?.unwrap_or_default())
    }

    /// None when the log could not be read, after a while.
    async fn readable(
        &mut self,
        read: Result<Vec<Record>, Error>,
    ) -> Result<Option<Vec<CommandRecord>>> {
        match read {
            Ok(records) => {
                self.is_failing = false;
                Ok(Some(records.iter().filter_map(parse).collect()))
            }
            Err(Error::Closed) => Err(Error::Closed).context("commands cannot be read any more"),
            Err(error) => {
                if !self.is_failing {
                    tracing::warn!(%error, "cannot read commands; what was commanded stays");
                }
                self.is_failing = true;
                tokio::time::sleep(AGAIN_AFTER).await;
                Ok(None)
            }
        }
    }
}

/// One that we cannot read leaves its server as the one before it wanted it.
fn parse(record: &Record) -> Option<CommandRecord> {
    CommandRecord::from_bytes(&record.value)
        .inspect_err(|error| {
            tracing::error!(server = %record.key, %error, "cannot read a command");
        })
        .ok()
}
