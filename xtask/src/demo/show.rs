//! The show itself: a good version, then a bad one, under load.

use super::live::Live;
use super::outcome::{Outcome, REQUESTS};
use anyhow::{Context, Result};
use events::RolloutFinished;
use std::path::Path;
use std::time::Duration;
use tests::artifact::Artifact;
use tests::clock::now_ms;
use tests::programs::Programs;
use tests::shop::{Behaviour, Release};
use tests::stage::BALANCERS;
use tests::world::{History, Setup, World, facts};
use tokio::time::timeout;

const GOOD: &str = "1.1.0";
const BAD: &str = "1.2.0";

/// Far more than a rollout of eight servers needs.
const ROLLOUT: Duration = Duration::from_secs(180);

/// The rest of the load, at 500 requests a second.
const REST: Duration = Duration::from_secs(120);

/// Shows both rollouts; returns the world as they left it, and what came of them.
pub(super) async fn run(programs: &Programs, root: &Path) -> Result<(World, Outcome)> {
    eprintln!("starting two HAProxies, eight servers, four agents and poolshift");
    let mut world = World::set(programs, root, Setup::default()).await?;
    let customers = world.stage.open()?;
    let mut progress = customers.progress();
    let mut live = Live::new(customers.progress());
    let mut history = world.history();
    history.read().await?;
    live.show(&history.events);

    let good = Release::good(GOOD);
    let good = roll_out(&mut world, &mut history, &mut live, &good).await?;
    // Status and health look well: only its suite, asked as a customer asks, finds it.
    let bad = Release::good(BAD).behaving(Behaviour::Bad);
    let bad = roll_out(&mut world, &mut history, &mut live, &bad).await?;

    live.say("customers go on until enough of them have come");
    let enough = progress.wait_for(|seen| seen.requests >= REQUESTS);
    timeout(REST, enough)
        .await
        .context("the customers do not come")?
        .context("the count of the customers broke off")?;
    let tally = customers.stop().await?;
    for line in &tally.first_failures {
        eprintln!("  {line}");
    }
    let held_out = facts::held_out(&history.events, BALANCERS.len(), now_ms());
    let held_out_requests = tally.held_out_requests(&held_out);
    let outcome = Outcome::of(&tally, held_out_requests, [(GOOD, &good), (BAD, &bad)]);
    Ok((world, outcome))
}

async fn roll_out(
    world: &mut World,
    history: &mut History,
    live: &mut Live,
    release: &Release,
) -> Result<RolloutFinished> {
    live.say(&format!("the build server sends {}", release.version));
    let rollout = world.trigger(release).await?;
    let ended = |events: &[_]| {
        live.show(events);
        facts::finish(events, rollout).cloned()
    };
    let ended = history.until("end of the rollout", ROLLOUT, ended).await;
    ended.with_context(|| format!("the log of serve ends so:\n{}", world.serve.last_words()))
}

/// How to play on with what is left running: two more releases lie ready, again a good and a bad
/// one.
pub(super) fn usage(world: &World, programs: &Programs) -> Result<String> {
    let good = world.publish(&Release::good("1.3.0"))?;
    let bad = world.publish(&Release::good("1.4.0").behaving(Behaviour::Bad))?;
    let (api, target) = (world.api.local, &world.target);
    let poolshift = format!("{} --server http://{api}", programs.poolshift.display());
    let doors = world.stage.doors();
    let doors: Vec<String> = doors.iter().map(|door| format!("http://{door}/")).collect();
    let start = |release: &Artifact| {
        let (version, sha256) = (&release.version, &release.sha256);
        format!("{poolshift} start {target} --version {version} --sha256 {sha256} --watch")
    };
    Ok(format!(
        "\neverything runs until Ctrl-C, in {root}\n\
         customers come to   {doors}\n\
         the API is at       http://{api}/api/v1\n\
         webhooks come to    http://{public}/webhooks/jenkins\n\
         look                {poolshift} status\n\
         look back           {poolshift} history {target}\n\
         a good version      {good}\n\
         a bad version       {bad}",
        root = world.root.display(),
        doors = doors.join(" "),
        public = world.api.public,
        good = start(&good),
        bad = start(&bad),
    ))
}
