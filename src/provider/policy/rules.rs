//! The table of provider faults: which calls are retried, how often, and after how long.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::provider::{Fault, ProviderError};

/// Maximum number of retries of one call.
const MAX_RETRIES: u32 = 2;

/// The longest wait we accept from a provider. If it asks for longer, we give up instead.
pub const LONGEST_NAMED: Duration = Duration::from_secs(10);

/// What to do about a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// How often the same call is retried.
    pub retries: u32,
    /// Whether the fallback is asked after that. These are the faults of a provider in trouble, so
    /// they also count for the breaker.
    pub fall_back: bool,
    /// The alert to raise, if only the administrator can fix it.
    pub alert: Option<&'static str>,
}

/// The table's row for `error`, before the first word. What the server says about retrying
/// (`x-should-retry`, `retry-after`) takes precedence over its status.
pub fn rule(error: &ProviderError) -> Rule {
    let rule = |retries, fall_back| Rule { retries, fall_back, alert: None };
    let alert = |word| Rule { retries: 0, fall_back: false, alert: Some(word) };
    let rule = match error.fault {
        Fault::Busy => rule(MAX_RETRIES, false),
        Fault::Exhausted => alert("provider_unavailable"),
        Fault::Overloaded | Fault::Unreachable => rule(MAX_RETRIES, true),
        Fault::Timeout => rule(1, true),
        Fault::Misconfigured => alert("provider_misconfigured"),
        Fault::Malformed => rule(1, false),
        // Prompts that are too long and refused parameters have been dealt with before.
        Fault::TooLong | Fault::Rejected | Fault::Interrupted | Fault::UnknownModel => {
            rule(0, false)
        }
    };
    let waits_long = error.retry_after.is_some_and(|wait| wait > LONGEST_NAMED);
    let retries = match error.should_retry {
        Some(false) => 0,
        // It will not exist the next time either.
        _ if error.fault == Fault::UnknownModel => 0,
        _ if waits_long => 0,
        Some(true) => MAX_RETRIES,
        None => rule.retries,
    };
    Rule { retries, ..rule }
}

/// How long to wait before retries.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The wait before the first retry; it doubles with each further one.
    pub first: Duration,
    /// The longest wait that we choose ourselves.
    pub longest: Duration,
    /// Maximum of all waits of one turn together.
    pub total: Duration,
    /// Returns a random number from 0 to 1, which varies a wait by up to a quarter either way, so that
    /// calls that failed together are not retried together.
    pub random: fn() -> f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(8),
            total: Duration::from_secs(20),
            random,
        }
    }
}

impl Backoff {
    /// The wait before the next retry, after `retries` earlier ones. We wait exactly as long as the
    /// server asked; retrying sooner would be wasted.
    pub fn wait(&self, retries: u32, named: Option<Duration>) -> Duration {
        if let Some(named) = named.filter(|wait| !wait.is_zero()) {
            return named;
        }
        let wait = self.first.saturating_mul(2_u32.saturating_pow(retries)).min(self.longest);
        let random = Some((self.random)()).filter(|number| (0.0..=1.0).contains(number));
        let spread = 0.75 + random.unwrap_or(0.5) / 2.0;
        wait.mul_f64(spread).min(self.longest)
    }
}

/// Hashes an empty input under fresh random keys: random enough to spread waits.
fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 32;
    bits as f64 / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_vary_up_to_the_maximum() {
        let millis = |random, retries| {
            Backoff { random, ..Backoff::default() }.wait(retries, None).as_millis()
        };
        assert_eq!([0, 1, 2, 3].map(|n| millis(|| 0.5, n)), [500, 1000, 2000, 4000]);
        assert_eq!([0, 1].map(|n| millis(|| 0.0, n)), [375, 750]);
        assert_eq!([0, 1].map(|n| millis(|| 1.0, n)), [625, 1250]);
        for retries in [4, 5, 30, 1000] {
            assert_eq!(millis(|| 0.5, retries), 8000);
            assert_eq!(millis(|| 1.0, retries), 8000);
        }
        assert_eq!(millis(|| f64::NAN, 0), 500);
    }

    #[test]
    fn a_wait_that_the_server_names_is_kept_exactly() {
        let backoff = Backoff { random: || 0.5, ..Backoff::default() };
        let wait = |millis| backoff.wait(1, Some(Duration::from_millis(millis))).as_millis();
        assert_eq!([0, 1, 10_000].map(wait), [1000, 1, 10_000]);
    }

    #[test]
    fn random_numbers_differ_and_stay_in_range() {
        let numbers: Vec<f64> = (0..100).map(|_| random()).collect();
        assert!(numbers.iter().all(|n| (0.0..=1.0).contains(n)), "{numbers:?}");
        assert!(numbers.iter().any(|n| *n > 0.6) && numbers.iter().any(|n| *n < 0.4));
    }
}
