//! What guards the local listener, which asks nobody who they are.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{CONTENT_TYPE, HOST, HeaderMap};
use actix_web::http::{Method, StatusCode};

use crate::problem::Problem;

/// A page in a browser on this machine can reach loopback, too. It cannot set a foreign `Host`
/// after DNS rebinding, nor send JSON without asking first, which nobody here answers: so both
/// are asked for.
pub(crate) fn admit(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if !text(HOST).is_none_or(is_loopback) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "not-local",
            "not local",
            "this listener answers to 127.0.0.1, [::1] and localhost only",
        ));
    }
    let json = text(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/json"));
    if (method == Method::POST || method == Method::PUT) && !json {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not-json",
            "the body is not said to be JSON",
            "writes need content-type: application/json",
        ));
    }
    Ok(())
}

/// Whether a `Host` header names this machine's loopback.
fn is_loopback(host: &str) -> bool {
    if let Ok(address) = host.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let bare = host.trim_matches(['[', ']']);
    name == "localhost"
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_names_of_loopback_are_answered_to() {
        for host in [
            "127.0.0.1:7401",
            "localhost:7401",
            "[::1]:7401",
            "::1",
            "localhost",
            "127.0.0.1",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "evil.example:7401",
            "10.0.0.1:7401",
            "localhost.evil.example",
            "",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
