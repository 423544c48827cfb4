//! The real pools: HAProxy, its state file and our marks.

use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use crate::haproxy::{Haproxy, check_version};
use crate::observed::{Observed, Process};
use crate::settings::Settings;
use crate::step::{Action, Seen};

use super::files::{MarksFile, StateFile};

/// What was seen longer ago than this is not acted upon: we were asleep, and HAProxy has no way to
/// refuse what rests on yesterday's view.
const FRESH: Duration = Duration::from_secs(1);

pub(super) struct PoolsOf {
    haproxy: Haproxy,
    state: StateFile,
    marks: MarksFile,
    /// HAProxy as it was last seen.
    process: Option<Process>,
    seen_at: Instant,
    /// What was wrong last, so that it is logged once.
    trouble: Option<String>,
}

impl PoolsOf {
    pub(super) fn open(settings: &Settings) -> Result<Self> {
        Ok(Self {
            haproxy: Haproxy::new(settings.socket()),
            state: StateFile::new(settings.state_file.clone()),
            marks: MarksFile::open(settings.marks_path())?,
            process: None,
            seen_at: Instant::now(),
            trouble: None,
        })
    }

    /// What HAProxy says now; none when it cannot be reached.
    ///
    /// # Errors
    /// When it is the first time and HAProxy is too old.
    pub(super) async fn look(&mut self) -> Result<Option<Observed>> {
        self.state.refresh().await;
        self.seen_at = Instant::now();
        let observed = match self.haproxy.observe().await {
            Ok(observed) => observed,
            Err(error) => {
                self.note(Some(format!("{error:#}")));
                return Ok(None);
            }
        };
        if self.process.is_none() {
            check_version(&observed.process.version)?;
        }
        if self.process.as_ref().map(|process| process.pid) != Some(observed.process.pid) {
            let Process { pid, version, .. } = &observed.process;
            tracing::info!(pid, %version, "this HAProxy answers");
        }
        self.process = Some(observed.process.clone());
        Ok(Some(observed))
    }

    pub(super) fn seen<'a>(&'a self, haproxy: Option<&'a Observed>) -> Seen<'a> {
        Seen {
            haproxy,
            saved: self.state.get(),
            marks: self.marks.get(),
        }
    }

    /// Does them in their order, up to the first that fails. Whether all were done.
    pub(super) async fn act(&mut self, actions: Vec<Action>) -> bool {
        for action in actions {
            if self.seen_at.elapsed() > FRESH {
                tracing::warn!("too much time has passed since the look: looking again");
                return false;
            }
            if let Err(error) = self.do_one(action).await {
                self.note(Some(format!("{error:#}")));
                return false;
            }
        }
        self.note(None);
        true
    }

    async fn do_one(&mut self, action: Action) -> Result<()> {
        match action {
            Action::WriteMarks(marks) => self.marks.write(marks).await,
            Action::SetState { backend, line, to } => {
                tracing::info!(%backend, %line, state = to.word(), "asking HAProxy");
                self.haproxy.set_state(&backend, &line, to).await
            }
            Action::CutSessions { backend, line } => {
                tracing::warn!(%backend, %line, "ending the requests that still run");
                self.haproxy.cut_sessions(&backend, &line).await
            }
            Action::SaveState => {
                let state = self.haproxy.state().await?;
                self.state.write(state).await
            }
        }
    }

    fn note(&mut self, trouble: Option<String>) {
        if trouble == self.trouble {
            return;
        }
        match &trouble {
            Some(error) => tracing::warn!(error, "the pools do not do as they are told; trying on"),
            None => tracing::info!("the pools do as they are told again"),
        }
        self.trouble = trouble;
    }
}
