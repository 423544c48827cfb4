//! A look at this machine for somebody who asks: room, programs, artifacts, the clock. It changes
//! nothing, is no command and leaves no line in the journal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use events::{FolderSeen, Look, LookAt, Looked, ProgramSeen, UrlSeen};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Url};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::clients::describe;
use crate::gateway::Gateway;
use crate::hosts::Hosts;
use crate::{clock, platform};

/// All artifacts together: whoever asked waits.
const URLS_WITHIN: Duration = Duration::from_secs(5);

/// What Windows adds to the name of a program.
const ENDS: &[&str] = if cfg!(windows) {
    &["", ".exe", ".cmd", ".bat", ".com"]
} else {
    &[""]
};

/// Looks, beside the agent's work.
#[derive(Debug)]
pub(crate) struct Looker {
    data: PathBuf,
    store: Store,
    last: Option<Uuid>,
}

/// How artifacts are asked for: as a fetch would.
#[derive(Debug, Clone)]
struct Store {
    client: Client,
    hosts: Arc<Hosts>,
}

impl Looker {
    /// `data` is the agent's own folder; artifacts are asked for by `client` where `hosts` allow it.
    pub(crate) const fn new(data: PathBuf, client: Client, hosts: Arc<Hosts>) -> Self {
        Self {
            data,
            store: Store { client, hosts },
            last: None,
        }
    }

    /// Looks and answers; each question once, for polls repeat it until it is answered.
    pub(crate) fn look(&mut self, gateway: &Arc<Gateway>, look: Look) {
        if self.last.replace(look.id) == Some(look.id) {
            return;
        }
        let (gateway, data, store) = (gateway.clone(), self.data.clone(), self.store.clone());
        tokio::spawn(async move {
            let looked = looked(&data, &store, look).await;
            if let Err(error) = gateway.looked(&looked).await {
                tracing::warn!(%error, "what was seen of this machine could not be said");
            }
        });
    }
}

async fn looked(data: &Path, store: &Store, look: Look) -> Looked {
    let LookAt {
        mut folders,
        mut programs,
        mut urls,
    } = look.at;
    folders.truncate(LookAt::MOST);
    programs.truncate(LookAt::MOST);
    urls.truncate(LookAt::MOST);
    let mut asking = JoinSet::new();
    for (place, url) in urls.into_iter().enumerate() {
        let store = store.clone();
        asking.spawn(async move { (place, store.head(url).await) });
    }
    let mut urls = asking.join_all().await;
    urls.sort_by_key(|(place, _)| *place);
    folders.insert(0, data.display().to_string());
    Looked {
        id: look.id,
        folders: folders.into_iter().map(folder).collect(),
        programs: programs.into_iter().map(program).collect(),
        urls: urls.into_iter().map(|(_, seen)| seen).collect(),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        // The last thing that is looked at: the answer goes out now.
        clock: clock::wall(),
    }
}

fn folder(folder: String) -> FolderSeen {
    let there = Path::new(&folder).ancestors().find(|path| path.exists());
    FolderSeen {
        free_bytes: there.and_then(|path| platform::free_bytes(path).ok()),
        folder,
    }
}

/// As the system would find it: a path, or a name in one of the folders of `PATH`.
fn program(program: String) -> ProgramSeen {
    let is_there = |path: PathBuf| {
        ENDS.iter().any(|end| {
            let mut path = path.clone().into_os_string();
            path.push(end);
            Path::new(&path).is_file()
        })
    };
    let found = if Path::new(&program).components().count() > 1 {
        is_there(PathBuf::from(&program))
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| is_there(folder.join(&program)))
    };
    ProgramSeen { program, found }
}

impl Store {
    async fn head(&self, url: String) -> UrlSeen {
        let nothing = UrlSeen {
            url,
            status: None,
            why: None,
            forbidden: false,
            logged_in: false,
        };
        let login = match self.login(&nothing.url) {
            Ok(login) => login,
            Err(why) => {
                return UrlSeen {
                    why: Some(why),
                    forbidden: true,
                    ..nothing
                };
            }
        };
        let logged_in = login.is_some();
        let mut request = self.client.head(&nothing.url).timeout(URLS_WITHIN);
        if let Some((name, value)) = login {
            request = request.header(name, value);
        }
        let (status, why) = match request.send().await {
            Ok(answer) => (Some(answer.status().as_u16()), None),
            Err(error) => (None, Some(describe(error))),
        };
        UrlSeen {
            status,
            why,
            logged_in,
            ..nothing
        }
    }

    /// What a fetch would send along; or why none would go there.
    fn login(&self, url: &str) -> Result<Option<(HeaderName, HeaderValue)>, String> {
        let url = Url::parse(url).map_err(|error| format!("the address is none: {error}"))?;
        self.hosts.allow(&url)?;
        self.hosts.login(&url)
    }
}
