//! Settings of the gateway.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::time::Clock;

/// Settings of the gateway.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where webhooks and agents reach it, such as `0.0.0.0:7400`. TLS ends before it.
    pub public: SocketAddr,
    /// Where the API listens: loopback only, since it asks nobody who they are.
    pub local: SocketAddr,
    /// The name of this instance, as reports give it.
    pub instance: String,
    /// The address of the API as others reach it, such as `https://poolshift.example`, for the
    /// links in answers; none: that of `local`.
    pub url: Option<String>,
    /// Where secrets of webhooks stand: `file:PATH` or `env:NAME`, one secret a line. `whsec_` and
    /// base64 signs (Standard Webhooks), anything else of 32 characters or more is a bearer token.
    /// All of them count at once, so that one can be replaced. None: no webhooks.
    pub webhook_secrets: Vec<String>,
    /// Where the tokens of Jenkins' Notification plugin stand, as `webhook_secrets` are; apart from
    /// those, because they lie in URLs and prove little: what comes by them has low trust. None: no
    /// notifications.
    pub notification_secrets: Vec<String>,
    /// The file with people, their ids and roles; none: nobody can vote.
    pub people: Option<PathBuf>,
    /// The file with the key that signs agents' tokens; made at the first start.
    pub key: PathBuf,
    /// What time it is. Not read from files: only tests need another one than the wall's.
    #[serde(skip)]
    pub clock: Clock,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public: SocketAddr::from(([127, 0, 0, 1], 7400)),
            local: SocketAddr::from(([127, 0, 0, 1], 7401)),
            instance: "1".to_owned(),
            url: None,
            webhook_secrets: Vec::new(),
            notification_secrets: Vec::new(),
            people: None,
            key: PathBuf::from("gateway.key"),
            clock: Clock::default(),
        }
    }
}
