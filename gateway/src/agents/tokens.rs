//! Agents' tokens: JWT, signed with an Ed25519 key that only the gateway has.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use events::{Enrolled, MachineName, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use crate::agents::codes::random;
use crate::agents::signed::thumbprint;

const ISSUER: &str = "poolshift";
const AUDIENCE: &str = "poolshift-agents";

/// How long a token counts, in seconds: a day. It is renewed at half of that.
const LIFE_S: i64 = 24 * 60 * 60;

/// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410).
const PKCS8_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The machine.
    pub(crate) sub: String,
    /// When it was made, in seconds since 1970.
    pub(crate) iat: i64,
    /// When it ends, in seconds since 1970.
    pub(crate) exp: i64,
    /// Thumbprint of the agent's key that it was given for.
    pub(crate) key: String,
    iss: String,
    aud: String,
}

impl Claims {
    /// Whether it is half way through its life.
    pub(crate) const fn is_old(&self, now: Timestamp) -> bool {
        now.as_ms() / 1000 >= self.iat + (self.exp - self.iat) / 2
    }
}

/// Makes tokens and reads them.
pub(crate) struct Tokens {
    making: EncodingKey,
    reading: DecodingKey,
    validation: Validation,
}

impl Tokens {
    /// With the key in a file, which is made if it is not there.
    ///
    /// # Errors
    /// When the file cannot be used, naming it.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let seed = if path.exists() {
            read(path)
        } else {
            make(path)
        };
        let seed = seed.with_context(|| {
            format!(
                "the key of the gateway in {} is no use: name another file in `key`, or remove \
                 this one; agents then renew their tokens by themselves",
                path.display()
            )
        })?;
        let public = *SigningKey::from_bytes(&seed).verifying_key().as_bytes();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "sub", "iss", "aud"]);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        // By our own clock, when a token is read.
        validation.validate_exp = false;
        Ok(Self {
            making: EncodingKey::from_ed_der(&[PKCS8_HEAD.as_slice(), &seed].concat()),
            reading: DecodingKey::from_ed_components(&URL_SAFE_NO_PAD.encode(public))?,
            validation,
        })
    }

    /// A token for a machine and its key.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub(crate) fn make(
        &self,
        machine: &MachineName,
        public_key: &str,
        now: Timestamp,
    ) -> anyhow::Result<Enrolled> {
        let iat = now.as_ms() / 1000;
        let exp = iat.saturating_add(LIFE_S);
        let claims = Claims {
            sub: machine.to_string(),
            iat,
            exp,
            key: thumbprint(public_key),
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
        };
        let token = encode(&Header::new(Algorithm::EdDSA), &claims, &self.making)
            .context("a token cannot be signed")?;
        Ok(Enrolled {
            token,
            expires_at: Timestamp::from_ms(exp.saturating_mul(1000)),
        })
    }

    /// What a token says, if it is ours and not over.
    pub(crate) fn read(&self, token: &str, now: Timestamp) -> Option<Claims> {
        decode(token, &self.reading, &self.validation)
            .ok()
            .map(|read: jsonwebtoken::TokenData<Claims>| read.claims)
            .filter(|claims| now.as_ms() / 1000 < claims.exp)
    }
}

fn read(path: &Path) -> anyhow::Result<[u8; 32]> {
    let text = std::fs::read_to_string(path)?;
    let seed = BASE64.decode(text.trim()).ok();
    let seed: Option<[u8; 32]> = seed.and_then(|seed| seed.try_into().ok());
    seed.context("it holds no key")
}

/// Written beside and renamed, so that a crash leaves a whole key or none.
fn make(path: &Path) -> anyhow::Result<[u8; 32]> {
    let mut seed = [0; 32];
    random(&mut seed)?;
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        bail!("it names no file");
    };
    let beside = path.with_file_name(format!(".{name}.new"));
    let mut file = private(&beside)?;
    file.write_all(BASE64.encode(seed).as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    Ok(seed)
}

/// A file that only its owner may read.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        Timestamp::from_ms(1_750_000_000_000)
    }

    fn tokens(folder: &Path) -> Tokens {
        Tokens::load(&folder.join("key")).unwrap()
    }

    #[test]
    fn a_token_counts_until_it_is_over_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let machine: MachineName = "srv-101".parse().unwrap();
        let made = tokens(folder.path()).make(&machine, "key", noon()).unwrap();
        let again = tokens(folder.path());
        let claims = again.read(&made.token, noon()).unwrap();
        assert_eq!(
            (claims.sub.as_str(), claims.key),
            ("srv-101", thumbprint("key"))
        );
        let second = |s: u64| noon().plus_ms(s * 1000);
        assert!(again.read(&made.token, second(86_399)).is_some());
        assert_eq!(again.read(&made.token, second(86_400)), None);
    }

    #[test]
    fn a_token_of_another_gateway_or_algorithm_does_not_count() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let machine: MachineName = "srv-101".parse().unwrap();
        let made = tokens(one.path()).make(&machine, "key", noon()).unwrap();
        let other = tokens(other.path());
        assert_eq!(other.read(&made.token, noon()), None);
        let claims = tokens(one.path()).read(&made.token, noon()).unwrap();
        let secret = EncodingKey::from_secret(b"secret");
        let forged = encode(&Header::new(Algorithm::HS256), &claims, &secret).unwrap();
        assert_eq!(tokens(one.path()).read(&forged, noon()), None);
    }

    #[test]
    fn a_token_is_old_at_half_its_life() {
        let folder = tempfile::tempdir().unwrap();
        let machine: MachineName = "srv-101".parse().unwrap();
        let tokens = tokens(folder.path());
        let claims = tokens
            .read(&tokens.make(&machine, "key", noon()).unwrap().token, noon())
            .unwrap();
        let at = |s: i64| Timestamp::from_ms((claims.iat + s) * 1000);
        assert!(!claims.is_old(at(43_199)));
        assert!(claims.is_old(at(43_200)));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_key() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        tokens(folder.path());
        let mode = std::fs::metadata(folder.path().join("key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_no_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "hello").unwrap();
        let error = Tokens::load(&folder.path().join("key")).err().unwrap();
        assert!(
            error
                .to_string()
                .contains("/key is no use: name another file")
        );
    }
}
