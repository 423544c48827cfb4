//! A moment as people write it: with an offset, or as the clocks of a place show it.

use events::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{AmbiguousOffset, OffsetConflict, TimeZone, TimeZoneDatabase};

/// Reads `2027-01-02T08:00:00+01:00`, `2027-01-02T08:00:00+01:00[Europe/Berlin]` (RFC 9557), or,
/// with a zone, `2027-01-02 08:00`.
///
/// # Errors
/// What is wrong with it, and what to write instead: a moment that the place's clocks never show or
/// show twice is never guessed.
pub(crate) fn moment(text: &str, zone: Option<&str>) -> Result<Timestamp, String> {
    let (local, in_text) = match text.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
        Some((local, named)) => (local, Some(named)),
        None => (text, None),
    };
    if let (Some(zone), Some(named)) = (zone, in_text)
        && zone != named
    {
        return Err(format!(
            "it names {named}, and --zone names {zone}: write one of them"
        ));
    }
    let fixed = local.parse::<jiff::Timestamp>().ok();
    match (fixed, in_text, zone) {
        (Some(fixed), None, None) => stamp(fixed),
        (Some(_), None, Some(_)) => {
            Err("it has an offset already: leave either that or --zone out".to_owned())
        }
        (Some(_), Some(named), _) => {
            zone_of(named)?;
            let strict = DateTimeParser::new().offset_conflict(OffsetConflict::Reject);
            let zoned = strict.parse_zoned_datetime_with(&TimeZoneDatabase::bundled(), text).map_err(|_| {
                format!(
                    "{named} does not have that offset then: leave it out, or write the right one"
                )
            })?;
            stamp(zoned.timestamp())
        }
        (None, named, zone) => {
            let time: DateTime = local.parse().map_err(|_| {
                "it is no time: write 2027-01-02T08:00:00+01:00, or \"2027-01-02 08:00\" with --zone \
                 Europe/Berlin"
                    .to_owned()
            })?;
            let zone = named.or(zone).ok_or_else(|| {
                "nobody knows where that is: add --zone Europe/Berlin, or an offset as in \
                 2027-01-02T08:00:00+01:00"
                    .to_owned()
            })?;
            at_place(time, zone)
        }
    }
}

fn zone_of(name: &str) -> Result<TimeZone, String> {
    TimeZoneDatabase::bundled()
        .get(name)
        .map_err(|_| format!("there is no zone `{name}`: write it as Europe/Berlin or UTC"))
}

fn at_place(time: DateTime, zone: &str) -> Result<Timestamp, String> {
    let seen = zone_of(zone)?.into_ambiguous_zoned_datetime(time);
    let how = if matches!(seen.offset(), AmbiguousOffset::Gap { .. }) {
        "do not show"
    } else {
        "show twice"
    };
    if !seen.is_ambiguous() {
        let zoned = seen.unambiguous().map_err(|error| error.to_string())?;
        return stamp(zoned.timestamp());
    }
    let either =
        |zoned: Result<jiff::ZonedDateTime, jiff::Error>| zoned.map_err(|error| error.to_string());
    let (earlier, later) = (either(seen.clone().earlier())?, either(seen.later())?);
    Err(format!(
        "clocks of {zone} {how} {time}, for they are put on or back then: write {earlier} or {later}"
    ))
}

fn stamp(moment: jiff::Timestamp) -> Result<Timestamp, String> {
    moment
        .to_string()
        .parse()
        .map_err(|error| format!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::moment;

    fn said(text: &str, zone: Option<&str>) -> String {
        match moment(text, zone) {
            Ok(moment) => moment.to_string(),
            Err(why) => why,
        }
    }

    #[test]
    fn a_moment_is_read_with_an_offset_or_as_a_places_clocks_show_it() {
        let berlin = Some("Europe/Berlin");
        for (text, zone) in [
            ("2027-01-02T07:00:00Z", None),
            ("2027-01-02T08:00:00+01:00", None),
            ("2027-01-02T08:00:00+01:00[Europe/Berlin]", None),
            ("2027-01-02T08:00[Europe/Berlin]", None),
            ("2027-01-02T08:00:00+01:00[Europe/Berlin]", berlin),
            ("2027-01-02 08:00", berlin),
            ("2027-01-02T08:00:00", berlin),
        ] {
            assert_eq!(said(text, zone), "2027-01-02T07:00:00.000Z", "{text}");
        }
        assert_eq!(said("2027-07-02 08:00", berlin), "2027-07-02T06:00:00.000Z");
    }

    #[test]
    fn what_is_no_single_moment_is_refused_with_what_to_write() {
        let berlin = Some("Europe/Berlin");
        let told = [
            ("2027-01-02 08:00", None),
            ("2027-01-02T08:00:00+01:00", berlin),
            ("2027-03-28 02:30", berlin),
            ("2027-10-31T02:30[Europe/Berlin]", None),
            ("2027-01-02T08:00:00+02:00[Europe/Berlin]", None),
            ("2027-01-02T08:00[Europe/Berlin]", Some("UTC")),
            ("2027-01-02 08:00", Some("Europe/Bern")),
            ("next week", berlin),
        ];
        let told = told.map(|(text, zone)| format!("{text}: {}", said(text, zone)));
        insta::assert_snapshot!(told.join("\n"));
    }
}
