//! An agent of the version before: it sends what was recorded of one, with other names in it, and
//! understands of an answer what stood in the recorded ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use events::Timestamp;
use poolshift_tests::clock::now_ms;
use poolshift_tests::former::{Exchange, gap, wire};
use poolshift_tests::http::Response;
use poolshift_tests::shop::{self, Release};
use poolshift_tests::world::World;
use serde_json::{Value, json};
use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

const RESTART: Duration = Duration::from_secs(30);

pub(crate) struct Former<'a> {
    world: &'a World,
    shop: PathBuf,
    key: SigningKey,
    token: String,
    etag: Option<String>,
    /// Ids of commands that it has carried out.
    done: Vec<String>,
    /// How many reports it has handed in.
    reports: Cell<u64>,
    /// Kinds of work that it was told of.
    pub(crate) told: Vec<String>,
}

/// The first recorded request to this path.
fn recorded(part: &str, path: &str) -> Exchange {
    let mut all = wire(part).unwrap().into_iter();
    all.find(|one| one.path == path).unwrap()
}

/// The first recorded report of this kind.
fn report(part: &str, kind: &str) -> Value {
    let all = wire(part).unwrap();
    let mut reports = all.iter().flat_map(|one| one.body["reports"].as_array());
    let found = reports.find_map(|batch| batch.iter().find(|report| report["kind"] == kind));
    found.unwrap().clone()
}

/// What the gateway of that version answered when this kind of work was outstanding.
fn assignment(kind: &str) -> Value {
    let all = wire("forward").unwrap();
    let mut told = all
        .iter()
        .filter_map(|one| one.answer["assignments"].get(0));
    let fits = |one: &&Value| match kind {
        "idle" => one["record"]["record"] == "idle",
        _ => one["record"]["work"]["kind"] == kind,
    };
    let found = told.find(fits);
    found
        .unwrap_or_else(|| panic!("an agent of 0.1 does not know `{kind}`, and refuses it"))
        .clone()
}

impl<'a> Former<'a> {
    /// Lets machine m1 in.
    pub(crate) async fn enrol(world: &'a World, shop: PathBuf) -> Self {
        let mut former = Self {
            world,
            shop,
            key: SigningKey::from_bytes(&[7; 32]),
            token: String::new(),
            etag: None,
            done: vec![],
            reports: Cell::default(),
            told: vec![],
        };
        let code = world
            .api
            .post("/machines/m1/enrol", &json!({}))
            .await
            .unwrap();
        let code = code["code"].as_str().unwrap();
        let key = BASE64.encode(former.key.verifying_key().as_bytes());
        let mut enrol = recorded("enrolment", "/agents/v1/enrol");
        enrol.body["code"] = code.into();
        enrol.body["public_key"] = key.clone().into();
        enrol.body["signature"] = former.sign(&format!("m1\n{code}\n{key}")).into();
        let answer = former.send(&enrol).await;
        former.token = body(&answer)["token"].as_str().unwrap().to_owned();
        former
    }

    /// Asks for a token by its signature.
    pub(crate) async fn renew(&mut self) {
        let mut renew = recorded("renewal-by-signature", "/agents/v1/token");
        let now = i64::try_from(now_ms()).unwrap();
        let at = Timestamp::from_ms(now).to_string();
        renew.body["issued_at"] = at.clone().into();
        renew.body["signature"] = self.sign(&format!("m1\n{at}")).into();
        let answer = self.send(&renew).await;
        self.token = body(&answer)["token"].as_str().unwrap().to_owned();
    }

    fn sign(&self, text: &str) -> String {
        BASE64.encode(self.key.sign(text.as_bytes()).to_bytes())
    }

    /// Sends a request as it was recorded, under its own token; the answer has the status and all
    /// that the recorded one had.
    pub(crate) async fn send(&self, exchange: &Exchange) -> Response {
        let response = self.send_any(exchange).await;
        assert_eq!(
            response.status, exchange.status,
            "{exchange:?}: {response:?}"
        );
        if !exchange.answer.is_null() {
            let gap = gap(&exchange.answer, &body(&response));
            assert_eq!(gap, None, "{}", String::from_utf8_lossy(&response.body));
        }
        response
    }

    async fn send_any(&self, exchange: &Exchange) -> Response {
        let own = |name: &str, value: &str| match name {
            "authorization" => format!("Bearer {}", self.token),
            "if-none-match" => self.etag.clone().unwrap_or_default(),
            _ => value.to_owned(),
        };
        let headers = exchange.headers.iter();
        let headers: Vec<(&str, String)> = headers
            .map(|(name, value)| (name.as_str(), own(name, value)))
            .collect();
        let sent = if exchange.body.is_null() {
            String::new()
        } else {
            exchange.body.to_string()
        };
        let door = self.world.api.public;
        let (method, path) = (&exchange.method, &exchange.path);
        let asked = self.world.api.ask(door, method, path, &headers, &sent);
        asked.await.unwrap()
    }

    /// Polls and works for ever.
    pub(crate) async fn work(&mut self) {
        loop {
            let assignment = self.poll().await;
            let record = &assignment["record"];
            let kind = record["work"]["kind"].as_str().unwrap_or("idle");
            let form = self::assignment(kind);
            assert_eq!(gap(&form, &assignment), None, "{assignment}");
            self.told.push(kind.to_owned());
            let id = record["id"].as_str().unwrap_or_default().to_owned();
            if !self.done.contains(&id) {
                self.carry_out(kind, &id, record).await;
                self.done.push(id);
            }
        }
    }

    /// What the only server of this machine is to do, as soon as it is something else.
    async fn poll(&mut self) -> Value {
        loop {
            let mut poll = recorded("forward", "/agents/v1/commands");
            poll.headers.retain(|(name, _)| name != "if-none-match");
            if let Some(etag) = &self.etag {
                poll.headers
                    .push(("if-none-match".to_owned(), etag.clone()));
            }
            let answer = self.send_any(&poll).await;
            self.etag = answer.header("etag").map(str::to_owned);
            if answer.status == 200
                && let Some(assignment) = body(&answer)["assignments"].get(0)
            {
                return assignment.clone();
            }
        }
    }

    async fn carry_out(&self, kind: &str, id: &str, record: &Value) {
        let answer = match kind {
            "fetch" => "poolshift.fetched",
            "install" => "poolshift.installed",
            "test" => "poolshift.tests-passed",
            _ => return,
        };
        let work = &record["work"];
        self.say(report("forward", "poolshift.command-started"), id, &[])
            .await;
        if kind == "install" {
            let version = work["version"].as_str().unwrap();
            let home = &self.world.stage.fleet.servers[0].home;
            home.install(&Release::good(version)).unwrap();
            shop::restart(&self.shop, home, RESTART).await.unwrap();
        }
        let sha256 = &work["artifact"]["sha256"];
        let version = &work["version"];
        let names: &[(&str, &Value)] = match kind {
            "fetch" => &[("/sha256", sha256)],
            "install" => &[("/sha256_runs", sha256), ("/version", version)],
            _ => &[("/answered_by/version", &work["expect"]["version"])],
        };
        self.say(report("forward", answer), id, names).await;
    }

    /// Hands a recorded report in, about this command and with these names in its body.
    async fn say(&self, mut report: Value, id: &str, names: &[(&str, &Value)]) {
        report["body"]["command"] = id.into();
        for (place, name) in names {
            *report["body"].pointer_mut(place).unwrap() = (*name).clone();
        }
        self.hand_in(report).await;
    }

    /// Hands a recorded report in under an id of its own; it is taken.
    pub(crate) async fn hand_in(&self, mut report: Value) {
        report["target"] = self.world.target.to_string().into();
        self.reports.set(self.reports.get() + 1);
        let id = report["id"].as_str().unwrap();
        report["id"] = format!("{}{:012x}", &id[..24], self.reports.get()).into();
        let mut exchange = recorded("forward", "/agents/v1/reports");
        exchange.body = json!({ "reports": [report] });
        let answer = body(&self.send(&exchange).await);
        assert_eq!(answer[0]["taken"], true, "{answer}");
        assert_eq!(answer[0]["id"], exchange.body["reports"][0]["id"]);
    }
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}
