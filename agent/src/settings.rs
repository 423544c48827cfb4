//! Settings: one TOML file, each of them also a variable of the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use events::MachineName;
use serde::Deserialize;

use crate::hosts::{Hosts, LoginFile};
use crate::mask::Masks;

/// What an agent needs to know of its world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Base URL of the gateway, such as `https://poolshift.example`.
    pub gateway: String,
    /// The name of this machine, as the catalogue has it.
    pub machine: MachineName,
    /// Folder of the journal, the key, and outputs of programs.
    pub data: PathBuf,
    /// PEM file of CA certificates to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Variables of the environment whose values are masked in everything that is reported.
    pub secret_env: Vec<String>,
    /// Where artifacts may come from, and the logins there.
    pub hosts: Hosts,
}

/// The settings as flags: each wins over the file.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SettingsArgs {
    /// TOML file with any of these settings: gateway, machine, data, ca_file, secret_env,
    /// artifact_hosts; and logins, each as `[hosts."artifacts.example"]` with bearer_file, or user
    /// and password_file, or header and value_file; allow_http = true sends it over http too.
    #[arg(long, env = "POOLSHIFT_AGENT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Base URL of the gateway's port for agents, such as `https://poolshift.example:8443`.
    #[arg(long, env = "POOLSHIFT_AGENT_GATEWAY", value_name = "URL")]
    gateway: Option<String>,
    /// The name of this machine, as the catalogue has it.
    #[arg(long, env = "POOLSHIFT_AGENT_MACHINE", value_name = "NAME")]
    machine: Option<String>,
    /// Folder for the journal, the key, and the outputs of programs; readable by the agent alone.
    #[arg(long, env = "POOLSHIFT_AGENT_DATA", value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// PEM file of CA certificates to trust beside those of the system.
    #[arg(long, env = "POOLSHIFT_AGENT_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Names of variables, separated by commas, whose values are masked in all that is reported.
    #[arg(
        long,
        env = "POOLSHIFT_AGENT_SECRET_ENV",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    secret_env: Option<Vec<String>>,
    /// Hosts, separated by commas, that artifacts may come from: a name, or name:port. Default: any
    /// but link-local addresses.
    #[arg(
        long,
        env = "POOLSHIFT_AGENT_ARTIFACT_HOSTS",
        value_name = "HOSTS",
        value_delimiter = ','
    )]
    artifact_hosts: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    gateway: Option<String>,
    machine: Option<String>,
    data: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    secret_env: Option<Vec<String>>,
    artifact_hosts: Option<Vec<String>>,
    #[serde(default)]
    hosts: BTreeMap<String, LoginFile>,
}

impl SettingsArgs {
    /// Flags, environment and file together.
    ///
    /// # Errors
    /// What is missing or wrong, and where to write it.
    pub fn settings(self) -> anyhow::Result<Settings> {
        let file = match &self.config {
            Some(path) => read(path)?,
            None => SettingsFile::default(),
        };
        let gateway = self.gateway.or(file.gateway).context(missing("gateway"))?;
        if !gateway.starts_with("https://") && !gateway.starts_with("http://") {
            bail!("gateway is `{gateway}`; write a URL that begins with https://");
        }
        let machine = self.machine.or(file.machine).context(missing("machine"))?;
        let data = self.data.or(file.data).context(missing("data"))?;
        let artifact_hosts = self.artifact_hosts.or(file.artifact_hosts);
        let hosts = Hosts::new(&artifact_hosts.unwrap_or_default(), &file.hosts)?;
        Ok(Settings {
            gateway: gateway.trim_end_matches('/').to_owned(),
            machine: machine.parse().context("setting `machine`")?,
            data: std::path::absolute(data).context("setting `data`")?,
            ca_file: self.ca_file.or(file.ca_file),
            secret_env: self.secret_env.or(file.secret_env).unwrap_or_default(),
            hosts,
        })
    }
}

impl Settings {
    /// Masks for the values that the environment and the files of secrets have now.
    #[must_use]
    pub fn masks(&self) -> Masks {
        let names = self.secret_env.iter();
        let from_environment = names.filter_map(|name| std::env::var(name).ok());
        Masks::new(from_environment.chain(self.hosts.secrets()))
    }
}

fn missing(name: &str) -> String {
    let variable = name.to_uppercase();
    format!(
        "setting `{name}` is missing; write it into the file of --config, or set POOLSHIFT_AGENT_{variable}"
    )
}

fn read(path: &Path) -> anyhow::Result<SettingsFile> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("read the settings in {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("settings in {}", path.display()))
}
