//! A disk that is full: an answer, never a crash, and work again when there is room.

use events::{Answer, FailedBecause};

use crate::support::{World, archive, fetch, install};

/// Bytes that no compression makes smaller.
fn noise(bytes: usize) -> String {
    let mut text = String::new();
    let mut block = events::sha256(b"seed");
    while text.len() < bytes {
        block = events::sha256(block.as_bytes());
        text.push_str(&block.to_string());
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_an_answer_and_the_agent_goes_on() {
    let mut world = World::enrolled().await;
    // 20 MiB of their own for the agent's data and the service, whatever the machine has.
    world.start_agent_on_small_disk("20m");
    let home = world.home();
    let small = archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("small", &small);
    let answer = world
        .carry_out("fetch", 1, fetch(&url, &small, &home))
        .await;
    assert!(matches!(answer, Answer::Fetched(_)), "{answer:?}");

    // The room is looked at before the download.
    let large = archive(&[("noise", &noise(6_000_000), 0o644)]);
    let url = world.serve("large", &large);
    let answer = world
        .carry_out("fetch", 2, fetch(&url, &large, &home))
        .await;
    let Answer::FetchFailed(failed) = answer else {
        panic!("fetched: {answer:?}");
    };
    assert_eq!(failed.failure.reason, FailedBecause::DiskFull, "{failed:?}");

    // A release that unpacks to more than there is.
    let blank = "0".repeat(30 * 1024 * 1024);
    let bomb = archive(&[("VERSION", "2.0", 0o644), ("blank", &blank, 0o644)]);
    let url = world.serve("bomb", &bomb);
    let answer = world
        .carry_out("install", 1, install(&url, &bomb, &home, "2.0"))
        .await;
    let Answer::InstallFailed(failed) = answer else {
        panic!("installed: {answer:?}");
    };
    assert_eq!(failed.failure.reason, FailedBecause::DiskFull, "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_in_the_middle_of_work_stops_the_work_and_not_the_agent() {
    let mut world = World::enrolled().await;
    world.start_agent_on_small_disk("20m");
    let home = world.home();
    let small = archive(&[("VERSION", "1.0", 0o644)]);
    let large = archive(&[("noise", &noise(6_000_000), 0o644)]);

    // Full to its last byte in the middle of an installation: the answer still gets through.
    let url = world.serve("small", &small);
    let mut filling = install(&url, &small, &home, "1.0");
    let script = "cat /dev/zero > filled; exit 1";
    filling.restart = ["sh", "-c", script].map(str::to_owned).to_vec();
    let answer = world.carry_out("install", 2, filling).await;
    assert!(matches!(answer, Answer::InstallFailed(_)), "{answer:?}");

    // No room for the next one.
    fill(&world);
    let url_3 = world.serve("large", &large);
    let answer = world
        .carry_out("install", 3, install(&url_3, &large, &home, "3.0"))
        .await;
    let Answer::InstallFailed(failed) = answer else {
        panic!("installed: {answer:?}");
    };
    assert_eq!(failed.failure.reason, FailedBecause::DiskFull, "{failed:?}");

    // Not even the room held back for the journal: an answer, or none until there is room; never
    // a crash, and never work that could not be remembered.
    let reserve = world.seen_by_agent(&world.data().join("journal.reserve"));
    let _gone = std::fs::remove_file(reserve);
    fill(&world);
    let order = install(&url, &small, &home, "1.0");
    let command = world.command("install", 4, order.clone());
    world.give_out(&command);
    world
        .see("an answer, or a word in the log", || {
            let answers = world.answers();
            let is_answered = answers.iter().any(|a| a.command() == Some(&command.id));
            is_answered || world.log().contains("no work is begun")
        })
        .await;
    assert!(!world.seen_by_agent(&home.join("running")).exists());
    for name in ["filled", "filled-2"] {
        let _gone = std::fs::remove_file(world.seen_by_agent(&home.join(name)));
    }
    world.answer_to(&command.id).await;
    let answer = world.carry_out("install", 5, order).await;
    assert!(matches!(answer, Answer::Installed(_)), "{answer:?}");
}

/// Writes until there is no room for one byte more.
fn fill(world: &World) {
    use std::io::Write as _;
    let path = world.seen_by_agent(&world.home().join("filled-2"));
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path);
    let mut file = file.expect("a file");
    for block in [&[0; 65_536][..], &[0; 512][..], &[0; 1][..]] {
        while file.write_all(block).is_ok() {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_on_the_size_of_files_is_a_full_disk_too() {
    let mut world = World::enrolled().await;
    // 1 MiB for each file, as a quota would; the signal that goes with it is ignored.
    world.start_agent_within("trap '' XFSZ; ulimit -f 2048");
    let home = world.home();
    let large = archive(&[("noise", &noise(3_000_000), 0o644)]);
    let url = world.serve("large", &large);
    let answer = world
        .carry_out("fetch", 1, fetch(&url, &large, &home))
        .await;
    let Answer::FetchFailed(failed) = answer else {
        panic!("fetched: {answer:?}");
    };
    assert_eq!(failed.failure.reason, FailedBecause::DiskFull, "{failed:?}");
    let small = archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("small", &small);
    let answer = world
        .carry_out("fetch", 2, fetch(&url, &small, &home))
        .await;
    assert!(matches!(answer, Answer::Fetched(_)), "{answer:?}");
}
