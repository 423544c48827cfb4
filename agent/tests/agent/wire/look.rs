//! A look: what somebody wants to know of the machine.

use events::{Look, LookAt};

use crate::support::World;

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_says_once_what_it_sees_and_changes_nothing() {
    let world = World::start().await;
    let there = world.gateway.url("/there");
    let missing = world.gateway.url("/missing");
    let nobody = "http://127.0.0.1:9/artifact".to_owned();
    let id = "0198d6f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b".parse().unwrap();
    world.gateway.change(|known| {
        known.artifacts.insert("/there".to_owned(), vec![1, 2, 3]);
        known.look = Some(Look {
            id,
            at: LookAt {
                folders: vec!["/srv/not/there/yet".to_owned()],
                programs: vec![
                    "sh".to_owned(),
                    "/bin/sh".to_owned(),
                    "no-such-program".to_owned(),
                ],
                urls: vec![there.clone(), missing, nobody],
            },
        });
    });
    let looked = world
        .gateway
        .until("look", |known| known.looked.first().cloned());
    let looked = looked.await;
    assert_eq!(looked.id, id);
    let free = |at: usize| looked.folders[at].free_bytes.unwrap();
    assert!(
        free(0) > 0 && free(1) > 0,
        "its own folder first: {looked:?}"
    );
    let found: Vec<bool> = looked.programs.iter().map(|seen| seen.found).collect();
    assert_eq!(found, [true, true, false]);
    let status: Vec<Option<u16>> = looked.urls.iter().map(|seen| seen.status).collect();
    assert_eq!(status, [Some(200), Some(404), None]);
    assert!(looked.urls[2].why.is_some());

    // Polls repeat a question until it is answered: it is answered once.
    let polls = world.gateway.known().polls;
    world.gateway.change(|known| known.looks += 1);
    let other = "0198d6f0-1c2d-7e3f-8a4b-5c6d7e8f9a0c".parse().unwrap();
    let more = world
        .gateway
        .until("another poll", |known| (known.polls > polls).then_some(()));
    more.await;
    world.gateway.change(|known| {
        let at = LookAt::default();
        known.look = Some(Look { id: other, at });
    });
    let both = world.gateway.until("other look", |known| {
        let is_there = known.looked.iter().any(|one| one.id == other);
        is_there.then_some(known.looked.len())
    });
    assert_eq!(both.await, 2);
    assert!(world.gateway.known().delivered.is_empty());
}
