//! Each moment at which a crash can part the two renames.

use tempfile::TempDir;

use super::*;

struct House {
    folder: TempDir,
}

impl House {
    /// A service with these releases, the first of them `current`.
    async fn with(releases: &[&str]) -> Self {
        let house = Self {
            folder: TempDir::new().expect("a folder"),
        };
        for version in releases {
            let folder = stored(house.path(), version);
            std::fs::create_dir_all(&folder).expect("a folder");
            label_release(&folder, version).expect("a label");
        }
        if let Some(first) = releases.first() {
            house.switch(first).await.expect("the first release");
        }
        house
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    async fn switch(&self, version: &str) -> io::Result<()> {
        switch(self.path(), version, Instant::now()).await
    }

    async fn mend(&self) {
        let mended = mend_switch(self.path(), Instant::now()).await;
        mended.expect("it can be mended");
        assert!(!exists(&self.path().join(PLAN)), "the plan is gone");
    }

    fn plan(&self, from: Option<&str>, to: &str) {
        let plan = Plan {
            from: from.map(str::to_owned),
            to: to.to_owned(),
        };
        plan.write(self.path()).expect("a plan");
    }

    /// What is `current`, and what lies in `releases`.
    fn state(&self) -> (Option<String>, Vec<String>) {
        let mut names: Vec<String> = std::fs::read_dir(self.path().join("releases"))
            .expect("a folder")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("a name")
            })
            .collect();
        names.sort();
        (current_release(self.path()), names)
    }
}

fn is(current: Option<&str>, releases: &[&str]) -> (Option<String>, Vec<String>) {
    (
        current.map(str::to_owned),
        releases.iter().map(|&name| name.to_owned()).collect(),
    )
}

#[tokio::test]
async fn a_release_comes_and_the_former_one_goes_back() {
    let house = House::with(&["1.0", "2.0"]).await;
    assert_eq!(house.state(), is(Some("1.0"), &["2.0"]));
    house.switch("2.0").await.expect("switched");
    assert_eq!(house.state(), is(Some("2.0"), &["1.0"]));
    house.switch("2.0").await.expect("it is there already");
    house.switch("1.0").await.expect("the way back");
    assert_eq!(house.state(), is(Some("1.0"), &["2.0"]));
    assert_eq!(release_folder(house.path(), "1.0"), current(house.path()));
    assert_eq!(
        release_folder(house.path(), "2.0"),
        stored(house.path(), "2.0")
    );
}

#[tokio::test]
async fn a_crash_before_the_first_rename_changes_nothing() {
    let house = House::with(&["1.0", "2.0"]).await;
    house.plan(Some("1.0"), "2.0");
    house.mend().await;
    assert_eq!(house.state(), is(Some("1.0"), &["2.0"]));
}

#[tokio::test]
async fn a_crash_between_the_renames_is_mended_forward() {
    let house = House::with(&["1.0", "2.0"]).await;
    house.plan(Some("1.0"), "2.0");
    std::fs::rename(current(house.path()), stored(house.path(), "1.0")).expect("a rename");
    house.mend().await;
    assert_eq!(house.state(), is(Some("2.0"), &["1.0"]));
    // Also where the next order leads elsewhere.
    house.plan(Some("2.0"), "1.0");
    std::fs::rename(current(house.path()), stored(house.path(), "2.0")).expect("a rename");
    house.switch("2.0").await.expect("switched");
    assert_eq!(house.state(), is(Some("2.0"), &["1.0"]));
}

#[tokio::test]
async fn a_crash_after_the_second_rename_leaves_a_plan_that_is_done() {
    let house = House::with(&["2.0", "1.0"]).await;
    house.plan(Some("1.0"), "2.0");
    house.mend().await;
    assert_eq!(house.state(), is(Some("2.0"), &["1.0"]));
}

#[tokio::test]
async fn a_new_release_that_cannot_come_leaves_the_former_one_in_its_place() {
    let house = House::with(&["1.0"]).await;
    house.switch("2.0").await.expect_err("it is not there");
    assert_eq!(house.state(), is(Some("1.0"), &[]));
    assert!(!exists(&house.path().join(PLAN)));
    // The same after a crash: the new release has gone, the former one comes back.
    house.plan(Some("1.0"), "2.0");
    std::fs::rename(current(house.path()), stored(house.path(), "1.0")).expect("a rename");
    house.mend().await;
    assert_eq!(house.state(), is(Some("1.0"), &[]));
}

#[tokio::test]
async fn a_folder_that_we_did_not_make_is_left_alone() {
    let house = House::with(&[]).await;
    std::fs::create_dir_all(current(house.path()).join("theirs")).expect("a folder");
    let error = house.switch("1.0").await.expect_err("not ours");
    assert!(error.to_string().contains("move it away"), "{error}");
    assert!(exists(&current(house.path()).join("theirs")));
}
