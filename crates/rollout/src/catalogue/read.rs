//! A service file as a whole.

use events::{EnvironmentName, ServiceName, Suite, Target};
use toml::de::DeTable;

use super::entry::{ArtifactRule, CheckRule, Entry, InstallRule, Jenkins, RolloutRule};
use super::environment::environment;
use super::forms;
use super::gates::refuse_unknown_source;
use super::page::{Page, shown};
use super::problem::Problems;
use super::section::Section;
use super::servers::Taken;
use super::syntax::refuse_syntax;
use super::value::{Value, refuse_name};
use super::{artifact, check, install, rollout, suites, watch};

/// What one service file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The service.
    pub name: ServiceName,
    /// Who answers for it.
    pub owner: String,
    /// One entry for each environment, in the order of the file; at least one.
    pub entries: Vec<Entry>,
}

/// Reads a service file.
///
/// # Errors
/// Everything that is wrong with it, in order of place. A text that is not TOML has one problem,
/// the first.
pub fn read(text: &str) -> Result<Service, Problems> {
    let page = Page::new(text);
    let service = service(&page);
    finish(page, service)
}

/// Reads a service file for one of its environments.
///
/// # Errors
/// As [`read`]; and when the file is about another service or lacks the environment.
pub fn entry_of(text: &str, target: &Target) -> Result<Entry, Problems> {
    let mut service = read(text)?;
    let found = service
        .entries
        .iter()
        .position(|entry| &entry.target == target);
    if let Some(index) = found {
        return Ok(service.entries.swap_remove(index));
    }
    let page = Page::new(text);
    let name = service.name.as_str();
    if name == target.service() {
        let names: Vec<_> = service
            .entries
            .iter()
            .map(|entry| entry.target.environment())
            .collect();
        page.refuse(
            place_of(text, "environments"),
            format!("`{name}` has no environment `{}`", target.environment()),
            format!("ask for one of {}, or add the section", names.join(", ")),
        );
    } else {
        page.refuse(
            place_of(text, "name"),
            format!(
                "this file is about `{name}`, not about `{}`",
                target.service()
            ),
            format!("take the file of `{}`", target.service()),
        );
    }
    Err(page.problems())
}

/// All but the environments.
struct Common {
    name: ServiceName,
    owner: String,
    jenkins: Option<Jenkins>,
    artifact: ArtifactRule,
    install: InstallRule,
    tests: Vec<Suite>,
    check: CheckRule,
    rollout: RolloutRule,
}

impl Common {
    fn entry(
        &self,
        environment: &EnvironmentName,
        environments: Vec<EnvironmentName>,
        place: super::environment::Environment,
    ) -> Entry {
        Entry {
            target: Target::new(environment, &self.name),
            owner: self.owner.clone(),
            jenkins: self.jenkins.clone(),
            artifact: self.artifact.clone(),
            install: self.install.clone(),
            tests: self.tests.clone(),
            check: self.check.clone(),
            rollout: self.rollout.clone(),
            balancers: place.balancers,
            own: place.own,
            online: place.online,
            maintenance: place.maintenance,
            probe: place.probe,
            approvals: place.approvals,
            low_trust: place.low_trust,
            gates: place.gates,
            environments,
            servers: place.servers,
        }
    }
}

fn service(page: &Page<'_>) -> Option<Service> {
    let root = match DeTable::parse(page.text()) {
        Ok(root) => root.into_inner(),
        Err(error) => {
            refuse_syntax(page, &error);
            return None;
        }
    };
    let root = Section::open(page, &forms::ROOT, "this file".to_owned(), &root, 0);
    let (rule, floor_at) = root
        .maybe("rollout")
        .and_then(|value| value.section(&forms::ROLLOUT))
        .map_or_else(
            || (rollout::by_default(), None),
            |section| rollout::rollout(&section),
        );
    let install = root
        .need("install")
        .and_then(|value| value.section(&forms::INSTALL))
        .and_then(|section| install::install(&section));
    let places = environments(page, &root, &rule, floor_at, install.as_ref());
    let common = common(&root, install, rule)?;
    let places = places?;
    refuse_environment(&root, &common, &places);
    let names: Vec<_> = places.iter().map(|(name, _)| name.clone()).collect();
    let entries = places
        .into_iter()
        .map(|(name, place)| common.entry(&name, names.clone(), place))
        .collect();
    Some(Service {
        name: common.name,
        owner: common.owner,
        entries,
    })
}

/// Builds go where the service is.
fn refuse_environment(root: &Section<'_>, common: &Common, places: &Places) {
    let environment = common.jenkins.as_ref().and_then(|jenkins| {
        let name = jenkins.environment.as_deref()?;
        let known = places.iter().any(|(place, _)| place.as_str() == name);
        (!known).then_some(name)
    });
    let at = root.maybe("jenkins");
    if let (Some(name), Some(at)) = (environment, at) {
        let known: Vec<&str> = places.iter().map(|(place, _)| place.as_str()).collect();
        at.refuse(
            format!(
                "`environment` of [jenkins] is `{}`, which is not here",
                shown(name)
            ),
            format!("write one of {}", known.join(", ")),
        );
    }
}

fn common(
    root: &Section<'_>,
    install: Option<InstallRule>,
    rollout: RolloutRule,
) -> Option<Common> {
    let name = root.need("name").and_then(|value| value.name());
    let owner = root
        .need("owner")
        .and_then(|value| value.text())
        .map(str::to_owned);
    let jenkins = root.maybe("jenkins").map(|value| {
        value
            .section(&forms::JENKINS)
            .and_then(|section| artifact::jenkins(&section))
    });
    let artifact = root.need("artifact").and_then(|value| {
        value
            .section(&forms::ARTIFACT)
            .and_then(|section| artifact::artifact(&section))
    });
    let tests = root
        .maybe("tests")
        .map_or(Some(Vec::new()), |value| suites::suites(&value));
    let check = root.need("check").and_then(|value| {
        value
            .section(&forms::CHECK)
            .and_then(|section| check::check(&section))
    });
    if let Some(check) = &check {
        watch::refuse_unseen(root, check, rollout.watch.as_ref());
    }
    Some(Common {
        name: name?,
        owner: owner?,
        jenkins: match jenkins {
            Some(jenkins) => Some(jenkins?),
            None => None,
        },
        artifact: artifact?,
        install: install?,
        tests: tests?,
        check: check?,
        rollout,
    })
}

type Places = Vec<(EnvironmentName, super::environment::Environment)>;

fn environments(
    page: &Page<'_>,
    root: &Section<'_>,
    rule: &RolloutRule,
    floor_at: Option<usize>,
    install: Option<&InstallRule>,
) -> Option<Places> {
    let value = root.need("environments")?;
    let named = Section::named(page, "environments", value.table()?);
    if named.is_empty() {
        value.refuse(
            "there is no environment",
            format!("add {}", value.example()),
        );
        return None;
    }
    let mut taken = Taken::new(install);
    let read = |(text, at, value): (&str, usize, Value<'_>)| {
        let name = text
            .parse::<EnvironmentName>()
            .inspect_err(|error| refuse_name(page, at, text, error))
            .ok();
        let title = format!("[environments.{}]", shown(text));
        let section = value.titled(&forms::ENVIRONMENT, title)?;
        let place = environment(&section, &mut taken)?;
        let servers_at = section
            .maybe("servers")
            .map_or(section.at, |value| value.at);
        refuse_floor(
            page,
            floor_at.unwrap_or(servers_at),
            rule,
            section.title(),
            &place,
        );
        if rule.watch.is_some()
            && place.balancers.is_empty()
            && let Some(value) = section.maybe("balancers")
        {
            value.refuse(
                format!(
                    "nobody can watch {}: a watch counts what load balancers count",
                    section.title()
                ),
                "remove `watch` from [rollout], or name the load balancers in front",
            );
        }
        Some((name?, place))
    };
    let places: Vec<_> = named.into_iter().map(read).collect();
    let places: Places = places.into_iter().collect::<Option<_>>()?;
    refuse_unknown_source(page, &places);
    Some(places)
}

/// Refuses a floor under which no server could ever be taken out.
fn refuse_floor(
    page: &Page<'_>,
    at: usize,
    rule: &RolloutRule,
    title: &str,
    place: &super::environment::Environment,
) {
    let total = u32::try_from(place.servers.len()).unwrap_or(u32::MAX);
    let floor = rule.floor.floor_of(total);
    if floor < total {
        return;
    }
    let mend = match total {
        1 => {
            "write floor = 0 in [rollout]: nobody is served while the only server is out".to_owned()
        }
        _ => format!(
            "write at most floor = {} in [rollout], or add servers",
            total - 1
        ),
    };
    page.refuse(
        at,
        format!("a floor of {floor} leaves no server to take: {title} has {total}"),
        mend,
    );
}

/// Where a key stands at the top of a text that has been read before.
fn place_of(text: &str, key: &str) -> usize {
    let root = DeTable::parse(text)
        .map(toml::Spanned::into_inner)
        .unwrap_or_default();
    root.get_key_value(key)
        .map_or(0, |(key, _)| key.span().start)
}

fn finish(page: Page<'_>, service: Option<Service>) -> Result<Service, Problems> {
    let problems = page.problems();
    match service {
        Some(service) if problems.0.is_empty() => Ok(service),
        Some(_) | None => Err(problems),
    }
}
