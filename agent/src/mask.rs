//! Secrets are taken out of every text before it leaves the machine.

/// What stands where a secret stood.
pub const MASK: &str = "***";

/// Words that a secret follows, after `=` or `:`.
const KEYS: &[&str] = &[
    "password", "passwd", "pwd", "secret", "token", "api_key", "apikey",
];

/// The agent's own secret values.
#[derive(Clone, Default)]
pub struct Masks {
    values: Vec<String>,
}

impl std::fmt::Debug for Masks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masks({} values)", self.values.len())
    }
}

impl Masks {
    /// A value shorter than this is not masked: it would be found everywhere.
    pub const VALUE_BYTES_MIN: usize = 4;

    /// Masks for these values, next to the general ones.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<String> = values
            .into_iter()
            .filter(|value| value.len() >= Self::VALUE_BYTES_MIN)
            .collect();
        // The longest first, so that no part of it stays when another is its beginning.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self { values }
    }

    /// These masks and more values.
    #[must_use]
    pub fn with(&self, more: impl IntoIterator<Item = String>) -> Self {
        Self::new(self.values.iter().cloned().chain(more))
    }

    /// The text without secrets, and how many were taken out: own values, `password=...`, and the
    /// password of `://user:password@`.
    #[must_use]
    pub fn mask(&self, text: &str) -> (String, u32) {
        let mut count = 0;
        let mut text = text.to_owned();
        for value in &self.values {
            let found = text.matches(value.as_str()).count();
            if found > 0 {
                text = text.replace(value.as_str(), MASK);
                count += u32::try_from(found).unwrap_or(u32::MAX);
            }
        }
        let (text, in_urls) = mask_by(&text, url_password);
        let (text, by_key) = mask_by(&text, keyed_value);
        (text, count + in_urls + by_key)
    }

    /// The text without secrets.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.mask(text).0
    }
}

/// Replaces each range that `find` finds in what is left of the text.
fn mask_by(text: &str, find: fn(&str) -> Option<std::ops::Range<usize>>) -> (String, u32) {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    let mut count = 0;
    while let Some(range) = find(rest) {
        let (Some(before), Some(secret), Some(after)) = (
            rest.get(..range.start),
            rest.get(range.clone()),
            rest.get(range.end..),
        ) else {
            break;
        };
        masked.push_str(before);
        masked.push_str(MASK);
        count += u32::from(secret != MASK);
        rest = after;
    }
    masked.push_str(rest);
    (masked, count)
}

/// The password in the first `://user:password@` of a text.
fn url_password(text: &str) -> Option<std::ops::Range<usize>> {
    let mut from = 0;
    while let Some(found) = text.get(from..)?.find("://") {
        let start = from + found + "://".len();
        let authority = text.get(start..)?;
        let end = authority
            .find(|c: char| {
                c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>')
            })
            .unwrap_or(authority.len());
        let authority = authority.get(..end)?;
        let password = authority.rsplit_once('@').and_then(|(user, _)| {
            let colon = user.find(':')?;
            (colon + 1 < user.len()).then_some(start + colon + 1..start + user.len())
        });
        if password.is_some() {
            return password;
        }
        from = start;
    }
    None
}

/// The value after the first `password=` (or `token:` and the like) of a text.
fn keyed_value(text: &str) -> Option<std::ops::Range<usize>> {
    // Lower-casing ASCII keeps every position.
    let lower = text.to_ascii_lowercase();
    let mut best: Option<std::ops::Range<usize>> = None;
    for key in KEYS {
        let mut from = 0;
        while let Some(found) = lower.get(from..).and_then(|rest| rest.find(key)) {
            let after = from + found + key.len();
            let range = value_at(text, after);
            // The working folder stands in every environment as PWD.
            let is_path = |range: &std::ops::Range<usize>| {
                let value = text.get(range.clone()).unwrap_or_default();
                *key == "pwd" && value.starts_with(['/', '\\'])
            };
            if let Some(range) = range.filter(|range| !is_path(range)) {
                if best.as_ref().is_none_or(|best| range.start < best.start) {
                    best = Some(range);
                }
                break;
            }
            from = after;
        }
    }
    best
}

fn value_at(text: &str, after: usize) -> Option<std::ops::Range<usize>> {
    let rest = text.get(after..)?;
    let blank = |c: char| matches!(c, ' ' | '\t' | '"' | '\'');
    let separator = rest.trim_start_matches(blank);
    let value = separator
        .strip_prefix(['=', ':'])?
        .trim_start_matches(blank);
    let start = after + (rest.len() - value.len());
    let end = value
        .find(|c: char| c.is_whitespace() || matches!(c, '&' | ';' | ',' | '"' | '\''))
        .unwrap_or(value.len());
    (end > 0).then_some(start..start + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> (String, u32) {
        Masks::new(["hunter22".to_owned(), "abc".to_owned()]).mask(text)
    }

    #[test]
    fn own_values_are_masked_wherever_they_stand_but_short_ones_are_not() {
        assert_eq!(
            masked("key hunter22, again hunter22; abc"),
            ("key ***, again ***; abc".to_owned(), 2)
        );
    }

    #[test]
    fn what_follows_password_is_masked_in_every_usual_spelling() {
        for (text, want) in [
            ("Password=s3cr3t;Server=x", "Password=***;Server=x"),
            ("db_password = s3cr3t next", "db_password = *** next"),
            (r#"{"password": "s3cr3t"}"#, r#"{"password": "***"}"#),
            ("?token=s3cr3t&x=1", "?token=***&x=1"),
        ] {
            assert_eq!(masked(text), (want.to_owned(), 1), "{text}");
        }
        assert_eq!(masked("password=").1, 0);
        assert_eq!(masked("PWD=/srv OLDPWD=/ pwd=s3cr3t").1, 1);
        assert_eq!(masked("passwords are fine").1, 0);
    }

    #[test]
    fn passwords_in_urls_are_masked_and_their_users_are_not() {
        let (text, count) = masked("from https://ci:p@ss@host/a and ftp://u:x@h http://h:80/p");
        assert_eq!(
            text,
            "from https://ci:***@host/a and ftp://u:***@h http://h:80/p"
        );
        assert_eq!(count, 2);
    }

    proptest::proptest! {
        #[test]
        fn masking_never_panics_and_masks_once(text in ".{0,200}") {
            let once = masked(&text).0;
            proptest::prop_assert_eq!(masked(&once).0, once);
        }
    }
}
