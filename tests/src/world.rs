//! Poolshift on the stage: `serve`, an agent on each machine, the shop's entry in the catalogue.
//! It is spoken to as its users speak to it: by its command lines, its API and its webhooks.

pub mod facts;

mod api;
mod files;
mod history;
mod process;
mod setup;
mod trigger;

pub use api::Api;
pub use history::{Happened, History};
pub use process::Process;
pub use setup::{Install, Setup};
pub use trigger::{Secret, TOKEN, Trigger};

use crate::artifact::{Artifact, Place};
use crate::ports;
use crate::programs::Programs;
use crate::shop::Release;
use crate::stage::Stage;
use anyhow::{Context, Result, ensure};
use events::{EnrolmentCode, Pool, RolloutFinished, RolloutId, Target};
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{Instant, sleep};
use view::TargetView;

/// The service that is rolled out.
pub const SERVICE: &str = "shop";

/// Where.
pub const ENVIRONMENT: &str = "stage";

/// Long, because the stage may share its machine with a build.
const READY: Duration = Duration::from_secs(60);

/// For what no event tells of.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A whole small world; all of it ends when this is dropped.
#[derive(Debug)]
pub struct World {
    /// One for each machine, in their order.
    pub agents: Vec<Process>,
    /// `poolshift serve`.
    pub serve: Process,
    /// Its API.
    pub api: Api,
    /// What is rolled out, and where.
    pub target: Target,
    /// Servers and balancers.
    pub stage: Stage,
    /// What was asked for.
    pub setup: Setup,
    /// The folder of everything.
    pub root: PathBuf,
    place: Place,
    secret: Secret,
    builds: u64,
}

impl World {
    /// Sets everything up in `root`, and returns when every server is online by its controllers'
    /// word and known to run the initial release.
    ///
    /// # Errors
    /// When something does not start; with the end of its log.
    pub async fn set(programs: &Programs, root: &Path, setup: Setup) -> Result<Self> {
        Self::set_behind(programs, root, setup, |stage| {
            let sockets = stage.balancers.iter();
            sockets.map(|one| one.layout.admin_socket()).collect()
        })
        .await
    }

    /// As [`Self::set`], with `sockets` saying through which admin sockets the controllers reach
    /// the balancers.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub async fn set_behind(
        programs: &Programs,
        root: &Path,
        setup: Setup,
        sockets: impl FnOnce(&Stage) -> Vec<PathBuf>,
    ) -> Result<Self> {
        let stage = Stage::set(&programs.shop, root, setup.servers, &setup.initial).await?;
        let place = Place::open().await?;
        let secret = Secret::for_the_stage();
        let doors = ports::free(2)?;
        let doors = [doors[0], doors[1]].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        files::catalogue(root, &setup, programs, &stage, &place)?;
        let settings = files::serve(root, &stage, doors, &secret, &sockets(&stage))?;
        let arguments = ["serve".into(), "--config".into(), settings.into_os_string()];
        let log = root.join("serve.log");
        let serve = Process::start("serve", programs.poolshift.clone(), arguments, log)?;
        let [local, public] = doors;
        let mut world = Self {
            agents: vec![],
            serve,
            api: Api { local, public },
            target: format!("{ENVIRONMENT}/{SERVICE}").parse()?,
            stage,
            setup,
            root: root.to_owned(),
            place,
            secret,
            builds: 0,
        };
        let ready = world.begin(programs).await;
        ready
            .with_context(|| format!("the log of serve ends so:\n{}", world.serve.last_words()))?;
        Ok(world)
    }

    async fn begin(&mut self, programs: &Programs) -> Result<()> {
        self.api.ready(READY).await?;
        self.target_with("catalogue entry", READY, |_| true).await?;
        let machines = self.setup.machines().into_iter();
        for machine in machines.filter(|_| self.setup.agents) {
            let agent = self.enrol(programs, &machine).await?;
            self.agents.push(agent);
        }
        self.adopt().await?;
        let all = self.setup.servers;
        let online = move |target: &TargetView| {
            let servers = target.servers.iter();
            let good = servers.filter(|one| one.proven.is_some() && is_online(one));
            good.count() == all
        };
        self.target_with("fleet online and known", READY, online)
            .await
    }

    /// Lets a machine in with a one-time code, and starts its agent.
    async fn enrol(&self, programs: &Programs, machine: &str) -> Result<Process> {
        let settings = files::agent(&self.root, machine, self.api.public)?;
        let path = format!("/machines/{machine}/enrol");
        let code: EnrolmentCode = serde_json::from_value(self.api.post(&path, &json!({})).await?)?;
        let mut enrol = Command::new(&programs.agent);
        enrol.arg("enrol").arg("--config").arg(&settings);
        process::run(enrol.args(["--code", &code.code])).await?;
        let arguments = ["run".into(), "--config".into(), settings.into_os_string()];
        let log = self.root.join(machine).join("agent.log");
        Process::start(
            &format!("agent {machine}"),
            programs.agent.clone(),
            arguments,
            log,
        )
    }

    /// Says what runs on the servers, so that there is a way back.
    async fn adopt(&self) -> Result<()> {
        let initial = self.publish(&self.setup.initial)?;
        for server in &self.stage.fleet.servers {
            let path = format!("/targets/{}/servers/{}/adopt", self.target, server.name);
            let body = json!({ "version": initial.version, "sha256": initial.sha256 });
            self.api.post(&path, &body).await?;
        }
        Ok(())
    }

    /// Builds a release, and puts it where agents fetch it.
    ///
    /// # Errors
    /// When it cannot be packed.
    pub fn publish(&self, release: &Release) -> Result<Artifact> {
        let artifact = Artifact::build(release, &[])?;
        self.place.put(&artifact);
        Ok(artifact)
    }

    /// Asks for a rollout of this release, as a build server does when it has built it.
    ///
    /// # Errors
    /// When the trigger is not accepted.
    pub async fn trigger(&mut self, release: &Release) -> Result<RolloutId> {
        let artifact = self.publish(release)?;
        self.builds += 1;
        let url = self.place.url(&artifact.name);
        let trigger = Trigger::new(&self.secret, &self.target, &artifact, &url, self.builds)?;
        trigger.send(&self.api).await
    }

    /// The file of the log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        files::log(&self.root)
    }

    /// The target's history, from its beginning.
    #[must_use]
    pub fn history(&self) -> History {
        History::of(self.api, &self.target)
    }

    /// Waits for the end of a rollout.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn finish(
        &self,
        history: &mut History,
        rollout: RolloutId,
        deadline: Duration,
    ) -> Result<RolloutFinished> {
        let ended = |events: &[Happened]| facts::finish(events, rollout).cloned();
        history.until("end of the rollout", deadline, ended).await
    }

    /// Waits until the target is seen as `fits` wants it.
    ///
    /// # Errors
    /// When it is not in time; shows how it is.
    pub async fn target_with(
        &self,
        what: &str,
        deadline: Duration,
        fits: impl Fn(&TargetView) -> bool,
    ) -> Result<()> {
        let path = format!("/targets/{}", self.target);
        let until = Instant::now() + deadline;
        loop {
            let seen = self.api.get::<TargetView>(&path).await;
            if seen.as_ref().is_ok_and(&fits) {
                return Ok(());
            }
            ensure!(Instant::now() < until, "no {what} in time: {seen:#?}");
            sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until Poolshift says that every server runs `version`, proven, is online and UP on
    /// both balancers, and that nothing is outstanding.
    ///
    /// # Errors
    /// When that is not so in time; shows how it is.
    pub async fn settled(&self, version: &str, deadline: Duration) -> Result<()> {
        let fits = |target: &TargetView| {
            let runs = |one: &view::ServerView| {
                let proven = one.proven.as_ref();
                proven.is_some_and(|release| release.version.as_str() == version)
            };
            let mut servers = target.servers.iter();
            servers.all(|one| {
                let idle = one.outstanding.is_none() && one.out.is_none() && !one.unproven;
                idle && runs(one) && is_online(one)
            })
        };
        let what = format!("fleet that runs {version} and rests");
        self.target_with(&what, deadline, fits).await
    }
}

fn is_online(server: &view::ServerView) -> bool {
    let mut pools = server.pools.iter();
    server.pools.len() == crate::stage::BALANCERS.len()
        && pools.all(|pool| pool.pool == Pool::Online && pool.up)
}
