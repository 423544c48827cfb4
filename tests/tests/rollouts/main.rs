//! Whole rollouts with everything real: HAProxies, servers, agents, `poolshift serve`.
#![cfg(test)]

mod as_planned;
mod bad_build;
mod deaf_socket;
mod lost_balancer;
mod mailer;
mod no_balancer;
mod pipeline;
mod restored;
mod scene;
mod watched;
