//! A service: says over HTTP which version it is. Beside its release's folder lie `port`, where it
//! listens, and `starts`, where it adds its version each time it starts.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use windows_service::service::{
    ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{
    self, ServiceControlHandlerResult, ServiceStatusHandle,
};
use windows_service::{define_windows_service, service_dispatcher};

use super::Result;

/// How long it takes to end when it is told to: its files are in use until then.
const LAST_WORDS: Duration = Duration::from_millis(700);

define_windows_service!(entry, live);

pub(super) fn serve() -> Result<()> {
    Ok(service_dispatcher::start("puppet", entry)?)
}

fn live(_arguments: Vec<OsString>) {
    // Nobody reads what a service prints: that it does not answer is what tells.
    let _told = try_live();
}

fn try_live() -> Result<()> {
    let (end, ended) = mpsc::channel();
    let manager = service_control_handler::register("puppet", move |control| match control {
        ServiceControl::Stop => {
            let _told = end.send(());
            ServiceControlHandlerResult::NoError
        }
        ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
        _ => ServiceControlHandlerResult::NotImplemented,
    })?;
    let release = std::env::current_exe()?;
    let release = release.parent().map(PathBuf::from).unwrap_or_default();
    let home = release.parent().map(PathBuf::from).unwrap_or_default();
    let version = std::fs::read_to_string(release.join("VERSION"))?;
    let port = std::fs::read_to_string(home.join("port"))?;
    let listener = TcpListener::bind(("127.0.0.1", port.trim().parse()?))?;
    super::append(&home.join("starts"), &format!("{version}\n"))?;
    tell(manager, ServiceState::Running)?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _answered = answer(stream, &version);
        }
    });
    ended.recv()?;
    tell(manager, ServiceState::StopPending)?;
    std::thread::park_timeout(LAST_WORDS);
    tell(manager, ServiceState::Stopped)
}

fn tell(manager: ServiceStatusHandle, state: ServiceState) -> Result<()> {
    Ok(manager.set_service_status(ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state: state,
        controls_accepted: ServiceControlAccept::STOP,
        exit_code: ServiceExitCode::NO_ERROR,
        checkpoint: 0,
        wait_hint: LAST_WORDS,
        process_id: None,
    })?)
}

fn answer(mut stream: TcpStream, version: &str) -> Result<()> {
    let mut asked: Vec<u8> = Vec::new();
    let mut part = [0; 1024];
    while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut part)?;
        if read == 0 {
            return Ok(());
        }
        asked.extend(part.iter().take(read));
    }
    let version = version.trim();
    let bytes = version.len();
    let head = "HTTP/1.1 200 OK\r\nx-answered-by: web1\r\nconnection: close\r\ncontent-length";
    Ok(stream.write_all(format!("{head}: {bytes}\r\n\r\n{version}").as_bytes())?)
}
