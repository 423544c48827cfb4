//! How the agent logs in at one host. Secrets stand in files of their own, and are read anew for
//! each download, so that they can be replaced while the agent runs.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde::Deserialize;

/// The longest secret, in bytes.
const SECRET_BYTES_MAX: usize = 16 * 1024;

/// One table of the settings, such as `[hosts."artifacts.example"]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginFile {
    bearer_file: Option<PathBuf>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    header: Option<String>,
    value_file: Option<PathBuf>,
    #[serde(default)]
    allow_http: bool,
}

/// How to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Login {
    method: Method,
    /// Whether it may go over a connection that anybody can read.
    pub(super) allow_http: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Method {
    Bearer(PathBuf),
    Basic(String, PathBuf),
    Header(HeaderName, PathBuf),
}

impl LoginFile {
    /// The one way that it names.
    pub(super) fn login(&self) -> anyhow::Result<Login> {
        let method = match self {
            Self {
                bearer_file: Some(file),
                user: None,
                password_file: None,
                header: None,
                value_file: None,
                ..
            } => Method::Bearer(file.clone()),
            Self {
                bearer_file: None,
                user: Some(user),
                password_file: Some(file),
                header: None,
                value_file: None,
                ..
            } => Method::Basic(user.clone(), file.clone()),
            Self {
                bearer_file: None,
                user: None,
                password_file: None,
                header: Some(name),
                value_file: Some(file),
                ..
            } => {
                let name = name.parse();
                Method::Header(name.context("`header` is no header's name")?, file.clone())
            }
            _ => bail!(
                "write exactly one of: bearer_file; user and password_file; header and value_file"
            ),
        };
        Ok(Login {
            method,
            allow_http: self.allow_http,
        })
    }
}

impl Login {
    /// The header that logs in, with the secret as it is now.
    pub(super) fn header(&self) -> anyhow::Result<(HeaderName, HeaderValue)> {
        let (name, text) = match &self.method {
            Method::Bearer(file) => (AUTHORIZATION, format!("Bearer {}", secret(file)?)),
            Method::Basic(user, file) => (
                AUTHORIZATION,
                format!("Basic {}", pair(user, &secret(file)?)),
            ),
            Method::Header(name, file) => (name.clone(), secret(file)?),
        };
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| anyhow::anyhow!("the secret has letters that no header may have"))?;
        value.set_sensitive(true);
        Ok((name, value))
    }

    /// What must be masked.
    pub(super) fn secrets(&self) -> anyhow::Result<Vec<String>> {
        Ok(match &self.method {
            Method::Bearer(file) | Method::Header(_, file) => vec![secret(file)?],
            Method::Basic(user, file) => {
                let password = secret(file)?;
                vec![pair(user, &password), password]
            }
        })
    }
}

fn pair(user: &str, password: &str) -> String {
    BASE64.encode(format!("{user}:{password}"))
}

/// The only line of a file.
fn secret(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("read the secret in {}", file.display()))?;
    let text = text.trim();
    if text.is_empty() || text.len() > SECRET_BYTES_MAX || text.contains(['\n', '\r']) {
        bail!("{} must hold one line with the secret", file.display());
    }
    Ok(text.to_owned())
}
