//! What can be wrong with where agents fetch from.

use super::{Fault, edit, fault};
use crate::plant::Plant::{Agent, Apply};
use poolshift_tests::world::World;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

pub(super) fn all(world: &World) -> Vec<Fault> {
    let on_m1 = |check, mend, plant| fault(check, "machine m1", mend, plant);
    let elsewhere = "artifact_hosts = [\"artifacts.example\"]".to_owned();
    let shop = fs::read_to_string(world.root.join("services/shop.toml")).unwrap();
    let (_, rest) = shop.split_once("url = \"http://").unwrap();
    let (place, _) = rest.split_once('/').unwrap();
    let closed = closed_store().to_string();
    vec![
        on_m1("artifact-host", "allow 127.0.0.1:", Agent(elsewhere)),
        on_m1(
            "artifact-login",
            "with bearer_file",
            Apply(edit(place, closed)),
        ),
    ]
}

/// A store that lets nobody in, to the end of the test.
fn closed_store() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = b"HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n";
            let _gone = stream.read(&mut [0; 4096]);
            let _gone = stream.write_all(answer);
        }
    });
    address
}
