//! The chain: whoever walks a subject's events and knows its last link finds every change.

use poolshift_events::{ChainBreak, Digest, Envelope, Link, link, verify_link};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::samples;

type Headers = Vec<(String, String)>;

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq)]
struct Stored {
    headers: Headers,
    value: Vec<u8>,
}

impl Stored {
    fn link(&self) -> Link<'_> {
        Link {
            headers: &self.headers,
            value: &self.value,
        }
    }
}

/// A chain over these values and sources' instances.
fn chain(events: &[(Vec<u8>, String)]) -> Vec<Stored> {
    let mut prev = None;
    let numbered = (1..).zip(events);
    numbered
        .map(|(n, (value, instance))| {
            let mut envelope = samples::event_envelope();
            envelope.id = Envelope::event_id(&envelope.subject, n);
            envelope.n = Some(n);
            envelope.prev = prev;
            envelope.source.instance.clone_from(instance);
            let stored = Stored {
                headers: envelope.to_headers(),
                value: value.clone(),
            };
            prev = Some(link(stored.link()));
            stored
        })
        .collect()
}

/// Walks a chain to its last link.
fn walk(events: &[Stored]) -> Result<Option<(u64, Digest)>, ChainBreak> {
    events.iter().try_fold(None, |before, event| {
        verify_link(before, event.link()).map(Some)
    })
}

fn events() -> impl Strategy<Value = Vec<(Vec<u8>, String)>> {
    let value = prop::collection::vec(any::<u8>(), 1..40);
    prop::collection::vec((value, "[a-z0-9-]{1,12}"), 2..7)
}

/// Replaces one character by another one.
fn change(text: &mut String, at: Index, to: char) -> bool {
    let mut chars: Vec<char> = text.chars().collect();
    if chars.is_empty() {
        return false;
    }
    let place = &mut chars[at.index(text.chars().count())];
    let changed = *place != to;
    *place = to;
    *text = chars.into_iter().collect();
    changed
}

proptest! {
    #[test]
    fn an_untouched_chain_holds_and_counts_its_events(events in events()) {
        let chain = chain(&events);
        let (n, _) = walk(&chain).unwrap().unwrap();
        prop_assert_eq!(n, events.len() as u64);
    }

    #[test]
    fn one_changed_byte_of_a_value_is_found(events in events(), which: Index, at: Index, flip in 1_u8..) {
        let mut chain = chain(&events);
        let head = walk(&chain);
        let value = &mut which.get_mut(&mut chain).value;
        *at.get_mut(value) ^= flip;
        prop_assert_ne!(walk(&chain), head);
    }

    #[test]
    fn one_changed_character_of_a_header_is_found(events in events(), which: Index, header: Index, of_name: bool, at: Index, to: char) {
        let mut chain = chain(&events);
        let head = walk(&chain);
        let (name, value) = header.get_mut(&mut which.get_mut(&mut chain).headers);
        let changed = change(if of_name { name } else { value }, at, to);
        prop_assert_eq!(walk(&chain) != head, changed);
    }

    #[test]
    fn a_dropped_event_is_found(events in events(), which: Index) {
        let mut chain = chain(&events);
        let head = walk(&chain);
        chain.remove(which.index(events.len()));
        prop_assert_ne!(walk(&chain), head);
    }

    #[test]
    fn two_swapped_events_are_found(events in events(), a: Index, b: Index) {
        let mut chain = chain(&events);
        let head = walk(&chain);
        let (a, b) = (a.index(events.len()), b.index(events.len()));
        prop_assume!(a != b);
        chain.swap(a, b);
        prop_assert!(walk(&chain).is_err());
        prop_assert_ne!(walk(&chain), head);
    }

    #[test]
    fn a_repeated_event_is_found_wherever_it_stands(events in events(), which: Index, to: Index) {
        let mut chain = chain(&events);
        let again = which.get(&chain).clone();
        chain.insert(to.index(events.len() + 1), again);
        prop_assert!(walk(&chain).is_err());
    }

    #[test]
    fn a_header_that_is_added_dropped_or_moved_is_found(events in events(), which: Index, at: Index, to: Index) {
        let whole = chain(&events);
        let head = walk(&whole);
        let tampered = |tamper: &dyn Fn(&mut Headers)| {
            let mut chain = whole.clone();
            tamper(&mut which.get_mut(&mut chain).headers);
            (chain != whole).then(|| walk(&chain))
        };
        let added = tampered(&|headers| {
            headers.insert(at.index(headers.len()), ("ce_x".to_owned(), String::new()));
        });
        let dropped = tampered(&|headers| drop(headers.remove(at.index(headers.len()))));
        let moved = tampered(&|headers| {
            let count = headers.len();
            headers.swap(at.index(count), to.index(count));
        });
        for found in [added, dropped, moved].into_iter().flatten() {
            prop_assert_ne!(&found, &head);
        }
    }
}

/// The same bytes one after the other, but with another border between two of them.
#[test]
fn a_moved_border_between_a_name_its_value_and_the_body_is_found() {
    let digest = |headers: &[(&str, &str)], value: &str| {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers: Headers = headers.iter().map(owned).collect();
        link(Link {
            headers: &headers,
            value: value.as_bytes(),
        })
    };
    let digests = [
        digest(&[("ab", "c")], "d"),
        digest(&[("a", "bc")], "d"),
        digest(&[("ab", "")], "cd"),
        digest(&[], "abcd"),
        digest(&[("a", "b"), ("c", "")], "d"),
    ];
    let different: std::collections::BTreeSet<_> = digests.iter().collect();
    assert_eq!(different.len(), digests.len());
}

#[test]
fn a_break_says_where_it_is() {
    let events: Vec<(Vec<u8>, String)> = (0..4).map(|_| (b"{}".to_vec(), "i".to_owned())).collect();
    let whole = chain(&events);
    let mut dropped = whole.clone();
    dropped.remove(1);
    let mut changed = whole.clone();
    changed[1].value = b"[]".to_vec();
    let mut foreign = whole;
    foreign[2].headers.retain(|(name, _)| name != "ce_n");
    let breaks = [dropped, changed, foreign].map(|chain| walk(&chain).unwrap_err().to_string());
    insta::assert_snapshot!(breaks.join("\n"));
}
