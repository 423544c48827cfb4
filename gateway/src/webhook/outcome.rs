//! What became of a delivery, where people can find it: some senders, such as Jenkins' Notification
//! plugin, never look at the answer.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError as _};
use serde::Serialize;
use view::{Limit, Taken as Token};

use crate::app::App;
use crate::problem::Problem;

/// How many lines strangers may cause for each reason: so many at once, and one more in so many
/// milliseconds. All of them are counted.
const LINES: Limit = Limit {
    burst: 10,
    refill_ms: 10_000,
};

/// What is not refused.
#[derive(Debug)]
pub(super) enum Taken {
    /// A report is durable.
    Accepted(HttpResponse),
    /// It asks for nothing, and this is why.
    Ignored(String),
}

#[derive(Debug, Serialize)]
struct Ignored {
    ignored: String,
}

/// Counts a delivery by its outcome, logs a refusal once, and answers. Of what strangers can cause
/// without end, only some is logged.
pub(super) fn answer(
    app: &App,
    sender: &str,
    taken: Result<Taken, Problem>,
) -> Result<HttpResponse, Problem> {
    let count = |outcome: &str| {
        let labels = [sender, outcome];
        app.metrics.deliveries.with_label_values(&labels).inc();
    };
    match taken {
        Ok(Taken::Accepted(answer)) => {
            count("accepted");
            Ok(answer)
        }
        Ok(Taken::Ignored(ignored)) => {
            count("ignored");
            tracing::debug!(sender, ?ignored, "webhook ignored");
            Ok(HttpResponse::Ok().json(Ignored { ignored }))
        }
        Err(problem) => {
            count(problem.reason());
            if may_be_logged(app, sender, &problem) {
                // Debug form: what others sent must not break out of its line.
                let (detail, mend) = (problem.detail(), problem.how_to_mend().unwrap_or_default());
                tracing::warn!(
                    sender,
                    reason = problem.reason(),
                    ?detail,
                    ?mend,
                    "webhook refused"
                );
            }
            Err(problem)
        }
    }
}

/// These are answered before anybody has proved who they are.
fn may_be_logged(app: &App, sender: &str, problem: &Problem) -> bool {
    let by_strangers = matches!(
        problem.status_code(),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PAYLOAD_TOO_LARGE
    );
    let bucket = format!("log/{sender}/{}", problem.reason());
    !by_strangers || app.view.take(&bucket, LINES, app.now()) == Token::Yes
}
