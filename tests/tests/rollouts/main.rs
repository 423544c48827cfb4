//! Whole rollouts with everything real: HAProxies, servers, agents, `poolshift serve`.

#[cfg(test)]
mod as_planned;
#[cfg(test)]
mod bad_build;
#[cfg(test)]
mod deaf_socket;
#[cfg(test)]
mod lost_balancer;
#[cfg(test)]
mod mailer;
#[cfg(test)]
mod no_balancer;
#[cfg(test)]
mod pipeline;
#[cfg(test)]
mod scene;
