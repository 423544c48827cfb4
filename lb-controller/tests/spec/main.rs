//! What an lb-controller promises, on a real HAProxy, and for its pure part over random walks.
#![cfg(test)]

mod always;
mod config;
mod drain;
mod hold;
mod person;
mod restart;
mod restore;
mod support;
mod trouble;
