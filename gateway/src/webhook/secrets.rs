//! The secrets of webhooks: several count at once, so that one can be replaced.

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use events::sha256;
use subtle::{Choice, ConstantTimeEq as _};

const SIGNING_PREFIX: &str = "whsec_";

/// The least bytes of a signing secret (Standard Webhooks: 24 to 64).
const SIGNING_BYTES_MIN: usize = 24;

/// The least characters of a bearer token.
const TOKEN_CHARS_MIN: usize = 32;

/// Secrets of webhooks. Not `Debug`: they never stand in a log.
#[derive(Default)]
pub(crate) struct Secrets {
    /// Keys of signatures.
    pub(crate) signing: Vec<Vec<u8>>,
    /// Digests of bearer tokens.
    tokens: Vec<[u8; 32]>,
}

impl Secrets {
    /// Reads them from the `file:PATH` and `env:NAME` that a setting names, one a line.
    ///
    /// # Errors
    /// Names the source and the line, never the secret.
    pub(crate) fn load(setting: &str, sources: &[String]) -> anyhow::Result<Self> {
        let mut secrets = Self::default();
        for source in sources {
            let text = read(source)
                .with_context(|| format!("`{setting}` names {source}, which is no use"))?;
            let lines = text.lines().map(str::trim).enumerate();
            for (index, line) in lines.filter(|(_, line)| !line.is_empty()) {
                secrets
                    .add(line)
                    .with_context(|| format!("line {} of {source} is no secret", index + 1))?;
            }
        }
        Ok(secrets)
    }

    /// Reads the secrets of a door whose senders cannot sign.
    ///
    /// # Errors
    /// As [`Secrets::load`]; and when one of them is for signing.
    pub(crate) fn load_tokens(setting: &str, sources: &[String]) -> anyhow::Result<Self> {
        let secrets = Self::load(setting, sources)?;
        if !secrets.signing.is_empty() {
            bail!(
                "`{setting}` holds a signing secret ({SIGNING_PREFIX}..), and its senders cannot \
                 sign: put a token of {TOKEN_CHARS_MIN} characters or more there"
            );
        }
        Ok(secrets)
    }

    /// Whether there is none: then there is no door.
    pub(crate) const fn is_empty(&self) -> bool {
        self.signing.is_empty() && self.tokens.is_empty()
    }

    /// Whether a bearer token is one of ours. Takes as long whichever it is, if any.
    pub(crate) fn has_token(&self, token: &str) -> bool {
        let given = sha256(token.as_bytes());
        let found = self.tokens.iter().fold(Choice::from(0), |found, token| {
            found | token.ct_eq(given.as_bytes())
        });
        found.into()
    }

    fn add(&mut self, line: &str) -> anyhow::Result<()> {
        if let Some(encoded) = line.strip_prefix(SIGNING_PREFIX) {
            let key = BASE64
                .decode(encoded)
                .context("what follows whsec_ must be base64")?;
            if key.len() < SIGNING_BYTES_MIN {
                bail!("a signing secret needs {SIGNING_BYTES_MIN} bytes or more");
            }
            self.signing.push(key);
        } else {
            if line.chars().count() < TOKEN_CHARS_MIN {
                bail!("a bearer token needs {TOKEN_CHARS_MIN} characters or more");
            }
            self.tokens.push(*sha256(line.as_bytes()).as_bytes());
        }
        Ok(())
    }
}

fn read(source: &str) -> anyhow::Result<String> {
    match source.split_once(':') {
        Some(("file", path)) => Ok(std::fs::read_to_string(path)?),
        Some(("env", name)) => Ok(std::env::var(name)?),
        Some(_) | None => bail!("write file:PATH or env:NAME"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> anyhow::Result<Secrets> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets");
        std::fs::write(&path, text).unwrap();
        Secrets::load("webhook_secrets", &[format!("file:{}", path.display())])
    }

    #[test]
    fn several_secrets_of_both_kinds_count_at_once() {
        let token = "t".repeat(32);
        let secrets = load(&format!("whsec_{}\n\n{token}\n", BASE64.encode([7; 24]))).unwrap();
        assert_eq!(secrets.signing, [vec![7; 24]]);
        assert!(secrets.has_token(&token));
        assert!(!secrets.has_token(""));
        assert!(!secrets.has_token(&"t".repeat(31)));
        assert!(Secrets::default().is_empty());
    }

    #[test]
    fn what_is_no_secret_is_refused_by_its_line_and_never_printed() {
        for (text, why) in [
            ("whsec_***", "base64"),
            ("whsec_aGFsbG8=", "24 bytes"),
            ("hunter2", "32 characters"),
        ] {
            let error = load(text).err().map(|error| format!("{error:#}")).unwrap();
            assert!(error.contains("line 1 of file:"), "{error}");
            assert!(error.contains(why) && !error.contains(text), "{error}");
        }
    }

    #[test]
    fn a_source_that_is_not_there_is_named() {
        let sources = ["env:POOLSHIFT_TEST_NO_SUCH_NAME".to_owned()];
        let error = Secrets::load("webhook_secrets", &sources)
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("env:POOLSHIFT_TEST_NO_SUCH_NAME"), "{error}");
    }
}
