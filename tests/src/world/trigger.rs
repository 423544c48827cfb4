//! The trigger that the HTTP Request step of a Jenkins pipeline sends, signed as Standard Webhooks
//! says.

use super::api::Api;
use crate::artifact::Artifact;
use crate::clock::now_ms;
use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use events::{RolloutId, Target};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;

/// The build server's bearer token, for pipelines that wait.
pub const TOKEN: &str = "a bearer token that only this stage knows";

/// The build server's key: what it signs with, and what `serve` reads from its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// A signed trigger: sent again it is the same delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    body: String,
    headers: Vec<(&'static str, String)>,
}

#[derive(Debug, Deserialize)]
struct Accepted {
    rollout: RolloutId,
}

impl Secret {
    /// A key that is good enough for a stage that nobody else reaches.
    #[must_use]
    pub fn for_the_stage() -> Self {
        Self(b"a key that only this stage knows".to_vec())
    }

    /// As it stands in the file of secrets.
    #[must_use]
    pub fn line(&self) -> String {
        format!("whsec_{}\n{TOKEN}\n", BASE64.encode(&self.0))
    }

    fn sign(&self, id: &str, timestamp: u64, body: &str) -> Result<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).context("the key is no key")?;
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        Ok(format!("v1,{}", BASE64.encode(mac.finalize().into_bytes())))
    }
}

impl Trigger {
    /// Build `number` made this artifact, which lies at `url` and goes to `target`.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn new(
        secret: &Secret,
        target: &Target,
        artifact: &Artifact,
        url: &str,
        number: u64,
    ) -> Result<Self> {
        let job = "https://jenkins.example/job/shop/job/main/";
        let body = json!({
            "service": target.service(),
            "environment": target.environment(),
            "version": artifact.version,
            "artifact": { "url": url, "sha256": artifact.sha256 },
            "build": {
                "controller": "https://jenkins.example/",
                "job": job,
                "number": number,
                "url": format!("{job}{number}/"),
            },
            "requester": "somebody",
        })
        .to_string();
        let (id, timestamp) = (format!("msg_stage_{number}"), now_ms() / 1000);
        let signature = secret.sign(&id, timestamp, &body)?;
        Ok(Self {
            body,
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("webhook-id", id),
                ("webhook-timestamp", timestamp.to_string()),
                ("webhook-signature", signature),
            ],
        })
    }

    /// Sends it; returns the rollout that it asks for.
    ///
    /// # Errors
    /// When it is not accepted.
    pub async fn send(&self, api: &Api) -> Result<RolloutId> {
        let accepted: Accepted = api
            .webhook("/webhooks/jenkins", &self.headers, &self.body)
            .await?;
        Ok(accepted.rollout)
    }
}
