//! A server's address on its line.

use std::net::Ipv6Addr;

/// `host:port` as the catalogue has it.
///
/// # Errors
/// Why there is none to be had from this text.
pub(crate) fn address(text: &str) -> Result<String, &'static str> {
    let text = ["ipv4@", "ipv6@", "tcp@"]
        .iter()
        .find_map(|word| text.strip_prefix(word))
        .unwrap_or(text);
    if text.contains('$') {
        return Err("a variable that is not set here");
    }
    if text.starts_with('/') || text.contains('@') {
        return Err("no host and port");
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err("no port: HAProxy takes the one that the customer came to");
    };
    if port.starts_with(['+', '-']) || port.parse::<u16>().is_err() {
        return Err("no port of its own");
    }
    if matches!(host, "" | "*" | "0.0.0.0") {
        return Err("no host");
    }
    if host.contains(':') && !host.starts_with('[') {
        return match host.parse::<Ipv6Addr>() {
            Ok(host) => Ok(format!("[{host}]:{port}")),
            Err(_) => Err("no host and port"),
        };
    }
    Ok(format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn only_a_host_with_a_port_is_an_address() {
        for good in ["10.1.0.1:80", "web1.example:8080", "[fd00::1]:80"] {
            assert_eq!(address(good).unwrap(), good);
        }
        assert_eq!(address("ipv4@10.1.0.1:80").unwrap(), "10.1.0.1:80");
        assert_eq!(address("fd00::1:80").unwrap(), "[fd00::1]:80");
        let none = "10.1.0.1 10.1.0.1:+100 /run/web.sock unix@web ${WEB}:80 :80";
        for none in none.split(' ') {
            assert!(address(none).is_err(), "{none}");
        }
    }
}
