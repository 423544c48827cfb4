//! `poolshift log`: a backup of the log, and a log from a backup.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bus::Bus;
use bus::backup::{self, Contents, Export};
use clap::Subcommand;
use serde::{Deserialize, Serialize};

use crate::backups::{Scratch, Vacant, open_log, verify};
use crate::client::Client;
use crate::failure::Failure;
use crate::said::Said;

/// `log`.
#[derive(Debug, Subcommand)]
pub(crate) enum Log {
    /// Show how large it is, and how much more fits.
    Size,
    /// Write a backup. The server goes on meanwhile.
    Export {
        /// Where to: a new file.
        #[arg(value_name = "FILE")]
        to: PathBuf,
        /// Take it from this log, which no process uses, and not from a server.
        #[arg(long, value_name = "LOG")]
        log: Option<PathBuf>,
    },
    /// Make a log from a backup. Agents and balancers that obeyed later commands than the backup
    /// knows of are commanded above them.
    Import {
        /// The backup.
        #[arg(value_name = "FILE")]
        from: PathBuf,
        /// The log: a file that does not exist yet.
        #[arg(long, value_name = "LOG")]
        log: PathBuf,
    },
}

/// What `export` and `import` made.
#[derive(Debug, Serialize)]
struct Made<'a> {
    file: &'a Path,
    events: u64,
    reports: u64,
    rejected: u64,
    written_by: &'a str,
    /// Targets, machines: what has a hash chain. Every one holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    chains: Option<u64>,
}

/// What the server says of its log's disk.
#[derive(Debug, Serialize, Deserialize)]
struct Room {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    free_bytes: Option<u64>,
    alarm: Option<String>,
}

/// How large the log is.
pub(crate) async fn size(client: &Client, json: bool) -> anyhow::Result<Said> {
    let room: Room = client.get("/log").await?;
    Said::either(json, &room, || {
        let mib = |bytes: u64| bytes >> 20;
        let mut lines = vec![match (room.log_bytes, room.free_bytes) {
            (Some(log), Some(free)) => format!(
                "the log takes {} MiB, its disk has {} MiB left",
                mib(log),
                mib(free)
            ),
            _ => "the log lies on Kafka, whose brokers' disks only their keepers see".to_owned(),
        }];
        lines.extend(room.alarm.clone());
        lines.join("\n")
    })
}

/// What people must be told about the log's disk, if anything. A disk that cannot be looked at
/// keeps nobody from seeing the rest.
pub(crate) async fn alarm(client: &Client) -> Option<String> {
    match client.get::<Room>("/log").await {
        Ok(room) => room.alarm,
        Err(failure) => Some(format!("the log's disk cannot be looked at: {failure}")),
    }
}

/// Writes a backup, from a server or from a log that no process uses.
pub(crate) async fn export(
    client: &Client,
    to: &Path,
    log: Option<&Path>,
    json: bool,
) -> anyhow::Result<Said> {
    new(to, "the backup")?;
    let scratch = Scratch::beside(to);
    let file = File::create_new(scratch.path())
        .with_context(|| format!("cannot write {}", scratch.path().display()))?;
    let mut out = BufWriter::new(file);
    match log {
        None => {
            let piece = |bytes: &[u8]| out.write_all(bytes).context("cannot write the backup");
            client.stream("/log/export", piece).await?;
        }
        Some(log) => {
            let bus = open_log(log).await?;
            let written = lines(&bus, &mut out).await;
            bus.close().await.context("cannot close the log")?;
            written?;
        }
    }
    out.into_inner()
        .context("cannot write the backup")?
        .sync_all()
        .context("the backup is not on the disk")?;
    let contents = check(scratch.path(), to)?;
    scratch.keep_as(to)?;
    said(json, "exported", to, &contents, None)
}

/// Makes a log from a backup.
pub(crate) async fn import(from: &Path, log: &Path, json: bool) -> anyhow::Result<Said> {
    let contents = check(from, from)?;
    new(log, "the log")?;
    let place = Vacant::find(log)?;
    let scratch = Scratch::beside(log);
    let bus = fresh(scratch.path().to_owned()).await?;
    let made = write(&bus, from).await;
    bus.close().await.context("cannot close the new log")?;
    let chains = made?;
    scratch.keep_as(log)?;
    drop(place);
    said(json, "imported", log, &contents, Some(chains))
}

async fn lines(bus: &Bus, out: &mut impl std::io::Write) -> anyhow::Result<()> {
    let written_by = concat!("poolshift ", env!("CARGO_PKG_VERSION"));
    let mut export = Export::begin(bus, written_by).await?;
    while let Some(lines) = export.next().await? {
        out.write_all(&lines).context("cannot write the backup")?;
    }
    Ok(())
}

async fn fresh(path: PathBuf) -> anyhow::Result<Bus> {
    let shown = path.display().to_string();
    let opened = tokio::task::spawn_blocking(move || Bus::open(&path)).await?;
    opened.with_context(|| format!("cannot make {shown}"))
}

/// Fills an empty log, and checks what then stands in it.
async fn write(bus: &Bus, from: &Path) -> anyhow::Result<u64> {
    let reader = BufReader::new(File::open(from)?);
    let taken = |partition, base| orchestrator::ownership_record("log import", partition, base);
    backup::import(bus, reader, taken)
        .await
        .with_context(|| format!("cannot import {}", from.display()))?;
    verify(bus).await
}

fn check(file: &Path, shown: &Path) -> anyhow::Result<Contents> {
    let opened = File::open(file).with_context(|| format!("cannot read {}", shown.display()))?;
    backup::check(BufReader::new(opened))
        .with_context(|| format!("{} is no whole backup", shown.display()))
}

/// Nothing is ever written over: what stands there may be the only copy.
fn new(path: &Path, what: &str) -> Result<(), Failure> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    Err(
        Failure::refused(format!("{} is there already", path.display()))
            .mend(format!("name a new file for {what}, or move that one away")),
    )
}

fn said(
    json: bool,
    verb: &str,
    file: &Path,
    contents: &Contents,
    chains: Option<u64>,
) -> anyhow::Result<Said> {
    let made = Made {
        file,
        events: contents.events,
        reports: contents.reports,
        rejected: contents.rejected,
        written_by: &contents.written_by,
        chains,
    };
    Said::either(json, &made, || {
        let Made {
            events, reports, ..
        } = made;
        let hold = chains.map_or(String::new(), |chains| {
            format!(", {chains} hash chains, which all hold")
        });
        format!(
            "{verb} {}: {events} events, {reports} reports{hold}",
            file.display()
        )
    })
}
