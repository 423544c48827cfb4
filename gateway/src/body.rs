//! Bodies: bounded while they come in, and read so that an error names the field.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Payload};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::problem::Problem;

/// The largest body that most doors take, in bytes.
pub(crate) const BYTES_MAX: usize = 256 * 1024;

/// The longest that a body may take to come in.
const PATIENCE: Duration = Duration::from_secs(10);

/// The whole body as it came.
pub(crate) async fn raw(payload: Payload, bytes_max: usize) -> Result<Bytes, Problem> {
    let read = timeout(PATIENCE, payload.to_bytes_limited(bytes_max)).await;
    match read {
        Ok(Ok(Ok(bytes))) => Ok(bytes),
        Ok(Ok(Err(error))) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "broken-body",
            "the body broke off",
            error.to_string(),
        )),
        Ok(Err(_)) => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "the body is too large",
            format!("at most {bytes_max} bytes are taken here"),
        )),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "too-slow",
            "the body came too slowly",
            format!("it must be there within {} s", PATIENCE.as_secs()),
        )),
    }
}

/// The body as JSON. Unknown fields are passed over: senders grow.
pub(crate) async fn json<T: DeserializeOwned>(
    payload: Payload,
    bytes_max: usize,
) -> Result<T, Problem> {
    parse(&raw(payload, bytes_max).await?)
}

/// Reads JSON; a field that is wrong is named by its path.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(not_json("a list, where an object was expected"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| wrong(&error.path().to_string(), error.inner()))?;
    reader.end().map_err(|error| wrong(".", &error))?;
    Ok(value)
}

fn wrong(path: &str, error: &serde_json::Error) -> Problem {
    let said = error.to_string();
    if !error.is_data() {
        return not_json(&said);
    }
    let place = said.rfind(" at line ").unwrap_or(said.len());
    let why = said.get(..place).unwrap_or(&said);
    let why = &why.replace("expected u64", "expected a whole number");
    let missing = why
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'));
    match (path, missing) {
        (".", Some(name)) => field_missing(name),
        (path, Some(name)) => field_missing(&format!("{path}.{name}")),
        (".", None) => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "wrong-field",
            "the body is wrong",
            why.as_str(),
        ),
        (path, None) => Problem::wrong_field(path, why.as_str(), &format!("correct `{path}`")),
    }
}

fn not_json(why: &str) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "not-json",
        "the body is not a JSON object",
        why,
    )
    .mend("send one JSON object in UTF-8")
}

fn field_missing(field: &str) -> Problem {
    Problem::wrong_field(
        field,
        format!("`{field}` is missing"),
        &format!("add `{field}`"),
    )
}
