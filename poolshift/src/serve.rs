//! `poolshift serve`: all of Poolshift in one process.

mod parts;
mod settings;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use bus::Bus;
use gateway::Gateway;
use tokio::sync::watch;
use view::View;

use crate::client::Client;
use crate::{catalogue, said, verbs};

pub(crate) use settings::Settings;

use parts::{Parts, Stage};

/// How long the bus may take to answer what waits, and to let go of the file.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// Runs everything until `shutdown` is true, or until a part ends by itself.
///
/// # Errors
/// When a part cannot start or ends by itself, naming it; when one does not end in its time.
pub(crate) async fn run(settings: Settings, shutdown: watch::Receiver<bool>) -> anyhow::Result<()> {
    let services = match &settings.catalogue {
        None => Vec::new(),
        Some(folder) => catalogue::load(std::slice::from_ref(folder))?,
    };
    let bus = open(&settings.log).await?;
    let outcome = serve(settings, services, bus.clone(), shutdown).await;
    let closed = tokio::time::timeout(CLOSE_WITHIN, bus.close()).await;
    outcome?;
    closed
        .context("the log did not close in its time")?
        .context("the log did not close")
}

async fn open(log: &Path) -> anyhow::Result<Bus> {
    let path = log.to_owned();
    let opened = tokio::task::spawn_blocking(move || Bus::open(&path)).await;
    opened
        .context("opening the log broke off")?
        .with_context(|| format!("cannot open the log {}", log.display()))
}

async fn serve(
    settings: Settings,
    services: Vec<catalogue::File>,
    bus: Bus,
    shutdown: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let view = View::in_memory();
    let gateway = Gateway::bind(&settings.gateway(), bus.clone(), view.clone())?;
    let api = format!("http://{}", gateway.local_address()?);
    let listening = listening(&settings, &gateway, &api)?;
    let mut parts = Parts::default();
    parts.start(Stage::Orchestrator, "orchestrator".to_owned(), |shutdown| {
        orchestrator::run(settings.orchestrator, bus.clone(), view, shutdown)
    });
    for balancer in settings.lb_controller {
        let name = format!("lb-controller {}", balancer.name);
        parts.start(Stage::Workers, name, |shutdown| {
            lb_controller::run(balancer, bus.clone(), shutdown)
        });
    }
    parts.start(Stage::Workers, "health-checker".to_owned(), |shutdown| {
        health_checker::run(settings.health_checker, bus.clone(), shutdown)
    });
    parts.start(Stage::Gateway, "gateway".to_owned(), |shutdown| {
        gateway.serve(shutdown)
    });
    said::line(&listening)?;
    parts.start(Stage::Gateway, "catalogue".to_owned(), |shutdown| {
        define(api, services, shutdown)
    });
    parts.until(shutdown).await
}

/// One line for people and scripts: where everything listens.
fn listening(settings: &Settings, gateway: &Gateway, api: &str) -> anyhow::Result<String> {
    let balancers: Vec<&str> = settings
        .lb_controller
        .iter()
        .map(|balancer| balancer.name.as_str())
        .collect();
    let balancers = if balancers.is_empty() {
        "none".to_owned()
    } else {
        balancers.join(", ")
    };
    Ok(format!(
        "poolshift serves: api {api} (this machine only), webhooks and agents http://{}, \
         balancers {balancers}, log {}",
        gateway.public_address()?,
        settings.log.display()
    ))
}

/// Brings the catalogue in through the same door as `poolshift apply`, then waits for the end. A
/// target that cannot take its entry must not keep the others from running.
async fn define(
    api: String,
    services: Vec<catalogue::File>,
    mut shutdown: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let work = async {
        if services.is_empty() {
            return Ok(());
        }
        let client = Client::new(&api)?;
        for applied in verbs::apply::define(&client, &services, None).await? {
            tracing::info!(entry = %applied.target, changed = applied.changed, "catalogue");
        }
        anyhow::Ok(())
    };
    // An error of the channel is the end of its sender: whoever could ask for a shutdown is gone.
    tokio::select! {
        done = work => if let Err(error) = done {
            tracing::error!("the catalogue does not count as a whole: {error:#}");
        },
        _ = shutdown.wait_for(|asked| *asked) => return Ok(()),
    }
    drop(shutdown.wait_for(|asked| *asked).await);
    Ok(())
}
