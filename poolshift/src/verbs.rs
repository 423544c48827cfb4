//! What can be typed: a module for each verb.

pub(crate) mod adopt;
pub(crate) mod agent;
pub(crate) mod apply;
pub(crate) mod approve;
pub(crate) mod check;
pub(crate) mod doctor;
pub(crate) mod exclude;
pub(crate) mod freeze;
pub(crate) mod haproxy_config;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod log;
pub(crate) mod overrule;
pub(crate) mod plan;
pub(crate) mod release;
pub(crate) mod replay;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod steer;
pub(crate) mod supersede;
pub(crate) mod topics;
pub(crate) mod verdict;
pub(crate) mod watch;
pub(crate) mod webhook_check;
