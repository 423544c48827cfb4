//! The same gateway and the same orders as for the agent of this machine.

#[path = "../agent/support/artifact.rs"]
pub(crate) mod artifact;
#[path = "../agent/support/desk.rs"]
pub(crate) mod desk;
#[path = "../agent/support/gateway.rs"]
pub(crate) mod gateway;
#[path = "../agent/support/order.rs"]
pub(crate) mod order;
