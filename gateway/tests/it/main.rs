//! The gateway over real HTTP, on a real bus. The orchestrator is not there: the tests write the
//! view and the commands in its place, and read the reports.

#[cfg(test)]
mod agents;
#[cfg(test)]
mod agents_reports;
#[cfg(test)]
mod api;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod house;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod problems;
#[cfg(test)]
mod starting;
#[cfg(test)]
mod webhooks;
