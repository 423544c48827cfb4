//! Which agents can carry a command out.

use super::{Command, Fetch, Install, Test, Work};

/// A version of Poolshift: major, minor.
pub type Since = (u64, u64);

/// The first version there was: it knows every kind of an agent's work.
const FIRST: Since = (0, 1);

/// Packages of tests, commands of a service's own, and installers that stop a service first.
const SECOND: Since = (0, 2);

impl Command {
    /// The oldest agents that carry this out as it says. Older ones know its kind of work, and would
    /// leave out what they do not know of it without a word. Commands of other workers are for
    /// nobody's agent, and so for the first.
    #[must_use]
    pub fn agents_since(&self) -> Since {
        let by_itself = match &self.work {
            Work::Fetch(fetch) => fetch.since(),
            Work::Install(install) => install.since(),
            Work::Test(test) => test.since(),
            Work::Drain(_) | Work::Restore(_) | Work::Hold(_) | Work::Check(_) | Work::Watch(_) => {
                FIRST
            }
        };
        by_itself.max(if_any(self.own.is_some()))
    }
}

const fn if_any(is_there: bool) -> Since {
    if is_there { SECOND } else { FIRST }
}

// Each field by its name, so that a new one asks here since when it is understood.

impl Fetch {
    const fn since(&self) -> Since {
        let Self {
            artifact: _,
            tests,
            version: _,
            into: _,
            prove,
            credentials_name: _,
        } = self;
        if_any(tests.is_some() || prove.is_some())
    }
}

impl Install {
    const fn since(&self) -> Since {
        let Self {
            method: _,
            artifact: _,
            version: _,
            into: _,
            argv: _,
            stop,
            restart: _,
            prove: _,
            keep: _,
            purpose: _,
        } = self;
        if_any(!stop.is_empty())
    }
}

impl Test {
    const fn since(&self) -> Since {
        let Self {
            suites: _,
            into: _,
            tests,
            url: _,
            header: _,
            answered_by: _,
            expect: _,
        } = self;
        if_any(tests.is_some())
    }
}
