//! The streams: which partition a subject lies in, and how large a record may be; for ever, on
//! every implementation.

use crate::name::Subject;

/// Partitions of each stream. Never changes: more partitions would move subjects.
pub const PARTITIONS: u32 = 6;

/// The largest value of most records, in bytes.
pub const RECORD_BYTES_MAX: usize = 64 * 1024;

/// The largest value of a record that carries a catalogue entry or lists the servers of a target,
/// in bytes: with its headers still below the 1,048,588 bytes that Kafka takes by default
/// (`message.max.bytes`). A target of 1,000 servers, the most that is taken, stays below it.
pub const PLAN_BYTES_MAX: usize = 768 * 1024;

/// The wire names that may be as large as [`PLAN_BYTES_MAX`]; so may any command record, since a
/// `Drain` lists all lines of the target.
const LARGE: [&str; 8] = [
    "poolshift.ask.define-service",
    "poolshift.service-defined",
    "poolshift.rollout-planned",
    "poolshift.batch-started",
    "poolshift.command-issued",
    "poolshift.rollback-started",
    "poolshift.rollout-finished",
    "poolshift.pool-seen",
];

/// The largest value, in bytes, of a record of this wire name.
#[must_use]
pub fn bytes_max(kind: &str) -> usize {
    if LARGE.contains(&kind) {
        PLAN_BYTES_MAX
    } else {
        RECORD_BYTES_MAX
    }
}

/// The partition of a subject: murmur2 of its text, as Kafka's Java client and
/// `murmur2_random` of librdkafka compute it for a key, so that any producer agrees.
/// `partition/5` lies in partition 5 itself.
#[must_use]
pub fn partition_of(subject: &Subject) -> u32 {
    match subject {
        Subject::Partition(partition) => *partition % PARTITIONS,
        Subject::Target(_) | Subject::Machine(_) => {
            (murmur2(subject.to_string().as_bytes()) & 0x7fff_ffff) % PARTITIONS
        }
    }
}

/// MurmurHash2, 32 bit, with Kafka's seed.
fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut hash = SEED ^ length;
    let mut chunks = data.chunks_exact(4);
    for chunk in chunks.by_ref() {
        let mut word = chunk
            .iter()
            .rev()
            .fold(0, |word, byte| (word << 8) | u32::from(*byte));
        word = word.wrapping_mul(M);
        word ^= word >> 24;
        word = word.wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ word;
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        hash ^= rest
            .iter()
            .rev()
            .fold(0, |word, byte| (word << 8) | u32::from(*byte));
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of Kafka's own `UtilsTest.testMurmur2`.
    #[test]
    fn hashes_as_kafka_does() {
        let cases: [(&str, i32); 6] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            (
                "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            ("abc", 479_470_107),
        ];
        for (text, hash) in cases {
            assert_eq!(murmur2(text.as_bytes()).cast_signed(), hash, "{text}");
        }
    }

    #[test]
    fn an_ownership_record_lies_in_its_own_partition() {
        assert_eq!(partition_of(&Subject::Partition(5)), 5);
    }
}
