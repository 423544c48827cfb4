//! What `poolshift haproxy-config` prints.

use std::path::Path;
use std::process::Command;

use poolshift_lb_controller::{HaproxyPools, haproxy_config};

fn text(state_file: &Path) -> String {
    haproxy_config(&HaproxyPools {
        target: "production/checkout",
        online: "checkout",
        maintenance: "checkout_maintenance",
        customers: "*:80",
        testers: "10.0.0.11:8081",
        check_path: "/health",
        check_every_ms: 1_000,
        servers: &[
            ("web1".to_owned(), "10.1.0.1:8080".to_owned()),
            ("web2".to_owned(), "10.1.0.2:8080".to_owned()),
        ],
        admin_socket: Path::new("/run/haproxy/admin.sock"),
        stats_socket: Path::new("/run/haproxy/stats.sock"),
        state_file,
    })
}

#[test]
fn says_all_that_haproxy_needs() {
    insta::assert_snapshot!(text(Path::new("/var/lib/haproxy/servers.state")));
}

#[test]
fn is_accepted_by_haproxy_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("haproxy.cfg");
    let state = folder.path().join("servers.state");
    std::fs::write(&state, "1\n").unwrap();
    std::fs::write(&file, text(&state)).unwrap();
    let checked = Command::new("haproxy")
        .arg("-c")
        .arg("-f")
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(
        checked.status.success() && !said.contains("WARNING"),
        "{said}"
    );
}
