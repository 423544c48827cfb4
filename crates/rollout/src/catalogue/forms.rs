//! The keys that a service file may have, each with an example: the form of the catalogue.

/// One section of a service file.
#[derive(Debug)]
pub(super) struct Form {
    /// What people call it.
    pub(super) title: &'static str,
    /// Its keys.
    pub(super) keys: &'static [Key],
}

/// One key of a section.
#[derive(Debug)]
pub(super) struct Key {
    /// The key.
    pub(super) name: &'static str,
    /// What to write, fit to follow "add" and "write".
    pub(super) example: &'static str,
}

const fn key(name: &'static str, example: &'static str) -> Key {
    Key { name, example }
}

/// Every form, to find where a misplaced key belongs.
pub(super) const ALL: [&Form; 16] = [
    &ROOT,
    &JENKINS,
    &ARTIFACT,
    &INSTALL,
    &PROVE,
    &SUITE,
    &CHECK,
    &HTTP,
    &ROLLOUT,
    &DRAIN,
    &WATCH,
    &ENVIRONMENT,
    &APPROVALS,
    &REQUIRES,
    &WINDOW,
    &SERVER,
];

/// What later steps build, and what to do until then.
pub(super) const LATER: [(&str, &str); 2] = [
    (
        "database",
        "remove it: migrations are not run yet, so keep the version free of them",
    ),
    (
        "migrate",
        "remove it: migrations are not run yet, so keep the version free of them",
    ),
];

pub(super) const ROOT: Form = Form {
    title: "the top of the file",
    keys: &[
        key("name", "name = \"checkout\""),
        key("owner", "owner = \"payments\""),
        key(
            "jenkins",
            "a section [jenkins] with job = \"https://jenkins.example/job/checkout/\"",
        ),
        key(
            "artifact",
            "a section [artifact] with url = \"https://artifacts.example/{version}.tar.gz\"",
        ),
        key(
            "install",
            "a section [install] with kind = \"archive\", into = \"/srv/checkout\", \
             restart = [\"systemctl\", \"restart\", \"checkout\"] and prove = { http = \"/version\" }",
        ),
        key(
            "tests",
            "a section [[tests]] with name = \"smoke\", command = [\"./smoke\"] and \
             results = \"result.xml\"",
        ),
        key(
            "check",
            "a section [check] with http = { path = \"/health\", body = \"{version}\" }",
        ),
        key("rollout", "a section [rollout] with floor = \"50%\""),
        key(
            "environments",
            "a section [environments.production] with balancers, online, maintenance and servers",
        ),
    ],
};

pub(super) const JENKINS: Form = Form {
    title: "[jenkins]",
    keys: &[
        key("job", "job = \"https://jenkins.example/job/checkout/\""),
        key("version_parameter", "version_parameter = \"VERSION\""),
        key("sha256_parameter", "sha256_parameter = \"SHA256\""),
        key("environment", "environment = \"staging\""),
        key(
            "environment_parameter",
            "environment_parameter = \"ENVIRONMENT\"",
        ),
    ],
};

pub(super) const ARTIFACT: Form = Form {
    title: "[artifact]",
    keys: &[
        key(
            "url",
            "url = \"https://artifacts.example/checkout/{version}/checkout.tar.gz\"",
        ),
        key("max_size", "max_size = \"200 MiB\""),
        key("timeout", "timeout = \"10m\""),
    ],
};

pub(super) const INSTALL: Form = Form {
    title: "[install]",
    keys: &[
        key("kind", "kind = \"archive\""),
        key("into", "into = \"/srv/checkout\""),
        key(
            "command",
            "command = [\"/opt/checkout/install\", \"--quiet\"]",
        ),
        key("stop", "stop = [\"net\", \"stop\", \"checkout\"]"),
        key(
            "restart",
            "restart = [\"systemctl\", \"restart\", \"checkout\"]",
        ),
        key("prove", "prove = { http = \"/version\" }"),
        key("timeout", "timeout = \"2m\""),
        key("keep", "keep = 3"),
    ],
};

pub(super) const PROVE: Form = Form {
    title: "prove",
    keys: &[
        key("http", "prove = { http = \"/version\" }"),
        key(
            "command",
            "prove = { command = [\"/srv/checkout/current/checkout\", \"--version\"] }",
        ),
    ],
};

pub(super) const SUITE: Form = Form {
    title: "[[tests]]",
    keys: &[
        key("name", "name = \"smoke\""),
        key(
            "command",
            "command = [\"nunit-console\", \"Smoke.dll\", \"-xml=result.xml\"]",
        ),
        key("results", "results = \"result.xml\""),
        key("at_least", "at_least = 5"),
        key("timeout", "timeout = \"5m\""),
        key("env", "env = [\"SHOP_TEST_ACCOUNT\"]"),
    ],
};

pub(super) const CHECK: Form = Form {
    title: "[check]",
    keys: &[
        key(
            "http",
            "http = { path = \"/health\", status = 200, body = \"{version}\" }",
        ),
        key("tcp", "tcp = true"),
        key(
            "command",
            "command = [\"/opt/checkout/probe\", \"{address}\", \"{version}\"]",
        ),
        key("in_a_row", "in_a_row = 3"),
        key("interval", "interval = \"1s\""),
        key("timeout", "timeout = \"60s\""),
        key("probe_timeout", "probe_timeout = \"5s\""),
    ],
};

pub(super) const HTTP: Form = Form {
    title: "http",
    keys: &[
        key("path", "path = \"/health\""),
        key("status", "status = 200"),
        key("body", "body = \"{version}\""),
        key(
            "header",
            "header = { name = \"x-version\", value = \"{version}\" }",
        ),
    ],
};

pub(super) const HEADER: Form = Form {
    title: "header",
    keys: &[
        key("name", "name = \"x-version\""),
        key("value", "value = \"{version}\""),
    ],
};

pub(super) const ROLLOUT: Form = Form {
    title: "[rollout]",
    keys: &[
        key("batches", "batches = [1, \"25%\", \"50%\"]"),
        key("floor", "floor = \"50%\""),
        key(
            "drain",
            "drain = { pinned = \"0s\", timeout = \"60s\", then = \"fail\" }",
        ),
        key("restore_timeout", "restore_timeout = \"60s\""),
        key(
            "watch",
            "watch = { for = \"60s\", max_5xx_share = 0.01, min_requests = 200 }",
        ),
        key("on_failure", "on_failure = \"roll-back\""),
        key("second_request", "second_request = \"supersede\""),
        key("no_way_back", "no_way_back = \"refuse\""),
        key("late", "late = \"leave\""),
        key("start_within", "start_within = \"60s\""),
        key("person_wait", "person_wait = \"4h\""),
        key("gate_expire", "gate_expire = \"96h\""),
        key("queue_expire", "queue_expire = \"24h\""),
    ],
};

pub(super) const DRAIN: Form = Form {
    title: "drain",
    keys: &[
        key("pinned", "pinned = \"0s\""),
        key("timeout", "timeout = \"60s\""),
        key("then", "then = \"fail\""),
    ],
};

pub(super) const WATCH: Form = Form {
    title: "watch",
    keys: &[
        key("for", "for = \"60s\""),
        key("max_5xx_share", "max_5xx_share = 0.01"),
        key("min_requests", "min_requests = 200"),
        key("if_too_few", "if_too_few = \"pass\""),
        key("max_response", "max_response = \"300ms\""),
        key("probe_path", "probe_path = \"/search?q=tea\""),
    ],
};

pub(super) const ENVIRONMENT: Form = Form {
    title: "[environments.NAME]",
    keys: &[
        key(
            "balancers",
            "balancers = [{ name = \"lb1\", testers = \"http://10.0.0.11:8081\" }]",
        ),
        key("online", "online = \"checkout\""),
        key("maintenance", "maintenance = \"checkout_maintenance\""),
        key("probe", "probe = \"checkout_probe\""),
        key("drain", "drain = [\"/srv/mailer/pause\"]"),
        key("restore", "restore = [\"/srv/mailer/resume\"]"),
        key(
            "approvals",
            "approvals = { count = 1, from = [\"release-managers\"] }",
        ),
        key("low_trust", "low_trust = \"approve\""),
        key(
            "requires",
            "requires = { succeeded_in = \"staging\", within = \"14d\" }",
        ),
        key(
            "windows",
            "windows = [{ days = [\"mon-thu\"], from = \"09:00\", to = \"16:00\", \
             zone = \"Europe/Berlin\" }]",
        ),
        key("overrides", "overrides = [\"release-managers\"]"),
        key(
            "servers",
            "servers = [{ name = \"web1\", machine = \"srv-101\", address = \"10.1.0.1:8080\" }]",
        ),
    ],
};

pub(super) const BALANCER: Form = Form {
    title: "a balancer",
    keys: &[
        key("name", "name = \"lb1\""),
        key("testers", "testers = \"http://10.0.0.11:8081\""),
    ],
};

pub(super) const APPROVALS: Form = Form {
    title: "approvals",
    keys: &[
        key("count", "count = 1"),
        key("from", "from = [\"release-managers\"]"),
        key("expire", "expire = \"4h\""),
    ],
};

pub(super) const REQUIRES: Form = Form {
    title: "requires",
    keys: &[
        key("succeeded_in", "succeeded_in = \"staging\""),
        key("within", "within = \"14d\""),
    ],
};

pub(super) const WINDOW: Form = Form {
    title: "a window",
    keys: &[
        key("days", "days = [\"mon-thu\"]"),
        key("from", "from = \"09:00\""),
        key("to", "to = \"16:00\""),
        key("zone", "zone = \"Europe/Berlin\""),
    ],
};

pub(super) const SERVER: Form = Form {
    title: "a server",
    keys: &[
        key("name", "name = \"web1\""),
        key("machine", "machine = \"srv-101\""),
        key("address", "address = \"10.1.0.1:8080\""),
    ],
};
