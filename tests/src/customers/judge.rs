//! Whether an answer is what a customer came for.

use crate::haproxy::ANSWERED_BY;
use crate::http::{Broken, Response};
use crate::shop::{Answer, VERSION_HEADER};

/// Why a request has failed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Failure {
    /// The connection broke, or there was none.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The customer lost patience.
    #[error("no answer in time")]
    NoAnswerInTime,
    /// Somebody answered, but not with 200.
    #[error("status {0}")]
    Status(u16),
    /// Somebody answered with 200, but not the shop.
    #[error("the answer is not the shop's")]
    NotTheShop,
    /// The balancer names one server, the answer another.
    #[error("another server answered than the balancer says")]
    AnotherServer,
    /// The header names one version, the body another.
    #[error("the answer names two versions")]
    TwoVersions,
    /// The order that arrived is not the order that was sent.
    #[error("another order arrived than was sent")]
    AnotherOrder,
}

/// Who answered with which status, if anybody says so, and what is wrong with it, if anything is.
///
/// A wrong total is not looked for: customers do not know it, they pay it.
pub(super) fn judge(
    response: &Response,
    sent_sha256: Option<&str>,
) -> (Option<(u16, Answer)>, Option<Failure>) {
    let answer: Option<Answer> = serde_json::from_slice(&response.body).ok();
    let failure = find_failure(response, answer.as_ref(), sent_sha256);
    (answer.map(|answer| (response.status, answer)), failure)
}

fn find_failure(
    response: &Response,
    answer: Option<&Answer>,
    sent_sha256: Option<&str>,
) -> Option<Failure> {
    if response.status != 200 {
        return Some(Failure::Status(response.status));
    }
    let Some(answer) = answer else {
        return Some(Failure::NotTheShop);
    };
    if response.header(ANSWERED_BY) != Some(&answer.server) {
        return Some(Failure::AnotherServer);
    }
    if response.header(VERSION_HEADER) != Some(&answer.version) {
        return Some(Failure::TwoVersions);
    }
    (sent_sha256 != answer.body_sha256.as_deref()).then_some(Failure::AnotherOrder)
}
