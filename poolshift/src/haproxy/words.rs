//! A line of HAProxy's configuration as words: quotes, escapes and variables (its configuration
//! manual, sections 2.2 and 2.3).

use std::str::Chars;

/// A word and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub(crate) word: String,
    /// With its quotes, escapes and variables.
    pub(crate) written: &'a str,
}

/// Splits a line. A variable that `variable` does not know stays as it is written, so that it is
/// noticed where a value is needed.
///
/// # Errors
/// What is wrong with the line.
pub(crate) fn split(
    line: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<String>, &'static str> {
    let pieces = pieces(line, variable)?;
    Ok(pieces.into_iter().map(|piece| piece.word).collect())
}

/// Splits a line, and keeps how each word is written.
///
/// # Errors
/// As [`split`].
pub(crate) fn pieces<'a>(
    line: &'a str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Piece<'a>>, &'static str> {
    let mut reader = Reader {
        line,
        letters: line.chars(),
        variable,
        pieces: Vec::new(),
        word: None,
        began: 0,
    };
    reader.read()?;
    Ok(reader.pieces)
}

struct Reader<'a, 'b> {
    line: &'a str,
    letters: Chars<'a>,
    variable: &'b dyn Fn(&str) -> Option<String>,
    pieces: Vec<Piece<'a>>,
    /// None between words: an empty word in quotes is one.
    word: Option<String>,
    /// Where the word begins, in bytes.
    began: usize,
}

impl Reader<'_, '_> {
    fn read(&mut self) -> Result<(), &'static str> {
        let mut at = 0;
        while let Some(letter) = self.letters.next() {
            if self.word.is_none() {
                self.began = at;
            }
            match letter {
                '#' => break,
                '\'' => self.strong()?,
                '"' => self.weak()?,
                '\\' => self.escape()?,
                '$' if self.letters.as_str().starts_with('{') => self.variable()?,
                blank if blank.is_whitespace() => self.end(at),
                other => self.push(other),
            }
            at = self.line.len() - self.letters.as_str().len();
        }
        self.end(at);
        Ok(())
    }

    fn end(&mut self, at: usize) {
        if let Some(word) = self.word.take() {
            let written = self.line.get(self.began..at).unwrap_or_default();
            self.pieces.push(Piece { word, written });
        }
    }

    fn next_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let next = self.letters.clone().next().filter(|next| wanted(*next))?;
        self.letters.next();
        Some(next)
    }

    fn push(&mut self, letter: char) {
        self.word.get_or_insert_default().push(letter);
    }

    fn push_all(&mut self, text: &str) {
        self.word.get_or_insert_default().push_str(text);
    }

    fn strong(&mut self) -> Result<(), &'static str> {
        self.push_all("");
        for letter in self.letters.by_ref() {
            if letter == '\'' {
                return Ok(());
            }
            self.word.get_or_insert_default().push(letter);
        }
        Err("a ' is never closed")
    }

    fn weak(&mut self) -> Result<(), &'static str> {
        self.push_all("");
        while let Some(letter) = self.letters.next() {
            match letter {
                '"' => return Ok(()),
                '\\' => self.escape()?,
                '$' => self.variable()?,
                other => self.push(other),
            }
        }
        Err("a \" is never closed")
    }

    fn escape(&mut self) -> Result<(), &'static str> {
        let letter = match self.letters.next() {
            // HAProxy knows no line that goes on in the next one (tried on HAProxy 2.6.12).
            None => '\\',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('x') => {
                let digits: String = self.letters.by_ref().take(2).collect();
                let byte = u8::from_str_radix(&digits, 16).ok();
                let byte = byte.filter(|_| digits.len() == 2);
                byte.ok_or("\\x wants two hexadecimal digits")?.into()
            }
            Some(other) => other,
        };
        self.push(letter);
        Ok(())
    }

    /// `$NAME`, `${NAME}` and `${NAME-otherwise}`; a `$` before anything else is one.
    fn variable(&mut self) -> Result<(), &'static str> {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let has_brace = self.next_if(|letter| letter == '{').is_some();
        let mut name = String::new();
        while let Some(letter) = self.next_if(is_name) {
            name.push(letter);
        }
        if !has_brace {
            let found = (self.variable)(&name).filter(|_| !name.is_empty());
            self.push_all(&found.unwrap_or_else(|| format!("${name}")));
            return Ok(());
        }
        let mut rest = String::new();
        let closed = self.letters.by_ref().any(|letter| {
            let end = letter == '}';
            if !end {
                rest.push(letter);
            }
            end
        });
        if !closed {
            return Err("a ${ is never closed");
        }
        let otherwise = rest.strip_prefix('-').map(str::to_owned);
        let found = (self.variable)(&name).or(otherwise);
        self.push_all(&found.unwrap_or_else(|| format!("${{{name}{rest}}}")));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{pieces, split};

    fn words(line: &str) -> Vec<String> {
        let known = |name: &str| (name == "WEB").then(|| "10.1.0.1".to_owned());
        split(line, &known).unwrap()
    }

    #[test]
    fn quotes_escapes_and_comments_are_read_as_haproxy_reads_them() {
        assert_eq!(
            words("  server a 10.1.0.1:80 check # web"),
            ["server", "a", "10.1.0.1:80", "check"]
        );
        assert_eq!(
            words(r#"a "b # \"c\"" 'd \e' f\ g \#h \x41 "" \"#),
            ["a", "b # \"c\"", r"d \e", "f g", "#h", "A", "", "\\"]
        );
        assert!(words("   # nothing").is_empty());
    }

    #[test]
    fn each_word_knows_how_it_is_written() {
        let line = r#"server a ${WEB}:80 cookie "a b" x\ y 'c'd # e"#;
        let found = pieces(line, &|_| None).unwrap();
        let written: Vec<&str> = found.iter().map(|piece| piece.written).collect();
        assert_eq!(
            written,
            [
                "server",
                "a",
                "${WEB}:80",
                "cookie",
                "\"a b\"",
                r"x\ y",
                "'c'd"
            ]
        );
        assert_eq!(found[5].word, "x y");
    }

    #[test]
    fn a_variable_stands_for_its_value_or_stays_to_be_noticed() {
        assert_eq!(
            words(r#"${WEB}:80 "$WEB" '$WEB' ${OLD-x} ${OLD} ^a$"#),
            ["10.1.0.1:80", "10.1.0.1", "$WEB", "x", "${OLD}", "^a$"]
        );
    }

    #[test]
    fn what_is_never_closed_is_refused() {
        for broken in ["a 'b", "a \"b", "a \\x4", "a ${b"] {
            assert!(split(broken, &|_| None).is_err(), "{broken}");
        }
    }
}
