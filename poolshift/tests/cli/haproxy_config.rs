//! `poolshift haproxy-config --into`: the pools of a target in the configuration that is there.

use std::process::Command;

use tempfile::TempDir;

use crate::support::{CHECKOUT, Said, poolshift, write};

const HAPROXY: &str = r#"# Ours since 2014.
global
    log /dev/log local0   # kept as it is

defaults
    mode http
    timeout connect 5s
    timeout client 50s
    timeout server 50s
    default-server check inter 2s

frontend www
    bind 127.0.0.1:18080
    default_backend checkout

backend checkout
    balance leastconn
    cookie SRV insert indirect nocache
    option httpchk GET /alive
    http-request set-header X-Forwarded-Proto "https"   # kept, too
    server web1 10.1.0.1:8080 cookie a fall 3 weight 10
    server web2 10.1.0.2:8080 cookie b fall 3 weight 10   # the new one
    server sorry 10.1.0.9:8080 backup

# About the next one.
backend other
    server one 10.9.0.1:80
"#;

fn into(folder: &TempDir, haproxy: &str, checkout: &str) -> Said {
    write(folder, "services/checkout.toml", checkout);
    write(folder, "haproxy.cfg", haproxy);
    let arguments = [
        "haproxy-config",
        "production/checkout",
        "--into",
        "haproxy.cfg",
    ];
    let mut command = poolshift(&arguments);
    command.current_dir(folder.path()).output().unwrap().into()
}

#[test]
fn what_stands_there_stays_but_for_servers_and_checks() {
    let folder = tempfile::tempdir().unwrap();
    let text = into(&folder, HAPROXY, CHECKOUT).good();
    haproxy_takes(&folder, &text);
    insta::assert_snapshot!(text);
}

/// HAProxy itself must take it; the testers' address is not one of this machine.
fn haproxy_takes(folder: &TempDir, text: &str) {
    let text = text.replace("10.1.0.11:8081", "127.0.0.1:18081");
    let config = write(folder, "new.cfg", &text);
    let mut check = Command::new("haproxy");
    let output = check.arg("-c").arg("-f").arg(config).output().unwrap();
    assert!(output.status.success(), "{output:?}\n{text}");
}

#[test]
fn a_server_that_is_out_or_spare_stays_so_and_its_checks_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let text = HAPROXY
        .replace("cookie a fall 3", "disabled cookie a fall 3")
        .replace("cookie b fall 3", "backup id 77 cookie \"b c\" fall 3")
        .replace(
            "balance leastconn",
            "balance leastconn\n    default-server disabled",
        );
    let text = into(&folder, &text, CHECKOUT).good();
    haproxy_takes(&folder, &text);
    let pools = text.split_once("backend checkout\n").unwrap().1;
    let servers = pools.lines().filter(|line| line.contains("server "));
    insta::assert_snapshot!(servers.collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_defaults_that_the_backend_names_are_those_of_its_pools() {
    let folder = tempfile::tempdir().unwrap();
    let named = "defaults strict\n    mode http\n    timeout connect 5s\n    timeout client 50s\n    \
                 timeout server 50s\n    option httpchk GET /strict\ndefaults checked from strict\n    \
                 timeout connect 2s\n\ndefaults\n    mode tcp";
    let text = HAPROXY
        .replace("defaults\n    mode http", named)
        .replace("frontend www", "frontend www from checked")
        .replace("\nbackend checkout\n", "\nbackend checkout from checked\n")
        .replace("    option httpchk GET /alive\n", "    id 9\n");
    let good = into(&folder, &text, CHECKOUT).good();
    haproxy_takes(&folder, &good);
    assert_eq!(good.matches(" from checked\n").count(), 5, "{good}");
    // What they check is inherited.
    assert_eq!(good.matches("httpchk").count(), 1, "{good}");

    let ruled = text
        .replace(
            "GET /strict",
            "GET /strict\n    http-request set-header a b",
        )
        .replace(" from checked", " from strict")
        .replace("frontend www from strict", "frontend www")
        .replace("defaults checked from strict", "defaults checked")
        .replace("mode tcp", "mode http");
    let good = into(&folder, &ruled, CHECKOUT).good();
    haproxy_takes(&folder, &good);
    assert_eq!(good.matches(" from strict\n").count(), 3, "{good}");
}

#[test]
fn what_cannot_be_put_in_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let good = into(&folder, HAPROXY, CHECKOUT).good();
    let refused = [
        into(&folder, &good, CHECKOUT),
        into(
            &folder,
            &HAPROXY.replace("backend checkout", "backend cart"),
            CHECKOUT,
        ),
        into(
            &folder,
            &HAPROXY.replace("backend checkout", "listen checkout"),
            CHECKOUT,
        ),
        into(
            &folder,
            &HAPROXY.replace("server web2", "server web3"),
            CHECKOUT,
        ),
    ];
    let told = refused.map(|said| {
        assert_eq!(said.code, 1);
        said.errors
    });
    insta::assert_snapshot!(told.concat());
}

#[test]
fn the_settings_of_haproxy_are_added_where_they_lack() {
    let folder = tempfile::tempdir().unwrap();
    let there =
        "global\n    stats socket /run/own.sock level admin\n    server-state-file /var/own\n";
    let text = HAPROXY.replace("global\n", there);
    let text = into(&folder, &text, CHECKOUT).good();
    assert!(!text.contains("/run/haproxy/admin.sock"), "{text}");
    let none = HAPROXY.replace("global\n    log /dev/log local0   # kept as it is\n", "");
    let text = into(&folder, &none, CHECKOUT).good();
    assert!(
        text.starts_with("global\n    stats socket /run/haproxy/admin.sock"),
        "{text}"
    );
}
