//! Errors as HTTP tells them: `application/problem+json` (RFC 9457), with the field that is wrong
//! and how to mend it.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

/// The media type of a problem.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

const KIND: &str = "urn:poolshift:problem:";

/// Below it a path holds a secret.
const SECRET_PATH: &str = "/webhooks/jenkins-notification/";

/// An answer that says what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    said: Box<Said>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Said {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    known: Vec<String>,
    #[serde(skip)]
    retry_after_s: Option<u64>,
}

impl Problem {
    /// `kind` is what programs compare, `title` the same for people, `detail` about this case.
    pub(crate) fn new(
        status: StatusCode,
        kind: &str,
        title: &str,
        detail: impl Into<String>,
    ) -> Self {
        let said = Said {
            kind: format!("{KIND}{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            field: None,
            mend: None,
            known: Vec::new(),
            retry_after_s: None,
        };
        Self {
            said: Box::new(said),
        }
    }

    /// A field of the body that is not as it must be.
    pub(crate) fn wrong_field(field: &str, detail: impl Into<String>, mend: &str) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "wrong-field",
            "a field is wrong",
            detail,
        )
        .field(field)
        .mend(mend)
    }

    /// Nothing lies there.
    pub(crate) fn not_found(kind: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, kind, "not found", detail)
    }

    /// The documents are not all read yet, so nothing can be said about what exists.
    pub(crate) fn not_ready(what: &str) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not-ready",
            "still starting",
            format!("{what} are still being read after a start"),
        )
        .retry_after(1)
    }

    /// Always the same words: what exactly is wrong would help whoever guesses.
    pub(crate) fn unauthorised(detail: &str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorised",
            "not proven",
            detail,
        )
    }

    /// What programs compare, without its prefix.
    pub(crate) fn reason(&self) -> &str {
        self.said.kind.strip_prefix(KIND).unwrap_or("other")
    }

    /// What is wrong about this case, after the field that it is about.
    pub(crate) fn detail(&self) -> String {
        match &self.said.field {
            Some(field) => format!("{field}: {}", self.said.detail),
            None => self.said.detail.clone(),
        }
    }

    /// How to mend it, if it says.
    pub(crate) fn how_to_mend(&self) -> Option<&str> {
        self.said.mend.as_deref()
    }

    pub(crate) fn field(mut self, field: &str) -> Self {
        self.said.field = Some(field.to_owned());
        self
    }

    pub(crate) fn mend(mut self, mend: &str) -> Self {
        self.said.mend = Some(mend.to_owned());
        self
    }

    pub(crate) fn known(mut self, known: impl IntoIterator<Item = String>) -> Self {
        self.said.known = known.into_iter().collect();
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.said.retry_after_s = Some(seconds);
        self
    }

    /// What a status of the router itself, which has no body, is called.
    pub(crate) fn of_router(status: StatusCode, method: &str, path: &str) -> Self {
        let title = status.canonical_reason().unwrap_or("error").to_lowercase();
        let path = if path.starts_with(SECRET_PATH) {
            "/webhooks/jenkins-notification/.."
        } else {
            path
        };
        let detail = format!("{method} {path}");
        match status {
            StatusCode::NOT_FOUND => Self::not_found("no-such-path", detail),
            StatusCode::METHOD_NOT_ALLOWED => {
                Self::new(status, "method-not-allowed", &title, detail)
            }
            _ => Self::new(status, "refused", &title, detail),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.said.title, self.said.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.said.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        answer.content_type(MEDIA_TYPE);
        if let Some(seconds) = self.said.retry_after_s {
            answer.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if self.status_code() == StatusCode::UNAUTHORIZED {
            answer.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        answer.body(serde_json::to_vec(&self.said).unwrap_or_default())
    }
}
