//! The catalogue entry of a script: what is not said has one plain value.

use events::Release;

pub(crate) fn release(version: &str) -> Release {
    Release {
        version: version.parse().expect("a version"),
        sha256: events::sha256(version.as_bytes()),
    }
}

/// `floor=2 batches=1,2 servers=4 on_failure=halt approvals=1 second=queue no_way_back=allow
/// tests=no late=join low_trust=allow lb=none`.
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
    format!(
        "{HEAD}{tests}{CHECK}[rollout]\nbatches = [{}]\nfloor = {}\n\
         drain = {{ pinned = \"0s\", timeout = \"20s\", then = \"fail\" }}\n\
         restore_timeout = \"20s\"\non_failure = \"{}\"\nsecond_request = \"{}\"\n\
         no_way_back = \"{}\"\n{late}start_within = \"20s\"\nperson_wait = \"10m\"\nqueue_expire = \"2h\"\n\
         {environment}{approvals}{low_trust}servers = [\n{servers}]\n",
        said("batches", "1"),
        said("floor", "1"),
        said("on_failure", "roll-back"),
        said("second", "supersede"),
        said("no_way_back", "refuse"),
    )
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

const NO_BALANCER: &str = r#"[environments.production]
balancers = []
drain = ["/srv/{server}/pause"]
restore = ["/srv/{server}/resume"]
"#;
