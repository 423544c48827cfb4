//! Listening, serving, ending.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App as Actix, HttpServer};
use anyhow::{Context as _, bail};
use bus::Bus;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use view::View;

use crate::app::App;
use crate::settings::Settings;
use crate::{accept, agents, api, door, health, refusals, webhook};

/// How long open requests may take to end, in seconds. Polls end at once.
const END_WITHIN_S: u64 = 8;

/// Threads for each listener: handlers only wait.
const THREADS: usize = 2;

/// Runs the gateway until `shutdown` is true.
///
/// # Errors
/// When a setting cannot be used, naming it, or when a listener ends by itself.
pub async fn run(
    settings: Settings,
    bus: Bus,
    view: View,
    shutdown: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    Gateway::bind(&settings, bus, view)?.serve(shutdown).await
}

/// A gateway that listens and does not serve yet: its addresses are known.
pub struct Gateway {
    app: Arc<App>,
    end: watch::Sender<bool>,
    public: TcpListener,
    local: TcpListener,
}

impl Gateway {
    /// Reads what the settings name, and listens.
    ///
    /// # Errors
    /// When a file cannot be used, an address cannot be had, or `local` is not on loopback.
    pub fn bind(settings: &Settings, bus: Bus, view: View) -> anyhow::Result<Self> {
        if !settings.local.ip().is_loopback() {
            bail!(
                "the API would listen on {}, where others could reach it, and it asks nobody who \
                 they are: set `local` to an address on loopback, such as 127.0.0.1:7401",
                settings.local
            );
        }
        let public = listen("public", settings.public)?;
        let local = listen("local", settings.local)?;
        let url = match &settings.url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", local.local_addr()?),
        };
        let (end, ending) = watch::channel(false);
        let app = Arc::new(App::new(settings, url, bus, view, ending)?);
        Ok(Self {
            app,
            end,
            public,
            local,
        })
    }

    /// Where webhooks and agents reach it.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn public_address(&self) -> std::io::Result<SocketAddr> {
        self.public.local_addr()
    }

    /// Where the API is.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn local_address(&self) -> std::io::Result<SocketAddr> {
        self.local.local_addr()
    }

    /// Serves until `shutdown` is true, then answers open polls at once and gives other open
    /// requests a few seconds.
    ///
    /// # Errors
    /// When a listener ends by itself or does not end in its time.
    pub async fn serve(self, mut shutdown: watch::Receiver<bool>) -> anyhow::Result<()> {
        tracing::info!(
            public = %self.public_address()?,
            local = %self.local_address()?,
            "gateway listens"
        );
        let app = Arc::clone(&self.app);
        let (handles, mut ended) = start(self.app, self.public, self.local)?;
        let followers = async {
            tokio::join!(
                agents::follow(&app),
                accept::follow(&app),
                refusals::follow(&app)
            );
            // The bus is closed: this process is about to end, and says when.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            // An error means that whoever could ask for a shutdown is gone.
            _ = shutdown.wait_for(|asked| *asked) => {}
            outcome = &mut ended => {
                outcome.context("the gateway's thread is gone")??;
                bail!("the gateway stopped listening by itself");
            }
            () = followers => {}
        }
        self.end.send_replace(true);
        if let Ok(handles) = handles.await {
            for handle in handles {
                drop(handle.stop(true));
            }
        }
        timeout(Duration::from_secs(END_WITHIN_S + 4), ended)
            .await
            .context("the gateway did not end in its time")?
            .context("the gateway's thread is gone")?
    }
}

fn listen(setting: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| {
        format!("the gateway cannot listen on {address}: set `{setting}` to a free address")
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

type Handles = oneshot::Receiver<[ServerHandle; 2]>;
type Ended = oneshot::Receiver<anyhow::Result<()>>;

/// actix runs handlers in a system of its own; it gets a thread of its own.
fn start(
    app: Arc<App>,
    public: TcpListener,
    local: TcpListener,
) -> anyhow::Result<(Handles, Ended)> {
    let (tell_handles, handles) = oneshot::channel();
    let (tell_end, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name("gateway".to_owned())
        .spawn(move || {
            let system = actix_web::rt::System::new();
            let outcome = system.block_on(async move {
                let public = serve_public(Data::from(Arc::clone(&app)), public)?;
                let local = serve_local(Data::from(app), local)?;
                // Nobody listens when the gateway was given up meanwhile.
                drop(tell_handles.send([public.handle(), local.handle()]));
                let (public, local) = tokio::join!(public, local);
                public.and(local).context("the gateway cannot serve")
            });
            drop(tell_end.send(outcome));
        })
        .context("the gateway's thread cannot start")?;
    Ok((handles, ended))
}

fn serve_public(app: Data<App>, listener: TcpListener) -> anyhow::Result<Server> {
    let server = HttpServer::new(move || {
        Actix::new()
            .app_data(app.clone())
            .wrap(from_fn(door::public))
            .configure(health::routes)
            .configure(webhook::routes)
            .configure(agents::routes)
    });
    Ok(server
        .workers(THREADS)
        .disable_signals()
        .shutdown_timeout(END_WITHIN_S)
        .listen(listener)?
        .run())
}

fn serve_local(app: Data<App>, listener: TcpListener) -> anyhow::Result<Server> {
    let server = HttpServer::new(move || {
        Actix::new()
            .app_data(app.clone())
            .wrap(from_fn(door::local))
            .configure(health::routes)
            .configure(api::routes)
    });
    Ok(server
        .workers(THREADS)
        .disable_signals()
        .shutdown_timeout(END_WITHIN_S)
        .listen(listener)?
        .run())
}
