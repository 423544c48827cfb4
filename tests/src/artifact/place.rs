//! A file server for artifacts, inside the caller's process.

use super::Artifact;
use anyhow::{Context, Result};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A place that serves artifacts by name until it is dropped.
#[derive(Debug)]
pub struct Place {
    /// Where it listens.
    pub address: SocketAddr,
    files: Arc<Mutex<BTreeMap<String, Bytes>>>,
    task: JoinHandle<()>,
}

impl Place {
    /// Opens an empty place on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is none.
    pub async fn open() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("no port for artifacts")?;
        let address = listener.local_addr().context("no port for artifacts")?;
        let files = Arc::default();
        let task = tokio::spawn(accept(listener, Arc::clone(&files)));
        Ok(Self {
            address,
            files,
            task,
        })
    }

    /// Serves this artifact from now on; returns its URL.
    pub fn put(&self, artifact: &Artifact) -> String {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(artifact.name.clone(), Bytes::from(artifact.bytes.clone()));
        self.url(&artifact.name)
    }

    /// The URL of a name; `{version}` in it may stand for the version, as in a catalogue entry.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Files = Arc<Mutex<BTreeMap<String, Bytes>>>;

async fn accept(listener: TcpListener, files: Files) {
    loop {
        // A connection that failed before it was taken is its sender's affair.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&files)));
        }
    }
}

async fn serve(stream: TcpStream, files: Files) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let found = find(&files, request.uri().path());
        async move { Ok::<_, Infallible>(found) }
    });
    // A client that goes away in the middle will ask again.
    drop(
        http1::Builder::new()
            .serve_connection(TokioIo::new(stream), answer)
            .await,
    );
}

fn find(files: &Mutex<BTreeMap<String, Bytes>>, path: &str) -> Response<Full<Bytes>> {
    let files = files.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bytes) = files.get(path.trim_start_matches('/')) {
        return Response::new(Full::new(bytes.clone()));
    }
    let mut missing = Response::new(Full::new(Bytes::from_static(b"no such artifact\n")));
    *missing.status_mut() = StatusCode::NOT_FOUND;
    missing
}
