//! What a gateway says while it starts: never that something does not exist.

use serde_json::Value;
use view::View;

use crate::house::{House, accepted, bytes, problem, rollout_of, trigger, view};

#[tokio::test]
async fn while_the_events_are_read_nothing_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let bus = bus::Bus::open(&folder.path().join("log.db")).unwrap();
    let settings = crate::house::settings(folder.path());
    let house = House::serve(folder, bus, View::in_memory(), settings);
    let never = "/api/v1/rollouts/00000000-0000-4000-8000-000000000000";
    for path in [
        never,
        "/api/v1/targets/production/checkout",
        "/api/v1/targets",
        "/readyz",
    ] {
        let answer = house.get(path).await;
        assert_eq!(answer.headers()["retry-after"], "1");
        assert_eq!(problem(answer).await.0, 503, "{path}");
    }
    let hook = house.deliver("msg_1", &bytes(&trigger("1.1"))).await;
    assert_eq!(problem(hook).await.0, 503);
}

#[tokio::test]
async fn an_accepted_rollout_is_known_after_a_restart_though_no_orchestrator_has_taken_it() {
    let house = House::open().await;
    let id = rollout_of(&accepted(house.deliver("msg_1", &bytes(&trigger("1.1"))).await).await);
    let (folder, bus, settings) = house.end().await;
    let anew = view();
    anew.set_complete();
    let house = House::serve(folder, bus, anew, settings);
    house.until_ready().await;
    let shown: Value = house
        .get(&format!("/api/v1/rollouts/{id}"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(shown["status"], "accepted");
    let same = house.deliver("msg_1", &bytes(&trigger("1.1"))).await;
    assert_eq!(rollout_of(&accepted(same).await), id);
    assert_eq!(house.said().await.len(), 1);
    let other = house.deliver("msg_1", &bytes(&trigger("1.2"))).await;
    assert_eq!(problem(other).await.0, 422);
}
