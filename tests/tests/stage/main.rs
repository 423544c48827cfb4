//! What the stage itself promises: a measure that is wrong would prove nothing about Poolshift.

#[cfg(test)]
mod artifacts;
#[cfg(test)]
mod balancer;
#[cfg(test)]
mod customers;
#[cfg(test)]
mod fleet;
#[cfg(test)]
mod shop;
#[cfg(test)]
mod suite;
