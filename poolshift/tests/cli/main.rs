//! What people type and what they are told: the program itself, against a real `poolshift serve`.
#![cfg(test)]

mod apply;
mod approve;
mod check;
mod haproxy_config;
mod help;
mod import;
mod notification;
mod rollouts;
mod serve;
mod support;
mod verdict;
mod webhook_check;
