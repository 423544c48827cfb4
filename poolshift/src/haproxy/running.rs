//! An HAProxy that runs, by what its socket tells whoever asks.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use lb_controller::AdminSocket;
use serde::Deserialize;
use serde_json::Value;

use crate::haproxy::pool::{Pool, Server};

/// What one HAProxy says of itself.
#[derive(Debug, Default)]
pub(crate) struct Running {
    pub(crate) version: String,
    pub(crate) pid: u32,
    /// `admin`, `operator` or `user`.
    pub(crate) level: String,
    pub(crate) pools: Vec<Pool>,
    /// Status of each server by backend and name: `UP`, `MAINT`, ...
    pub(crate) status: BTreeMap<(String, String), String>,
}

/// A cell of `show stat json`.
#[derive(Deserialize)]
struct Cell {
    field: Field,
    value: Worth,
}

#[derive(Deserialize)]
struct Field {
    name: String,
}

#[derive(Deserialize)]
struct Worth {
    value: Value,
}

type Row = BTreeMap<String, String>;

impl Running {
    /// Asks it; changes nothing.
    ///
    /// # Errors
    /// When it does not answer, or not as HAProxy does.
    pub(crate) async fn ask(socket: &AdminSocket) -> Result<Self> {
        let info = socket.ask("show info").await?;
        let said = |name: &str| {
            let mut lines = info.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let version = said("Version").with_context(|| format!("{socket} is no HAProxy"))?;
        let pid = said("Pid").unwrap_or_default().parse().unwrap_or_default();
        let level = socket.ask("show cli level").await?;
        let rows = rows(&socket.ask("show stat json").await?);
        let rows = rows.with_context(|| format!("{socket} does not say how its servers are"))?;
        let mut running = Self {
            version: version.to_owned(),
            pid,
            level: level.trim().to_owned(),
            ..Self::default()
        };
        for row in &rows {
            running.take(row);
        }
        running.pools.retain(|pool| !pool.servers.is_empty());
        Ok(running)
    }

    /// A backend by its name.
    pub(crate) fn pool(&self, name: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.name == name)
    }

    /// The status of a server.
    pub(crate) fn status(&self, pool: &str, server: &str) -> &str {
        let place = (pool.to_owned(), server.to_owned());
        self.status.get(&place).map_or("", String::as_str)
    }

    fn take(&mut self, row: &Row) {
        let cell = |name: &str| row.get(name).map_or("", String::as_str);
        let (name, server) = (cell("pxname"), cell("svname"));
        let at = self.pools.iter().position(|pool| pool.name == name);
        let at = at.unwrap_or(self.pools.len());
        if at == self.pools.len() {
            self.pools.push(Pool {
                name: name.to_owned(),
                place: "the running HAProxy".to_owned(),
                ..Pool::default()
            });
        }
        let Some(pool) = self.pools.get_mut(at) else {
            return;
        };
        pool.is_http |= cell("mode") == "http";
        match cell("type") {
            // 0 is a frontend: a pool of that name that has one, too, is a `listen`.
            "0" => pool.is_listen = true,
            "1" => {
                let cookie = row.get("cookie").filter(|cookie| !cookie.is_empty());
                pool.pins = cookie.map(|cookie| format!("cookie {cookie}"));
            }
            "2" => {
                let track = cell("tracked").split_once('/');
                let status = cell("status").to_owned();
                pool.servers.push(Server {
                    name: server.to_owned(),
                    address: super::address::address(cell("addr")),
                    place: pool.place.clone(),
                    track: track.map(|(pool, server)| (pool.to_owned(), server.to_owned())),
                    is_disabled: status.starts_with("MAINT"),
                    is_backup: cell("bck") == "1",
                });
                self.status
                    .insert((name.to_owned(), server.to_owned()), status);
            }
            _ => {}
        }
    }
}

fn rows(json: &str) -> Result<Vec<Row>> {
    let rows: Vec<Vec<Cell>> = serde_json::from_str(json)?;
    let text = |value: Value| {
        let text = value.as_str().map(str::to_owned);
        text.unwrap_or_else(|| value.to_string())
    };
    let row = |cells: Vec<Cell>| {
        let cells = cells.into_iter();
        cells
            .map(|cell| (cell.field.name, text(cell.value.value)))
            .collect()
    };
    Ok(rows.into_iter().map(row).collect())
}
