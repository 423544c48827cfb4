//! URLs and addresses in a service file.

use super::page::shown;
use super::value::Value;

/// An http(s) URL taken apart as far as the catalogue must know it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Url<'a> {
    /// The whole text.
    pub(super) text: &'a str,
    /// `host` or `host:port`.
    pub(super) host: &'a str,
    /// All after the host: path, query and fragment.
    pub(super) rest: &'a str,
}

/// An http(s) URL with a host and without a user or password in it.
pub(super) fn url<'a>(value: &Value<'a>) -> Option<Url<'a>> {
    let text = value.text()?;
    let what = format!("`{}` is not an http or https URL", shown(text));
    let after = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let Some(after) = after.filter(|after| after.bytes().all(|byte| byte.is_ascii_graphic()))
    else {
        value.refuse(what, format!("write {}", value.example()));
        return None;
    };
    let (host, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
    if host.contains('@') {
        value.refuse(
            "a user or password stands in the URL",
            "remove it: everybody may read the catalogue, so no secret belongs in it",
        );
        return None;
    }
    if !is_host(host) && !is_address(host) {
        value.refuse(what, format!("write {}", value.example()));
        return None;
    }
    Some(Url { text, host, rest })
}

/// The `host:port` of a server.
pub(super) fn address(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if is_address(text) {
        return Some(text.to_owned());
    }
    let bare = text
        .rsplit_once("://")
        .map_or(text, |(_, bare)| bare)
        .trim_end_matches('/');
    let mend = if is_address(bare) {
        format!("write \"{bare}\"")
    } else if is_host(text) {
        format!("add the port, such as \"{text}:8080\"")
    } else {
        "write host:port, such as \"10.1.0.1:8080\" or \"[fd00::1]:8080\"".to_owned()
    };
    value.refuse(format!("`{}` is not host:port", shown(text)), mend);
    None
}

/// A path on the server itself, such as `/health?deep=1`, of the letters that a URL may have;
/// `{version}` may stand in it.
pub(super) fn path<'a>(value: &Value<'a>) -> Option<&'a str> {
    let text = value.text()?;
    let filled = text.replace("{version}", "1.0");
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"#{}\"<>\\^`|".contains(&byte);
    if text.starts_with('/') && filled.bytes().all(plain) {
        return Some(text);
    }
    value.refuse(
        format!("`{}` is not a path on the server", shown(text)),
        format!(
            "write {}: the host and port are the server's own",
            value.example()
        ),
    );
    None
}

fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        digits && port.parse::<u16>().is_ok_and(|port| port > 0) && is_host(host)
    })
}

fn is_host(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner.strip_suffix(']').unwrap_or_default();
        return inner.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(plain)
    };
    text.len() <= 253 && text.split('.').all(label)
}
