//! The house rules that no compiler checks: which crate may name which, how long things may be,
//! and which words may stand where. Each rule is a pure function from text to findings; a finding
//! names file and line, and the rule says how to mend it.

#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod features;
#[cfg(test)]
mod finding;
#[cfg(test)]
mod lengths;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod papers;
#[cfg(test)]
mod scrub;
#[cfg(test)]
mod sleeps;
#[cfg(test)]
mod words;
#[cfg(test)]
mod workspace;
