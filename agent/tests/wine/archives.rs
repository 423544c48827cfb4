//! Archives with names that Windows takes for something else.

use std::path::Path;

use events::FailedBecause;
use tar::{EntryType, Header};

use crate::support::artifact::raw_archive;
use crate::support::order::install;
use crate::world::{World, not_installed};

fn entry(kind: EntryType, name: &str, link: &str) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    let gnu = header.as_gnu_mut().expect("a GNU header");
    gnu.name[..name.len()].copy_from_slice(name.as_bytes());
    gnu.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_mode(0o644);
    header.set_size(0);
    header.set_cksum();
    header
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_mean_something_else_here_are_refused() {
    let mut world = World::start().await;
    let home = world.windows_home("");
    let file = |name| entry(EntryType::Regular, name, "");
    let archives = [
        (vec![file("bin/CON")], "cannot be a name"),
        (vec![file("nul.txt")], "cannot be a name"),
        (vec![file("COM1.log/x")], "cannot be a name"),
        (vec![file("VERSION:hidden")], "cannot be a name"),
        (vec![file("dot.")], "cannot be a name"),
        (vec![file("blank ")], "cannot be a name"),
        (vec![file("what?")], "cannot be a name"),
        (vec![file("..\\outside")], "which parts names"),
        (vec![file("bin\\run")], "which parts names"),
        (vec![file("C:/outside")], "leads out"),
        (vec![file("C:outside")], "leads out"),
        (vec![file("//server/share/outside")], "leads out"),
        (vec![file("../outside")], "leads out"),
        (vec![file("Readme"), file("README")], "in it twice"),
        (
            vec![entry(EntryType::Symlink, "link", "VERSION")],
            "links are not made on Windows",
        ),
    ];
    for (attempt, (headers, why)) in (1..).zip(archives) {
        let entries: Vec<_> = headers.into_iter().map(|it| (it, b"".as_slice())).collect();
        let bytes = raw_archive(&entries);
        let url = world.serve("evil", &bytes);
        let order = install(&url, &bytes, Path::new(&home), "1.0");
        let failed = not_installed(world.carry_out("install", attempt, order).await);
        let failure = &failed.failure;
        assert_eq!(failure.reason, FailedBecause::BadArchive, "{failure:?}");
        assert!(failure.detail.contains(why), "{why}: {}", failure.detail);
    }
    assert!(!world.home().join("outside").exists());
    assert!(!world.home().join("releases/outside").exists());
    assert!(!world.home().join("current").exists());
}
