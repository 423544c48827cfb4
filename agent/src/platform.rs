//! All that differs between operating systems, by name. Nothing outside this module may assume
//! one.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{
    Born, KEPT_ENVIRONMENT, become_program, born, end_group, free_bytes, is_alive,
    is_safe_file_name, lead_own_group, link_folder, linked_folder, lock, make_link, own, pid_of,
    private_file, set_mode, sync_folder, sync_tree,
};
