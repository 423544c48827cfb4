//! The log of the version before this one: what was decided then is decided now.

use std::fs::File;
use std::path::Path;

use tempfile::TempDir;

use crate::support::run;

/// As that version itself counted and linked them.
const DECISIONS: u64 = 109;
const HEADS: [(&str, u64, &str); 4] = [
    (
        "machine/m1",
        1,
        "sha256:83bf366c751ccd482b5ba9305be0f2856325b359ce68016f330783759debc16d",
    ),
    (
        "machine/m2",
        1,
        "sha256:6fcf21aa7baa7d54589c62e739aa7e825b82774683992fb65dff48e23496f5b1",
    ),
    (
        "machine/m3",
        1,
        "sha256:ff2d78b1cd7a202e801981d6d193336085efa0b0f8a729f6cc7b31b3685ab619",
    ),
    (
        "production/shop",
        174,
        "sha256:c8d0ff5baec24914c39710e83e18f9cdcb5d848efee696595ccd1b7f0b5c756c",
    ),
];

/// A log that is made anew from the backup of that version's.
fn log(folder: &TempDir) -> String {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/former/0.1/log.jsonl.gz");
    let mut lines = flate2::read::GzDecoder::new(File::open(kept).unwrap());
    let backup = folder.path().join("backup.jsonl");
    std::io::copy(&mut lines, &mut File::create(&backup).unwrap()).unwrap();
    let log = folder.path().join("poolshift.db").display().to_string();
    let backup = backup.display().to_string();
    let said = run(&["log", "import", &backup, "--log", &log]).good();
    assert!(said.contains("hash chains, which all hold"), "{said}");
    log
}

#[test]
fn what_the_version_before_decided_is_decided_again_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(&["replay", "--json", "--log", &log(&folder)]);
    let replayed: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let same = (&replayed["same"], &replayed["skipped"]);
    assert!(
        said.code == 0 && same == (&DECISIONS.into(), &0.into()),
        "the log of 0.1 is not decided as it was: {same:?} of {DECISIONS} decisions are the same \
         (and skipped), and the first other one is {:#}.\n\
         Undo that; or, if the rules must change, raise `BRAIN` in crates/rollout and keep the rules \
         of the version before beside the new ones, for all that was planned under them: \
         docs/decisions/0013",
        replayed["differs"]
    );
    let heads = replayed["heads"].as_array().unwrap();
    let heads: Vec<_> = heads
        .iter()
        .map(|head| {
            let text = |name: &str| head[name].as_str().unwrap();
            (text("subject"), head["n"].as_u64().unwrap(), text("sha256"))
        })
        .collect();
    assert_eq!(heads, HEADS);
}
