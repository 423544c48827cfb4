//! What the catalogue says about whose builds may ask for what.

use events::Target;
use view::JenkinsView;

use crate::app::App;

/// One target of the catalogue, as far as a door needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub target: Target,
    /// Whose builds may ask for it; none: anybody's who proves a secret, but no notification can.
    pub jenkins: Option<JenkinsView>,
}

/// All targets that there are now.
pub(super) fn known(app: &App) -> Vec<Known> {
    let targets = app.view.targets();
    targets
        .iter()
        .map(|kept| Known {
            target: kept.document.target.clone(),
            jenkins: kept.document.jenkins.clone(),
        })
        .collect()
}

/// The names of all of them, for whoever named another one.
pub(super) fn names(known: &[Known]) -> impl Iterator<Item = String> {
    known.iter().map(|known| known.target.to_string())
}
