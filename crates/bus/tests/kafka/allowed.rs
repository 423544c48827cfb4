//! Brokers that ask who everybody is: what docs/kafka.md says each process must be allowed is enough,
//! and what it is not allowed is refused. By TLS and SCRAM.

use poolshift_bus::kafka::{Settings, topics};
use poolshift_bus::{Bus, Commit, Error, Position, Stream};
use tests::kafka::{Allowed, Cluster, Layout};

use crate::suite::place::{SOON, read, record, records, texts};
use crate::topics::start;

/// The rows of the table in docs/kafka.md: user, kind, name, whether it is a beginning, operations.
const ROWS: [(&str, &str, &str, bool, &[&str]); 12] = [
    (
        "orchestrator",
        "--topic",
        "poolshift.reports",
        false,
        &["Read", "Write"],
    ),
    (
        "orchestrator",
        "--topic",
        "poolshift.events",
        false,
        &["Read", "Write"],
    ),
    (
        "orchestrator",
        "--topic",
        "poolshift.commands",
        false,
        &["Read", "Write"],
    ),
    (
        "orchestrator",
        "--topic",
        "poolshift.snapshots",
        false,
        &["Read", "Write"],
    ),
    (
        "orchestrator",
        "--topic",
        "poolshift.rejected",
        false,
        &["Write"],
    ),
    (
        "orchestrator",
        "--transactional-id",
        "poolshift-orchestrator-",
        true,
        &["Write"],
    ),
    ("orchestrator", "--group", "poolshift-", true, &["Read"]),
    (
        "gateway",
        "--topic",
        "poolshift.reports",
        false,
        &["Read", "Write"],
    ),
    ("gateway", "--topic", "poolshift.events", false, &["Read"]),
    ("gateway", "--topic", "poolshift.commands", false, &["Read"]),
    ("worker", "--topic", "poolshift.reports", false, &["Write"]),
    ("worker", "--topic", "poolshift.commands", false, &["Read"]),
];

fn secured(folder: &std::path::Path) -> (Cluster, Layout) {
    let users = ["orchestrator", "gateway", "worker"];
    let layout = Layout::secured(folder.to_owned(), &users).unwrap();
    let cluster = start(&layout);
    let readers = ["gateway", "worker"].map(|user| {
        (
            user,
            "--group",
            "poolshift-readers",
            false,
            ["Read"].as_slice(),
        )
    });
    for (user, kind, name, prefixed, operations) in ROWS.into_iter().chain(readers) {
        let allowed = Allowed {
            kind,
            name,
            prefixed,
            operations,
        };
        cluster.allow(user, allowed).unwrap();
    }
    (cluster, layout)
}

fn settings(cluster: &Cluster, layout: &Layout, user: &str) -> Settings {
    let mut settings = Settings::new(&cluster.addresses());
    settings.instance = user.to_owned();
    settings.answer_within_ms = 5_000;
    let certificate = layout.certificate().display().to_string();
    let passed = [
        ("security.protocol", "SASL_SSL"),
        ("ssl.ca.location", certificate.as_str()),
        ("sasl.mechanism", "SCRAM-SHA-512"),
        ("sasl.username", user),
        ("sasl.password", user),
    ];
    let passed = passed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    settings.librdkafka.extend(passed);
    settings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_process_may_do_what_is_its_own_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, layout) = secured(folder.path());
    let admin = settings(&cluster, &layout, "admin");
    topics::create(&admin, 1).await.unwrap();

    let connect = async |name| {
        let settings = settings(&cluster, &layout, name);
        Bus::connect(&settings).await.unwrap()
    };
    let orchestrator = connect("orchestrator").await;
    let gateway = connect("gateway").await;
    let worker = connect("worker").await;
    let mut membership = orchestrator.membership("orchestrator").unwrap();
    tokio::time::timeout(SOON, membership.next())
        .await
        .expect("it becomes a member")
        .unwrap();
    let report = gateway
        .append(Stream::Reports, 0, records(&["report"]))
        .await
        .unwrap()[0];
    let mut owner = orchestrator
        .own(0, 0, record("partition/0", "taken"))
        .await
        .unwrap();
    let decision = Commit {
        events: records(&["event"]),
        commands: records(&["command"]),
        snapshots: records(&["snapshot"]),
        rejected: records(&["rejected"]),
        reports: vec![(3, record("key", "told"))],
        consumed: Some(report),
    };
    owner.commit(decision).await.unwrap();
    assert_eq!(
        texts(&read(&gateway, Stream::Events, 0).await),
        ["taken", "event"]
    );
    assert_eq!(
        texts(&read(&worker, Stream::Commands, 0).await),
        ["command"]
    );
    worker
        .append(Stream::Reports, 0, records(&["done"]))
        .await
        .unwrap();

    for (name, bus) in [("gateway", &gateway), ("worker", &worker)] {
        takes_nothing_that_is_not_its_own(name, bus).await;
    }
    let mut events = worker
        .follow(Stream::Events, &[0], &Position::Start)
        .unwrap();
    let read = events.catch_up().await.unwrap_err().to_string();
    assert!(read.contains("docs/kafka.md"), "{read}");
    // Nobody was fenced by them.
    owner.commit(Commit::default()).await.unwrap();
}

async fn takes_nothing_that_is_not_its_own(name: &str, bus: &Bus) {
    let taken = bus
        .own(0, 0, record("partition/0", name))
        .await
        .unwrap_err()
        .to_string();
    assert!(taken.contains("docs/kafka.md"), "{name}: {taken}");
    let told = bus
        .append(Stream::Rejected, 0, records(&["not its own"]))
        .await;
    assert!(
        matches!(told, Err(Error::Storage { .. })),
        "{name}: {told:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_told_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::secured(folder.path().to_owned(), &[]).unwrap();
    let cluster = start(&layout);
    let mut settings = settings(&cluster, &layout, "admin");
    settings
        .librdkafka
        .insert("sasl.password".to_owned(), "hunter2".to_owned());
    let told = Bus::connect(&settings).await.unwrap_err().to_string();
    assert!(!told.contains("hunter2"), "{told}");
}
