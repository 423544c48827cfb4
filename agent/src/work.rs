//! The work itself: one module for each kind of command, and one for what a former life left.

mod ask;
mod fetch;
mod install;
mod own;
mod prove;
mod recover;
mod suites;
mod who;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use events::{
    Answer, Command, FailedBecause, Failure, FetchFailed, InstallFailed, Output, OwnFailed,
    Release, TestsFailed, Work,
};
use tokio::time::Instant;

use crate::clients::Clients;
use crate::hosts::Hosts;
use crate::mask::Masks;
use crate::output;
use crate::releases::remove_all;

/// What work needs of its agent.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    /// The agent's own program, which launches those of others.
    pub(crate) launcher: PathBuf,
    /// Where marks and outputs are kept, one folder for each command.
    pub(crate) folder: PathBuf,
    /// HTTP.
    pub(crate) clients: Clients,
    /// Where artifacts may come from, and the logins there.
    pub(crate) hosts: Arc<Hosts>,
    /// The agent's own secrets.
    pub(crate) masks: Masks,
}

/// How many commands' folders are kept.
const FOLDERS_MAX: usize = 20;

/// Carries a command out, or ends it at `until`; always with an answer.
pub(crate) async fn carry_out(
    tools: &Tools,
    command: &Command,
    previous: Option<Release>,
    until: Instant,
) -> Answer {
    match Bench::open(tools, command, previous) {
        Ok(bench) => match &command.work {
            Work::Fetch(work) => fetch::answer(&bench, work, until).await,
            Work::Install(work) => install::answer(&bench, work, until).await,
            Work::Test(work) => suites::answer(&bench, work, until).await,
            Work::Drain(_) | Work::Restore(_) | Work::Hold(_) => match &command.own {
                Some(own) => own::answer(&bench, own, until).await,
                None => not_ours(command),
            },
            Work::Check(_) | Work::Watch(_) => not_ours(command),
        },
        Err(failure) => failed(command, failure, Output::default()),
    }
}

/// Finds out what became of a command that a former life began; never runs it again.
pub(crate) async fn recover(
    tools: &Tools,
    command: &Command,
    previous: Option<Release>,
    until: Instant,
) -> Answer {
    match Bench::open(tools, command, previous) {
        Ok(bench) => recover::answer(&bench, until).await,
        Err(failure) => failed(command, failure, Output::default()),
    }
}

/// The answer of a command that failed.
#[must_use]
pub fn failed(command: &Command, failure: Failure, output: Output) -> Answer {
    let id = command.id.clone();
    match &command.work {
        Work::Fetch(_) => Answer::from(FetchFailed {
            command: id,
            failure,
        }),
        Work::Test(_) => Answer::from(TestsFailed {
            command: id,
            failure,
            suites: Vec::new(),
            answered_by: events::AnsweredBy::default(),
            output,
        }),
        Work::Drain(_) | Work::Restore(_) | Work::Hold(_) if command.own.is_some() => {
            Answer::from(OwnFailed {
                command: id,
                failure,
                output,
            })
        }
        Work::Install(_)
        | Work::Drain(_)
        | Work::Check(_)
        | Work::Restore(_)
        | Work::Hold(_)
        | Work::Watch(_) => Answer::from(InstallFailed {
            command: id,
            failure,
            output,
        }),
    }
}

fn not_ours(command: &Command) -> Answer {
    let detail = format!("`{}` is not for agents", command.work.kind());
    let failure = Failure::new(FailedBecause::NotObeyed, &detail);
    failed(command, failure, Output::default())
}

/// One command with the place where its marks and its output lie.
pub(crate) struct Bench<'a> {
    pub(crate) tools: &'a Tools,
    pub(crate) command: &'a Command,
    /// What was last proved to run on the server.
    pub(crate) previous: Option<Release>,
    folder: PathBuf,
}

impl<'a> Bench<'a> {
    fn open(
        tools: &'a Tools,
        command: &'a Command,
        previous: Option<Release>,
    ) -> Result<Self, Failure> {
        let name = command.id.to_string().replace('/', "_");
        let folder = tools.folder.join(name);
        std::fs::create_dir_all(&folder).map_err(|error| {
            crate::disk::failure("create", &folder, &error, FailedBecause::ProgramFailed)
        })?;
        remove_oldest(&tools.folder);
        Ok(Self {
            tools,
            command,
            previous,
            folder,
        })
    }

    /// The mark of one of the command's programs.
    pub(crate) fn mark(&self, program: &str) -> PathBuf {
        self.folder.join(format!("{program}.mark"))
    }

    /// Where all its programs write.
    pub(crate) fn output_path(&self) -> PathBuf {
        self.folder.join("output")
    }

    /// What its programs have written so far, fit to be reported.
    pub(crate) fn output(&self) -> Output {
        output::collect(&self.output_path(), &self.tools.masks)
    }

    /// The command failed.
    pub(crate) fn failed(&self, failure: &Failure) -> Answer {
        let detail = self.tools.masks.text(&failure.detail);
        let failure = Failure::new(failure.reason.clone(), &detail);
        failed(self.command, failure, self.output())
    }
}

fn remove_oldest(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut found: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let at = entry.metadata().and_then(|found| found.modified()).ok()?;
            Some((at, entry.path()))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    for (_, path) in found.iter().skip(FOLDERS_MAX) {
        let _stays = remove_all(path);
    }
}
