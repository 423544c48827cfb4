//! `Fetch`: the artifact on the machine, verified, while the server is still online.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use events::{Answer, Artifact, Digest, FailedBecause, Failure, Fetch, FetchFailed, Fetched};
use reqwest::Response;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::ask::ask;
use super::{Bench, install, prove};
use crate::clients::{SILENCE_MAX, describe};
use crate::releases::Home;
use crate::{disk, platform, unpack};

/// An artifact of this size is taken to unpack to three times as much.
const UNPACKED_SHARE: u64 = 3;

pub(super) async fn answer(bench: &Bench<'_>, work: &Fetch, until: Instant) -> Answer {
    let began = Instant::now();
    let fetched = match (&work.credentials_name, Home::open(&work.into)) {
        (Some(name), _) => Err(Failure::new(
            FailedBecause::Unreachable,
            &format!(
                "credentials `{name}` are asked for by name; this agent has its logins by host, see \
                 `hosts` in its settings"
            ),
        )),
        (None, Err(failure)) => Err(failure),
        (None, Ok(home)) => fetch_all(bench, &home, work, until).await,
    };
    match fetched {
        Ok(bytes) => Answer::from(Fetched {
            command: bench.command.id.clone(),
            sha256: work.artifact.sha256,
            bytes,
            took_ms: took_ms(began),
            is_well: is_well(bench, work).await,
        }),
        Err(failure) => Answer::from(FetchFailed {
            command: bench.command.id.clone(),
            failure: masked(bench, failure),
        }),
    }
}

/// Whether the service shows that it is well, as it is now.
async fn is_well(bench: &Bench<'_>, work: &Fetch) -> Option<bool> {
    let prove = work.prove.as_ref()?;
    let home = Home::open(&work.into).ok()?;
    Some(prove::answers(bench, prove, home.path()).await)
}

/// Secrets may have been replaced since the agent began.
fn masked(bench: &Bench<'_>, failure: Failure) -> Failure {
    let masks = bench.tools.masks.with(bench.tools.hosts.secrets());
    Failure::new(failure.reason, &masks.text(&failure.detail))
}

/// The artifact, and the package of its tests, which is unpacked at once: a broken one is found
/// while the server is still online.
async fn fetch_all(
    bench: &Bench<'_>,
    home: &Home,
    work: &Fetch,
    until: Instant,
) -> Result<u64, Failure> {
    let bytes = fetch(bench, home, &work.artifact, until).await?;
    if let Some(tests) = &work.tests {
        install::place(bench, &home.tests()?, (&work.version, tests), until)
            .await
            .map_err(|failure| {
                let detail = format!("the package of tests: {}", failure.detail);
                Failure::new(failure.reason, &detail)
            })?;
    }
    Ok(bytes)
}

pub(super) fn took_ms(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Makes sure that the artifact lies in its place with the right digest; gives its size.
pub(super) async fn fetch(
    bench: &Bench<'_>,
    home: &Home,
    artifact: &Artifact,
    until: Instant,
) -> Result<u64, Failure> {
    let path = home.fetched(&artifact.sha256);
    if let Some((digest, bytes)) = digest_of(path.clone()).await
        && digest == artifact.sha256
    {
        return Ok(bytes);
    }
    let download = download(bench, artifact, &path);
    match tokio::time::timeout_at(until, download).await {
        Ok(done) => done,
        Err(_) => Err(Failure::new(
            FailedBecause::TimedOut,
            "the download did not end in its time",
        )),
    }
}

/// Digest and size of a file; none when it cannot be read.
pub(super) async fn digest_of(path: PathBuf) -> Option<(Digest, u64)> {
    let hash = move || -> std::io::Result<(Digest, u64)> {
        let mut file = File::open(path)?;
        let mut hasher = Sha256::new();
        let mut bytes = 0;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let read = file.read(&mut buffer)?;
            let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
                return Ok((Digest::from_bytes(hasher.finalize().into()), bytes));
            };
            hasher.update(part);
            bytes += part.len() as u64;
        }
    };
    tokio::task::spawn_blocking(hash).await.ok()?.ok()
}

/// A file that is removed unless it gets its name.
struct Part {
    path: PathBuf,
    is_whole: bool,
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_whole {
            let _gone = std::fs::remove_file(&self.path);
        }
    }
}

async fn download(bench: &Bench<'_>, artifact: &Artifact, to: &Path) -> Result<u64, Failure> {
    let mut response = ask(bench.tools, artifact).await?;
    if response
        .content_length()
        .is_some_and(|bytes| bytes > artifact.max_bytes)
    {
        return Err(too_large(artifact));
    }
    let mut part = Part {
        path: to.with_extension("part"),
        is_whole: false,
    };
    let io =
        |error: &std::io::Error| disk::failure("write", to, error, FailedBecause::ProgramFailed);
    has_room(to, &response)?;
    let mut file = File::create(&part.path).map_err(|error| io(&error))?;
    let mut hasher = Sha256::new();
    let mut bytes: u64 = 0;
    while let Some(chunk) = chunk(&mut response).await? {
        bytes += chunk.len() as u64;
        if bytes > artifact.max_bytes {
            return Err(too_large(artifact));
        }
        hasher.update(&chunk);
        file.write_all(&chunk).map_err(|error| io(&error))?;
    }
    file.sync_all().map_err(|error| io(&error))?;
    let digest = Digest::from_bytes(hasher.finalize().into());
    if digest != artifact.sha256 {
        return Err(Failure::new(
            FailedBecause::WrongDigest,
            &format!(
                "{bytes} bytes came with digest {digest}, not {}",
                artifact.sha256
            ),
        ));
    }
    std::fs::rename(&part.path, to).map_err(|error| io(&error))?;
    part.is_whole = true;
    platform::sync_folder(to.parent().unwrap_or(to)).map_err(|error| io(&error))?;
    Ok(bytes)
}

async fn chunk(
    response: &mut Response,
) -> Result<Option<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]>>, Failure> {
    let failure = |what: &str| Failure::new(FailedBecause::Unreachable, what);
    match tokio::time::timeout(SILENCE_MAX, response.chunk()).await {
        Ok(Ok(chunk)) => Ok(chunk),
        Ok(Err(error)) => Err(failure(&format!(
            "the download broke off: {}",
            describe(error)
        ))),
        Err(_) => Err(failure("the download stopped for 30 s")),
    }
}

fn too_large(artifact: &Artifact) -> Failure {
    Failure::new(
        FailedBecause::TooLarge,
        &format!(
            "larger than the {} bytes that are allowed",
            artifact.max_bytes
        ),
    )
}

fn has_room(to: &Path, response: &Response) -> Result<(), Failure> {
    let folder = to.parent().unwrap_or(to);
    let free = platform::free_bytes(folder)
        .map_err(|error| disk::failure("look at", folder, &error, FailedBecause::ProgramFailed))?;
    let size = response.content_length().unwrap_or(0);
    let needed = size
        .saturating_mul(1 + UNPACKED_SHARE)
        .saturating_add(unpack::FREE_BYTES_MIN);
    if needed <= free {
        return Ok(());
    }
    Err(Failure::new(
        FailedBecause::DiskFull,
        &format!(
            "{needed} bytes are needed, {} has {free} free",
            folder.display()
        ),
    ))
}
