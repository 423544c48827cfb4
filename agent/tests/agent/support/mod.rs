//! A world for one agent: a gateway that speaks the wire over real HTTP, artifacts, a service's
//! folder, and the real program of the agent.

mod artifact;
mod desk;
mod gateway;
mod order;
mod world;

pub(crate) use artifact::{archive, gzip, raw_archive};
pub(crate) use order::{artifact, command_of, fetch, install, suite, test};
pub(crate) use world::World;
