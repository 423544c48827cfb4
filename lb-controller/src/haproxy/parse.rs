//! HAProxy's tables, read by the names in their headers: versions differ in columns and their order.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::observed::{Admin, Observed, Process, Row, Saved};

/// `srv_op_state` of a server whose check is good.
const RUNNING: &str = "2";

/// From the answers to `show info`, `show stat` and `show servers state`, in this order, each of which
/// ends with an empty line.
pub(super) fn observed(answers: &str) -> Result<Observed> {
    let mut answers = answers.split("\n\n");
    let mut next = |command: &str| {
        let answer = answers.next().unwrap_or_default();
        (!answer.trim().is_empty())
            .then_some(answer)
            .with_context(|| format!("HAProxy did not answer `{command}`"))
    };
    let process = process(next("show info")?)?;
    let stat = next("show stat")?;
    let states = states(next("show servers state")?);
    Ok(Observed {
        process,
        rows: rows(stat, &states)?,
    })
}

/// What a state file asks for at HAProxy's next start; nothing when HAProxy would call it corrupt,
/// which it does without a newline at its end (haproxy-ingress issue 1404).
pub(crate) fn saved(file: &str) -> Saved {
    if !file.ends_with('\n') {
        return Saved::new();
    }
    states(file)
        .into_iter()
        .map(|(place, state)| (place, state.admin))
        .collect()
}

struct State {
    admin: Admin,
    is_running: bool,
}

fn process(info: &str) -> Result<Process> {
    let value = |name: &str| {
        info.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .with_context(|| format!("`show info` has no `{name}`"))
    };
    let uptime_s: u64 = value("Uptime_sec")?.parse().context("`Uptime_sec`")?;
    Ok(Process {
        pid: value("Pid")?.parse().context("`Pid` is not a number")?,
        version: value("Version")?.to_owned(),
        uptime_ms: uptime_s.saturating_mul(1_000),
    })
}

/// The table follows a line with its format's number and one with the columns' names.
fn states(text: &str) -> BTreeMap<(String, String), State> {
    let mut header: Vec<&str> = Vec::new();
    let mut states = BTreeMap::new();
    for line in text.lines() {
        if let Some(names) = line.strip_prefix("# ") {
            header = names.split_whitespace().collect();
            continue;
        }
        let cells: Vec<&str> = line.split_whitespace().collect();
        let cell = |name: &str| {
            let column = header.iter().position(|one| *one == name)?;
            cells.get(column).copied()
        };
        if let (Some(backend), Some(server), Some(op), Some(admin)) = (
            cell("be_name"),
            cell("srv_name"),
            cell("srv_op_state"),
            cell("srv_admin_state").and_then(|bits| bits.parse().ok()),
        ) {
            let state = State {
                admin: Admin::from_bits(admin),
                is_running: op == RUNNING,
            };
            states.insert((backend.to_owned(), server.to_owned()), state);
        }
    }
    states
}

/// CSV without quotes in the columns that we read; those with free text come later.
fn rows(
    stat: &str,
    states: &BTreeMap<(String, String), State>,
) -> Result<BTreeMap<(String, String), Row>> {
    let mut lines = stat.lines();
    let header = lines.next().and_then(|line| line.strip_prefix("# "));
    let header: Vec<&str> = header
        .context("`show stat` has no header")?
        .split(',')
        .collect();
    let column = |name: &str| {
        let found = header.iter().position(|one| *one == name);
        found.with_context(|| format!("`show stat` has no column `{name}`"))
    };
    let names = [
        "pxname", "svname", "status", "scur", "qcur", "stot", "lastchg",
    ];
    let mut columns = [0; 7];
    for (place, name) in columns.iter_mut().zip(names) {
        *place = column(name)?;
    }
    let read = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let [backend, server, status, running, queued, requests, changed] =
            columns.map(|column| cells.get(column).copied().unwrap_or_default());
        let place = (backend.to_owned(), server.to_owned());
        let state = states.get(&place)?;
        let row = Row {
            admin: state.admin,
            status: status.to_owned(),
            checked_up: state.is_running,
            running: running.parse().unwrap_or(0),
            queued: queued.parse().unwrap_or(0),
            requests: requests.parse().unwrap_or(0),
            unchanged_ms: changed.parse::<u64>().unwrap_or(0).saturating_mul(1_000),
            text: line.to_owned(),
        };
        Some((place, row))
    };
    Ok(lines.filter_map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "Name: HAProxy\nVersion: 2.6.12\nPid: 42\nUptime_sec: 7\n";
    const STAT: &str = "# pxname,svname,qcur,scur,stot,status,lastchg,new\n\
                        shop,web1,1,2,30,UP 1/2,4,x,\nshop,BACKEND,0,0,30,UP,4,x,\n";
    const STATE: &str = "1\n# be_id be_name srv_name srv_op_state srv_admin_state later\n\
                         1 shop web1 2 13 -\n";

    #[test]
    fn tables_are_read_by_the_names_of_their_columns() {
        let observed = observed(&format!("{INFO}\n{STAT}\n{STATE}\n")).unwrap();
        assert_eq!(observed.process.pid, 42);
        assert_eq!(observed.process.uptime_ms, 7_000);
        let row = observed.row("shop", "web1").unwrap();
        assert_eq!((row.running, row.queued, row.requests), (2, 1, 30));
        assert_eq!(row.admin, Admin::Maint);
        assert!(row.serves() && !row.is_up() && row.checked_up);
        assert_eq!(observed.rows.len(), 1, "BACKEND is no server");
    }

    #[test]
    fn an_answer_that_is_cut_short_is_no_answer() {
        assert!(observed(&format!("{INFO}\n{STAT}\n")).is_err());
        assert!(observed("Unknown command: 'show'\n\n").is_err());
    }

    #[test]
    fn a_state_file_without_its_last_newline_asks_for_nothing() {
        assert_eq!(saved(STATE).len(), 1);
        assert!(saved(STATE.trim_end()).is_empty());
    }

    #[test]
    fn bits_that_are_inherited_or_configured_are_nobodys_wish() {
        assert_eq!(Admin::from_bits(0x02 | 0x04 | 0x10 | 0x20), Admin::Ready);
        assert_eq!(Admin::from_bits(0x05), Admin::Maint);
        assert_eq!(Admin::from_bits(0x08), Admin::Drain);
    }
}
