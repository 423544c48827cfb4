//! The catalogue: one TOML file for each service, read into types or refused with the place and
//! the mend.

mod artifact;
mod check;
pub mod defaults;
mod entry;
mod environment;
mod forms;
mod gates;
mod install;
mod nearest;
mod net;
mod own;
mod page;
mod problem;
mod read;
mod rollout;
mod section;
mod servers;
mod suites;
mod syntax;
pub mod units;
mod value;
mod watch;

pub use check::{ADDRESS_HOLE, VERSION_HOLE};
pub use entry::*;
pub use install::SERVER_HOLE;
pub use problem::{Problem, Problems};
pub use read::{Service, entry_of, read};
pub use value::PLACEHOLDER;
pub(crate) use watch::http;
