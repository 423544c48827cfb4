//! Windows.

mod files;
mod process;
mod service;

pub(super) use files::{file_in_use, may_pass};
pub use files::{
    free_bytes, is_safe_path, make_link, private_file, set_mode, sync_folder, sync_tree,
};
pub use process::{
    Born, Group, KEPT_ENVIRONMENT, become_program, born, end_group, is_alive, keep_apart,
    lead_own_group, own,
};
pub use service::Verb;

pub(crate) use super::names::{folder_of, is_safe_file_name, version_of};
pub(crate) use super::swap::{current_release, label_release, mend_switch, release_folder, switch};
