//! What health-checker is to do: checks and watches behind a real HAProxy, and what counters show in
//! virtual time.

#[cfg(test)]
mod checks;
#[cfg(test)]
mod response;
#[cfg(test)]
mod support;
#[cfg(test)]
mod virtual_time;
#[cfg(test)]
mod watches;
#[cfg(test)]
mod window;
