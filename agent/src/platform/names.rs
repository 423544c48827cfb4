//! Names of files on Windows, where a name can mean a device, a stream of another file, or the same
//! file as another name.

use std::ffi::OsStr;

/// What Windows takes for a device, whatever follows the first dot.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul", "conin$", "conout$"];
/// Devices with a number: `com1`. The raised digits count too.
const NUMBERED: &[&str] = &["com", "lpt"];
const DIGITS: &str = "0123456789\u{b9}\u{b2}\u{b3}";

/// Whether a name out of an archive means one file and nothing else.
#[must_use]
pub(crate) fn is_safe_file_name(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let forbidden = |c: char| c.is_control() || r#"<>:"/\|?*"#.contains(c);
    // Windows takes them off the end: `a.` would be `a`.
    let ends_well = !name.ends_with(['.', ' ']);
    !name.is_empty() && ends_well && !name.contains(forbidden) && !is_device(name)
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let stem = stem.trim_end_matches(' ').to_lowercase();
    let is_numbered = |device: &&str| {
        let number = stem.strip_prefix(*device);
        number.is_some_and(|number| number.chars().count() == 1 && DIGITS.contains(number))
    };
    DEVICES.contains(&stem.as_str()) || NUMBERED.iter().any(is_numbered)
}

/// The folder of a version: Windows takes `1.0-RC` and `1.0-rc` for one name, so capitals get a
/// mark that no version has.
#[must_use]
pub(crate) fn folder_of(version: &str) -> String {
    let mut folder = String::new();
    for c in version.chars() {
        if c.is_ascii_uppercase() {
            folder.push('^');
        }
        folder.push(c);
    }
    folder
}

/// The version of a folder that [`folder_of`] named.
#[must_use]
pub(crate) fn version_of(folder: &str) -> String {
    folder.replace('^', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_windows_takes_for_something_else_are_refused() {
        for name in [
            "CON",
            "con.txt",
            "NUL",
            "nul .log",
            "aux.",
            "COM1",
            "lpt9.x",
            "com\u{b2}",
            "CONOUT$",
            "a.",
            "a ",
            "..",
            "a:b",
            "C:",
            "file.txt:stream",
            "a\\b",
            "a/b",
            "a?",
            "a*",
            "a|b",
            "<",
            "\"",
            "a\u{1}",
            "",
        ] {
            assert!(!is_safe_file_name(OsStr::new(name)), "{name:?}");
        }
        for name in [
            "console",
            "com",
            "com10",
            "null.txt",
            ".config",
            "a b",
            "a.b",
            "Program^1",
            "\u{fc}",
        ] {
            assert!(is_safe_file_name(OsStr::new(name)), "{name:?}");
        }
    }

    #[test]
    fn versions_that_differ_only_in_capitals_have_folders_of_their_own() {
        for version in ["1.0-RC", "1.0-rc", "ABC", "2.0+b.7"] {
            assert_eq!(version_of(&folder_of(version)), version);
        }
        let folders = ["1.0-RC", "1.0-Rc", "1.0-rc"].map(|it| folder_of(it).to_lowercase());
        assert_ne!(folders[0], folders[1]);
        assert_ne!(folders[1], folders[2]);
    }
}
