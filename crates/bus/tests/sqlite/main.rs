//! What only the log in one file promises: on real files, with processes really killed.
#![cfg(test)]

mod child;
mod files;
mod kill;
mod model;
mod records;
mod room;
mod sharing;
