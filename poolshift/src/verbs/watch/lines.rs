//! A rollout's changes, a line for each.

use std::collections::BTreeMap;

use view::{RolloutStatus, RolloutView, WaitView};

use crate::verbs::status::head;

/// What has been said so far.
#[derive(Debug, Default)]
pub(super) struct Lines {
    head: String,
    servers: BTreeMap<String, String>,
    waits: Vec<String>,
}

impl Lines {
    /// What has not been said yet.
    pub(super) fn news(&mut self, rollout: &RolloutView) -> Vec<String> {
        let mut news = Vec::new();
        let head = head(rollout);
        if head != self.head {
            news.push(head.clone());
            self.head = head;
        }
        for server in &rollout.servers {
            let name = server.server.to_string();
            let tries = match server.attempt {
                0 | 1 => String::new(),
                attempt => format!(" (try {attempt})"),
            };
            let note = server
                .note
                .as_deref()
                .map_or(String::new(), |note| format!(": {note}"));
            let now = format!("{}{tries}{note}", server.step);
            let before = self.servers.insert(name.clone(), now.clone());
            let began = before.is_some() || server.step != "waiting";
            if began && before.as_ref() != Some(&now) {
                news.push(format!("  {name}: {now}"));
            }
        }
        // What workers do is said of their servers; for people, and before it begins, it is news.
        let before = matches!(
            rollout.status,
            RolloutStatus::Queued | RolloutStatus::WaitingApproval | RolloutStatus::WaitingGate
        );
        let news_of = |wait: &&WaitView| wait.person || before;
        let told = |wait: &WaitView| match wait.person {
            true => format!("  waits for a person: {}", wait.what),
            false => format!("  waits: {}", wait.what),
        };
        let waits: Vec<String> = rollout.waiting.iter().filter(news_of).map(told).collect();
        let new = waits.iter().filter(|wait| !self.waits.contains(wait));
        news.extend(new.cloned());
        self.waits = waits;
        news
    }
}

#[cfg(test)]
mod tests {
    use events::{Actor, ActorKind, RolloutId, Timestamp, sha256};
    use view::ServerProgress;

    use super::*;

    fn rollout() -> RolloutView {
        let target = "production/checkout".parse().unwrap();
        let by = Actor {
            kind: ActorKind::Process,
            id: "cli".to_owned(),
        };
        let id = RolloutId::of(&target, "cli", "key");
        let (version, digest) = ("1.1".parse().unwrap(), sha256(b"x"));
        RolloutView::accepted(id, target, version, digest, digest, by, Timestamp::ZERO)
    }

    fn at(step: &str, attempt: u32, note: Option<&str>) -> ServerProgress {
        ServerProgress {
            server: "web1".parse().unwrap(),
            step: step.to_owned(),
            attempt,
            note: note.map(str::to_owned),
        }
    }

    fn wait(what: &str, person: bool) -> WaitView {
        WaitView {
            what: what.to_owned(),
            until: None,
            person,
        }
    }

    #[test]
    fn only_what_is_new_is_said() {
        let mut lines = Lines::default();
        let accepted = rollout();
        let id = accepted.id;
        let head = format!("rollout {id} of 1.1: accepted");
        assert_eq!(lines.news(&accepted), [head]);
        let mut running = RolloutView {
            status: RolloutStatus::Running,
            servers: vec![at("waiting", 0, None)],
            ..accepted
        };
        assert_eq!(lines.news(&running).len(), 1);
        running.servers = vec![at("drain", 1, None)];
        running.waiting = vec![wait("web1: drain, 12 s to the deadline", false)];
        assert_eq!(lines.news(&running), ["  web1: drain"]);
        running.waiting = vec![wait("web1: drain, 11 s to the deadline", false)];
        assert!(lines.news(&running).is_empty());
        running.servers = vec![at("drain", 2, Some("not drained in time"))];
        running.waiting = vec![wait("halted", true)];
        assert_eq!(
            lines.news(&running),
            [
                "  web1: drain (try 2): not drained in time",
                "  waits for a person: halted"
            ]
        );
        assert!(lines.news(&running).is_empty());
    }
}
