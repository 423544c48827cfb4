//! SPDX expressions: whether a crate can be had under licences we allow.

use std::iter::Peekable;

/// Whether some choice that the expression leaves open is made of allowed licences only; `None` if
/// it is no expression. The old `MIT/Apache-2.0` is read as a choice.
pub(crate) fn allows(expression: &str, allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let answer = any(&mut words, allowed)?;
    words.next().is_none().then_some(answer)
}

fn any<'a>(
    words: &mut Peekable<impl Iterator<Item = &'a str>>,
    allowed: &dyn Fn(&str) -> bool,
) -> Option<bool> {
    let mut answer = all(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        answer |= all(words, allowed)?;
    }
    Some(answer)
}

fn all<'a>(
    words: &mut Peekable<impl Iterator<Item = &'a str>>,
    allowed: &dyn Fn(&str) -> bool,
) -> Option<bool> {
    let mut answer = one(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        answer &= one(words, allowed)?;
    }
    Some(answer)
}

fn one<'a>(
    words: &mut Peekable<impl Iterator<Item = &'a str>>,
    allowed: &dyn Fn(&str) -> bool,
) -> Option<bool> {
    let word = words.next()?;
    if word == "(" {
        // Boxed, or the type of `words` would contain itself.
        let inner: &mut dyn Iterator<Item = &'a str> = words;
        let mut depth = 1;
        let mut group = Vec::new();
        for word in inner {
            depth += i32::from(word == "(") - i32::from(word == ")");
            if depth == 0 {
                return allows(&group.join(" "), allowed);
            }
            group.push(word);
        }
        return None;
    }
    if ["OR", "AND", "WITH", ")"].contains(&word) {
        return None;
    }
    if words.next_if_eq(&"WITH").is_some() {
        // An exception only gives more freedom.
        words.next()?;
    }
    Some(allowed(word))
}

#[cfg(test)]
mod tests {
    use super::allows;

    fn free(expression: &str) -> Option<bool> {
        allows(expression, &|name| {
            ["MIT", "ISC", "Apache-2.0"].contains(&name)
        })
    }

    #[test]
    fn one_allowed_choice_is_enough_but_all_of_a_sum_are_needed() {
        assert_eq!(free("MIT"), Some(true));
        assert_eq!(free("GPL-3.0-only"), Some(false));
        assert_eq!(free("GPL-3.0-only OR MIT"), Some(true));
        assert_eq!(free("GPL-3.0-only AND MIT"), Some(false));
        assert_eq!(free("(MIT OR GPL-2.0) AND (ISC)"), Some(true));
        assert_eq!(free("(MIT AND GPL-2.0) OR (GPL-2.0 AND ISC)"), Some(false));
        assert_eq!(free("Apache-2.0 WITH LLVM-exception"), Some(true));
        assert_eq!(free("MIT/GPL-2.0"), Some(true));
    }

    #[test]
    fn what_is_no_expression_is_not_guessed_at() {
        for expression in ["", "MIT OR", "(MIT", "MIT)", "AND", "MIT MIT", "MIT WITH"] {
            assert_eq!(free(expression), None, "{expression}");
        }
    }
}
