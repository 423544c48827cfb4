//! HTTP clients: TLS by ring, the company's own CA, proxies from the environment.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Response};

use crate::hosts::{Hosts, Resolver};

/// The longest that a connection may take.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// The longest silence in the middle of an answer.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(30);

/// The agent's clients.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    /// To the gateway: through a proxy, where the environment names one.
    pub(crate) outside: Client,
    /// To artifacts: the same, but it follows no redirect and no name into the machine's own
    /// network.
    pub(crate) artifacts: Client,
    /// To the servers themselves and to the maintenance pool: never through a proxy.
    pub(crate) inside: Client,
}

impl Clients {
    /// With the CA certificates of this PEM file beside those that the system trusts.
    pub(crate) fn new(ca_file: Option<&Path>, hosts: Arc<Hosts>) -> anyhow::Result<Self> {
        // An error means that it is installed already.
        let _is_installed = rustls::crypto::ring::default_provider().install_default();
        let certificates = match ca_file {
            None => Vec::new(),
            Some(path) => {
                let pem = std::fs::read(path)
                    .with_context(|| format!("read the CA file {}", path.display()))?;
                Certificate::from_pem_bundle(&pem)
                    .with_context(|| format!("{} is not PEM", path.display()))?
            }
        };
        let build = |builder: ClientBuilder| {
            let builder = builder
                .user_agent(concat!("poolshift-agent/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT_WITHIN);
            let builder = if certificates.is_empty() {
                builder
            } else {
                builder.tls_certs_merge(certificates.clone())
            };
            builder.build().context("set up HTTPS")
        };
        Ok(Self {
            outside: build(Client::builder())?,
            artifacts: build(
                Client::builder()
                    .redirect(Policy::none())
                    .referer(false)
                    .dns_resolver(Resolver(hosts)),
            )?,
            inside: build(Client::builder().no_proxy().pool_max_idle_per_host(0))?,
        })
    }
}

/// The beginning of an answer's body, as text.
pub(crate) async fn beginning(mut response: Response) -> reqwest::Result<String> {
    const BYTES_MAX: usize = 64 * 1024;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > BYTES_MAX {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// An error for people, without the address: its query may hold a secret.
pub(crate) fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
