//! What became of a delivery, where people can find it: some senders, such as Jenkins' Notification
//! plugin, never look at the answer.

use actix_web::HttpResponse;
use serde::Serialize;

use crate::app::App;
use crate::problem::Problem;

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

/// Counts a delivery by its outcome, logs a refusal once, and answers.
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
            // Debug form: what others sent must not break out of its line.
            let (detail, mend) = (problem.detail(), problem.how_to_mend().unwrap_or_default());
            tracing::warn!(
                sender,
                reason = problem.reason(),
                ?detail,
                ?mend,
                "webhook refused"
            );
            Err(problem)
        }
    }
}
