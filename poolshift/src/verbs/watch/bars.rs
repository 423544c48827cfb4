//! A rollout on a terminal: a bar for the whole, and one for each server.

use std::collections::BTreeMap;
use std::time::Duration;

use events::ServerName;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use view::{RolloutView, ServerProgress};

use crate::verbs::status::{waits, word};

/// What a server goes through, in order; the last is its end.
const STEPS: [&str; 9] = [
    "fetch", "drain", "install", "check-1", "test", "check-2", "restore", "watch", "done",
];

const TICK: Duration = Duration::from_millis(120);

/// What is drawn.
#[derive(Debug)]
pub(super) struct Bars {
    all: MultiProgress,
    whole: ProgressBar,
    waits: ProgressBar,
    servers: BTreeMap<ServerName, ProgressBar>,
}

impl Default for Bars {
    fn default() -> Self {
        let all = MultiProgress::new();
        let whole = all.add(ProgressBar::new(0));
        whole.set_style(style("{prefix} {bar:30} {pos}/{len} servers, {elapsed}"));
        let waits = all.add(ProgressBar::new_spinner());
        waits.set_style(style("{spinner} {wide_msg}"));
        waits.enable_steady_tick(TICK);
        Self {
            all,
            whole,
            waits,
            servers: BTreeMap::new(),
        }
    }
}

/// A template of ours that cannot be read would show the default, not fail.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Bars {
    pub(super) fn show(&mut self, rollout: &RolloutView) {
        let ended = |server: &&ServerProgress| {
            matches!(
                server.step.as_str(),
                "done" | "returned" | "kept" | "excluded"
            )
        };
        let done = rollout.servers.iter().filter(ended).count();
        self.whole.set_length(length(rollout.servers.len()));
        self.whole.set_position(length(done));
        self.whole.set_prefix(format!(
            "{} {} {}",
            rollout.target,
            rollout.version,
            word(rollout.status)
        ));
        self.waits
            .set_message(rollout.waiting.first().map(waits).unwrap_or_default());
        for server in &rollout.servers {
            self.server(server);
        }
    }

    /// Leaves everything on the terminal as it is now.
    pub(super) fn end(&self) {
        self.waits.finish_and_clear();
        for bar in self.servers.values() {
            bar.abandon();
        }
        self.whole.abandon();
    }

    fn server(&mut self, server: &ServerProgress) {
        let all = &self.all;
        let bar = self
            .servers
            .entry(server.server.clone())
            .or_insert_with(|| {
                let bar = all.add(ProgressBar::new(length(STEPS.len())));
                bar.set_style(style("  {prefix:12} {bar:16} {wide_msg}"));
                bar.set_prefix(server.server.to_string());
                bar
            });
        let step = server.step.trim_start_matches("back-");
        let at = STEPS.iter().position(|known| *known == step);
        bar.set_position(at.map_or(0, |at| length(at + 1)));
        let tries = match server.attempt {
            0 | 1 => String::new(),
            attempt => format!(", try {attempt}"),
        };
        let note = server
            .note
            .as_deref()
            .map_or(String::new(), |note| format!(": {note}"));
        bar.set_message(format!("{}{tries}{note}", server.step));
    }
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
