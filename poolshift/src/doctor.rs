//! What is wrong with a target's set-up, before a rollout meets it. It looks and changes nothing.

mod agents;
mod balancer;
mod config;
mod direct;
mod entry;
mod pools;
mod state;
mod testers;
mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;

use events::BalancerName;
use lb_controller::Settings;
use rollout::catalogue::Entry;
use serde::Serialize;
use view::TargetView;

use crate::client::Client;
use crate::failure::Failure;

/// What is looked at.
#[derive(Debug)]
pub(crate) struct Patient<'a> {
    /// As the service file has it.
    pub(crate) entry: &'a Entry,
    /// The service file.
    pub(crate) file: &'a crate::catalogue::File,
    /// As Poolshift sees it; none: its service file was never applied.
    pub(crate) view: Option<&'a TargetView>,
    /// Of the lb-controllers on this machine.
    pub(crate) controllers: &'a [Settings],
    /// Where the health-checker reads counters, as its settings have it.
    pub(crate) stats_sockets: &'a BTreeMap<BalancerName, String>,
    /// The settings' file, for mends.
    pub(crate) settings: &'a PathBuf,
}

/// What was found, and what could not be looked at.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Findings {
    pub(crate) findings: Vec<Finding>,
    pub(crate) unchecked: Vec<Unchecked>,
    /// What is out of the ordinary, and right.
    pub(crate) notes: Vec<Note>,
}

/// One thing that is wrong.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    /// Which check, in a word that stays.
    pub(crate) check: &'static str,
    /// Where: a balancer, a machine, a file.
    pub(crate) place: String,
    pub(crate) what: String,
    pub(crate) mend: String,
}

/// One thing that could not be looked at, and why.
#[derive(Debug, Serialize)]
pub(crate) struct Unchecked {
    pub(crate) place: String,
    pub(crate) why: String,
}

/// One thing that is as it should be, though it looks otherwise.
#[derive(Debug, Serialize)]
pub(crate) struct Note {
    pub(crate) place: String,
    pub(crate) what: String,
}

impl Findings {
    pub(crate) fn add(
        &mut self,
        check: &'static str,
        place: impl Into<String>,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.findings.push(Finding {
            check,
            place: place.into(),
            what: what.into(),
            mend: mend.into(),
        });
    }

    pub(crate) fn note(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.notes.push(Note {
            place: place.into(),
            what: what.into(),
        });
    }

    pub(crate) fn skip(&mut self, place: impl Into<String>, why: impl Into<String>) {
        self.unchecked.push(Unchecked {
            place: place.into(),
            why: why.into(),
        });
    }
}

/// Looks at everything.
///
/// # Errors
/// When the API does not answer.
pub(crate) async fn examine(client: &Client, patient: &Patient<'_>) -> Result<Findings, Failure> {
    let mut found = Findings::default();
    entry::check(patient, &mut found);
    for balancer in &patient.entry.balancers {
        balancer::check(patient, balancer, &mut found).await;
    }
    watch::check(patient, &mut found).await;
    direct::check(patient, &mut found).await;
    agents::check(client, patient, &mut found).await?;
    Ok(found)
}
