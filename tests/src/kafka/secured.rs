//! Brokers that speak TLS, ask everybody who they are, and allow nothing that was not allowed.

use super::broker::java;
use super::{Cluster, Layout};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The brokers' own user, who may do all.
const ADMIN: &str = "admin";

/// Of the key that the brokers keep.
const PASSWORD: &str = "changeit";

/// What a user may do.
#[derive(Debug, Clone, Copy)]
pub struct Allowed<'a> {
    /// `--topic`, `--group`, `--transactional-id`.
    pub kind: &'a str,
    /// Its name, or with `prefixed` how it begins.
    pub name: &'a str,
    /// Whether `name` is only the beginning.
    pub prefixed: bool,
    /// `Read`, `Write`, `Describe`.
    pub operations: &'a [&'a str],
}

impl Layout {
    /// One broker whose users are known by name and password, which are the same. Blocks while the
    /// key is made.
    ///
    /// # Errors
    /// When Java's `keytool` fails.
    pub fn secured(folder: PathBuf, users: &[&str]) -> Result<Self> {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let keys = folder.join("broker.p12");
        make_key(&keys)?;
        fs::write(certificate(&folder), export(&keys)?).context("cannot write the certificate")?;
        let module = "org.apache.kafka.common.security.scram.ScramLoginModule";
        let own = format!("{module} required username=\"{ADMIN}\" password=\"{ADMIN}\";");
        let trusted = certificate(&folder).display().to_string();
        let properties = [
            (
                "listener.security.protocol.map",
                "CLIENT:SASL_SSL,CONTROLLER:PLAINTEXT".to_owned(),
            ),
            ("sasl.enabled.mechanisms", "SCRAM-SHA-512".to_owned()),
            (
                "sasl.mechanism.inter.broker.protocol",
                "SCRAM-SHA-512".to_owned(),
            ),
            ("listener.name.client.scram-sha-512.sasl.jaas.config", own),
            ("ssl.keystore.type", "PKCS12".to_owned()),
            ("ssl.keystore.location", keys.display().to_string()),
            ("ssl.keystore.password", PASSWORD.to_owned()),
            ("ssl.truststore.type", "PEM".to_owned()),
            ("ssl.truststore.location", trusted),
            (
                "authorizer.class.name",
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer".to_owned(),
            ),
            ("super.users", format!("User:{ADMIN};User:ANONYMOUS")),
        ];
        let properties = properties.into_iter();
        let named = |name: &str| (name.to_owned(), name.to_owned());
        Ok(Self {
            folder,
            brokers: 1,
            properties: properties
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
            users: users.iter().copied().chain([ADMIN]).map(named).collect(),
        })
    }

    /// What clients trust the brokers by.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        certificate(&self.folder)
    }
}

impl Cluster {
    /// Lets a user do something, as `kafka-acls.sh` does. Blocks.
    ///
    /// # Errors
    /// When the brokers refuse.
    pub fn allow(&self, user: &str, allowed: Allowed<'_>) -> Result<()> {
        let broker = self.brokers.first().context("a cluster of no broker")?;
        let mut command = java(&self.jars, "org.apache.kafka.tools.AclCommand");
        command
            .args(["--bootstrap-controller", &broker.controller(), "--add"])
            .args(["--allow-principal", &format!("User:{user}")])
            .args([allowed.kind, allowed.name]);
        if allowed.prefixed {
            command.args(["--resource-pattern-type", "prefixed"]);
        }
        for operation in allowed.operations {
            command.args(["--operation", operation]);
        }
        run(&mut command).map(drop)
    }
}

fn certificate(folder: &Path) -> PathBuf {
    folder.join("broker.pem")
}

fn make_key(keys: &Path) -> Result<()> {
    let mut command = Command::new("keytool");
    command
        .args([
            "-genkeypair",
            "-alias",
            "broker",
            "-keyalg",
            "RSA",
            "-validity",
            "30",
        ])
        .args(["-dname", "CN=127.0.0.1", "-ext", "SAN=IP:127.0.0.1"])
        .args(["-storetype", "PKCS12", "-storepass", PASSWORD, "-keystore"])
        .arg(keys);
    run(&mut command).map(drop)
}

fn export(keys: &Path) -> Result<Vec<u8>> {
    let mut command = Command::new("keytool");
    command
        .args([
            "-exportcert",
            "-rfc",
            "-alias",
            "broker",
            "-storepass",
            PASSWORD,
            "-keystore",
        ])
        .arg(keys);
    run(&mut command)
}

fn run(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {said}");
    Ok(output.stdout)
}
