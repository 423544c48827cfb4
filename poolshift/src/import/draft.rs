//! A service file to be completed.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use events::{EnvironmentName, ServerName, ServiceName};
use rollout::catalogue::PLACEHOLDER;

use crate::haproxy::Server;
use crate::import::judge::Service;

/// Its name and its text.
#[derive(Debug)]
pub(crate) struct Draft {
    /// What the file is called, without its end.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Writes what is known of a service; [`PLACEHOLDER`] stands for all else.
pub(crate) fn draft(service: &Service<'_>, name: String, environment: &EnvironmentName) -> Draft {
    let mut text = head(service, &name);
    text += &check(service);
    text += &rules(service);
    text += &place(service, environment);
    Draft { name, text }
}

/// What each service is called, in their order: `a.b` and `a_b` would both be `a-b`, so the second
/// one gets a number.
pub(crate) fn names(services: &[Service<'_>]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut names = Vec::new();
    for service in services {
        let plain = name(&service.online.name);
        let mut name = plain.clone();
        let mut number = 1;
        while !taken.insert(name.clone()) {
            number += 1;
            name = format!("{plain}-{number}");
        }
        names.push(name);
    }
    names
}

/// A backend's name as a service's: lower case, and no other marks than `-`.
fn name(backend: &str) -> String {
    let letter = |letter: char| match letter.to_ascii_lowercase() {
        plain if plain.is_ascii_alphanumeric() => plain,
        _ => '-',
    };
    let name: String = backend.chars().map(letter).collect();
    let name = name.trim_matches('-');
    match name.parse::<ServiceName>() {
        Ok(name) => name.to_string(),
        Err(_) => format!("service-{name}"),
    }
}

fn head(service: &Service<'_>, name: &str) -> String {
    let online = service.online;
    let kind = if online.is_listen {
        "listen"
    } else {
        "backend"
    };
    let split = if online.is_listen {
        "# It is a `listen`: make a frontend and a backend of it, so that testers have a way of their own.\n"
    } else {
        ""
    };
    format!(
        r#"# {kind} `{}` at {}, read by `poolshift import`.
# "{PLACEHOLDER}" stands for what HAProxy does not know: `poolshift check` says what belongs there.
{split}name = "{name}"
owner = "{PLACEHOLDER}"

[jenkins]                                   # remove it if no Jenkins builds the service
job = "{PLACEHOLDER}"
version_parameter = "{PLACEHOLDER}"
sha256_parameter = "{PLACEHOLDER}"

[artifact]
url = "{PLACEHOLDER}"

[install]
kind = "{PLACEHOLDER}"                                  # "archive", or "command"
into = "{PLACEHOLDER}"
restart = ["{PLACEHOLDER}"]
prove = {{ http = "{PLACEHOLDER}" }}                      # or {{ command = [..] }}

"#,
        online.name, online.place
    )
}

fn check(service: &Service<'_>) -> String {
    let Some(check) = &service.online.check else {
        return format!(
            "[check]                                     # no check over HTTP is known  \n\
             http = {{ path = \"{PLACEHOLDER}\", body = \"{PLACEHOLDER}\" }}\n\n"
        );
    };
    let path = check.path.as_deref().unwrap_or(PLACEHOLDER);
    let status = check.status;
    let status = status.map_or(String::new(), |status| format!("status = {status}, "));
    format!(
        "[check]                                     # as HAProxy asks at {}; `body`: where the \
         version stands\nhttp = {{ path = {path:?}, {status}body = \"{PLACEHOLDER}\" }}\n\n",
        check.place
    )
}

fn rules(service: &Service<'_>) -> String {
    let Some(pins) = &service.online.pins else {
        return String::new();
    };
    format!(
        "[rollout]                                   # {pins} pins customers to a server:\n\
         drain = {{ pinned = \"{PLACEHOLDER}\" }}                  # how long may they still come while it drains?\n\n"
    )
}

fn place(service: &Service<'_>, environment: &EnvironmentName) -> String {
    let online = &service.online.name;
    let mut text = format!(
        "[environments.{environment}]\n\
         balancers = [{{ name = \"{PLACEHOLDER}\", testers = \"{PLACEHOLDER}\" }}]  # as lb-controller's settings \
         call it; the bind of the maintenance pool\nonline = {online:?}\n"
    );
    let there = match service.maintenance {
        Some(pool) => format!("maintenance = {:?}\n", pool.name),
        None => format!(
            "maintenance = \"{online}_maintenance\"  # not there yet: `poolshift haproxy-config` adds it\n"
        ),
    };
    text += &there;
    if let Some(probe) = service.probe {
        // Writing into a string cannot fail.
        writeln!(text, "probe = {probe:?}").unwrap_or_default();
    }
    text += "servers = [\n";
    for one in &service.online.servers {
        text += &server(one);
    }
    text + "]\n"
}

fn server(server: &Server) -> String {
    if server.is_backup {
        return format!(
            "  # {}: `{}` is `backup` and takes no part: it would count for no floor\n",
            server.place, server.name
        );
    }
    let (address, mut note) = match &server.address {
        Ok(address) => (address.as_str(), String::new()),
        Err(why) => (PLACEHOLDER, format!("  # {}: {why}", server.place)),
    };
    let name = if server.name.parse::<ServerName>().is_ok() {
        server.name.as_str()
    } else {
        note += "  # give the line a name of letters, digits, - _ and .";
        PLACEHOLDER
    };
    format!("  {{ name = {name:?}, machine = \"{PLACEHOLDER}\", address = {address:?} }},{note}\n")
}
