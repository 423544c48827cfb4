//! The shell around the [`Controller`]: reads commands, looks, does what the look says, looks again.

mod files;
mod orders;
mod outbox;
mod pools;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use bus::{Bus, PARTITIONS, Position, Stream};
use events::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::controller::Controller;
use crate::settings::Settings;
use crate::step::Now;

use files::Lock;
use orders::Orders;
use outbox::Outbox;
use pools::PoolsOf;

/// Runs the lb-controller of one HAProxy until `shutdown` is true. It reads all commands up to their
/// end before it does anything, then looks at least every 250 ms and whenever a command comes. An
/// HAProxy that cannot be reached ends nothing.
///
/// # Errors
/// When the admin socket is one that anybody may use, another lb-controller has the lock, the file of marks cannot be read, HAProxy is older than
/// 2.6, or the bus was closed.
pub async fn run(settings: Settings, bus: Bus, mut shutdown: watch::Receiver<bool>) -> Result<()> {
    settings.check()?;
    let _lock = Lock::take(&settings.lock_path(), &settings.admin_socket)?;
    let mut pools = PoolsOf::open(&settings)?;
    pools.look().await?;
    let partitions: Vec<u32> = (0..PARTITIONS).collect();
    let follower = bus
        .follow(Stream::Commands, &partitions, &Position::Start)
        .context("cannot read the commands")?;
    let mut shell = Shell {
        controller: Controller::new(settings.name.clone()),
        orders: Orders::new(follower),
        outbox: Outbox::open(bus, &settings.name),
        pools,
        clock: Clock::start(),
    };
    tracing::info!(balancer = %settings.name, "lb-controller runs");
    let outcome = tokio::select! {
        outcome = shell.serve() => outcome,
        // An error is the end of the sender: whoever could ask for a shutdown is gone.
        _ = shutdown.wait_for(|ending| *ending) => Ok(()),
    };
    shell.outbox.close().await;
    outcome
}

struct Shell {
    controller: Controller,
    orders: Orders,
    outbox: Outbox,
    pools: PoolsOf,
    clock: Clock,
}

impl Shell {
    async fn serve(&mut self) -> Result<()> {
        // Old records say what was once to be so: nothing is done before the newest are known.
        for record in self.orders.all_until_now().await? {
            self.controller.take(record, self.clock.now());
        }
        loop {
            self.settle().await?;
            let wait = Duration::from_millis(self.controller.look_within_ms());
            for record in self.orders.next(wait).await? {
                if let Some(old) = self.controller.take(record, self.clock.now()) {
                    self.outbox.superseded(old);
                }
            }
        }
    }

    /// Looks and acts until there is nothing left to do, or something did not work: that is tried
    /// again at the next look, which sees what came of it.
    async fn settle(&mut self) -> Result<()> {
        const ROUNDS: u32 = 8;
        for _ in 0..ROUNDS {
            let seen = self.pools.look().await?;
            let now = self.clock.now();
            let step = self.controller.look(self.pools.seen(seen.as_ref()), now);
            for reply in step.replies {
                tracing::info!(target = %reply.target, report = reply.answer.kind(), "reporting");
                self.outbox.say(reply, now.wall);
            }
            if step.actions.is_empty() || !self.pools.act(step.actions).await {
                return Ok(());
            }
        }
        Ok(())
    }
}

struct Clock {
    start: Instant,
}

impl Clock {
    fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    fn now(&self) -> Now {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        let wall_ms = since_1970.map_or(0, |since| since.as_millis());
        Now {
            ms: u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX),
            wall: Timestamp::from_ms(i64::try_from(wall_ms).unwrap_or(i64::MAX)),
        }
    }
}
