//! What a history says, as facts to be compared with what customers saw: pure.

use super::history::Happened;
use crate::customers::HeldOut;
use events::{
    Answer, BalancerName, CommandId, Decision, Event, RolloutFinished, RolloutId, ServerName, Work,
};
use std::collections::{BTreeMap, BTreeSet};

/// How a rollout ended, if it did.
#[must_use]
pub fn finish(events: &[Happened], rollout: RolloutId) -> Option<&RolloutFinished> {
    let ends = events.iter().filter_map(|one| match &one.event {
        Event::Decision(Decision::RolloutFinished(end)) => Some(end),
        Event::Decision(_) | Event::Answer(_) => None,
    });
    ends.into_iter().find(|end| end.rollout == rollout)
}

/// When each server was out for customers.
///
/// It begins when the last of the balancers' controllers has said `Drained`, by that controller's
/// own clock: from then on no HAProxy may send anybody. It ends when the `Restore` is issued, and
/// not at `Restored`: between the two the first balancer has the server back, and customers come to
/// it rightly. A server that is still out is out until `now_ms`.
#[must_use]
pub fn held_out(events: &[Happened], balancers: usize, now_ms: u64) -> Vec<HeldOut> {
    let mut drained: BTreeMap<CommandId, BTreeSet<BalancerName>> = BTreeMap::new();
    let mut out: BTreeMap<ServerName, u64> = BTreeMap::new();
    let mut all = vec![];
    for one in events {
        match &one.event {
            Event::Answer(Answer::Drained(answer)) => {
                let said = drained.entry(answer.command.clone()).or_default();
                said.insert(answer.balancer.clone());
                if said.len() == balancers {
                    let server = answer.command.server.clone();
                    out.entry(server).or_insert(one.reported_ms);
                }
            }
            Event::Decision(Decision::CommandIssued(issued)) => {
                let puts_back = matches!(issued.command.work, Work::Restore(_));
                if let Some(from_ms) = puts_back
                    .then(|| out.remove(&issued.command.server))
                    .flatten()
                {
                    all.push(HeldOut {
                        server: issued.command.server.to_string(),
                        from_ms,
                        to_ms: one.at_ms,
                    });
                }
            }
            Event::Answer(_) | Event::Decision(_) => {}
        }
    }
    all.extend(out.into_iter().map(|(server, from_ms)| HeldOut {
        server: server.to_string(),
        from_ms,
        to_ms: now_ms,
    }));
    all
}

/// Requests that reached a server while it was kept out, as the lb-controllers themselves count
/// them.
#[must_use]
pub fn holds_broken(events: &[Happened]) -> u64 {
    let broken = events.iter().map(|one| match &one.event {
        Event::Answer(Answer::HoldBroken(broken)) => broken.requests,
        Event::Answer(_) | Event::Decision(_) => 0,
    });
    broken.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn happened(at_ms: u64, kind: &str, body: &Value) -> Happened {
        Happened {
            n: at_ms,
            at_ms: at_ms + 1,
            reported_ms: at_ms,
            event: Event::from_bytes(kind, 1, body.to_string().as_bytes()).unwrap(),
        }
    }

    fn drained(at_ms: u64, server: &str, balancer: &str) -> Happened {
        let body = json!({
            "command": format!("repair/{server}/drain/1"), "balancer": balancer,
            "haproxy_pid": 1, "haproxy_version": "2.6.12", "running": 0, "queued": 0, "cut": 0,
            "pinned_seen": 0, "state_saved": true, "waited_ms": 1, "up_before": 2, "up_after": 1,
            "floor": 1, "was_up": true, "by_person": false, "row": "",
        });
        happened(at_ms, "poolshift.drained", &body)
    }

    fn restore(at_ms: u64, server: &str) -> Happened {
        let time = "2026-01-01T00:00:00.000Z";
        let body = json!({ "command": {
            "id": format!("repair/{server}/restore/1"), "target": "stage/shop", "server": server,
            "machine": "m1", "rollout": "repair", "epoch": 1, "seq": 1, "attempt": 1,
            "issued_at": time, "start_within_ms": 0, "timeout_ms": 1, "deadline_at": time,
            "balancers": [], "online": "shop", "maintenance": "shop_maintenance", "line": server,
            "work": { "kind": "restore", "expect": null, "must_be_up": true },
        }});
        happened(at_ms, "poolshift.command-issued", &body)
    }

    fn out(server: &str, from_ms: u64, to_ms: u64) -> HeldOut {
        HeldOut {
            server: server.to_owned(),
            from_ms,
            to_ms,
        }
    }

    #[test]
    fn a_server_is_out_from_its_last_drained_to_the_restore_that_is_issued() {
        let events = [
            drained(10, "web1", "lb1"),
            drained(20, "web1", "lb2"),
            drained(30, "web2", "lb1"),
            restore(50, "web1"),
            restore(60, "web3"),
            drained(70, "web2", "lb2"),
        ];
        let expected = [out("web1", 20, 51), out("web2", 70, 99)];
        assert_eq!(held_out(&events, 2, 99), expected);
    }

    #[test]
    fn a_balancer_that_says_it_twice_does_not_speak_for_the_other() {
        let events = [drained(10, "web1", "lb1"), drained(20, "web1", "lb1")];
        assert_eq!(held_out(&events, 2, 99), []);
    }
}
