//! Looks that are asked for and not answered yet: in memory alone, for whoever asked waits.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use events::{Look, LookAt, Looked, MachineName};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::agents::agent;
use crate::app::App;
use crate::body;
use crate::problem::Problem;

/// The largest answer, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Questions to agents, by machine.
#[derive(Default)]
pub(crate) struct Looks {
    open: Mutex<BTreeMap<Uuid, Open>>,
}

struct Open {
    machine: MachineName,
    at: LookAt,
    answer: oneshot::Sender<Looked>,
}

/// A question that is withdrawn when this is dropped.
pub(crate) struct Asked<'a> {
    looks: &'a Looks,
    id: Uuid,
    /// Comes true with the answer.
    pub(crate) answer: oneshot::Receiver<Looked>,
}

impl Looks {
    pub(crate) fn ask(&self, machine: &MachineName, at: LookAt) -> Asked<'_> {
        // Version 7 sorts by time: the oldest question is the first.
        let id = Uuid::now_v7();
        let (answer, receiver) = oneshot::channel();
        let open = Open {
            machine: machine.clone(),
            at,
            answer,
        };
        self.lock().insert(id, open);
        Asked {
            looks: self,
            id,
            answer: receiver,
        }
    }

    /// The oldest question to a machine.
    pub(crate) fn next(&self, machine: &MachineName) -> Option<Look> {
        let open = self.lock();
        let (id, next) = open.iter().find(|(_, one)| one.machine == *machine)?;
        Some(Look {
            id: *id,
            at: next.at.clone(),
        })
    }

    /// Hands an answer to whoever waits for it; one that comes too late is for nobody.
    fn answer(&self, machine: &MachineName, looked: Looked) {
        let mut open = self.lock();
        let is_its_own = open
            .get(&looked.id)
            .is_some_and(|one| one.machine == *machine);
        if !is_its_own {
            return;
        }
        if let Some(asked) = open.remove(&looked.id) {
            // An error means that nobody waits any more.
            drop(asked.answer.send(looked));
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.looks.lock().remove(&self.id);
    }
}

/// `POST /agents/v1/look`: what an agent saw.
pub(super) async fn take(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let (machine, _) = agent(&app, &request)?;
    let looked: Looked = body::json(payload, BODY_BYTES_MAX).await?;
    app.looks.answer(&machine, looked);
    Ok(HttpResponse::NoContent().finish())
}
