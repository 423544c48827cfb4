//! `poolshift import`.

use std::path::{Path, PathBuf};

use clap::Args;
use events::EnvironmentName;
use lb_controller::AdminSocket;
use serde::Serialize;

use crate::catalogue;
use crate::failure::Failure;
use crate::haproxy::{self, Pool, Running};
use crate::import::{Judged, draft, judge, names};
use crate::said::Said;

/// `import`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Import {
    /// HAProxy's configuration: files in the order in which it reads them, or a folder.
    #[arg(value_name = "FILE|DIR", required_unless_present = "socket")]
    pub(crate) paths: Vec<PathBuf>,
    /// Ask a running HAProxy instead: its `stats socket`, a path or ipv4@HOST:PORT. It does not say
    /// how it checks its servers.
    #[arg(long, value_name = "SOCKET", conflicts_with = "paths")]
    pub(crate) socket: Option<String>,
    /// What its servers are: production, staging.
    #[arg(long, value_name = "NAME", default_value = "production")]
    pub(crate) environment: EnvironmentName,
    /// Where the service files go.
    #[arg(long, value_name = "DIR", default_value = "services")]
    pub(crate) out: PathBuf,
    /// Only these backends.
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Vec<String>,
    /// Write over service files that are there and differ.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Serialize)]
struct Imported {
    written: Vec<PathBuf>,
    unchanged: Vec<PathBuf>,
    to_complete: Vec<catalogue::Found>,
    skipped: Vec<String>,
    notes: Vec<String>,
}

/// Writes a file for each backend that is a service, and says what is to be completed.
pub(crate) async fn run(wanted: &Import, json: bool) -> anyhow::Result<Said> {
    let (pools, notes) = match &wanted.socket {
        Some(socket) => (running(socket).await?, Vec::new()),
        None => {
            let config = haproxy::read(&wanted.paths)?;
            (haproxy::pools(&config), config.notes)
        }
    };
    let judged = judge(&pools);
    let known: Vec<String> = judged
        .services
        .iter()
        .map(|one| one.online.name.clone())
        .collect();
    if let Some(unknown) = wanted.backend.iter().find(|name| !known.contains(name)) {
        return Err(Failure::refused(format!("`{unknown}` is no service here"))
            .note("known", known.join(", "))
            .into());
    }
    let skipped = judged.skipped.clone();
    let imported = write(wanted, &judged, skipped, notes)?;
    Said::either(json, &imported, || shown(&imported, &wanted.out))
}

async fn running(socket: &str) -> Result<Vec<Pool>, Failure> {
    let asked = Running::ask(&AdminSocket::of(socket)).await;
    let running = asked.map_err(|error| {
        Failure::refused(format!("{error:#}"))
            .mend("name HAProxy's `stats socket`, as a user who may use it")
    })?;
    Ok(running.pools)
}

fn write(
    wanted: &Import,
    judged: &Judged<'_>,
    skipped: Vec<String>,
    notes: Vec<String>,
) -> Result<Imported, Failure> {
    let is_wanted = |name: &String| wanted.backend.is_empty() || wanted.backend.contains(name);
    // Of all, so that one that is wanted alone is called the same.
    let names = names(&judged.services);
    let services = judged.services.iter().zip(names);
    let mut imported = Imported {
        written: Vec::new(),
        unchanged: Vec::new(),
        to_complete: Vec::new(),
        skipped,
        notes,
    };
    let mut fresh = Vec::new();
    let mut differ = Vec::new();
    for (service, name) in services.filter(|(one, _)| is_wanted(&one.online.name)) {
        let draft = draft(service, name, &wanted.environment);
        let path = wanted.out.join(format!("{}.toml", draft.name));
        match std::fs::read_to_string(&path) {
            Ok(there) if there == draft.text => imported.unchanged.push(path),
            Ok(_) if !wanted.force => differ.push(path.display().to_string()),
            Ok(_) | Err(_) => fresh.push((path, draft.text)),
        }
    }
    if !differ.is_empty() {
        let what = format!("{} is there already, and differs", differ.join(", "));
        return Err(Failure::refused(what).mend(
            "nothing was written: take another folder by --out, or write over it by --force",
        ));
    }
    if fresh.is_empty() && imported.unchanged.is_empty() {
        let looked_at = match imported.skipped.is_empty() {
            true => "there is no backend at all".to_owned(),
            false => imported.skipped.join("; "),
        };
        return Err(Failure::refused("no backend here is a service")
            .note("looked at", looked_at)
            .mend("name a configuration with backends in `mode http` that have servers"));
    }
    for (path, text) in fresh {
        let made = std::fs::create_dir_all(&wanted.out).and_then(|()| std::fs::write(&path, text));
        made.map_err(|error| {
            Failure::refused(format!("cannot write {}: {error}", path.display()))
                .mend("name a folder that you may write, by --out")
        })?;
        imported.written.push(path);
    }
    let files = imported.written.iter().chain(&imported.unchanged);
    let files: Vec<PathBuf> = files.cloned().collect();
    imported.to_complete = catalogue::check(&files)?.found;
    Ok(imported)
}

fn shown(imported: &Imported, out: &Path) -> String {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(imported.notes.iter().map(|note| format!("note: {note}")));
    lines.extend(
        imported
            .skipped
            .iter()
            .map(|why| format!("not imported: {why}")),
    );
    for (files, what) in [
        (&imported.unchanged, "unchanged"),
        (&imported.written, "wrote"),
    ] {
        for path in files {
            let file = path.display().to_string();
            let open = imported.to_complete.iter().filter(|one| one.file == file);
            lines.push(format!(
                "{what} {file}: {} places to complete",
                open.count()
            ));
        }
    }
    lines.push(format!(
        "next: `poolshift check {}` says what belongs there",
        out.display()
    ));
    lines.join("\n")
}
