//! Counting distinct values: exactly while there are few, by an estimate beyond that.

use std::hash::{BuildHasher, Hasher};

use foldhash::{fast, quality};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Slot;

/// Values and how often each occurred, in the order of first occurrence.
pub struct Dictionary {
    /// Positions in `entries`, by the hash of the text.
    table: HashTable<u32>,
    entries: Vec<CountedValue>,
    /// The texts, one after another.
    texts: Vec<u8>,
    /// Random per process, so that nobody can prepare a file whose values all collide.
    hasher: fast::RandomState,
    /// The entry added to last; runs of one value are common.
    last: usize,
}

#[derive(Clone, Copy)]
struct CountedValue {
    start: u32,
    end: u32,
    count: u32,
}

impl Default for Dictionary {
    fn default() -> Self {
        Self {
            table: HashTable::new(),
            entries: Vec::new(),
            texts: Vec::new(),
            hasher: fast::RandomState::default(),
            last: 0,
        }
    }
}

impl Dictionary {
    /// Counts `text` another `times` times. Returns false and does nothing if it is new and there
    /// are `limit` values already.
    #[inline]
    pub fn add(&mut self, text: &[u8], times: u32, limit: usize) -> bool {
        let Self { table, entries, texts, hasher, last } = self;
        let of = |entry: &CountedValue| &texts[entry.start as usize..entry.end as usize];
        if let Some(entry) = entries.get_mut(*last)
            && texts[entry.start as usize..entry.end as usize] == *text
        {
            entry.count += times;
            return true;
        }
        let hash = hash(&*hasher, text);
        let slot = table.entry(
            hash,
            |&at| entries.get(at as usize).is_some_and(|entry| of(entry) == text),
            |&at| entries.get(at as usize).map_or(0, |entry| self::hash(&*hasher, of(entry))),
        );
        match slot {
            Slot::Occupied(slot) => {
                *last = *slot.get() as usize;
                if let Some(entry) = entries.get_mut(*last) {
                    entry.count += times;
                }
            }
            Slot::Vacant(slot) => {
                let (Ok(start), Ok(end)) =
                    (u32::try_from(texts.len()), u32::try_from(texts.len() + text.len()))
                else {
                    return false;
                };
                if entries.len() >= limit {
                    return false;
                }
                *last = entries.len();
                slot.insert(*last as u32);
                entries.push(CountedValue { start, end, count: times });
                texts.extend_from_slice(text);
            }
        }
        true
    }

    /// The values and their counts, in the order of first occurrence.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u32)> {
        self.entries
            .iter()
            .map(|entry| (&self.texts[entry.start as usize..entry.end as usize], entry.count))
    }
}

#[inline]
fn hash(state: &impl BuildHasher, text: &[u8]) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write(text);
    hasher.finish()
}

/// 2^12 registers: 4 KiB and a standard error of 1.04 / √4096 = 1.6 %.
const BITS: u32 = 12;
const REGISTERS: usize = 1 << BITS;

/// A HyperLogLog sketch. The same values give the same estimate in every run.
#[derive(Clone)]
pub struct Sketch(Vec<u8>);

impl Default for Sketch {
    fn default() -> Self {
        Self(vec![0; REGISTERS])
    }
}

impl Sketch {
    /// Adds a value.
    #[inline]
    pub fn add(&mut self, text: &[u8]) {
        let hash = hash(&quality::FixedState::with_seed(0), text);
        let rank = (((hash << BITS) | (1 << (BITS - 1))).leading_zeros() + 1) as u8;
        if let Some(register) = self.0.get_mut((hash >> (64 - BITS)) as usize) {
            *register = (*register).max(rank);
        }
    }

    /// Adds everything that another sketch has seen.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// The estimate after O. Ertl, "New cardinality estimation algorithms for HyperLogLog
    /// sketches" (2017), algorithm 6, which is unbiased over the whole range.
    pub fn estimate(&self) -> u64 {
        const Q: usize = 64 - BITS as usize;
        let mut histogram = [0_u32; Q + 2];
        for &register in &self.0 {
            histogram[usize::from(register).min(Q + 1)] += 1;
        }
        let m = REGISTERS as f64;
        let mut z = m * tau(1.0 - f64::from(histogram[Q + 1]) / m);
        for count in histogram[1..=Q].iter().rev() {
            z = 0.5 * (z + f64::from(*count));
        }
        z += m * sigma(f64::from(histogram[0]) / m);
        (m * m / (2.0 * std::f64::consts::LN_2) / z).round() as u64
    }
}

fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z <= before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z >= before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_value_up_to_the_limit() {
        let mut counts = Dictionary::default();
        for text in ["b", "a", "b", "b", "", "a"] {
            assert!(counts.add(text.as_bytes(), 1, 3));
        }
        assert!(!counts.add(b"c", 1, 3), "a fourth value");
        assert!(counts.add(b"", 5, 3), "an old one still counts");
        let all: Vec<_> = counts.iter().collect();
        assert_eq!(all, [(&b"b"[..], 3), (b"a", 2), (b"", 6)]);
    }

    #[test]
    fn estimates_within_five_per_cent() {
        let mut sketch = Sketch::default();
        assert_eq!(sketch.estimate(), 0);
        let mut seen = 0_u64;
        for goal in [500_u64, 1_000, 10_000, 20_000, 50_000, 200_000] {
            while seen < goal {
                sketch.add(format!("value {seen}").as_bytes());
                seen += 1;
            }
            let error = sketch.estimate().abs_diff(goal) as f64 / goal as f64;
            assert!(error < 0.05, "{goal}: {}", sketch.estimate());
        }
    }

    #[test]
    fn a_merged_sketch_equals_one_of_all_values() {
        let (mut left, mut right, mut both) =
            (Sketch::default(), Sketch::default(), Sketch::default());
        for n in 0..20_000 {
            let text = n.to_string();
            both.add(text.as_bytes());
            if n % 3 == 0 { left.add(text.as_bytes()) } else { right.add(text.as_bytes()) }
        }
        left.merge(&right);
        assert_eq!(left.estimate(), both.estimate());
    }
}
