//! Text that is not TOML: what the parser says, with the mend.

use super::page::{Page, shown};

/// Notes the first place at which the text is not TOML.
pub(super) fn refuse_syntax(page: &Page<'_>, error: &toml::de::Error) {
    let span = error.span().unwrap_or_default();
    let message = error.message().lines().next().unwrap_or_default();
    let (what, wanted) = match message.split_once(", expected ") {
        Some((what, wanted)) => (what, Some(wanted)),
        None => (message, None),
    };
    let mend = match what {
        "string values must be quoted" => {
            let bare = page.text().get(span.clone()).unwrap_or_default();
            format!("write it in quotes: \"{}\"", shown(bare))
        }
        "missing escaped value" => {
            "write \\\\ for one backslash, or put the text in single quotes".to_owned()
        }
        "duplicate key" => "keep one of the two".to_owned(),
        _ => wanted.map_or("mend the TOML here".to_owned(), |wanted| {
            format!("write {wanted} here")
        }),
    };
    page.refuse(
        span.start,
        what,
        format!("{mend} (nothing below has been read)"),
    );
}
