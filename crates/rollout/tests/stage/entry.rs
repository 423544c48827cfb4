//! The catalogue entry of a script: what is not said has one plain value.

use events::Release;

pub(crate) fn release(version: &str) -> Release {
    Release {
        version: version.parse().expect("a version"),
        sha256: events::sha256(version.as_bytes()),
    }
}

/// `floor=2 batches=1,2 servers=4 on_failure=halt approvals=1 second=queue no_way_back=allow
/// tests=no late=join low_trust=allow lb=none watch=pass response=300ms window=mon-thu/09:00-16:00/Europe/Berlin
/// requires=staging/14d overrides=managers gate_expire=96h`.
pub(crate) fn entry(words: &[&str]) -> String {
    let said = |key: &str, otherwise: &str| {
        let found = words
            .iter()
            .find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        found.unwrap_or(otherwise).to_owned()
    };
    let tests = if said("tests", "yes") == "yes" {
        TESTS
    } else {
        ""
    };
    let approvals = match said("approvals", "0").as_str() {
        "0" => String::new(),
        count => {
            format!("approvals = {{ count = {count}, from = [\"managers\"], expire = \"30m\" }}\n")
        }
    };
    let low_trust = match said("low_trust", "approve").as_str() {
        "approve" => "",
        _ => "low_trust = \"allow\"\n",
    };
    let watch = match said("watch", "no").as_str() {
        "no" => String::new(),
        policy => format!(
            "watch = {{ for = \"60s\", max_5xx_share = 0.01, min_requests = 200, \
             if_too_few = \"{policy}\"{} }}\n",
            response(&said("response", "")),
        ),
    };
    let environment = if said("lb", "two") == "none" {
        NO_BALANCER
    } else {
        ENVIRONMENT
    };
    let late = match said("late", "").as_str() {
        "" => String::new(),
        late => format!("late = \"{late}\"\n"),
    };
    let count: u32 = said("servers", "3").parse().expect("how many servers");
    let servers: String = (1..=count)
        .map(|n| {
            format!(
                "  {{ name = \"web{n}\", machine = \"srv-{n}\", address = \"10.1.0.{n}:8080\" }},\n"
            )
        })
        .collect();
    let gates = gates(
        &said("window", ""),
        &said("requires", ""),
        &said("overrides", ""),
    );
    format!(
        "{HEAD}{tests}{CHECK}[rollout]\nbatches = [{}]\nfloor = {}\n\
         drain = {{ pinned = \"0s\", timeout = \"20s\", then = \"fail\" }}\n\
         restore_timeout = \"20s\"\non_failure = \"{}\"\nsecond_request = \"{}\"\n\
         no_way_back = \"{}\"\n{late}start_within = \"20s\"\nperson_wait = \"10m\"\nqueue_expire = \"2h\"\n\
         gate_expire = \"{}\"\n{watch}{environment}{approvals}{low_trust}{gates}servers = [\n{servers}]\n{STAGING}",
        said("batches", "1"),
        said("floor", "1"),
        said("on_failure", "roll-back"),
        said("second", "supersede"),
        said("no_way_back", "refuse"),
        said("gate_expire", "96h"),
    )
}

/// `mon-thu/09:00-16:00/Europe/Berlin`, `staging/14d`, `managers`.
fn gates(window: &str, requires: &str, overrides: &str) -> String {
    let mut text = String::new();
    let mut window = window.splitn(3, '/');
    if let (Some(days), Some(hours), Some(zone)) = (window.next(), window.next(), window.next()) {
        let (from, to) = hours.split_once('-').expect("from-to");
        text.push_str(&format!(
            "windows = [{{ days = [\"{days}\"], from = \"{from}\", to = \"{to}\", \
             zone = \"{zone}\" }}]\n"
        ));
    }
    if let Some((from, within)) = requires.split_once('/') {
        text.push_str(&format!(
            "requires = {{ succeeded_in = \"{from}\", within = \"{within}\" }}\n"
        ));
    }
    if !overrides.is_empty() {
        text.push_str(&format!("overrides = [\"{overrides}\"]\n"));
    }
    text
}

const HEAD: &str = r#"name = "shop"
owner = "team"
[artifact]
url = "https://artifacts.example/shop/{version}/shop.tar.gz"
max_size = "10 MiB"
timeout = "30s"
[install]
kind = "archive"
into = "/srv/{server}"
restart = ["true"]
prove = { http = "/version" }
timeout = "20s"
"#;

const TESTS: &str = r#"[[tests]]
name = "smoke"
command = ["suite"]
results = "result.xml"
at_least = 1
timeout = "20s"
"#;

fn response(max: &str) -> String {
    match max {
        "" => String::new(),
        max => format!(", max_response = \"{max}\", probe_path = \"/search?q=tea\""),
    }
}

const CHECK: &str = r#"[check]
http = { path = "/health", status = 200, body = "{version}" }
timeout = "20s"
"#;

const ENVIRONMENT: &str = r#"[environments.production]
balancers = [
  { name = "lb1", testers = "http://10.0.0.11:8081" },
  { name = "lb2", testers = "http://10.0.0.12:8081" },
]
online = "shop"
maintenance = "shop_maintenance"
"#;

const STAGING: &str = r#"[environments.staging]
balancers = [{ name = "lb9", testers = "http://10.9.0.11:8081" }]
online = "shop"
maintenance = "shop_maintenance"
servers = [
  { name = "web1", machine = "stage-1", address = "10.9.0.1:8080" },
  { name = "web2", machine = "stage-2", address = "10.9.0.2:8080" },
  { name = "web3", machine = "stage-3", address = "10.9.0.3:8080" },
  { name = "web4", machine = "stage-4", address = "10.9.0.4:8080" },
  { name = "web5", machine = "stage-5", address = "10.9.0.5:8080" },
]
"#;

const NO_BALANCER: &str = r#"[environments.production]
balancers = []
drain = ["/srv/{server}/pause"]
restore = ["/srv/{server}/resume"]
"#;
