//! The parts of one process: started together, ended one stage after the other.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// When a part ends: first those through which something new comes in, last the one that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Gateway,
    Workers,
    Orchestrator,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Gateway, Self::Workers, Self::Orchestrator];

    /// How long its parts may take to end. Together with the bus this is less than the 20 s that
    /// a process has.
    const fn end_within(self) -> Duration {
        match self {
            Self::Gateway => Duration::from_secs(11),
            Self::Workers => Duration::from_secs(4),
            Self::Orchestrator => Duration::from_secs(2),
        }
    }
}

type Ended = (Stage, String, anyhow::Result<()>);

/// What runs.
#[derive(Debug)]
pub(super) struct Parts {
    ends: Vec<(Stage, watch::Sender<bool>)>,
    running: Vec<(Stage, String)>,
    tasks: JoinSet<Ended>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            ends: Stage::ALL
                .map(|stage| (stage, watch::Sender::new(false)))
                .to_vec(),
            running: Vec::new(),
            tasks: JoinSet::new(),
        }
    }
}

impl Parts {
    /// Starts a part. It gets a receiver that turns true when it is to end.
    pub(super) fn start<F>(
        &mut self,
        stage: Stage,
        name: String,
        part: impl FnOnce(watch::Receiver<bool>) -> F,
    ) where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let ends = self.ends.iter().find(|(of, _)| *of == stage);
        let Some(shutdown) = ends.map(|(_, sender)| sender.subscribe()) else {
            return;
        };
        self.running.push((stage, name.clone()));
        let part = part(shutdown);
        self.tasks.spawn(async move { (stage, name, part.await) });
    }

    /// Waits until `shutdown` is true or a part ends by itself, then ends all of them.
    ///
    /// # Errors
    /// What a part failed with, and which; parts that did not end in their time.
    pub(super) async fn until(mut self, mut shutdown: watch::Receiver<bool>) -> anyhow::Result<()> {
        let early = tokio::select! {
            // An error means that whoever could ask for a shutdown is gone.
            _ = shutdown.wait_for(|asked| *asked) => None,
            ended = self.tasks.join_next() => ended,
        };
        let early = early.map(|ended| match self.note(ended) {
            Ok(name) => anyhow!("{name} ended by itself"),
            Err(error) => error,
        });
        let first = early.map_or(Ok(()), Err);
        let ended = self.end().await;
        if let (Err(_), Err(later)) = (&first, &ended) {
            tracing::error!("{later:#}");
        }
        first.and(ended)
    }

    async fn end(&mut self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        for stage in Stage::ALL {
            for (_, sender) in self.ends.iter().filter(|(of, _)| *of == stage) {
                sender.send_replace(true);
            }
            let until = Instant::now() + stage.end_within();
            while self.running.iter().any(|(of, _)| *of == stage) {
                let Ok(Some(ended)) = timeout_at(until, self.tasks.join_next()).await else {
                    break;
                };
                outcome = outcome.and(self.note(ended).map(drop));
            }
            let late: Vec<String> = self
                .running
                .extract_if(.., |(of, _)| *of == stage)
                .map(|(_, name)| name)
                .collect();
            if !late.is_empty() {
                let late = anyhow!("{} did not end in time", late.join(", "));
                outcome = outcome.and(Err(late));
            }
        }
        self.tasks.abort_all();
        outcome
    }

    /// Notes that a part has ended, and gives its name or what it failed with.
    fn note(&mut self, ended: Result<Ended, tokio::task::JoinError>) -> anyhow::Result<String> {
        let (stage, name, outcome) = ended.context("a part of this process broke off")?;
        self.running
            .retain(|(of, running)| *of != stage || *running != name);
        outcome.with_context(|| format!("{name} stopped"))?;
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    type Log = Arc<Mutex<Vec<&'static str>>>;

    fn polite(parts: &mut Parts, stage: Stage, name: &'static str, log: &Log) {
        let log = Arc::clone(log);
        parts.start(stage, name.to_owned(), |mut shutdown| async move {
            shutdown.wait_for(|asked| *asked).await?;
            log.lock().unwrap().push(name);
            Ok(())
        });
    }

    fn all(log: &Log) -> Parts {
        let mut parts = Parts::default();
        polite(&mut parts, Stage::Orchestrator, "orchestrator", log);
        polite(&mut parts, Stage::Workers, "worker", log);
        polite(&mut parts, Stage::Gateway, "gateway", log);
        parts
    }

    #[tokio::test]
    async fn parts_end_in_the_order_of_their_stages() {
        let log = Log::default();
        let (shutdown, asked) = watch::channel(false);
        let running = tokio::spawn(all(&log).until(asked));
        shutdown.send_replace(true);
        running.await.unwrap().unwrap();
        assert_eq!(*log.lock().unwrap(), ["gateway", "worker", "orchestrator"]);
    }

    #[tokio::test]
    async fn a_part_that_dies_ends_all_and_is_named_with_its_reason() {
        let log = Log::default();
        let mut parts = all(&log);
        parts.start(Stage::Workers, "lb-controller lb1".to_owned(), |_| async {
            anyhow::bail!("HAProxy is older than 2.6")
        });
        let (_shutdown, asked) = watch::channel(false);
        let error = parts.until(asked).await.unwrap_err();
        let said = format!("{error:#}");
        assert_eq!(said, "lb-controller lb1 stopped: HAProxy is older than 2.6");
        assert_eq!(log.lock().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn a_part_that_ends_by_itself_ends_all() {
        let log = Log::default();
        let mut parts = all(&log);
        parts.start(Stage::Workers, "health-checker".to_owned(), |_| async {
            Ok(())
        });
        let (_shutdown, asked) = watch::channel(false);
        let error = parts.until(asked).await.unwrap_err();
        assert_eq!(error.to_string(), "health-checker ended by itself");
    }

    #[tokio::test]
    async fn a_part_that_does_not_end_is_given_up_and_named() {
        let log = Log::default();
        let mut parts = all(&log);
        parts.start(Stage::Workers, "stubborn".to_owned(), |_| async {
            std::future::pending().await
        });
        let (shutdown, asked) = watch::channel(false);
        shutdown.send_replace(true);
        let error = parts.until(asked).await.unwrap_err();
        assert_eq!(error.to_string(), "stubborn did not end in time");
        assert_eq!(log.lock().unwrap().len(), 3);
    }
}
