//! Windows' service manager: the agent as a service of it, and the services that are rolled out.

use std::ffi::{OsStr, OsString};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use windows_service::service::{
    Service, ServiceAccess, ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState,
    ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{self, ServiceControlHandlerResult};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
use windows_service::{define_windows_service, service_dispatcher};

use super::process;
use crate::cli;
use crate::settings::{Settings, SettingsArgs};

/// What only this system's command line has.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Windows' service manager.
    #[command(subcommand)]
    Service(ServiceVerb),
}

/// What is done with the service manager.
#[derive(Debug, clap::Subcommand)]
pub enum ServiceVerb {
    /// Work for ever, started by the service manager: `sc.exe create poolshift-agent binPath=
    /// "C:\poolshift\poolshift-agent.exe service run --config C:\poolshift\agent.toml"`. Logs to
    /// agent.DATE.log in the data folder, of which 14 days are kept.
    Run(SettingsArgs),
    /// Stop a service and wait until its process is gone. Good too when it does not run.
    Stop(Named),
    /// Start a service and wait until it runs. Good too when it runs already.
    Start(Named),
}

/// A service, and how long it may take.
#[derive(Debug, clap::Args)]
pub struct Named {
    /// Its name in the service manager.
    name: String,
    /// How long to wait.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    within: u64,
}

/// The name that the manager gave is not looked at: a process of this kind holds one service.
const OWN: &str = "poolshift-agent";
const LOGS_MAX: usize = 14;
const LOOK: Duration = Duration::from_millis(100);
/// "The service has not been started", and "an instance is already running".
const NOT_ACTIVE: i32 = 1062;
const ALREADY_RUNS: i32 = 1056;
/// What a service ends with that cannot work, so that the manager's recovery begins.
const BROKEN: ServiceExitCode = ServiceExitCode::ServiceSpecific(1);

/// What the manager's thread takes up: it gives nothing on the way.
static SETTINGS: Mutex<Option<Settings>> = Mutex::new(None);

define_windows_service!(entry, serve);

impl Verb {
    /// Does it.
    ///
    /// # Errors
    /// What is wrong, and how to mend it.
    pub fn obey(self) -> anyhow::Result<()> {
        let Self::Service(verb) = self;
        match verb {
            ServiceVerb::Run(settings) => run(settings.settings()?),
            ServiceVerb::Stop(named) => cli::in_runtime(on_stderr(), stop(named)),
            ServiceVerb::Start(named) => cli::in_runtime(on_stderr(), start(named)),
        }
    }
}

fn on_stderr() -> BoxMakeWriter {
    BoxMakeWriter::new(std::io::stderr)
}

fn run(settings: Settings) -> anyhow::Result<()> {
    *SETTINGS.lock().unwrap_or_else(PoisonError::into_inner) = Some(settings);
    service_dispatcher::start(OWN, entry)
        .context("only the service manager can start this; on a console, use `poolshift-agent run`")
}

/// The service's life, on a thread of the manager's.
fn serve(_arguments: Vec<OsString>) {
    let (end, ended) = watch::channel(false);
    let registered = service_control_handler::register(OWN, move |control| match control {
        ServiceControl::Stop | ServiceControl::Shutdown => {
            end.send_replace(true);
            ServiceControlHandlerResult::NoError
        }
        ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
        _ => ServiceControlHandlerResult::NotImplemented,
    });
    // Without a handle nobody can be told anything: the manager sees that this process has ended.
    let Ok(manager) = registered else {
        return;
    };
    let tell = |state, exit_code| {
        let _told = manager.set_service_status(ServiceStatus {
            service_type: ServiceType::OWN_PROCESS,
            current_state: state,
            controls_accepted: ServiceControlAccept::STOP | ServiceControlAccept::SHUTDOWN,
            exit_code,
            checkpoint: 0,
            wait_hint: Duration::ZERO,
            process_id: None,
        });
    };
    tell(ServiceState::Running, ServiceExitCode::NO_ERROR);
    let exit_code = match work(ended) {
        Ok(()) => ServiceExitCode::NO_ERROR,
        Err(_) => BROKEN,
    };
    tell(ServiceState::Stopped, exit_code);
}

/// Works until it is told to stop. Work in the middle is no matter: the next life finds it.
fn work(mut ended: watch::Receiver<bool>) -> anyhow::Result<()> {
    let settings = SETTINGS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let settings = settings.context("the settings are gone")?;
    std::fs::create_dir_all(&settings.data).context("make the data folder")?;
    let log = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("agent")
        .filename_suffix("log")
        .max_log_files(LOGS_MAX)
        .build(&settings.data)
        .context("open the log")?;
    cli::in_runtime(BoxMakeWriter::new(log), async move {
        let run = tokio::select! {
            run = cli::run(settings) => run,
            _ = ended.wait_for(|is_told| *is_told) => {
                tracing::info!("told to stop");
                Ok(())
            }
        };
        if let Err(error) = &run {
            tracing::error!("{error:#}");
        }
        run
    })
}

async fn stop(named: Named) -> anyhow::Result<()> {
    let until = Instant::now() + Duration::from_secs(named.within);
    let service = open(
        &named.name,
        ServiceAccess::QUERY_STATUS | ServiceAccess::STOP,
    )?;
    // Asked while it runs: a stopped service has no process any more.
    let process = status(&service)?.process_id;
    let process = process.and_then(|pid| Some((pid, process::born(pid)?)));
    match service.stop() {
        Err(error) if code(&error) != Some(NOT_ACTIVE) && !is_stopping(&service)? => {
            return Err(error).with_context(|| format!("stop the service `{}`", named.name));
        }
        Ok(_) | Err(_) => {}
    }
    reach(&service, ServiceState::Stopped, &named, until).await?;
    let Some((pid, born)) = process else {
        return Ok(());
    };
    while process::is_alive(pid, &born) {
        if Instant::now() >= until {
            bail!(
                "the service `{}` has stopped, but its process {pid} goes on",
                named.name
            );
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

async fn start(named: Named) -> anyhow::Result<()> {
    let until = Instant::now() + Duration::from_secs(named.within);
    let service = open(
        &named.name,
        ServiceAccess::QUERY_STATUS | ServiceAccess::START,
    )?;
    match service.start::<&OsStr>(&[]) {
        Err(error) if code(&error) != Some(ALREADY_RUNS) => {
            return Err(error).with_context(|| format!("start the service `{}`", named.name));
        }
        Ok(()) | Err(_) => {}
    }
    reach(&service, ServiceState::Running, &named, until).await
}

fn open(name: &str, rights: ServiceAccess) -> anyhow::Result<Service> {
    let manager = ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT)
        .context("reach the service manager")?;
    manager
        .open_service(name, rights)
        .with_context(|| format!("open the service `{name}`; `sc.exe query` lists all there are"))
}

fn status(service: &Service) -> anyhow::Result<ServiceStatus> {
    service.query_status().context("ask how the service does")
}

fn is_stopping(service: &Service) -> anyhow::Result<bool> {
    Ok(status(service)?.current_state == ServiceState::StopPending)
}

async fn reach(
    service: &Service,
    wanted: ServiceState,
    named: &Named,
    until: Instant,
) -> anyhow::Result<()> {
    loop {
        let status = status(service)?;
        let state = status.current_state;
        if state == wanted {
            return Ok(());
        }
        let name = &named.name;
        if wanted == ServiceState::Running && state == ServiceState::Stopped {
            bail!(
                "the service `{name}` stopped at once: {:?}",
                status.exit_code
            );
        }
        if Instant::now() >= until {
            let within = named.within;
            bail!("the service `{name}` is {state:?} after {within} s, not {wanted:?}");
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn code(error: &windows_service::Error) -> Option<i32> {
    if let windows_service::Error::Winapi(error) = error {
        error.raw_os_error()
    } else {
        None
    }
}
