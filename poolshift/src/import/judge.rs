//! Which backends are services, and how backends belong together.

use crate::haproxy::Pool;

/// What is made of a configuration's backends.
#[derive(Debug, Default)]
pub(crate) struct Judged<'a> {
    pub(crate) services: Vec<Service<'a>>,
    /// Backends that are none, each with the reason.
    pub(crate) skipped: Vec<String>,
}

/// A backend that customers reach, and those that belong to it.
#[derive(Debug)]
pub(crate) struct Service<'a> {
    pub(crate) online: &'a Pool,
    /// The pool of testers, when there is one already.
    pub(crate) maintenance: Option<&'a Pool>,
    /// The backend whose checks `online` follows.
    pub(crate) probe: Option<&'a str>,
}

/// Finds the services.
pub(crate) fn judge(pools: &[Pool]) -> Judged<'_> {
    let mut judged = Judged::default();
    for pool in pools {
        match role(pool, pools) {
            Role::Service => judged.services.push(Service {
                online: pool,
                maintenance: maintenance_of(pool, pools),
                probe: followed(pool).filter(|probe| *probe != pool.name),
            }),
            Role::Other(why) => judged
                .skipped
                .push(format!("{}: `{}` {why}", pool.place, pool.name)),
        }
    }
    judged
}

enum Role {
    Service,
    Other(String),
}

fn role(pool: &Pool, pools: &[Pool]) -> Role {
    if pool.servers.is_empty() {
        return Role::Other("has no servers".to_owned());
    }
    if !pool.is_http {
        let why = "is not in `mode http`: servers are led to and recognised by headers";
        return Role::Other(why.to_owned());
    }
    if pool.servers.iter().all(|server| server.is_backup) {
        return Role::Other("has only `backup` servers".to_owned());
    }
    if let Some(online) = pools.iter().find(|one| is_maintenance_of(pool, one)) {
        return Role::Other(format!("is the maintenance pool of `{}`", online.name));
    }
    let follower = pools
        .iter()
        .find(|one| one.name != pool.name && followed(one) == Some(&pool.name));
    match follower {
        // A maintenance pool may follow the online one: then that one is followed, and a service.
        Some(one) if !is_maintenance_of(one, pool) => {
            Role::Other(format!("owns the health checks of `{}`", one.name))
        }
        Some(_) | None => Role::Service,
    }
}

/// The backend that all servers of a pool track.
fn followed(pool: &Pool) -> Option<&str> {
    let mut tracked = pool.servers.iter().map(|server| &server.track);
    let (first, _) = tracked.next()?.as_ref()?;
    let same = |track: &Option<(String, String)>| track.as_ref().is_some_and(|(to, _)| to == first);
    tracked.all(same).then_some(first)
}

fn maintenance_of<'a>(online: &Pool, pools: &'a [Pool]) -> Option<&'a Pool> {
    pools.iter().find(|pool| is_maintenance_of(pool, online))
}

/// A pool of testers: out of service from the start, and it follows `online` or the same checks.
fn is_maintenance_of(pool: &Pool, online: &Pool) -> bool {
    let is_out = |pool: &Pool| pool.servers.iter().all(|server| server.is_disabled);
    let follows =
        followed(pool).is_some_and(|to| to == online.name || Some(to) == followed(online));
    pool.name != online.name && follows && is_out(pool) && !is_out(online)
}
