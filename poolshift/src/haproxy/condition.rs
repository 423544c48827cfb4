//! `.if` and its kin (HAProxy's configuration manual, section 2.4).

/// Which branch is read.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    open: Vec<Branch>,
}

#[derive(Debug)]
struct Branch {
    /// Whether its lines are read.
    is_read: bool,
    /// Whether one before it, or it, was.
    is_done: bool,
}

/// What a line that begins with a dot came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It is understood.
    Known,
    /// Only HAProxy can tell whether it holds: read as if it did.
    Open,
}

const NONE_OPEN: &str = "there is no `.if` above it";

impl Conditions {
    /// Whether the lines here count.
    pub(crate) fn is_read(&self) -> bool {
        self.open.iter().all(|branch| branch.is_read)
    }

    /// Whether something is still open at the end.
    pub(crate) const fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Takes a line that begins with a dot.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn take(
        &mut self,
        words: &[String],
        defined: &dyn Fn(&str) -> bool,
    ) -> Result<Turn, &'static str> {
        let Some((word, rest)) = words.split_first() else {
            return Ok(Turn::Known);
        };
        let held = holds(&rest.concat(), defined);
        let is_read = match word.as_str() {
            ".if" => {
                let is_done = held.unwrap_or(true);
                let is_read = self.is_read();
                self.open.push(Branch {
                    is_read: is_done,
                    is_done,
                });
                is_read && is_done
            }
            ".elif" => {
                let branch = self.open.last_mut().ok_or(NONE_OPEN)?;
                branch.is_read = !branch.is_done && held.unwrap_or(true);
                branch.is_done |= branch.is_read;
                self.is_read()
            }
            ".else" => {
                let branch = self.open.last_mut().ok_or(NONE_OPEN)?;
                branch.is_read = !branch.is_done;
                branch.is_done = true;
                false
            }
            ".endif" => {
                self.open.pop().ok_or(NONE_OPEN)?;
                false
            }
            // `.notice`, `.alert` and others only speak.
            _ => false,
        };
        Ok(match held {
            None if is_read => Turn::Open,
            None | Some(_) => Turn::Known,
        })
    }
}

/// Whether a condition holds; none: it depends on the HAProxy that reads it.
fn holds(text: &str, defined: &dyn Fn(&str) -> bool) -> Option<bool> {
    if let Some(other) = text.strip_prefix('!') {
        return holds(other, defined).map(|held| !held);
    }
    match text {
        "" | "0" | "false" => Some(false),
        "1" | "true" => Some(true),
        _ => {
            let inner = text.strip_prefix("defined(")?.strip_suffix(')')?;
            Some(defined(inner))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Conditions, Turn};

    /// The lines that are read of those without a dot.
    fn read(lines: &str) -> String {
        let mut conditions = Conditions::default();
        let mut read = vec![];
        for line in lines.split('\n') {
            if line.starts_with('.') {
                let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
                conditions.take(&words, &|name| name == "A").unwrap();
            } else if conditions.is_read() {
                read.push(line);
            }
        }
        assert!(!conditions.is_open());
        read.join(" ")
    }

    #[test]
    fn one_branch_is_read() {
        let chain = ".if defined(B)\nb\n.elif defined(A)\na\n.else\nc\n.endif\nd";
        assert_eq!(read(chain), "a d");
        let nested = ".if 0\n.if 1\na\n.else\nb\n.endif\n.else\nc\n.endif";
        assert_eq!(read(nested), "c");
        assert_eq!(read(".if !defined(A)\na\n.endif"), "");
    }

    #[test]
    fn what_only_haproxy_can_tell_is_said() {
        let words = [".if".to_owned(), "version_atleast(2.6)".to_owned()];
        let mut conditions = Conditions::default();
        assert_eq!(conditions.take(&words, &|_| false), Ok(Turn::Open));
        assert!(conditions.is_read() && conditions.is_open());
        let end = [".endif".to_owned()];
        assert_eq!(conditions.take(&end, &|_| false), Ok(Turn::Known));
        assert!(conditions.take(&end, &|_| false).is_err());
    }
}
