//! What people type and what they are told: the program itself, against a real `poolshift serve`.
#![cfg(test)]

mod apply;
mod approve;
mod backup;
mod check;
mod gates;
mod haproxy_config;
mod help;
mod import;
mod notification;
mod replay;
mod rollouts;
mod serve;
mod still;
mod support;
mod verdict;
mod webhook_check;
