//! What an lb-controller promises, on a real HAProxy, and for its pure part over random walks.

#[cfg(test)]
mod always;
#[cfg(test)]
mod config;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod hold;
#[cfg(test)]
mod person;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod support;
#[cfg(test)]
mod trouble;
