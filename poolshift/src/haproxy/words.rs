//! A line of HAProxy's configuration as words: quotes, escapes and variables (its configuration
//! manual, sections 2.2 and 2.3).

use std::iter::Peekable;
use std::str::Chars;

/// Splits a line. A variable that `variable` does not know stays as it is written, so that it is
/// noticed where a value is needed.
///
/// # Errors
/// What is wrong with the line.
pub(crate) fn split(
    line: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<String>, &'static str> {
    let mut reader = Reader {
        letters: line.chars().peekable(),
        variable,
        words: Vec::new(),
        word: None,
    };
    reader.read()?;
    Ok(reader.words)
}

struct Reader<'a> {
    letters: Peekable<Chars<'a>>,
    variable: &'a dyn Fn(&str) -> Option<String>,
    words: Vec<String>,
    /// None between words: an empty word in quotes is one.
    word: Option<String>,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), &'static str> {
        while let Some(letter) = self.letters.next() {
            match letter {
                '#' => break,
                '\'' => self.strong()?,
                '"' => self.weak()?,
                '\\' => self.escape()?,
                '$' if self.letters.peek() == Some(&'{') => self.variable()?,
                blank if blank.is_whitespace() => self.words.extend(self.word.take()),
                other => self.push(other),
            }
        }
        self.words.extend(self.word.take());
        Ok(())
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
        let has_brace = self.letters.next_if_eq(&'{').is_some();
        let mut name = String::new();
        while let Some(letter) = self.letters.next_if(|letter| is_name(*letter)) {
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
    use super::split;

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
