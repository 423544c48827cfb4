//! HAProxy as it is configured, and as it runs: read, never changed.

mod address;
mod condition;
mod config;
mod files;
mod graft;
mod keywords;
mod pool;
mod running;
mod words;

pub(crate) use config::{Config, Kind, Line};
pub(crate) use files::{bytes, read};
pub(crate) use graft::graft;
pub(crate) use pool::{Pool, Server, pools};
pub(crate) use running::Running;
