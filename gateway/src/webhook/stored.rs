//! Stored deliveries: what each would lead to, by the very functions of the doors. Signatures and
//! tokens are not asked for, and nothing has to run.

use events::{Report, Target};

use crate::body::BYTES_MAX;
use crate::people::People;
use crate::problem::Problem;
use crate::webhook::asked::Asked;
use crate::webhook::build::{Heard, hear};
use crate::webhook::jenkins::ask;
use crate::webhook::known::Known;
use crate::webhook::notification::NOTIFICATION_BYTES_MAX;

/// Whose deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The HTTP Request step of a pipeline: `/webhooks/jenkins`.
    Jenkins,
    /// The Notification plugin: `/webhooks/jenkins-notification`.
    JenkinsNotification,
}

/// What a delivery would lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This report about this target.
    Report(Target, Box<Report>),
    /// Nothing, and why: the sender is answered 200.
    Ignored(String),
    /// A refusal: the sender is answered with an error.
    Refused {
        /// What programs compare, such as `no-sha256`.
        reason: String,
        /// What is wrong.
        detail: String,
        /// How to mend it.
        mend: Option<String>,
    },
}

impl Sender {
    /// The largest body that its door takes, in bytes.
    #[must_use]
    pub const fn bytes_max(self) -> usize {
        match self {
            Self::Jenkins => BYTES_MAX,
            Self::JenkinsNotification => NOTIFICATION_BYTES_MAX,
        }
    }
}

/// What a delivery with this body would lead to, if these targets were all there are. Nobody is
/// known by name: claims are the digests of names.
#[must_use]
pub fn outcome(sender: Sender, body: &[u8], known: &[Known]) -> Outcome {
    let people = People::nobody();
    let heard = match sender {
        Sender::Jenkins => {
            ask(body, None, known, &people).map(|asked| Heard::Asked(Box::new(asked)))
        }
        Sender::JenkinsNotification => hear(body, None, known, &people),
    };
    match heard {
        Ok(Heard::Asked(asked)) => {
            let Asked {
                target, request, ..
            } = *asked;
            Outcome::Report(target, Box::new(request.into()))
        }
        Ok(Heard::Ignored(why)) => Outcome::Ignored(why),
        Err(problem) => refused(&problem),
    }
}

fn refused(problem: &Problem) -> Outcome {
    Outcome::Refused {
        reason: problem.reason().to_owned(),
        detail: problem.detail(),
        mend: problem.how_to_mend().map(str::to_owned),
    }
}
