//! The servers of one environment.

use std::collections::BTreeMap;

use super::defaults::MOST_SERVERS;
use super::entry::{InstallRule, ServerRule};
use super::forms;
use super::net;
use super::page::shown;
use super::section::Section;
use super::value::Value;

/// What the servers read so far have taken for themselves, over all environments of a service.
#[derive(Debug)]
pub(super) struct Taken<'i> {
    install: Option<&'i InstallRule>,
    addresses: BTreeMap<String, String>,
    folders: BTreeMap<(String, String), String>,
}

impl<'i> Taken<'i> {
    /// Nothing yet; none for an `[install]` that has been refused.
    pub(super) const fn new(install: Option<&'i InstallRule>) -> Self {
        Self {
            install,
            addresses: BTreeMap::new(),
            folders: BTreeMap::new(),
        }
    }
}

/// Reads `servers` of `environment`.
pub(super) fn servers(
    value: &Value<'_>,
    environment: &Section<'_>,
    taken: &mut Taken<'_>,
) -> Option<Vec<ServerRule>> {
    let items = value.list()?;
    if items.is_empty() {
        value.refuse("there is no server", format!("write {}", value.example()));
        return None;
    }
    if items.len() > MOST_SERVERS {
        value.refuse(
            format!("{} servers are too many for one environment", items.len()),
            format!("write at most {MOST_SERVERS}; split the service, or the environment"),
        );
        return None;
    }
    let mut names = BTreeMap::new();
    let read = |item: &Value<'_>| server(item, environment, &mut names, taken);
    let servers: Vec<Option<ServerRule>> = items.iter().map(read).collect();
    servers.into_iter().collect()
}

fn server(
    item: &Value<'_>,
    environment: &Section<'_>,
    names: &mut BTreeMap<String, String>,
    taken: &mut Taken<'_>,
) -> Option<ServerRule> {
    let section = item.section(&forms::SERVER)?;
    let name_value = section.need("name");
    let name = name_value.and_then(|value| value.name());
    let machine_value = section.need("machine");
    let machine = machine_value.and_then(|value| value.name());
    let address_value = section.need("address");
    let address = address_value.and_then(|value| net::address(&value));
    let server = ServerRule {
        name: name?,
        machine: machine?,
        address: address?,
    };
    let shown_name = server.name.as_str();
    let twin = names.insert(shown_name.to_ascii_lowercase(), shown_name.to_owned());
    if let (Some(value), Some(earlier)) = (name_value, &twin) {
        value.refuse(
            format!("server `{shown_name}` is there already, as `{earlier}`"),
            "remove one, or give each a name of its own (capitals make no difference)",
        );
    }
    let holder = format!("`{shown_name}` in {}", environment.title());
    let address = server.address.to_ascii_lowercase();
    let earlier = taken.addresses.insert(address, holder.clone());
    if let (Some(value), Some(earlier)) = (address_value, earlier) {
        value.refuse(
            format!("`{}` is the address of {earlier} already", server.address),
            "write this server's own address: one process cannot be two servers",
        );
    }
    if let (Some(value), None) = (machine_value, twin) {
        refuse_shared_folder(&value, &server, holder, taken);
    }
    Some(server)
}

/// Refuses a second server in one folder: its installation would change what the first one runs.
fn refuse_shared_folder(
    value: &Value<'_>,
    server: &ServerRule,
    holder: String,
    taken: &mut Taken<'_>,
) {
    let Some(install) = taken.install else {
        return;
    };
    let into = install.on(&server.name).into;
    let machine = server.machine.as_str();
    let key = (machine.to_ascii_lowercase(), into.to_ascii_lowercase());
    if let Some(earlier) = taken.folders.insert(key, holder) {
        value.refuse(
            format!(
                "machine `{machine}` has {earlier} in `{}` already",
                shown(&into)
            ),
            "write another machine, or {server} into `into` and `restart` of [install], such as \
             into = \"/srv/checkout/{server}\"",
        );
    }
}
