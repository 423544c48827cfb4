//! One balancer of the target: its controller's settings, its socket, and all that can be seen
//! through it.

use std::io::ErrorKind;

use events::Balancer;
use lb_controller::{AdminSocket, Settings, check_version};

use crate::doctor::{Findings, Patient, config, pools, state, testers};
use crate::haproxy::Running;

pub(super) async fn check(patient: &Patient<'_>, balancer: &Balancer, found: &mut Findings) {
    let place = format!("balancer {}", balancer.name);
    let mut controllers = patient.controllers.iter();
    let Some(settings) = controllers.find(|one| one.name == balancer.name) else {
        missing(patient, balancer, place, found);
        return;
    };
    let file = patient.settings.display();
    if let Err(error) = settings.check() {
        let mend = format!(
            "give HAProxy a Unix socket and name that in {file}; or take the risk by insecure_socket = true"
        );
        found.add("open-socket", &place, error.to_string(), mend);
    }
    state::folder(settings, &place, found);
    let running = match Running::ask(&settings.socket()).await {
        Ok(running) => running,
        Err(error) => {
            let mend = mend_socket(settings);
            found.add("socket", &place, format!("{error:#}"), mend);
            return;
        }
    };
    if running.level != "admin" {
        found.add(
            "socket-level",
            &place,
            format!("{} has `level {}`", settings.socket(), running.level),
            "write `level admin` on its `stats socket` line: nothing can be drained otherwise",
        );
    }
    if let Err(error) = check_version(&running.version) {
        let mend = "install HAProxy 2.6 or later";
        found.add("haproxy-version", &place, error.to_string(), mend);
    }
    pools::check(patient, &running, &place, found);
    config::check(patient, settings, &running, &place, found);
    testers::check(patient, balancer, &running, &place, found).await;
}

fn missing(patient: &Patient<'_>, balancer: &Balancer, place: String, found: &mut Findings) {
    let mut servers = patient.view.into_iter().flat_map(|view| &view.servers);
    let is_seen = servers.any(|one| one.pools.iter().any(|pool| pool.balancer == balancer.name));
    let file = patient.settings.display();
    if is_seen {
        found.skip(
            place,
            "its lb-controller runs elsewhere: run this beside it, too",
        );
        return;
    }
    found.add(
        "no-controller",
        place,
        format!("no [[lb_controller]] of {file} has this name, and none was ever heard of"),
        format!(
            "add [[lb_controller]] with name = \"{}\" to {file}",
            balancer.name
        ),
    );
}

/// What to do about a socket that does not answer.
fn mend_socket(settings: &Settings) -> String {
    let AdminSocket::Unix(path) = settings.socket() else {
        return "start HAProxy, and see that it listens there".to_owned();
    };
    match std::os::unix::net::UnixStream::connect(&path).map_err(|error| error.kind()) {
        Err(ErrorKind::PermissionDenied) => {
            "run this as the user of `poolshift serve`, and let that be the user or in the group of \
             `stats socket`"
                .to_owned()
        }
        Err(ErrorKind::ConnectionRefused) => "start HAProxy: nobody listens there".to_owned(),
        Ok(_) => "HAProxy runs and listens there, and does not answer in time: look at its CPU, and \
                  at who else holds the socket (`ss -xp`)"
            .to_owned(),
        Err(_) => format!(
            "start HAProxy with `stats socket {} mode 600 level admin`",
            path.display()
        ),
    }
}
