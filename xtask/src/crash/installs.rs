//! Each installer runs once for its command: it appends a line to a file when it begins.

use ::tests::world::{Happened, World};
use anyhow::{Context, Result};
use events::{Answer, CommandId, Decision, Event, Work};
use std::collections::BTreeSet;
use std::fs;

/// Commands whose installer ran twice, or was reported to have run and did not.
pub(super) fn wrong(world: &World, events: &[Happened]) -> Result<Vec<String>> {
    let mut wrong = vec![];
    for server in &world.stage.fleet.servers {
        let path = server.home.folder().join("installs.log");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let runs: Vec<u64> = text.lines().filter_map(began_ms).collect();
        wrong.extend(compare(&server.name, &runs, events));
    }
    Ok(wrong)
}

fn began_ms(line: &str) -> Option<u64> {
    line.split_whitespace().next()?.parse().ok()
}

/// A server has one command at a time, so what began between an install command and the next one
/// was begun for the former.
fn compare(server: &str, runs: &[u64], events: &[Happened]) -> Vec<String> {
    let mut issued: Vec<(u64, &CommandId)> = vec![];
    let mut installed: BTreeSet<&CommandId> = BTreeSet::new();
    for one in events {
        match &one.event {
            Event::Decision(Decision::CommandIssued(e)) => {
                let command = &e.command;
                let is_install = matches!(command.work, Work::Install(_));
                let is_new = issued.iter().all(|(_, id)| **id != command.id);
                if is_install && is_new && command.server.as_str() == server {
                    issued.push((one.at_ms, &command.id));
                }
            }
            Event::Answer(Answer::Installed(e)) => {
                installed.insert(&e.command);
            }
            Event::Decision(_) | Event::Answer(_) => {}
        }
    }
    judge(runs, &issued, &installed)
}

/// `issued` with its times, in order; `installed` are those that were answered so.
fn judge(
    runs: &[u64],
    issued: &[(u64, &CommandId)],
    installed: &BTreeSet<&CommandId>,
) -> Vec<String> {
    let ends = issued.iter().skip(1).map(|(at, _)| *at).chain([u64::MAX]);
    let mut wrong = vec![];
    for ((from, id), to) in issued.iter().zip(ends) {
        let times = runs.iter().filter(|at| (*from..to).contains(at)).count();
        if times > 1 || (times == 0 && installed.contains(id)) {
            wrong.push(format!("the installer of {id} ran {times} times"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_and_a_missing_one_are_found_and_an_interrupted_one_is_no_fault() {
        let ids = [1, 2].map(|attempt| {
            let id = format!("repair/web1/install/{attempt}");
            id.parse::<CommandId>().unwrap()
        });
        let issued = [(100, &ids[0]), (200, &ids[1])];
        let installed = BTreeSet::from([&ids[1]]);
        assert_eq!(judge(&[210], &issued, &installed), [""; 0]);
        assert_eq!(judge(&[110, 210], &issued, &installed), [""; 0]);
        let twice = judge(&[210, 220], &issued, &installed);
        assert_eq!(
            twice,
            ["the installer of repair/web1/install/2 ran 2 times"]
        );
        let never = judge(&[110], &issued, &installed);
        assert_eq!(
            never,
            ["the installer of repair/web1/install/2 ran 0 times"]
        );
    }
}
