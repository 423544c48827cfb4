//! The first day with Poolshift, with everything real: what `poolshift doctor` finds, and what
//! `docs/first-day.md` leads to.

#[cfg(test)]
mod doctor;
#[cfg(test)]
mod document;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod first_day;
#[cfg(test)]
mod plant;
#[cfg(test)]
mod shell;
