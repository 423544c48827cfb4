//! Agents' keys and what they sign: pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use events::sha256;

/// Whether `signature` (base64) was made over `text` with the key (base64).
pub(crate) fn is_by(public_key: &str, text: &str, signature: &str) -> bool {
    let verified = || -> Option<()> {
        let key = VerifyingKey::from_bytes(&bytes(public_key)?).ok()?;
        let signature = Signature::from_bytes(&bytes(signature)?);
        key.verify_strict(text.as_bytes(), &signature).ok()
    };
    verified().is_some()
}

/// Names a key.
pub(crate) fn thumbprint(public_key: &str) -> String {
    sha256(public_key.as_bytes()).to_string()
}

fn bytes<const N: usize>(encoded: &str) -> Option<[u8; N]> {
    BASE64.decode(encoded).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    #[test]
    fn only_the_holder_of_the_key_signs_and_only_this_text() {
        let key = SigningKey::from_bytes(&[3; 32]);
        let public = BASE64.encode(key.verifying_key().as_bytes());
        let signature = BASE64.encode(key.sign(b"srv-101\ncode").to_bytes());
        assert!(is_by(&public, "srv-101\ncode", &signature));
        assert!(!is_by(&public, "srv-102\ncode", &signature));
        let other = SigningKey::from_bytes(&[4; 32]);
        let other = BASE64.encode(other.verifying_key().as_bytes());
        assert!(!is_by(&other, "srv-101\ncode", &signature));
        assert!(!is_by("", "", ""));
        assert_ne!(thumbprint(&public), thumbprint(&other));
    }
}
