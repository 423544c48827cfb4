//! What agents and the gateway say to each other.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::base::*;
use super::{Sample, commands};
use poolshift_events::*;

pub(crate) fn samples() -> Vec<Sample> {
    vec![
        json("agents.enrolment-code", enrolment_code()),
        json("agents.enrolment", enrolment()),
        json("agents.enrolled", enrolled()),
        json("agents.poll-answer", poll_answer(Some(enrolled()))),
        json("agents.poll-answer.form-2", poll_answer(None)),
        json("agents.poll-answer.look", look()),
        json("agents.looked", looked()),
        json("agents.looked.forbidden", forbidden()),
        json("agents.report-batch", report_batch()),
        json("agents.report-outcomes", outcomes()),
    ]
}

fn json<T>(name: &str, value: T) -> Sample
where
    T: Serialize + DeserializeOwned + PartialEq + 'static,
{
    Sample::new(
        name.to_owned(),
        value,
        |value| serde_json::to_vec(value).unwrap(),
        |bytes| {
            serde_json::from_slice(bytes).map_err(|error| Unreadable::Malformed {
                kind: "agents".to_owned(),
                why: error.to_string(),
            })
        },
    )
}

fn enrolment_code() -> EnrolmentCode {
    EnrolmentCode {
        machine: machine(),
        code: "a-one-time-code".to_owned(),
        expires_at: time(900_000),
    }
}

fn enrolment() -> Enrolment {
    Enrolment {
        machine: machine(),
        code: "a-one-time-code".to_owned(),
        public_key: "MCowBQYDK2VwAyEA".to_owned(),
        signature: "c2lnbmF0dXJl".to_owned(),
    }
}

fn enrolled() -> Enrolled {
    Enrolled {
        token: "header.claims.signature".to_owned(),
        expires_at: time(3_600_000),
    }
}

fn poll_answer(renewed: Option<Enrolled>) -> PollAnswer {
    PollAnswer {
        server_time: time(2_000),
        assignments: vec![Assignment {
            record: CommandRecord::Command(Box::new(commands::drain())),
            start_within_ms: 8_000,
            remains_ms: 68_000,
        }],
        renewed,
        look: None,
    }
}

fn look() -> PollAnswer {
    PollAnswer {
        assignments: vec![],
        look: Some(Look {
            id: "0198d6f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b".parse().unwrap(),
            at: LookAt {
                folders: vec!["/srv/checkout".to_owned()],
                programs: vec!["nunit-console".to_owned()],
                urls: vec!["https://artifacts.example/checkout/1.0/checkout.tar.gz".to_owned()],
            },
        }),
        ..poll_answer(None)
    }
}

fn looked() -> Looked {
    Looked {
        id: "0198d6f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b".parse().unwrap(),
        clock: time(2_000),
        agent_version: "0.1.0".to_owned(),
        folders: vec![FolderSeen {
            folder: "/srv/checkout".to_owned(),
            free_bytes: Some(1 << 30),
        }],
        programs: vec![ProgramSeen {
            program: "nunit-console".to_owned(),
            found: true,
        }],
        urls: vec![UrlSeen {
            url: "https://artifacts.example/checkout/1.0/checkout.tar.gz".to_owned(),
            status: Some(200),
            why: None,
            forbidden: false,
            logged_in: false,
        }],
    }
}

fn forbidden() -> Looked {
    let seen = UrlSeen {
        url: "https://artifacts.example/checkout/1.0/checkout.tar.gz".to_owned(),
        status: Some(401),
        why: None,
        forbidden: false,
        logged_in: true,
    };
    let other = UrlSeen {
        url: "https://other.example/checkout.tar.gz".to_owned(),
        status: None,
        why: Some("other.example is not among this agent's `artifact_hosts`".to_owned()),
        forbidden: true,
        logged_in: false,
    };
    Looked {
        urls: vec![seen, other],
        ..looked()
    }
}

fn report_batch() -> ReportBatch {
    let answer = Answer::from(CommandStarted {
        command: command_id("install"),
    });
    ReportBatch {
        reports: vec![WireReport {
            id: "0198d6f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b".parse().unwrap(),
            target: target(),
            reported_at: time(1_500),
            kind: answer.kind().to_owned(),
            version: answer.version(),
            traceparent: None,
            body: serde_json::from_slice(&answer.to_bytes()).unwrap(),
        }],
    }
}

fn outcomes() -> Vec<ReportOutcome> {
    let id: ReportId = "0198d6f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b".parse().unwrap();
    vec![
        ReportOutcome {
            id,
            taken: true,
            why: None,
        },
        ReportOutcome {
            id,
            taken: false,
            why: Some("this machine has no server of production/basket".to_owned()),
        },
    ]
}
