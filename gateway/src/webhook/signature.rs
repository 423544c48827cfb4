//! Standard Webhooks signatures: HMAC-SHA256 over `id.timestamp.body`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use events::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

/// How far a delivery's time may lie from ours, either way, in milliseconds.
const WINDOW_MS: u64 = 5 * 60 * 1000;

/// The headers of a signed delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signed<'a> {
    /// `webhook-id`: the same for every attempt of a delivery.
    pub(crate) id: &'a str,
    /// `webhook-timestamp`: seconds since 1970.
    pub(crate) timestamp: &'a str,
    /// `webhook-signature`: `v1,` and base64, several with spaces between.
    pub(crate) signatures: &'a str,
}

/// Whether one of the signatures was made with one of the keys, not long ago.
pub(crate) fn is_genuine(
    keys: &[Vec<u8>],
    signed: Signed<'_>,
    body: &[u8],
    now: Timestamp,
) -> bool {
    let Some(sent) = sent_at(signed.timestamp) else {
        return false;
    };
    if now.ms_since(sent) > WINDOW_MS || sent.ms_since(now) > WINDOW_MS {
        return false;
    }
    let given: Vec<Vec<u8>> = signed
        .signatures
        .split_ascii_whitespace()
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .filter_map(|encoded| BASE64.decode(encoded).ok())
        .collect();
    let mut found = Choice::from(0);
    for key in keys {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
            continue;
        };
        mac.update(signed.id.as_bytes());
        mac.update(b".");
        mac.update(signed.timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        let own = mac.finalize().into_bytes();
        for signature in &given {
            found |= own.as_slice().ct_eq(signature);
        }
    }
    found.into()
}

fn sent_at(timestamp: &str) -> Option<Timestamp> {
    let seconds: i64 = timestamp.parse().ok()?;
    Some(Timestamp::from_ms(seconds.checked_mul(1000)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the Standard Webhooks specification.
    const SECRET: &str = "C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    const VECTOR: Signed<'static> = Signed {
        id: "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        timestamp: "1649367553",
        signatures: "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    };
    const SENT_MS: i64 = 1_649_367_553_000;

    fn genuine(signed: Signed<'_>, body: &[u8], now_ms: i64) -> bool {
        let keys = [vec![0; 24], BASE64.decode(SECRET).unwrap()];
        is_genuine(&keys, signed, body, Timestamp::from_ms(now_ms))
    }

    #[test]
    fn the_vector_of_the_specification_is_genuine() {
        assert!(genuine(VECTOR, BODY, SENT_MS));
    }

    #[test]
    fn nothing_but_the_exact_bytes_is_genuine() {
        assert!(!genuine(VECTOR, b"{}", SENT_MS));
        let other_id = Signed {
            id: "msg_2",
            ..VECTOR
        };
        assert!(!genuine(other_id, BODY, SENT_MS));
        let unsigned = Signed {
            signatures: "",
            ..VECTOR
        };
        assert!(!genuine(unsigned, BODY, SENT_MS));
        let other_version = VECTOR.signatures.replace("v1", "v1a");
        let other_version = Signed {
            signatures: &other_version,
            ..VECTOR
        };
        assert!(!genuine(other_version, BODY, SENT_MS));
    }

    #[test]
    fn one_good_signature_among_several_is_enough() {
        let several = format!("v1,AAAA v2,x {}", VECTOR.signatures);
        let several = Signed {
            signatures: &several,
            ..VECTOR
        };
        assert!(genuine(several, BODY, SENT_MS));
    }

    #[test]
    fn a_delivery_counts_for_five_minutes_either_way() {
        let window = 5 * 60 * 1000;
        assert!(genuine(VECTOR, BODY, SENT_MS + window));
        assert!(genuine(VECTOR, BODY, SENT_MS - window));
        assert!(!genuine(VECTOR, BODY, SENT_MS + window + 1));
        assert!(!genuine(VECTOR, BODY, SENT_MS - window - 1));
        let never = Signed {
            timestamp: "soon",
            ..VECTOR
        };
        assert!(!genuine(never, BODY, SENT_MS));
    }
}
