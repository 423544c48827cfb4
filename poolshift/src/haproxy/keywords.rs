//! What may stand on a `server` line, as far as it must be known to read one.

/// Of a server's own health check, without a value.
pub(crate) const CHECK_FLAGS: &[&str] = &["check", "no-check", "check-ssl", "no-check-ssl"];

/// Of a server's own health check, with a value.
pub(crate) const CHECK_VALUES: &[&str] = &[
    "inter",
    "fastinter",
    "downinter",
    "rise",
    "fall",
    "port",
    "addr",
    "check-sni",
    "check-alpn",
    "check-proto",
    "track",
];

/// Others with a value (HAProxy's configuration manual, section 5.2).
const VALUES: &str = " agent-addr agent-inter agent-port agent-send alpn ca-file ciphers \
    ciphersuites cookie crl-file crt error-limit hash-key id init-addr log-proto max-reuse maxconn \
    maxqueue minconn namespace npn observe on-error on-marked-down on-marked-up pool-low-conn \
    pool-max-conn pool-purge-delay proto proxy-v2-options redir resolve-net resolve-opts \
    resolve-prefer resolvers slowstart sni socks4 source ssl-max-ver ssl-min-ver verify verifyhost \
    weight ";

/// Whether the word behind this one belongs to it.
pub(crate) fn takes_value(word: &str) -> bool {
    CHECK_VALUES.contains(&word) || VALUES.contains(&format!(" {word} "))
}
