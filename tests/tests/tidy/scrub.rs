//! Rust source without what only looks like code: comments, strings and characters become blanks.
//! Lines and columns stay where they are.

/// The code alone.
pub(crate) fn code(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(
                chars[at..end]
                    .iter()
                    .map(|&c| if c == '\n' { c } else { ' ' }),
            );
            at = end;
        }
    }
    out
}

/// Where the comment, string or character that begins at `at` ends; `at` itself if none does.
fn literal_end(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1).copied();
    match chars[at] {
        '/' if next == Some('/') => find(chars, at, |c| c == '\n'),
        '/' if next == Some('*') => block_comment_end(chars, at),
        '"' => string_end(chars, at),
        'r' if !after_word(chars, at) => raw_string_end(chars, at),
        '\'' => character_end(chars, at),
        _ => at,
    }
}

fn find(chars: &[char], from: usize, is: impl Fn(char) -> bool) -> usize {
    let found = chars[from..].iter().position(|&c| is(c));
    found.map_or(chars.len(), |offset| from + offset)
}

fn block_comment_end(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut here = at;
    while here + 1 < chars.len() {
        match (chars[here], chars[here + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                here += 1;
                continue;
            }
        }
        here += 2;
        if depth == 0 {
            return here;
        }
    }
    chars.len()
}

fn string_end(chars: &[char], at: usize) -> usize {
    let mut here = at + 1;
    while here < chars.len() {
        match chars[here] {
            '\\' => here += 2,
            '"' => return here + 1,
            _ => here += 1,
        }
    }
    chars.len()
}

/// `r"…"`, `r#"…"#`; a raw name such as `r#type` is code.
fn raw_string_end(chars: &[char], at: usize) -> usize {
    let quote = find(chars, at + 1, |c| c != '#');
    if chars.get(quote) != Some(&'"') {
        return at;
    }
    let hashes = quote - at - 1;
    let closes = |here: usize| {
        chars[here] == '"'
            && chars[here + 1..]
                .iter()
                .take(hashes)
                .filter(|&&c| c == '#')
                .count()
                == hashes
    };
    (quote + 1..chars.len())
        .find(|&here| closes(here))
        .map_or(chars.len(), |here| here + 1 + hashes)
}

/// `'x'` and `'\n'`; a lifetime is code.
fn character_end(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => find(chars, at + 3, |c| c == '\'') + 1,
        (Some(_), Some('\'')) => at + 3,
        _ => at,
    }
}

fn after_word(chars: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| chars[before]);
    // `br"…"` is a raw string too.
    before.is_some_and(|c| c != 'b' && (c.is_alphanumeric() || c == '_'))
}

#[test]
fn what_only_looks_like_code_is_blank_and_nothing_moves() {
    let source = "a('{', '\\'', b\"}\") // {\n/* { /* } */ */ let r#type: &'a str = r#\"\"}\"#;";
    let wanted = "a(   ,     , b   )     \n                let r#type: &'a str =        ;";
    assert_eq!(code(source), wanted);
}
