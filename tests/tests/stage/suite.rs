//! The shop's test suite finds what the health check does not.

use crate::fleet::fleet;
use poolshift_tests::fleet::Fleet;
use poolshift_tests::haproxy::{Haproxy, Layout};
use poolshift_tests::ports;
use poolshift_tests::shop::{Behaviour, Release};
use std::path::Path;
use std::process::Output;

#[tokio::test]
async fn a_good_release_passes_and_a_bad_one_fails_though_its_health_is_good() {
    let root = tempfile::tempdir().unwrap();
    let fleet = fleet(root.path(), 2, &Release::good("1.0.0")).await;
    let web2 = &fleet.servers[1];
    web2.home
        .install(&Release::good("1.1.0").behaving(Behaviour::Bad))
        .unwrap();
    fleet.restart(&[web2]).await.unwrap();
    let balancer = balancer(root.path(), &fleet).await;

    let (good, xml) = suite(&balancer, root.path(), "web1", "1.0.0").await;
    assert!(
        good.status.success(),
        "{}",
        String::from_utf8_lossy(&good.stdout)
    );
    assert!(xml.contains(r#"tests="7" failures="0""#), "{xml}");

    let (bad, xml) = suite(&balancer, root.path(), "web2", "1.1.0").await;
    assert_eq!(bad.status.code(), Some(1));
    assert!(xml.contains(r#"tests="7" failures="1""#), "{xml}");
    assert!(xml.contains("a basket costs what its pieces cost"), "{xml}");
    assert!(
        xml.contains(r#"<failure message="total Some(2254), due 5248"/>"#),
        "{xml}"
    );
}

#[tokio::test]
async fn another_server_or_version_than_expected_fails_every_case() {
    let root = tempfile::tempdir().unwrap();
    let fleet = fleet(root.path(), 2, &Release::good("1.0.0")).await;
    let balancer = balancer(root.path(), &fleet).await;
    balancer
        .admin("set server shop_maintenance/web1 state maint")
        .await
        .unwrap();
    for (server, version) in [("web1", "1.0.0"), ("web2", "1.1.0")] {
        let (run, xml) = suite(&balancer, root.path(), server, version).await;
        assert_eq!(run.status.code(), Some(1));
        assert!(xml.contains(r#"tests="7" failures="7""#), "{xml}");
        assert!(xml.contains("answered instead of"), "{xml}");
    }
}

async fn balancer(root: &Path, fleet: &Fleet) -> Haproxy {
    let doors = ports::free(2).unwrap();
    let layout = Layout::new("lb1", root, [doors[0], doors[1]], &fleet.servers);
    let balancer = Haproxy::start(layout).await.unwrap();
    for server in &fleet.servers {
        let open = format!("set server shop_maintenance/{} state ready", server.name);
        assert_eq!(balancer.admin(&open).await.unwrap(), "");
    }
    balancer
}

async fn suite(balancer: &Haproxy, root: &Path, server: &str, version: &str) -> (Output, String) {
    let out = root.join("result.xml");
    let run = tokio::process::Command::new(env!("CARGO_BIN_EXE_shop"))
        .args(["suite", "--out"])
        .arg(&out)
        .env("TARGET_URL", format!("http://{}", balancer.layout.testers))
        .env("TARGET_HEADER", format!("x-poolshift-server: {server}"))
        .env("EXPECT_SERVER", server)
        .env("EXPECT_VERSION", version)
        .output()
        .await
        .unwrap();
    (run, std::fs::read_to_string(out).unwrap())
}
