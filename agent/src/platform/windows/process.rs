//! Processes and job objects.
//!
//! No process becomes another here. A launcher puts itself into a job that ends all its processes
//! when its last handle is closed, and is the only one that has a handle; then it starts the
//! program and waits. So the program with all that it started ends when the launcher is ended, and
//! outlives the agent, which has no part in the job. When the program ends by itself the job is
//! lifted first: what it left running was meant to stay.

use std::io;

use win32job::{ExtendedLimitInfo, Job, JobError};
use winsafe::{HPROCESS, co};

/// Which process this is, so that a later one with the same number is not taken for it: its
/// creation in units of 100 ns since 1601.
pub type Born = String;

/// Variables of the agent's own environment that every program gets; all others are kept from it.
pub const KEPT_ENVIRONMENT: &[&str] = &[
    "ALLUSERSPROFILE",
    "APPDATA",
    "CommonProgramFiles",
    "CommonProgramFiles(x86)",
    "CommonProgramW6432",
    "COMPUTERNAME",
    "ComSpec",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "NUMBER_OF_PROCESSORS",
    "OS",
    "Path",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "ProgramData",
    "ProgramFiles",
    "ProgramFiles(x86)",
    "ProgramW6432",
    "PSModulePath",
    "SystemDrive",
    "SystemRoot",
    "TEMP",
    "TMP",
    "USERDOMAIN",
    "USERNAME",
    "USERPROFILE",
    "windir",
];

/// `CREATE_NO_WINDOW` and `CREATE_NEW_PROCESS_GROUP`: a console of its own that nobody sees.
const APART: u32 = 0x0800_0000 | 0x0000_0200;

/// A process with all that it starts, which ends with it.
#[derive(Debug)]
pub struct Group(Job);

impl Drop for Group {
    fn drop(&mut self) {
        // Or closing the job would end this very process.
        let _lifted = self.0.set_extended_limit_info(&ExtendedLimitInfo::new());
    }
}

/// Binds all that this process will start to its own life.
///
/// # Errors
/// What the system says.
pub fn lead_own_group() -> io::Result<Group> {
    let wrong = |error: JobError| io::Error::other(error.to_string());
    let mut limits = ExtendedLimitInfo::new();
    limits.limit_kill_on_job_close();
    let job = Job::create_with_limit_info(&limits).map_err(wrong)?;
    job.assign_current_process().map_err(wrong)?;
    Ok(Group(job))
}

/// Keeps a launcher from what is meant for the agent alone, such as Ctrl-C.
pub fn keep_apart(launcher: &mut tokio::process::Command) {
    launcher.creation_flags(APART);
}

/// Runs the program in this process's place and ends as it does; returns only when it cannot be
/// started.
#[must_use]
pub fn become_program(program: &str, arguments: &[String], group: &Group) -> io::Error {
    match std::process::Command::new(program).args(arguments).status() {
        Ok(status) => {
            let _lifted = group.0.set_extended_limit_info(&ExtendedLimitInfo::new());
            std::process::exit(status.code().unwrap_or(1))
        }
        Err(error) => error,
    }
}

/// When the process was born; none when there is no such process, or only its remains.
#[must_use]
pub fn born(pid: u32) -> Option<Born> {
    let rights = co::PROCESS::QUERY_LIMITED_INFORMATION | co::PROCESS::SYNCHRONIZE;
    birth(&*HPROCESS::OpenProcess(rights, false, pid).ok()?)
}

/// This process's number and birth.
#[must_use]
pub fn own() -> Option<(u32, Born)> {
    Some((std::process::id(), birth(&HPROCESS::GetCurrentProcess())?))
}

/// Whether that very process still runs.
#[must_use]
pub fn is_alive(pid: u32, birth: &Born) -> bool {
    born(pid).as_ref() == Some(birth)
}

/// Ends a launcher, and by that all of its group. Harmless when it is gone, or when its number has
/// gone to another.
pub fn end_group(pid: u32, born: &Born) {
    let rights =
        co::PROCESS::QUERY_LIMITED_INFORMATION | co::PROCESS::SYNCHRONIZE | co::PROCESS::TERMINATE;
    if let Ok(process) = HPROCESS::OpenProcess(rights, false, pid)
        && birth(&process).as_ref() == Some(born)
    {
        let _ended = process.TerminateProcess(1);
    }
}

/// An error of the system, as the standard library has it.
pub(super) fn system(error: co::ERROR) -> io::Error {
    i32::try_from(error.raw()).map_or_else(
        |_| io::Error::other(error.to_string()),
        io::Error::from_raw_os_error,
    )
}

fn birth(process: &HPROCESS) -> Option<Born> {
    // Its remains stay for as long as anybody has a handle.
    if process.WaitForSingleObject(Some(0)).ok()? != co::WAIT::TIMEOUT {
        return None;
    }
    let (created, ..) = process.GetProcessTimes().ok()?;
    let high = u64::from(created.dwHighDateTime) << 32;
    Some((high | u64::from(created.dwLowDateTime)).to_string())
}
