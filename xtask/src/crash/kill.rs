//! What is killed, and brought back.

use anyhow::{Context, Result};
use std::fmt::{self, Display, Formatter};
use std::time::Duration;
use tests::world::World;
use tokio::time::sleep;

/// The longest that something stays dead.
const DEAD_MS: u64 = 700;

/// Dice that fall the same from the same seed (SplitMix64).
#[derive(Debug)]
pub(super) struct Dice(u64);

/// One kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kill {
    what: What,
    /// Which of several, when the moment does not say.
    which: usize,
    dead: Duration,
}

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Serve,
    Agent,
    ServeAndAgent,
    Haproxy,
    Reload,
}

impl What {
    pub(super) const ALL: [Self; 5] = [
        Self::Serve,
        Self::Agent,
        Self::ServeAndAgent,
        Self::Haproxy,
        Self::Reload,
    ];
}

impl Dice {
    pub(super) const fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 to `limit`, that itself left out.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}

impl Kill {
    /// One of this kind; the rest is left to chance.
    pub(super) fn of(what: What, dice: &mut Dice) -> Self {
        Self {
            what,
            which: usize::try_from(dice.below(16)).unwrap_or(0),
            dead: Duration::from_millis(dice.below(DEAD_MS)),
        }
    }

    /// Kills, waits, and starts again; `server` is the one that the moment concerns.
    pub(super) async fn strike(&self, world: &mut World, server: Option<&str>) -> Result<()> {
        match self.what {
            What::Serve => {
                world.serve.kill().await?;
                sleep(self.dead).await;
                world.serve.start_again()
            }
            What::Agent => {
                let place = self.agent(world, server);
                world.agents[place].kill().await?;
                sleep(self.dead).await;
                world.agents[place].start_again()
            }
            What::ServeAndAgent => {
                let place = self.agent(world, server);
                world.serve.kill().await?;
                world.agents[place].kill().await?;
                sleep(self.dead).await;
                world.agents[place].start_again()?;
                world.serve.start_again()
            }
            What::Haproxy => {
                let place = self.which % world.stage.balancers.len();
                let balancer = &mut world.stage.balancers[place];
                balancer.kill().await?;
                sleep(self.dead).await;
                balancer.start_again().await.context("HAProxy")
            }
            What::Reload => {
                let place = self.which % world.stage.balancers.len();
                world.stage.balancers[place].reload().await
            }
        }
    }

    fn agent(&self, world: &World, server: Option<&str>) -> usize {
        let servers = &world.stage.fleet.servers;
        let concerned = server.and_then(|name| servers.iter().position(|one| one.name == name));
        let place = concerned.unwrap_or(self.which % servers.len());
        place / world.setup.per_machine
    }
}

impl Display for Kill {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.pad(match self.what {
            What::Serve => "kill -9 of serve",
            What::Agent => "kill -9 of an agent",
            What::ServeAndAgent => "kill -9 of serve and agent",
            What::Haproxy => "kill -9 of HAProxy",
            What::Reload => "reload of HAProxy",
        })
    }
}
