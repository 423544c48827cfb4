//! The house rules that no compiler checks. Each is a pure function from text to findings; a finding
//! names file and line, and the rule says how to mend it.
#![cfg(test)]

mod dependencies;
mod features;
mod finding;
mod lengths;
mod manifests;
mod papers;
mod scrub;
mod sleeps;
mod words;
mod workspace;
