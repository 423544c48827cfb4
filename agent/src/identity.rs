//! Who this agent is: its key pair, which never leaves the machine, and its token, which does and
//! is short-lived.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use events::{Enrolled, Enrolment, MachineName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::platform;

/// `POST /agents/v1/token`: a new token for the holder of the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// The agent's machine.
    pub machine: MachineName,
    /// When this was signed, by the agent's clock; too old a one is refused.
    pub issued_at: Timestamp,
    /// Base64 Ed25519 signature, by the enrolled key, over `machine\nissued_at`.
    pub signature: String,
}

/// A machine's key.
pub(crate) struct Identity {
    machine: MachineName,
    key: SigningKey,
    folder: PathBuf,
}

impl Identity {
    /// Makes a key for a machine that enrols. It takes the place of an earlier one when
    /// [`Identity::keep`] is called.
    pub(crate) fn make(machine: &MachineName, folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("create the data folder {}", folder.display()))?;
        let mut seed = [0; 32];
        let random = rustls::crypto::ring::default_provider().secure_random;
        random
            .fill(&mut seed)
            .map_err(|_| anyhow!("the system gives no random numbers"))?;
        let identity = Self {
            machine: machine.clone(),
            key: SigningKey::from_bytes(&seed),
            folder: folder.to_owned(),
        };
        write_private(&identity.path("key.new"), &BASE64.encode(seed))?;
        Ok(identity)
    }

    /// The key of an enrolled machine.
    pub(crate) fn load(machine: &MachineName, folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("key");
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "read {}; enrol this machine first: `poolshift agent enrol {machine}` prints a \
                 code, give it to `poolshift-agent enrol`",
                path.display()
            )
        })?;
        let seed = BASE64.decode(text.trim()).ok();
        let seed: Option<[u8; 32]> = seed.and_then(|seed| seed.try_into().ok());
        let seed = seed.with_context(|| format!("{} is no key; enrol again", path.display()))?;
        Ok(Self {
            machine: machine.clone(),
            key: SigningKey::from_bytes(&seed),
            folder: folder.to_owned(),
        })
    }

    /// The key and token that are on the disk now.
    pub(crate) fn reload(&self) -> anyhow::Result<Self> {
        Self::load(&self.machine, &self.folder)
    }

    /// The key counts from now on: the gateway knows it.
    pub(crate) fn keep(&self, enrolled: &Enrolled) -> anyhow::Result<()> {
        std::fs::rename(self.path("key.new"), self.path("key")).context("keep the new key")?;
        platform::sync_folder(&self.folder).context("keep the new key")?;
        self.keep_token(enrolled)
    }

    /// The token of last time; none when there is none.
    pub(crate) fn token(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.path("token.json")).ok()?;
        let enrolled: Enrolled = serde_json::from_str(&text).ok()?;
        Some(enrolled.token)
    }

    /// Keeps a token for the next life.
    pub(crate) fn keep_token(&self, enrolled: &Enrolled) -> anyhow::Result<()> {
        let text = serde_json::to_string(enrolled).context("write the token")?;
        write_private(&self.path("token.new"), &text)?;
        std::fs::rename(self.path("token.new"), self.path("token.json")).context("keep the token")
    }

    /// What is traded for the first token.
    pub(crate) fn enrolment(&self, code: &str) -> Enrolment {
        let public_key = BASE64.encode(self.key.verifying_key().as_bytes());
        let signature = self.sign(&format!("{}\n{code}\n{public_key}", self.machine));
        Enrolment {
            machine: self.machine.clone(),
            code: code.to_owned(),
            public_key,
            signature,
        }
    }

    /// What is traded for a new token when the old one is over.
    pub(crate) fn renewal(&self, issued_at: Timestamp) -> Renewal {
        Renewal {
            machine: self.machine.clone(),
            issued_at,
            signature: self.sign(&format!("{}\n{issued_at}", self.machine)),
        }
    }

    fn sign(&self, text: &str) -> String {
        BASE64.encode(self.key.sign(text.as_bytes()).to_bytes())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = platform::private_file(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().with_context(|| format!("write {}", path.display()))
}
