//! Where artifacts may come from, and the logins that this agent has there. What a command names is
//! only a wish: this machine's own file decides whom it asks, and who ever sees a secret of it.

mod login;
mod resolver;

use std::collections::BTreeMap;
use std::net::IpAddr;

use anyhow::{Context as _, bail};
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};

use login::Login;
pub(crate) use login::LoginFile;
pub(crate) use resolver::Resolver;

/// Hosts that artifacts may come from, with the logins that some of them want.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    /// None: any host but those that only a machine's own cloud answers on.
    allowed: Vec<Place>,
    logins: BTreeMap<Place, Login>,
}

/// A host, and its port where that is not the usual one of the scheme.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    host: String,
    port: Option<u16>,
}

impl Hosts {
    /// From the settings; every secret is read once, so that a missing one shows at the start.
    ///
    /// # Errors
    /// What is wrong, and how to write it.
    pub(crate) fn new(
        allowed: &[String],
        logins: &BTreeMap<String, LoginFile>,
    ) -> anyhow::Result<Self> {
        let allowed: Vec<Place> = allowed
            .iter()
            .map(|text| Place::parse(text).context("setting `artifact_hosts`"))
            .collect::<anyhow::Result<_>>()?;
        let mut hosts = Self {
            allowed,
            logins: BTreeMap::new(),
        };
        for (name, file) in logins {
            let at = || format!("setting `hosts.\"{name}\"`");
            let place = Place::parse(name).with_context(at)?;
            if !hosts.allowed.is_empty() && !hosts.allowed.contains(&place) {
                bail!("{}: add `{name}` to `artifact_hosts` as well", at());
            }
            let login = file.login().with_context(at)?;
            login.header().with_context(at)?;
            hosts.logins.insert(place, login);
        }
        Ok(hosts)
    }

    /// All secrets as they are now, to be masked.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let logins = self.logins.values();
        logins
            .filter_map(|login| login.secrets().ok())
            .flatten()
            .collect()
    }

    /// Whether anything may be asked of this URL.
    ///
    /// # Errors
    /// Why not, and which setting allows it.
    pub(crate) fn allow(&self, url: &Url) -> Result<(), String> {
        let shown = shown(url);
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{shown} is neither http nor https"));
        }
        if self.allowed.iter().any(|place| place.is_of(url)) {
            return Ok(());
        }
        if !self.allowed.is_empty() {
            return Err(format!(
                "{shown} is not among this agent's `artifact_hosts`; add it there, or serve the \
                 artifact from one of them"
            ));
        }
        if ip(url).is_some_and(is_of_the_machine_itself) {
            return Err(format!(
                "{shown} is an address that only this machine's own network answers on; if it is \
                 meant, add it to this agent's `artifact_hosts`"
            ));
        }
        Ok(())
    }

    /// The header that logs in at this URL, where this agent has one for exactly this host.
    ///
    /// # Errors
    /// Why the login must not be used, or cannot.
    pub(crate) fn login(&self, url: &Url) -> Result<Option<(HeaderName, HeaderValue)>, String> {
        let Some((_, login)) = self.logins.iter().find(|(place, _)| place.is_of(url)) else {
            return Ok(None);
        };
        let shown = shown(url);
        if url.scheme() != "https" && !login.allow_http {
            return Err(format!(
                "this agent's login for {shown} is never sent over http; use https, or set \
                 `allow_http = true` beside it"
            ));
        }
        let header = login
            .header()
            .map_err(|error| format!("this agent's login for {shown}: {error:#}"))?;
        Ok(Some(header))
    }

    /// Whether a host of this name is named in the settings, whatever its port.
    fn is_named(&self, name: &str) -> bool {
        self.allowed.iter().any(|place| place.host == name)
    }
}

impl Place {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let url = Url::parse(&format!("https://{text}/"));
        let url = url
            .ok()
            .filter(|url| url.path() == "/" && url.query().is_none() && url.fragment().is_none())
            .filter(|url| url.username().is_empty() && url.password().is_none());
        let Some((url, host)) = url.and_then(|url| Some((url.clone(), url.host_str()?.to_owned())))
        else {
            bail!("`{text}` is no host; write a name, such as artifacts.example, or name:port");
        };
        Ok(Self {
            host,
            port: url.port(),
        })
    }

    /// Without a port, it is the usual one of the URL's scheme.
    fn is_of(&self, url: &Url) -> bool {
        let same_port = self.port == url.port()
            || (self.port.is_some() && self.port == url.port_or_known_default());
        url.host_str() == Some(&self.host) && same_port
    }
}

/// The host and port, which hold no secret.
pub(crate) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn ip(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_matches(['[', ']']).parse().ok()
}

/// Link-local addresses, and the others on which clouds answer with a machine's own credentials:
/// `fd00:ec2::254` (Amazon) and `100.100.100.200` (Alibaba).
fn is_of_the_machine_itself(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_link_local() || ip.octets() == [100, 100, 100, 200],
        IpAddr::V6(ip) => {
            ip.is_unicast_link_local() || ip.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(allowed: &[&str]) -> Hosts {
        let allowed: Vec<String> = allowed.iter().map(|&one| one.to_owned()).collect();
        Hosts::new(&allowed, &BTreeMap::new()).expect("good hosts")
    }

    fn is_allowed(hosts: &Hosts, url: &str) -> bool {
        hosts.allow(&Url::parse(url).expect("a URL")).is_ok()
    }

    #[test]
    fn without_a_list_any_host_is_allowed_but_the_machine_s_own_cloud() {
        let any = hosts(&[]);
        for url in [
            "https://artifacts.example/a",
            "http://10.0.0.1:8081/a",
            "http://127.0.0.1/a",
        ] {
            assert!(is_allowed(&any, url), "{url}");
        }
        for url in [
            "http://169.254.169.254/latest/meta-data",
            "http://2852039166/latest",
            "http://0xa9.0xfe.0xa9.0xfe/",
            "http://[fe80::1]/",
            "http://[::ffff:169.254.169.254]/",
            "http://[fd00:ec2::254]/",
            "http://100.100.100.200/",
            "ftp://artifacts.example/a",
        ] {
            assert!(!is_allowed(&any, url), "{url}");
        }
        assert!(is_allowed(&hosts(&["169.254.1.1"]), "http://169.254.1.1/a"));
    }

    #[test]
    fn a_list_means_exactly_these_hosts_and_ports() {
        let some = hosts(&["artifacts.example", "Nexus.example:8443"]);
        for (url, want) in [
            ("https://artifacts.example/a", true),
            ("http://artifacts.example/a", true),
            ("https://artifacts.example:8080/a", false),
            ("https://evil.artifacts.example/a", false),
            ("https://artifacts.example.evil/a", false),
            ("https://artifacts.example@evil.example/a", false),
            ("https://nexus.example:8443/a", true),
            ("https://nexus.example/a", false),
        ] {
            assert_eq!(is_allowed(&some, url), want, "{url}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused_with_the_mend() {
        for text in ["", "https://a", "a/b", "a@b", "a b", "a?b"] {
            let error = Place::parse(text).expect_err(text);
            assert!(error.to_string().contains("write a name"), "{error}");
        }
    }
}
