//! What is rolled out, over what, and how carefully.

use crate::shop::Release;

/// A fleet and its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// How many servers.
    pub servers: usize,
    /// How many of them share a machine, and so an agent.
    pub per_machine: usize,
    /// What they run at first.
    pub initial: Release,
    /// `batches` of the catalogue, as written there.
    pub batches: String,
    /// `floor` of the catalogue, as written there.
    pub floor: String,
    /// How long a drain may take, in seconds; at least 5.
    pub drain_timeout_s: u64,
    /// How long a return may take, in seconds; at least 5.
    pub restore_timeout_s: u64,
    /// How long a halt waits for a person, in seconds; at least 5.
    pub person_wait_s: u64,
    /// Whether it goes back when something is wrong, or waits for a person.
    pub rolls_back: bool,
    /// How a version gets onto a machine.
    pub install: Install,
    /// `watch` of the catalogue, as a line of it; empty: nothing is watched.
    pub watch: String,
    /// Whether an agent runs on each machine; else somebody else plays them.
    pub agents: bool,
}

/// How a version gets onto a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Install {
    /// Unpacked and switched by the agent, restarted by the shop's own command.
    Archive,
    /// By a shell script that first appends a line to `installs.log` of the server's home: the
    /// time in milliseconds and the version.
    Command {
        /// Lines of shell before the restart, in the release's folder; `$1` is the server.
        before_restart: String,
    },
}

impl Default for Setup {
    /// Eight servers on four machines: one, then two, then four at once, half of them always UP.
    fn default() -> Self {
        Self {
            servers: 8,
            per_machine: 2,
            initial: Release::good("1.0.0"),
            batches: "[1, 2, 4]".to_owned(),
            floor: "\"50%\"".to_owned(),
            drain_timeout_s: 20,
            restore_timeout_s: 20,
            person_wait_s: 3600,
            rolls_back: true,
            install: Install::Archive,
            watch: String::new(),
            agents: true,
        }
    }
}

impl Setup {
    /// The machine of the server at this place, counted from 0.
    #[must_use]
    pub fn machine_of(&self, place: usize) -> String {
        format!("m{}", place / self.per_machine + 1)
    }

    /// All machines.
    #[must_use]
    pub fn machines(&self) -> Vec<String> {
        let mut machines: Vec<String> = (0..self.servers).map(|at| self.machine_of(at)).collect();
        machines.dedup();
        machines
    }
}
