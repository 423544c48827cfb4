//! What one answer to one probe is worth: pure.

use events::{Check, FailedBecause, cut};

/// The longest piece of a foreign body that is quoted as evidence, in bytes.
const QUOTE_BYTES_MAX: usize = 200;

/// What came back through a balancer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The status.
    pub status: u16,
    /// All values of the header that names who answered.
    pub answered_by: Vec<String>,
    /// All values of the header that the probe asks about.
    pub header: Vec<String>,
    /// The body, or its beginning.
    pub body: String,
}

/// What a good answer looks like, beside who gave it.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The status.
    pub status: u16,
    /// A text in the body.
    pub body: Option<&'a str>,
    /// A header and a text in its value.
    pub header: Option<&'a (String, String)>,
}

/// A verdict on one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What is wrong; none: the answer is good.
    pub wrong: Option<FailedBecause>,
    /// For people.
    pub found: String,
    /// Whether the answer shows the expected version. Not every probe must: one through each
    /// balancer is enough, so `/health` may say no more than `ok` beside a `/version` that does.
    pub version_seen: bool,
}

/// Judges an answer. Another server is looked for first: nothing that it says counts.
#[must_use]
pub fn http(check: &Check, wanted: Wanted<'_>, seen: &Seen) -> Judged {
    let line = &check.expect.server;
    let by = if check.direct.is_some() {
        line.clone()
    } else {
        seen.answered_by.join(", ")
    };
    let version_seen = check.expect.version.as_ref().is_none_or(|version| {
        let texts = seen.header.iter().chain([&seen.body]);
        texts.into_iter().any(|text| names(text, version.as_str()))
    });
    let bad = |wrong: FailedBecause, found: String| Judged {
        wrong: Some(wrong),
        found,
        version_seen,
    };
    let status = seen.status;
    if let Err((wrong, found)) = who(check, seen) {
        return bad(wrong, found);
    }
    if status != wanted.status {
        let body = quote(&seen.body);
        return bad(
            FailedBecause::ProgramFailed,
            format!("{status} from {by}, good is {}; body {body}", wanted.status),
        );
    }
    if let Some((name, text)) = wanted.header
        && !seen.header.iter().any(|value| value.contains(text))
    {
        let values = quote(&seen.header.join(", "));
        return bad(
            FailedBecause::ProgramFailed,
            format!("{status} from {by}, header {name} is {values}, good contains `{text}`"),
        );
    }
    if let Some(text) = wanted.body
        && !seen.body.contains(text)
    {
        let wrong = match &check.expect.version {
            Some(version) if text.contains(version.as_str()) => FailedBecause::WrongVersion,
            Some(_) | None => FailedBecause::ProgramFailed,
        };
        let body = quote(&seen.body);
        return bad(
            wrong,
            format!("{status} from {by}, body {body}, good contains `{text}`"),
        );
    }
    Judged {
        wrong: None,
        found: format!("{status} from {by}, body {}", quote(&seen.body)),
        version_seen,
    }
}

/// Whether the server that was asked has answered.
fn who(check: &Check, seen: &Seen) -> Result<(), (FailedBecause, String)> {
    // What was asked at its own address answers itself; nobody stands between who could name it.
    if check.direct.is_some() {
        return Ok(());
    }
    let (status, line) = (seen.status, &check.expect.server);
    if status == 503 && seen.answered_by.is_empty() {
        let body = quote(&seen.body);
        let found = format!(
            "the balancer answered 503 itself: it calls {line} DOWN, or cannot connect to it; body {body}"
        );
        return Err((FailedBecause::Unreachable, found));
    }
    if seen.answered_by.is_empty() {
        let header = &check.answered_by;
        let found =
            format!("{status}, but no header {header} says who answered: the balancer must set it");
        return Err((FailedBecause::WrongServer, found));
    }
    if seen.answered_by.iter().any(|name| name != line) {
        let by = seen.answered_by.join(", ");
        let found = format!("{status} from {by}, asked was {line}");
        return Err((FailedBecause::WrongServer, found));
    }
    Ok(())
}

/// Whether a text names a version as a whole word: `1.1` is not in `1.10`, `2.1.1` or `1.1-rc1`,
/// but in `version 1.1.` it is.
fn names(text: &str, version: &str) -> bool {
    text.match_indices(version).any(|(at, found)| {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + found.len()..).unwrap_or_default();
        !goes_on(before.chars().rev()) && !goes_on(after.chars())
    })
}

/// Whether a version would go on here: with a letter or digit, or with a separator and one.
fn goes_on(mut rest: impl Iterator<Item = char>) -> bool {
    match rest.next() {
        Some(next) if next.is_alphanumeric() => true,
        Some('-' | '_' | '.' | '+') => rest.next().is_some_and(char::is_alphanumeric),
        Some(_) | None => false,
    }
}

fn quote(text: &str) -> String {
    let quoted = cut(text.trim(), QUOTE_BYTES_MAX);
    let more = if quoted.len() < text.trim().len() {
        "..."
    } else {
        ""
    };
    format!("{quoted:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::Expect;

    fn check() -> Check {
        Check {
            direct: None,
            header: "x-poolshift-server".to_owned(),
            answered_by: "x-poolshift-answered-by".to_owned(),
            probes: vec![],
            in_a_row: 1,
            interval_ms: 1,
            probe_timeout_ms: 1,
            expect: Expect {
                server: "web1".to_owned(),
                version: "1.1".parse().ok(),
            },
        }
    }

    fn seen(status: u16, by: &str, body: &str) -> Seen {
        Seen {
            status,
            answered_by: vec![by.to_owned()],
            header: vec![],
            body: body.to_owned(),
        }
    }

    const OK: Wanted<'static> = Wanted {
        status: 200,
        body: Some("1.1"),
        header: None,
    };

    #[test]
    fn a_version_counts_as_a_whole_word_only() {
        for text in [
            "1.1",
            "shop 1.1",
            "{\"version\":\"1.1\"}",
            "it is 1.1.",
            "1.10 1.1",
        ] {
            assert!(names(text, "1.1"), "{text}");
        }
        for text in [
            "1.10", "11.1", "2.1.1", "1.1.2", "1.1-rc1", "1.1+7", "v1.1", "",
        ] {
            assert!(!names(text, "1.1"), "{text}");
        }
    }

    #[test]
    fn an_answer_of_another_server_is_worth_nothing_however_good() {
        let judged = http(&check(), OK, &seen(200, "web2", "1.1"));
        assert_eq!(judged.wrong, Some(FailedBecause::WrongServer));
        assert_eq!(judged.found, "200 from web2, asked was web1");
    }

    #[test]
    fn an_answer_without_a_name_is_worth_nothing() {
        let anonymous = Seen {
            answered_by: vec![],
            ..seen(200, "web1", "1.1")
        };
        let judged = http(&check(), OK, &anonymous);
        assert_eq!(judged.wrong, Some(FailedBecause::WrongServer));
    }

    #[test]
    fn a_503_without_a_name_is_the_balancers_own() {
        let own = Seen {
            answered_by: vec![],
            ..seen(503, "", "No server is available to handle this request.")
        };
        let judged = http(&check(), OK, &own);
        assert_eq!(judged.wrong, Some(FailedBecause::Unreachable));
        assert_eq!(
            judged.found,
            "the balancer answered 503 itself: it calls web1 DOWN, or cannot connect to it; body \
             \"No server is available to handle this request.\""
        );
    }

    #[test]
    fn a_longer_version_is_not_the_expected_one_though_its_text_is_in_the_body() {
        let judged = http(&check(), OK, &seen(200, "web1", "1.10"));
        assert_eq!((judged.wrong, judged.version_seen), (None, false));
    }

    #[test]
    fn status_body_and_header_must_be_as_asked() {
        let status = http(&check(), OK, &seen(503, "web1", "1.1"));
        assert_eq!(status.wrong, Some(FailedBecause::ProgramFailed));
        let body = http(&check(), OK, &seen(200, "web1", "1.0"));
        assert_eq!(body.wrong, Some(FailedBecause::WrongVersion));
        let asked = ("x-ready".to_owned(), "yes".to_owned());
        let wanted = Wanted {
            header: Some(&asked),
            ..OK
        };
        let mut answer = seen(200, "web1", "1.1");
        answer.header = vec!["no".to_owned()];
        let header = http(&check(), wanted, &answer);
        assert_eq!(header.wrong, Some(FailedBecause::ProgramFailed));
        answer.header = vec!["yes, all".to_owned()];
        assert_eq!(http(&check(), wanted, &answer).wrong, None);
    }
}
