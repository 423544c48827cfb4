//! Documents of one kind, and waiting for one of them to change.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use events::sha256;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// Names a document's content. The same content has the same one on every instance and after
/// every restart, so it can stand in an HTTP `ETag`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Etag(String);

impl Etag {
    fn of<T: Serialize>(document: &T) -> Self {
        let bytes = serde_json::to_vec(document).unwrap_or_default();
        Self(sha256(&bytes).short())
    }

    /// The text, without quotation marks.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A document as it was when it was read.
#[derive(Debug)]
pub struct Kept<T> {
    /// The document.
    pub document: Arc<T>,
    /// Its content's name.
    pub etag: Etag,
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self {
            document: Arc::clone(&self.document),
            etag: self.etag.clone(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Shelf<K, T> {
    slots: Mutex<BTreeMap<K, Slot<T>>>,
}

/// A slot may be empty: somebody waits for a document that is not there yet.
#[derive(Debug)]
struct Slot<T> {
    kept: Option<Kept<T>>,
    changes: watch::Sender<()>,
}

impl<T> Slot<T> {
    fn empty() -> Self {
        Self {
            kept: None,
            changes: watch::Sender::new(()),
        }
    }
}

impl<K: Ord + Clone, T: Serialize> Shelf<K, T> {
    pub(crate) const fn new() -> Self {
        Self {
            slots: Mutex::new(BTreeMap::new()),
        }
    }

    pub(crate) fn put(&self, key: K, document: T) {
        let etag = Etag::of(&document);
        let mut slots = self.lock();
        let slot = slots.entry(key).or_insert_with(Slot::empty);
        if slot.kept.as_ref().is_some_and(|kept| kept.etag == etag) {
            return;
        }
        let document = Arc::new(document);
        slot.kept = Some(Kept { document, etag });
        slot.changes.send_replace(());
    }

    /// Puts the document unless there is one, and gives what is there then.
    pub(crate) fn put_if_absent(&self, key: K, document: T) -> Kept<T> {
        let mut slots = self.lock();
        let slot = slots.entry(key).or_insert_with(Slot::empty);
        if let Some(kept) = &slot.kept {
            return kept.clone();
        }
        let etag = Etag::of(&document);
        let document = Arc::new(document);
        let kept = Kept { document, etag };
        slot.kept = Some(kept.clone());
        slot.changes.send_replace(());
        kept
    }

    pub(crate) fn get(&self, key: &K) -> Option<Kept<T>> {
        self.lock().get(key).and_then(|slot| slot.kept.clone())
    }

    pub(crate) fn all(&self) -> Vec<Kept<T>> {
        self.lock()
            .values()
            .filter_map(|slot| slot.kept.clone())
            .collect()
    }

    /// The document as soon as its content is not `known`; as it is when the wait is over.
    pub(crate) async fn changed(
        &self,
        key: &K,
        known: Option<&str>,
        wait: Duration,
    ) -> Option<Kept<T>> {
        let until = Instant::now() + wait;
        let mut changes = self
            .lock()
            .entry(key.clone())
            .or_insert_with(Slot::empty)
            .changes
            .subscribe();
        let kept = loop {
            changes.mark_unchanged();
            let kept = self.get(key);
            let news = kept
                .as_ref()
                .is_some_and(|kept| Some(kept.etag.as_str()) != known);
            if news || timeout_at(until, changes.changed()).await.is_err() {
                break kept.or_else(|| self.get(key));
            }
        };
        drop(changes);
        self.forget_empty(key);
        kept
    }

    fn forget_empty(&self, key: &K) {
        let mut slots = self.lock();
        let unused = |slot: &Slot<T>| slot.kept.is_none() && slot.changes.receiver_count() == 0;
        if slots.get(key).is_some_and(unused) {
            slots.remove(key);
        }
    }

    /// A panic of another holder leaves nothing half done: every change is one assignment.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<K, Slot<T>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
