//! `poolshift import`: from HAProxy's configuration to service files to be completed.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::{Said, poolshift, run, write};

/// Imports a sample in a folder of its own.
fn import(folder: &TempDir, sample: &str, more: &[&str]) -> Said {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/haproxy")
        .join(sample);
    fs::copy(path, folder.path().join(sample)).unwrap();
    let arguments = [&["import", sample][..], more].concat();
    let mut command = poolshift(&arguments);
    command.current_dir(folder.path()).output().unwrap().into()
}

/// All service files, one after the other.
fn services(folder: &TempDir) -> String {
    let mut files: Vec<_> = fs::read_dir(folder.path().join("services"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
    texts.collect::<Vec<_>>().join("\n----\n")
}

#[test]
fn three_services_become_three_files() {
    let folder = tempfile::tempdir().unwrap();
    let said = import(&folder, "three-services.cfg", &[]).good();
    insta::assert_snapshot!(format!("{said}\n----\n{}", services(&folder)));
}

#[test]
fn what_has_grown_over_years_is_read_as_haproxy_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let said = import(&folder, "grown.cfg", &["--environment", "staging"]).good();
    insta::assert_snapshot!(format!("{said}\n----\n{}", services(&folder)));
}

#[test]
fn what_haproxy_cannot_know_is_refused_until_a_person_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    import(&folder, "three-services.cfg", &["--backend", "accounts"]).good();
    let mut check = poolshift(&["check", "services"]);
    let said: Said = check.current_dir(folder.path()).output().unwrap().into();
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.out);
    let open = services(&folder).matches("\"?\"").count();
    // The comment at its top explains the mark.
    assert_eq!(
        said.out.lines().count(),
        open - 1,
        "each place is named once"
    );
}

#[test]
fn a_file_that_a_person_has_completed_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    import(&folder, "three-services.cfg", &[]).good();
    let again = import(&folder, "three-services.cfg", &[]).good();
    assert!(again.contains("unchanged services/shop.toml"), "{again}");
    write(&folder, "services/shop.toml", "name = \"shop\"\n");
    fs::remove_file(folder.path().join("services/search.toml")).unwrap();
    let refused = import(&folder, "three-services.cfg", &[]);
    assert_eq!(refused.code, 1);
    insta::assert_snapshot!(refused.errors, @r"
    poolshift: services/shop.toml is there already, and differs
      mend: nothing was written: take another folder by --out, or write over it by --force
    ");
    assert!(!folder.path().join("services/search.toml").exists());
    import(&folder, "three-services.cfg", &["--force"]).good();
    assert!(services(&folder).contains("owner = \"?\""));
}

#[test]
fn a_folder_is_read_by_name_and_files_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "conf/10-defaults.cfg", "defaults\n  mode http\n");
    write(
        &folder,
        "conf/20-shop.cfg",
        "backend shop\n  server web1 10.1.0.1:80\n",
    );
    write(&folder, "conf/30-more.cfg", "  server web2 10.1.0.2:80\n");
    write(&folder, "conf/.40-hidden.cfg", "nonsense\n");
    let out = folder.path().join("services").display().to_string();
    let conf = folder.path().join("conf").display().to_string();
    run(&["import", &conf, "--out", &out]).good();
    let text = services(&folder);
    assert!(
        text.contains("10.1.0.1:80") && text.contains("10.1.0.2:80"),
        "{text}"
    );
    let turned = ["30-more.cfg", "20-shop.cfg"].map(|name| format!("{conf}/{name}"));
    let refused = run(&["import", &turned[0], &turned[1], "--out", &out]);
    assert_eq!(refused.code, 1);
    let errors = refused.errors.replace(&conf, "conf");
    insta::assert_snapshot!(errors, @r"
    poolshift: conf/30-more.cfg:1: `server` stands in no section
      mend: name HAProxy's configuration, its first file first
    ");
}

#[test]
fn defaults_that_take_from_others_say_what_these_say() {
    let folder = tempfile::tempdir().unwrap();
    let text = "defaults base\n  mode http\n  option httpchk GET /base\ndefaults slow from base\n  \
                timeout server 9s\ndefaults other\n  mode tcp\nbackend shop from slow\n  \
                server web1 10.1.0.1:80\nbackend plain\n  server web1 10.1.0.1:80\n";
    let path = write(&folder, "haproxy.cfg", text).display().to_string();
    let out = folder.path().join("services").display().to_string();
    let said = run(&["import", &path, "--out", &out]).good();
    assert!(said.contains("`plain` is not in `mode http`"), "{said}");
    assert!(
        services(&folder).contains("path = \"/base\""),
        "{}",
        services(&folder)
    );
}

#[test]
fn backends_whose_names_differ_in_marks_only_become_a_file_each() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "defaults\n  mode http\n".to_owned();
    for (at, name) in ["a.b", "a-b", "A_b", "a-b-2"].iter().enumerate() {
        text += &format!("backend {name}\n  server web1 10.1.0.{at}:80\n");
    }
    let path = write(&folder, "haproxy.cfg", &text).display().to_string();
    let out = folder.path().join("services");
    let import = ["import", &path, "--out", &out.display().to_string()];
    run(&import).good();
    let again = run(&[&import[..], &["--backend", "A_b"]].concat()).good();
    assert!(again.contains("unchanged "), "{again}");
    let online = |file: &str| {
        let text = fs::read_to_string(out.join(file)).unwrap();
        text.lines()
            .find(|line| line.starts_with("online"))
            .unwrap()
            .to_owned()
    };
    let files = ["a-b.toml", "a-b-2.toml", "a-b-3.toml", "a-b-2-2.toml"];
    let wanted = ["a.b", "a-b", "A_b", "a-b-2"].map(|name| format!("online = \"{name}\""));
    assert_eq!(files.map(online), wanted);
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe").display().to_string();
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let services = write(&folder, "services/checkout.toml", crate::support::CHECKOUT);
    let services = services.parent().unwrap().display().to_string();
    for file in [pipe.as_str(), "/dev/zero"] {
        let into = [
            "haproxy-config",
            "production/checkout",
            "--catalogue",
            &services,
            "--into",
        ];
        for asked in [&["import"][..], &into] {
            let said = run(&[asked, &[file]].concat());
            assert_eq!(said.code, 1, "{said:?}");
            assert!(said.errors.contains("is no regular file"), "{said:?}");
        }
    }
}

#[test]
fn what_haproxy_would_not_read_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let broken = [
        "backend",
        "backend shop\n  server web1",
        "backend shop\n  http-request deny if { path \"/a }",
        "backend shop from nowhere",
        "global\n.if defined(A)",
        "global\n.endif",
        "backend shop\n  server web1 ${A:80",
    ];
    let mut told = String::new();
    for text in broken {
        let path = write(&folder, "haproxy.cfg", text).display().to_string();
        let said = run(&["import", &path]);
        assert_eq!(said.code, 1, "{text}");
        told += &said.errors.replace(&path, "haproxy.cfg");
    }
    let nothing = write(&folder, "haproxy.cfg", "defaults\n")
        .display()
        .to_string();
    told += &run(&["import", &nothing])
        .errors
        .replace(&nothing, "haproxy.cfg");
    insta::assert_snapshot!(told);
}

/// A real HAProxy, ended with its test.
struct Haproxy(Child);

impl Drop for Haproxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_running_haproxy_tells_of_its_servers_by_its_socket() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("admin.sock").display().to_string();
    let text = format!(
        "global\n stats socket {socket} level operator\ndefaults\n mode http\n timeout connect 1s\n \
         timeout client 1s\n timeout server 1s\nbackend shop\n cookie SRV insert\n \
         server web1 127.0.0.1:1 track shop_probe/web1 cookie a\nbackend shop_maintenance\n \
         server web1 127.0.0.1:1 track shop_probe/web1 disabled\nbackend shop_probe\n \
         server web1 127.0.0.1:1 check\n"
    );
    let config = write(&folder, "haproxy.cfg", &text);
    let mut haproxy = Command::new("haproxy");
    haproxy
        .arg("-db")
        .arg("-f")
        .arg(config)
        .stderr(Stdio::null());
    let _haproxy = Haproxy(haproxy.spawn().unwrap());
    let out = folder.path().join("services").display().to_string();
    let arguments = ["import", "--socket", &socket, "--out", &out];
    let until = Instant::now() + Duration::from_secs(20);
    let mut said = run(&arguments);
    while said.code != 0 && Instant::now() < until {
        said = run(&arguments);
    }
    said.good();
    insta::assert_snapshot!(services(&folder));
}
