//! Switches that break a rule on purpose are for the walks alone.

use crate::finding::{Finding, none};
use crate::workspace::metadata;

const SWITCH: &str = "breakable";
const HOME: &str = "poolshift-rollout";
const ALLOWED: &str = "poolshift-simulation";

#[test]
fn only_the_simulation_can_break_a_rule_of_the_brain() {
    let metadata = metadata();
    let mut found = Vec::new();
    let mut allowed = 0;
    for package in metadata.workspace_packages() {
        let asks = package.dependencies.iter().any(|dependency| {
            dependency.name == HOME && dependency.features.iter().any(|feature| feature == SWITCH)
        });
        let passes_on = package
            .features
            .values()
            .flatten()
            .any(|feature| feature.ends_with(&format!("/{SWITCH}")));
        if package.name == ALLOWED {
            allowed += usize::from(asks);
        } else if asks || passes_on {
            found.push(Finding::new(
                package.manifest_path.as_str(),
                1,
                format!("enables `{SWITCH}`"),
            ));
        }
        let by_default = package
            .features
            .get("default")
            .is_some_and(|features| features.iter().any(|feature| feature == SWITCH));
        if by_default {
            found.push(Finding::new(
                package.manifest_path.as_str(),
                1,
                format!("`{SWITCH}` is a default"),
            ));
        }
    }
    none(
        found,
        "take the feature out: a process that can break its rules will",
    );
    assert_eq!(
        allowed, 1,
        "the walks no longer break rules: enable `{SWITCH}` in crates/simulation"
    );
}
