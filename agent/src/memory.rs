//! The ledger, shared by the tasks of one agent.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::journal::{Entry, Journal};
use crate::ledger::{Error, Ledger};

/// The ledger and who wants to know when it changes.
pub(crate) struct Memory {
    ledger: Mutex<Ledger>,
    changes: watch::Sender<()>,
}

impl Memory {
    pub(crate) fn new(ledger: Ledger) -> Self {
        Self {
            ledger: Mutex::new(ledger),
            changes: watch::Sender::new(()),
        }
    }

    /// Wakes at each change.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        let mut changes = self.changes.subscribe();
        changes.mark_changed();
        changes
    }

    /// Looks at the journal.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Journal) -> T) -> T {
        look(self.lock().journal())
    }

    /// Writes a line; durable when this returns.
    pub(crate) fn append(&self, entry: &Entry) -> Result<(), Error> {
        let written = self.lock().append(entry);
        self.changes.send_replace(());
        written
    }

    /// See [`Ledger::hold_room`].
    pub(crate) fn hold_room(&self) -> Result<(), Error> {
        self.lock().hold_room()
    }

    /// This life takes care of what a former one had begun.
    pub(crate) fn take_over(&self) {
        self.lock().take_over();
    }

    /// A task that panicked while it held the lock left the ledger whole: the journal changes only
    /// after its line is written.
    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
