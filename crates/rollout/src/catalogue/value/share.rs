//! Shares, such as 0.01.

use toml::de::DeValue;

use super::Value;

impl Value<'_> {
    /// A share between 0 and 1, in millionths: read from its digits, so that no rounding decides.
    pub(in crate::catalogue) fn share_ppm(&self) -> Option<u32> {
        let share = match self.value {
            DeValue::Float(share) => share_ppm(share.as_str()),
            DeValue::Integer(_) => match self.as_whole() {
                Some(0) => Some(0),
                Some(1) => Some(1_000_000),
                Some(_) | None => None,
            },
            DeValue::String(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => return self.refuse_kind("a share"),
        };
        if share.is_none() {
            let what = format!("`{}` is not a share", self.name);
            let mend =
                "write a number from 0 to 1 with at most 6 digits after the point, such as 0.01";
            self.refuse(what, mend);
        }
        share
    }
}

/// `0.01` is 10,000 millionths.
fn share_ppm(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.')?;
    let is_number = part.len() <= 6 && part.bytes().all(|byte| byte.is_ascii_digit());
    let part = format!("{part:0<6}").parse::<u32>().ok();
    let ppm = whole.parse::<u32>().ok()?.checked_mul(1_000_000)?;
    part.and_then(|part| ppm.checked_add(part))
        .filter(|ppm| is_number && *ppm <= 1_000_000)
}
