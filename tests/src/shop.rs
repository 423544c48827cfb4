//! The shop: what is rolled out on the stage. Its process is the binary `shop` of this package;
//! here is what that process and those who run it share.

mod answer;
mod home;
mod release;
mod supervise;

pub use answer::{Answer, Line, Order, digest};
pub use home::{Home, Settings};
pub use release::{Behaviour, Release};
pub use supervise::{Claim, kill, restart, running, stop};

/// Response header with the version that answered.
pub const VERSION_HEADER: &str = "x-shop-version";

/// Request header (any value) that makes an answer take [`SLOW_MS`].
pub const SLOW_HEADER: &str = "x-shop-slow";

/// How long a slow answer takes.
pub const SLOW_MS: u64 = 250;

/// Request header with the customer's own number of the request, for the access log.
pub const NUMBER_HEADER: &str = "x-request-id";
