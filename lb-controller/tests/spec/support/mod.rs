//! A real HAProxy before small real servers, and an lb-controller beside it.

pub(crate) mod customers;
pub(crate) mod haproxy;
pub(crate) mod orders;
pub(crate) mod ports;
pub(crate) mod relay;
pub(crate) mod scene;
pub(crate) mod shop;

use std::time::Duration;

/// The longest that any wait of a test may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// For what announces itself to nobody.
pub(crate) const GLANCE: Duration = Duration::from_millis(10);
