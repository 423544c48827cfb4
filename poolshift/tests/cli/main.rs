//! What people type and what they are told: the program itself, against a real `poolshift serve`.

#[cfg(test)]
mod apply;
#[cfg(test)]
mod approve;
#[cfg(test)]
mod check;
#[cfg(test)]
mod help;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod rollouts;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod support;
