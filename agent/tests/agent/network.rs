//! Between the agent and the world: a company's own CA, and its proxy.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use events::{Answer, FailedBecause};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::support::{World, archive, fetch};

fn pem(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/tls")
        .join(name)
}

/// Serves these bytes over HTTPS, whatever is asked for; gives the URL.
fn serve_tls(bytes: Vec<u8>) -> String {
    let certificates = CertificateDer::pem_file_iter(pem("server.pem")).expect("a file");
    let certificates = certificates
        .map(|one| one.expect("a certificate"))
        .collect();
    let key = PrivateKeyDer::from_pem_file(pem("server.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .expect("a key for its certificate");
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = rustls::ServerConnection::new(config.clone()).expect("a connection");
            let mut stream = rustls::StreamOwned::new(connection, stream);
            // A client that does not trust us hangs up here.
            if stream.read(&mut [0; 4096]).is_err() {
                continue;
            }
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                bytes.len()
            );
            let _sent = stream.write_all(head.as_bytes());
            let _sent = stream.write_all(&bytes);
            stream.conn.send_close_notify();
            let _sent = stream.flush();
        }
    });
    format!("https://localhost:{port}/checkout.tar.gz")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_s_ca_is_trusted_when_it_is_named_and_only_then() {
    let bytes = archive(&[("VERSION", "1.0", 0o644)]);
    let url = serve_tls(bytes.clone());
    let mut world = World::start().await;
    let home = world.home();
    let answer = world
        .carry_out("fetch", 1, fetch(&url, &bytes, &home))
        .await;
    let Answer::FetchFailed(failed) = answer else {
        panic!("an unknown CA was trusted");
    };
    assert_eq!(failed.failure.reason, FailedBecause::Unreachable);
    let detail = &failed.failure.detail;
    assert!(detail.to_lowercase().contains("certificate"), "{detail}");

    world.kill_agent();
    let ca = pem("ca.pem").display().to_string();
    world
        .environment
        .push(("POOLSHIFT_AGENT_CA_FILE".to_owned(), ca));
    world.start_agent();
    let answer = world
        .carry_out("fetch", 2, fetch(&url, &bytes, &home))
        .await;
    assert!(matches!(answer, Answer::Fetched(_)), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn artifacts_come_through_the_proxy_of_the_environment() {
    let mut world = World::enrolled().await;
    let proxy = world.gateway.url("");
    world
        .environment
        .push(("HTTP_PROXY".to_owned(), proxy.clone()));
    world.environment.push(("http_proxy".to_owned(), proxy));
    world.start_agent();
    let bytes = archive(&[("VERSION", "1.0", 0o644)]);
    world.serve("a", &bytes);
    let home = world.home();
    // Nobody can resolve this name: only a proxy can have answered.
    let url = "http://artifacts.invalid/artifacts/a";
    let answer = world.carry_out("fetch", 1, fetch(url, &bytes, &home)).await;
    assert!(matches!(answer, Answer::Fetched(_)), "{answer:?}");
}
