//! Windows in the local time of a place, as instants.
//!
//! The rules of time zones come compiled in, so the same entry and the same time give the same
//! instants in every process of one version. They change with versions; so what was computed
//! stands in the plan, and nothing that is read back from the log is computed again.

use events::{Timestamp, Window};
use jiff::civil::{Date, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Error, ToSpan as _};

use crate::catalogue::WindowRule;

/// How far ahead windows are computed: longer than any rollout should take.
pub(crate) const HORIZON_DAYS: i32 = 30;

/// Whether a name is one of the time zone database.
pub(crate) fn is_zone(name: &str) -> bool {
    TimeZoneDatabase::bundled().get(name).is_ok()
}

/// All names of the time zone database.
pub(crate) fn zone_names() -> Vec<String> {
    TimeZoneDatabase::bundled()
        .available()
        .map(|name| name.to_string())
        .collect()
}

/// The windows from `at` on, in order; those that touch are one. A time that the clocks pass over
/// or show twice is read so that the window is the shorter one: it is never open at an hour that
/// somebody could call outside of it.
///
/// # Errors
/// When a zone is not known here, or a date is beyond what can be written.
pub(crate) fn windows(rules: &[WindowRule], at: Timestamp) -> Result<Vec<Window>, Error> {
    let zones = TimeZoneDatabase::bundled();
    let mut all = Vec::new();
    for rule in rules {
        let zone = zones.get(&rule.zone)?;
        let today = zone
            .to_datetime(jiff::Timestamp::from_millisecond(at.as_ms())?)
            .date();
        let mut day = today.checked_sub(2.days())?;
        for _ in 0..HORIZON_DAYS + 3 {
            all.extend(window(rule, &zone, day)?.filter(|window| window.closes_at > at));
            day = day.tomorrow()?;
        }
    }
    all.sort_unstable_by_key(|window| (window.opens_at, window.closes_at));
    Ok(joined(all))
}

/// The window that opens on that day, if any does.
fn window(rule: &WindowRule, zone: &TimeZone, day: Date) -> Result<Option<Window>, Error> {
    let weekday = day.weekday().to_monday_one_offset();
    if !rule
        .days
        .iter()
        .any(|day| i64::from(*day) == i64::from(weekday))
    {
        return Ok(None);
    }
    let ends_next_day = rule.to_minute <= rule.from_minute;
    let last = if ends_next_day { day.tomorrow()? } else { day };
    let from = zone.to_ambiguous_timestamp(civil(day, rule.from_minute)?);
    let to = zone.to_ambiguous_timestamp(civil(last, rule.to_minute)?);
    let window = Window {
        opens_at: Timestamp::from_ms(from.later()?.as_millisecond()),
        closes_at: Timestamp::from_ms(to.earlier()?.as_millisecond()),
    };
    Ok(Some(window).filter(|window| window.opens_at < window.closes_at))
}

fn civil(day: Date, minute: u16) -> Result<jiff::civil::DateTime, Error> {
    day.to_datetime(Time::midnight())
        .checked_add(i64::from(minute).minutes())
}

fn joined(sorted: Vec<Window>) -> Vec<Window> {
    let mut joined: Vec<Window> = Vec::new();
    for window in sorted {
        match joined.last_mut() {
            Some(last) if window.opens_at <= last.closes_at => {
                last.closes_at = last.closes_at.max(window.closes_at);
            }
            Some(_) | None => joined.push(window),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(days: &[u8], from_minute: u16, to_minute: u16, zone: &str) -> WindowRule {
        WindowRule {
            days: days.to_vec(),
            from_minute,
            to_minute,
            zone: zone.to_owned(),
        }
    }

    fn first(rules: &[WindowRule], at: &str) -> (String, String) {
        let windows = windows(rules, at.parse().expect("a time")).expect("windows");
        let first = windows.first().expect("a window");
        (first.opens_at.to_string(), first.closes_at.to_string())
    }

    fn pair(opens_at: &str, closes_at: &str) -> (String, String) {
        (opens_at.to_owned(), closes_at.to_owned())
    }

    /// Sunday, 29 March 2026: Berlin's clocks go from 02:00 to 03:00.
    #[test]
    fn a_window_follows_the_clocks_of_its_place() {
        let office = [rule(&[1, 2, 3, 4], 9 * 60, 16 * 60, "Europe/Berlin")];
        assert_eq!(
            first(&office, "2026-03-26T15:30:00.000Z"),
            pair("2026-03-30T07:00:00.000Z", "2026-03-30T14:00:00.000Z")
        );
        assert_eq!(
            first(&office, "2026-03-26T14:59:59.999Z"),
            pair("2026-03-26T08:00:00.000Z", "2026-03-26T15:00:00.000Z")
        );
    }

    #[test]
    fn a_time_that_the_clocks_pass_over_makes_the_window_shorter() {
        let sunday = |from, to| [rule(&[7], from, to, "Europe/Berlin")];
        let saturday_noon = "2026-03-28T12:00:00.000Z";
        assert_eq!(
            first(&sunday(150, 300), saturday_noon),
            pair("2026-03-29T01:30:00.000Z", "2026-03-29T03:00:00.000Z")
        );
        assert_eq!(
            first(&sunday(60, 150), saturday_noon),
            pair("2026-03-29T00:00:00.000Z", "2026-03-29T00:30:00.000Z")
        );
        // Nothing is left of this one; the next is a week later.
        assert_eq!(
            first(&sunday(130, 170), saturday_noon),
            pair("2026-04-05T00:10:00.000Z", "2026-04-05T00:50:00.000Z")
        );
    }

    /// Sunday, 25 October 2026: Berlin's clocks show 02:00 to 03:00 twice.
    #[test]
    fn a_time_that_the_clocks_show_twice_makes_the_window_shorter() {
        let sunday = |from, to| [rule(&[7], from, to, "Europe/Berlin")];
        let saturday_noon = "2026-10-24T12:00:00.000Z";
        assert_eq!(
            first(&sunday(150, 300), saturday_noon),
            pair("2026-10-25T01:30:00.000Z", "2026-10-25T04:00:00.000Z")
        );
        assert_eq!(
            first(&sunday(60, 150), saturday_noon),
            pair("2026-10-24T23:00:00.000Z", "2026-10-25T00:30:00.000Z")
        );
    }

    #[test]
    fn a_window_that_ends_the_next_day_is_open_after_midnight() {
        let night = [rule(&[5], 22 * 60, 4 * 60, "Europe/Berlin")];
        assert_eq!(
            first(&night, "2026-11-28T02:59:00.000Z"),
            pair("2026-11-27T21:00:00.000Z", "2026-11-28T03:00:00.000Z")
        );
    }

    #[test]
    fn windows_that_touch_are_one() {
        let day = [rule(&[1, 2, 3, 4, 5, 6, 7], 0, 24 * 60, "UTC")];
        let windows = windows(&day, Timestamp::from_ms(1_795_552_200_000)).expect("windows");
        assert_eq!(windows.len(), 1);
    }

    fn some_rule() -> impl Strategy<Value = WindowRule> {
        let zone = prop_oneof![
            Just("Europe/Berlin"),
            Just("America/St_Johns"),
            Just("Pacific/Apia"),
            Just("Australia/Lord_Howe"),
            Just("UTC"),
        ];
        let days = proptest::collection::btree_set(1_u8..=7, 1..=7);
        (days, 0_u16..1440, 1_u16..=1440, zone)
            .prop_filter("a window with two ends", |(_, from, to, _)| from != to)
            .prop_map(|(days, from, to, zone)| {
                rule(&days.into_iter().collect::<Vec<u8>>(), from, to, zone)
            })
    }

    proptest! {
        /// From 2009 to 2039: all kinds of changes of the clocks, and a day that Apia left out.
        #[test]
        fn windows_are_in_order_apart_and_not_over(
            rules in proptest::collection::vec(some_rule(), 1..4),
            at in 1_230_768_000_000_i64..2_177_452_800_000,
        ) {
            let at = Timestamp::from_ms(at);
            let windows = windows(&rules, at).expect("windows");
            prop_assert!(!windows.is_empty());
            for window in &windows {
                prop_assert!(window.opens_at < window.closes_at);
                prop_assert!(at < window.closes_at);
            }
            for both in windows.windows(2) {
                prop_assert!(both[0].closes_at < both[1].opens_at);
            }
            let ahead = 24 * 3_600_000 * u64::try_from(HORIZON_DAYS).expect("days");
            let last = windows.last().expect("a window");
            prop_assert!(last.closes_at > at.plus_ms(ahead / 2), "the horizon is covered");
        }

        /// In a window, every clock on the wall of that place shows an hour of it.
        #[test]
        fn a_window_is_open_only_within_its_hours(
            rule in some_rule(),
            at in 1_230_768_000_000_i64..2_177_452_800_000,
            part in 0_u64..1000,
        ) {
            let zone = TimeZoneDatabase::bundled().get(&rule.zone).expect("a zone");
            for window in windows(std::slice::from_ref(&rule), Timestamp::from_ms(at)).expect("windows") {
                let length = window.closes_at.ms_since(window.opens_at);
                let inside = window.opens_at.plus_ms(length * part / 1000);
                let shown = jiff::Timestamp::from_millisecond(inside.as_ms()).expect("a time");
                let shown = zone.to_datetime(shown);
                let minute = u16::try_from(i64::from(shown.hour()) * 60 + i64::from(shown.minute()))
                    .expect("a minute");
                let (from, to) = (rule.from_minute, rule.to_minute);
                let within = if from < to {
                    from <= minute && minute < to
                } else {
                    from <= minute || minute < to
                };
                prop_assert!(within, "{inside} is {shown} in {}", rule.zone);
            }
        }
    }
}
