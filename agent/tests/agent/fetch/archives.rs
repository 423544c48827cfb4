//! Archives that want more than to be unpacked.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use events::{FailedBecause, Failure};
use poolshift_agent::{Limits, unpack};
use tar::{EntryType, Header};
use tempfile::TempDir;

use crate::support::{archive, gzip, raw_archive};

const MIB: u64 = 1024 * 1024;

/// Unpacks into `inside/release`; beside it lies `outside`, which must stay as it is.
struct Unpacked {
    folder: TempDir,
    result: Result<(), Failure>,
}

impl Unpacked {
    fn of(bytes: &[u8]) -> Self {
        Self::within(bytes, 10 * MIB)
    }

    fn within(bytes: &[u8], bytes_max: u64) -> Self {
        let folder = TempDir::new().expect("a folder");
        std::fs::create_dir(folder.path().join("inside")).expect("a folder");
        std::fs::write(folder.path().join("outside"), "as it was").expect("a file");
        std::fs::write(folder.path().join("archive"), bytes).expect("a file");
        let limits = Limits {
            bytes: bytes_max,
            until: Instant::now() + Duration::from_secs(20),
        };
        let result = unpack(
            &folder.path().join("archive"),
            &folder.path().join("inside/release"),
            limits,
        );
        Self { folder, result }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("inside/release").join(name)
    }

    /// The reason of the refusal; nothing came out of the folder.
    fn refused(&self) -> &str {
        let outside = std::fs::read_to_string(self.folder.path().join("outside"));
        assert_eq!(outside.expect("a file"), "as it was");
        let mut names: Vec<_> = std::fs::read_dir(self.folder.path().join("inside"))
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.retain(|name| name != "release");
        assert_eq!(names.len(), 0, "{names:?}");
        let failure = self
            .result
            .as_ref()
            .expect_err("an evil archive was unpacked");
        assert_eq!(failure.reason, FailedBecause::BadArchive, "{failure:?}");
        &failure.detail
    }
}

/// A header whose name is written as it is, however wrong.
fn header(kind: EntryType, name: &str, link: &str, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    let gnu = header.as_gnu_mut().expect("a GNU header");
    gnu.name[..name.len()].copy_from_slice(name.as_bytes());
    gnu.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_mode(mode);
    header.set_size(size);
    header.set_cksum();
    header
}

fn file(name: &str, content: &'static [u8]) -> (Header, &'static [u8]) {
    let header = header(EntryType::Regular, name, "", 0o644, content.len() as u64);
    (header, content)
}

fn link(name: &str, to: &str) -> (Header, &'static [u8]) {
    (header(EntryType::Symlink, name, to, 0o777, 0), b"")
}

#[test]
fn files_folders_modes_and_links_inside_are_unpacked() {
    use std::os::unix::fs::PermissionsExt as _;
    let unpacked = Unpacked::of(&raw_archive(&[
        file("./bin/run", b"run"),
        (header(EntryType::Regular, "bin/exec", "", 0o777, 1), b"x"),
        link("bin/again", "run"),
        link("lib/current", "../bin"),
        (header(EntryType::Link, "hard", "bin/run", 0o644, 0), b""),
        (header(EntryType::Directory, "empty/", "", 0o2755, 0), b""),
    ]));
    assert_eq!(unpacked.result, Ok(()));
    for name in ["bin/run", "bin/again", "lib/current/run", "hard"] {
        let content = std::fs::read_to_string(unpacked.path(name));
        assert_eq!(content.expect(name), "run", "{name}");
    }
    let mode = |name: &str| {
        let found = std::fs::metadata(unpacked.path(name)).expect(name);
        found.permissions().mode() & 0o7777
    };
    assert_eq!((mode("bin/exec"), mode("bin/run")), (0o755, 0o644));
    assert_eq!(mode("empty") & 0o7000, 0);
}

#[test]
fn long_names_are_unpacked() {
    let name = format!("{}/{}", "d".repeat(90), "f".repeat(90));
    let unpacked = Unpacked::of(&archive(&[(&name, "content", 0o644)]));
    assert_eq!(unpacked.result, Ok(()));
    assert!(unpacked.path(&name).exists());
}

#[test]
fn no_name_leads_out() {
    for name in ["../outside", "/tmp/outside", "a/../../outside", "a/.."] {
        let unpacked = Unpacked::of(&raw_archive(&[file(name, b"evil")]));
        assert!(
            unpacked.refused().contains("leads out"),
            "{}",
            unpacked.refused()
        );
    }
}

#[test]
fn no_link_leads_out_and_nothing_is_written_through_one() {
    for to in [
        "../outside",
        "/etc",
        "../../outside",
        "a/../../outside",
        "..",
    ] {
        let unpacked = Unpacked::of(&raw_archive(&[link("evil", to)]));
        assert!(
            unpacked.refused().contains("links out"),
            "{}",
            unpacked.refused()
        );
    }
    // A link to a folder above, harmless by itself, and a second one that climbs from there.
    let climbing = [link("a/b/up", "../.."), link("a/b/evil", "up/../outside")];
    assert!(
        Unpacked::of(&raw_archive(&climbing))
            .refused()
            .contains("links out")
    );
    let through = [link("d", "."), file("d/x", b"evil")];
    assert!(
        Unpacked::of(&raw_archive(&through))
            .refused()
            .contains("is a link or a file")
    );
    let over = [file("x", b"1"), link("y", "x"), file("y", b"2")];
    assert!(
        Unpacked::of(&raw_archive(&over))
            .refused()
            .contains("in it twice")
    );
    for to in ["../outside", "/etc/passwd", "none"] {
        let hard = [(
            header(EntryType::Link, "evil", to, 0o644, 0),
            b"".as_slice(),
        )];
        Unpacked::of(&raw_archive(&hard)).refused();
    }
    let hard_through = [
        link("d", "."),
        file("x", b"1"),
        (
            header(EntryType::Link, "evil", "d/x", 0o644, 0),
            b"".as_slice(),
        ),
    ];
    Unpacked::of(&raw_archive(&hard_through)).refused();
}

#[test]
fn devices_pipes_and_setuid_are_refused() {
    for kind in [EntryType::Char, EntryType::Block, EntryType::Fifo] {
        let device = [(header(kind, "evil", "", 0o644, 0), b"".as_slice())];
        Unpacked::of(&raw_archive(&device)).refused();
    }
    for mode in [0o4755, 0o2755] {
        let setuid = [(
            header(EntryType::Regular, "evil", "", mode, 1),
            b"x".as_slice(),
        )];
        assert!(
            Unpacked::of(&raw_archive(&setuid))
                .refused()
                .contains("setuid")
        );
    }
}

#[test]
fn bombs_are_refused_before_a_byte_is_written() {
    // 64 MiB of zeros in 64 KiB.
    let zeros = vec![0; 64 * 1024 * 1024];
    let mut tar = header(EntryType::Regular, "zeros", "", 0o644, zeros.len() as u64)
        .as_bytes()
        .to_vec();
    tar.extend(zeros);
    let bomb = gzip(&tar);
    assert!(bomb.len() < 1024 * 1024);
    let unpacked = Unpacked::of(&bomb);
    assert!(
        unpacked.refused().contains("unpacks to more than"),
        "{}",
        unpacked.refused()
    );
    assert!(!unpacked.path("zeros").exists());

    // Many small files.
    let name = header(EntryType::Regular, "x", "", 0o644, 0);
    let many = gzip(&name.as_bytes().repeat(200_001));
    let unpacked = Unpacked::within(&many, u64::MAX);
    assert!(
        unpacked.refused().contains("entries"),
        "{}",
        unpacked.refused()
    );

    // A name of a gigabyte.
    let long = header(EntryType::GNULongName, "././@LongLink", "", 0o644, 1 << 30);
    let unpacked = Unpacked::within(&gzip(long.as_bytes()), u64::MAX);
    assert!(
        unpacked.refused().contains("header of"),
        "{}",
        unpacked.refused()
    );

    // A size that some readers would see and others would not.
    let lie = b"19 size=1000000000\n";
    let pax = header(EntryType::XHeader, "pax", "", 0o644, lie.len() as u64);
    let unpacked = Unpacked::of(&raw_archive(&[(pax, lie.as_slice()), file("x", b"1")]));
    assert!(
        unpacked.refused().contains("extended header"),
        "{}",
        unpacked.refused()
    );
}

#[test]
fn what_is_no_archive_or_is_cut_off_is_refused() {
    Unpacked::of(b"").result.expect_err("nothing");
    Unpacked::of(b"not a gzip file").refused();
    Unpacked::of(&gzip(&[b'x'; 2000])).refused();
    let whole = archive(&[("a", &"content".repeat(1000), 0o644), ("b", "more", 0o644)]);
    for length in [10, whole.len() / 2, whole.len() - 9] {
        Unpacked::of(&whole[..length]).refused();
    }
}

#[test]
fn unpacking_ends_in_its_time() {
    let folder = TempDir::new().expect("a folder");
    let path: &Path = &folder.path().join("archive");
    std::fs::write(path, archive(&[("a", "b", 0o644)])).expect("a file");
    let limits = Limits {
        bytes: MIB,
        until: Instant::now(),
    };
    let failure = unpack(path, &folder.path().join("out"), limits).expect_err("no time");
    assert_eq!(failure.reason, FailedBecause::TimedOut);
}
