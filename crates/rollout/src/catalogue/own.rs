//! `drain` and `restore` of an environment without a load balancer: the service's own commands.

use events::{Own, ServerName};

use super::entry::{InstallRule, OwnRule};
use super::install::SERVER_HOLE;
use super::section::Section;

impl OwnRule {
    /// As they are for one server.
    #[must_use]
    pub fn on(&self, install: &InstallRule, server: &ServerName) -> (Own, Own) {
        let into = install.on(server).into;
        let own = |argv: &[String]| Own {
            argv: argv
                .iter()
                .map(|text| text.replace(SERVER_HOLE, server.as_str()))
                .collect(),
            into: into.clone(),
        };
        (own(&self.drain), own(&self.restore))
    }
}

/// Without them nothing would take an unproven version out of work: a service that was just
/// restarted would take customers' work before anybody has tested it.
pub(super) fn own(section: &Section<'_>, has_no_balancer: bool) -> Option<Option<OwnRule>> {
    if has_no_balancer {
        let drain = section.need("drain").and_then(|value| value.argv());
        let restore = section.need("restore").and_then(|value| value.argv());
        return Some(Some(OwnRule {
            drain: drain?,
            restore: restore?,
        }));
    }
    for name in ["drain", "restore"] {
        if let Some(value) = section.maybe(name) {
            value.refuse(
                format!("`{name}` is for an environment without a load balancer"),
                "remove it: the load balancers take servers out; or write balancers = []",
            );
            return None;
        }
    }
    Some(None)
}
