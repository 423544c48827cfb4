//! Stands where the orchestrator stands: writes commands, reads reports.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bus::{Bus, Commit, Follower, Outgoing, Position, Stream};
use events::{
    Answer, Balancer, Check, Command, CommandRecord, Envelope, Expect, Idle, Probe, Report,
    ResponseTime, Subject, Target, Timestamp, TooFew, Watch, Work, partition_of,
};

use super::PATIENCE;

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap())
}

/// A check of `web1` in version 1.1, with time enough.
pub(crate) fn check(attempt: u32, seq: u64, testers: &[&str], probes: Vec<Probe>) -> Command {
    let id: events::CommandId = format!("repair/web1/check-1/{attempt}").parse().unwrap();
    Command {
        target: "production/checkout".parse().unwrap(),
        server: "web1".parse().unwrap(),
        machine: "srv-101".parse().unwrap(),
        rollout: id.rollout,
        epoch: 1,
        seq,
        attempt,
        issued_at: now(),
        start_within_ms: 10_000,
        timeout_ms: 15_000,
        deadline_at: now().plus_ms(30_000),
        own: None,
        plan_digest: None,
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        balancers: testers
            .iter()
            .enumerate()
            .map(|(n, url)| Balancer {
                name: format!("lb{}", n + 1).parse().unwrap(),
                testers: (*url).to_owned(),
            })
            .collect(),
        online: "checkout".to_owned(),
        maintenance: "checkout_maintenance".to_owned(),
        line: "web1".to_owned(),
        work: Work::Check(Check {
            direct: None,
            header: "x-poolshift-server".to_owned(),
            answered_by: "x-poolshift-answered-by".to_owned(),
            probes,
            in_a_row: 3,
            interval_ms: 20,
            probe_timeout_ms: 2_000,
            expect: Expect {
                server: "web1".to_owned(),
                version: Some("1.1".parse().unwrap()),
            },
        }),
        id,
    }
}

/// A watch of `web1` beside `web2`, of the customers who come through `testers`.
pub(crate) fn watch(for_ms: u64, testers: &str) -> Command {
    let check = check(1, 1, &[testers], vec![]);
    Command {
        timeout_ms: 20_000,
        id: "repair/web1/watch/1".parse().unwrap(),
        work: Work::Watch(Watch {
            peers: vec!["web2".to_owned()],
            for_ms,
            longest_ms: for_ms,
            max_5xx_ppm: 10_000,
            min_requests: 20,
            if_too_few: TooFew::Pass,
            must_be_up: true,
            baseline: None,
            response: None,
        }),
        ..check
    }
}

/// The same, with 100 ms for each answer of these addresses.
pub(crate) fn timed(for_ms: u64, testers: &str, [server, peer]: [&str; 2]) -> Command {
    let command = watch(for_ms, testers);
    let Work::Watch(watch) = command.work else {
        panic!("{} is no watch", command.id)
    };
    let response = ResponseTime {
        max_ms: 100,
        max_late_ppm: 50_000,
        min_probes: 20,
        interval_ms: 100,
        timeout_ms: 2_000,
        path: "/".to_owned(),
        status: 200,
        server: format!("http://{server}"),
        peers: vec![format!("http://{peer}")],
    };
    Command {
        work: Work::Watch(Watch {
            response: Some(response),
            ..watch
        }),
        ..command
    }
}

pub(crate) fn get(path: &str) -> Probe {
    Probe::Http {
        path: path.to_owned(),
        status: 200,
        body: None,
        header: None,
    }
}

pub(crate) struct Orders {
    owner: bus::Owner,
    reports: Follower,
}

impl Orders {
    pub(crate) async fn take(bus: &Bus) -> Self {
        let target: Target = "production/checkout".parse().unwrap();
        let partition = partition_of(&Subject::Target(target));
        let owner = bus.own(partition, 0, Outgoing::default()).await.unwrap();
        let reports = bus
            .follow(Stream::Reports, &[partition], &Position::Start)
            .unwrap();
        Self { owner, reports }
    }

    pub(crate) async fn publish(&mut self, command: &Command) {
        self.write(CommandRecord::Command(Box::new(command.clone())))
            .await;
    }

    pub(crate) async fn publish_idle(&mut self, after: &Command) {
        self.write(CommandRecord::Idle(Idle {
            target: after.target.clone(),
            server: after.server.clone(),
            machine: after.machine.clone(),
            epoch: after.epoch,
            seq: after.seq + 1,
            balancers: vec![],
            online: String::new(),
            maintenance: String::new(),
            line: String::new(),
        }))
        .await;
    }

    async fn write(&mut self, record: CommandRecord) {
        let commit = Commit {
            commands: vec![Outgoing {
                key: record.key(),
                headers: vec![],
                value: record.to_bytes(),
            }],
            ..Commit::default()
        };
        self.owner.commit(commit).await.unwrap();
    }

    /// The next report, with its envelope.
    pub(crate) async fn report(&mut self) -> (Envelope, Answer) {
        let record = self.reports.next(PATIENCE).await.unwrap();
        let record = record.expect("no report came");
        let envelope = Envelope::from_headers(&record.headers).unwrap();
        let report = Report::from_bytes(&envelope.kind, envelope.version, &record.value).unwrap();
        let Report::Answer(answer) = report else {
            panic!("{report:?} is no answer")
        };
        (envelope, answer)
    }

    pub(crate) async fn silence(&mut self, how_long: Duration) {
        let record = self.reports.next(how_long).await.unwrap();
        assert_eq!(record, None);
    }
}
