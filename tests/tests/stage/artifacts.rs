//! Artifacts: the same bytes each time, and served by name.

use flate2::read::GzDecoder;
use poolshift_tests::artifact::{Artifact, Place};
use poolshift_tests::http::Connection;
use poolshift_tests::shop::{Behaviour, Release, digest};
use std::io::Read;

#[test]
fn the_same_release_gives_the_same_bytes_and_another_gives_others() {
    let build = |release: &Release| Artifact::build(release, &[("notes.txt", b"new")]).unwrap();
    let good = Release::good("1.1.0");
    let first = build(&good);
    assert_eq!(first, build(&good));
    assert_eq!(first.sha256, digest(&first.bytes));
    assert_ne!(first.sha256, build(&good.behaving(Behaviour::Bad)).sha256);
}

#[test]
fn the_release_lies_at_the_top() {
    let release = Release::good("1.1.0");
    let artifact = Artifact::build(&release, &[]).unwrap();
    let mut archive = tar::Archive::new(GzDecoder::new(artifact.bytes.as_slice()));
    let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
    let mut text = String::new();
    entry.read_to_string(&mut text).unwrap();
    assert_eq!(entry.path().unwrap().to_str(), Some("release.toml"));
    assert_eq!(toml::from_str::<Release>(&text).unwrap(), release);
}

#[tokio::test]
async fn a_place_serves_what_was_put_there_and_nothing_else() {
    let artifact = Artifact::build(&Release::good("1.1.0"), &[]).unwrap();
    let place = Place::open().await.unwrap();
    let url = place.put(&artifact);
    assert_eq!(url, place.url("shop-1.1.0.tar.gz"));
    for (path, status) in [("shop-1.1.0.tar.gz", 200), ("../../etc/passwd", 404)] {
        let request = format!("GET /{path} HTTP/1.1\r\nhost: place\r\n\r\n");
        let mut connection = Connection::open(place.address).await.unwrap();
        let response = connection.exchange(request.as_bytes()).await.unwrap();
        assert_eq!(response.status, status, "{path}");
        assert_eq!(response.body == artifact.bytes, status == 200);
    }
}
