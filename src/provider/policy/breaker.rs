//! A circuit breaker: a model that keeps failing is left alone for a while, so that visitors do not
//! wait for calls that will fail again. Pure: the time is passed in.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Consecutive failures that open the breaker.
const FAILURES: usize = 5;
/// The window they must fall into.
const WINDOW: Duration = Duration::from_secs(60);
/// How long it stays open before one call is let through.
const OPEN: Duration = Duration::from_secs(30);
/// How long callers are told to wait while that call is running.
const PROBING: Duration = Duration::from_secs(5);

/// Whether calls may go through.
#[derive(Debug)]
pub struct Breaker(BreakerState);

#[derive(Debug)]
enum BreakerState {
    /// All calls go through. Holds the times of the latest failures, none older than [`WINDOW`].
    Closed(VecDeque<Instant>),
    /// No call goes through until that time; then one does.
    Open(Instant),
    /// That call is running.
    Probing,
}

/// Permission to make one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// An ordinary one.
    Call,
    /// The one that finds out whether the model is back.
    Probe,
}

impl Default for Breaker {
    fn default() -> Self {
        Self(BreakerState::Closed(VecDeque::new()))
    }
}

impl Breaker {
    /// Asks for permission to make a call. The error is how long to wait.
    pub fn admit(&mut self, now: Instant) -> Result<Grant, Duration> {
        match self.0 {
            BreakerState::Closed(_) => Ok(Grant::Call),
            BreakerState::Open(until) if now < until => Err(until - now),
            BreakerState::Open(_) => {
                self.0 = BreakerState::Probing;
                Ok(Grant::Probe)
            }
            BreakerState::Probing => Err(PROBING),
        }
    }

    /// Records that a call was answered, which closes the breaker.
    pub fn succeed(&mut self) {
        self.0 = BreakerState::Closed(VecDeque::new());
    }

    /// Records a failed call. Returns whether it has opened the breaker.
    pub fn fail(&mut self, grant: Grant, now: Instant) -> bool {
        match (&mut self.0, grant) {
            (BreakerState::Closed(failures), _) => {
                failures.push_back(now);
                while failures.front().is_some_and(|&first| now - first > WINDOW) {
                    failures.pop_front();
                }
                if failures.len() < FAILURES {
                    return false;
                }
                self.0 = BreakerState::Open(now + OPEN);
                true
            }
            (BreakerState::Probing, Grant::Probe) => {
                self.0 = BreakerState::Open(now + OPEN);
                true
            }
            // A call from before it opened tells nothing new.
            _ => false,
        }
    }

    /// Records that a call was given up without a result. If it was the probe, the next call becomes
    /// the probe.
    pub fn abandon(&mut self, grant: Grant, now: Instant) {
        if matches!((&self.0, grant), (BreakerState::Probing, Grant::Probe)) {
            self.0 = BreakerState::Open(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES {
            assert_eq!(breaker.admit(now), Ok(Grant::Call));
            breaker.fail(Grant::Call, now);
        }
        breaker
    }

    #[test]
    fn it_opens_after_five_consecutive_failures_within_a_minute() {
        let start = Instant::now();
        let mut breaker = Breaker::default();
        for n in 0..4 {
            assert!(!breaker.fail(Grant::Call, start + n * SECOND));
        }
        breaker.succeed();
        // 16 s apart there are never five of them within a minute.
        for n in 0..20 {
            assert!(!breaker.fail(Grant::Call, start + n * 16 * SECOND));
        }
        breaker.succeed();
        let later = start + 1000 * SECOND;
        for n in 0..4 {
            assert!(!breaker.fail(Grant::Call, later + n * 15 * SECOND));
        }
        assert!(breaker.fail(Grant::Call, later + 60 * SECOND));
        assert_eq!(breaker.admit(later + 61 * SECOND), Err(29 * SECOND));
    }

    #[test]
    fn after_thirty_seconds_one_call_goes_through_and_decides() {
        let start = Instant::now();
        let mut breaker = opened(start);
        assert_eq!(breaker.admit(start), Err(OPEN));
        assert_eq!(breaker.admit(start + 29 * SECOND), Err(SECOND));
        let now = start + OPEN;
        assert_eq!(breaker.admit(now), Ok(Grant::Probe));
        assert_eq!(breaker.admit(now), Err(PROBING));
        assert!(!breaker.fail(Grant::Call, now), "a call from before does not decide");
        assert!(breaker.fail(Grant::Probe, now + SECOND));
        assert_eq!(breaker.admit(now + SECOND), Err(OPEN));
        let now = now + SECOND + OPEN;
        assert_eq!(breaker.admit(now), Ok(Grant::Probe));
        breaker.succeed();
        assert_eq!(breaker.admit(now), Ok(Grant::Call));
        assert!(!breaker.fail(Grant::Call, now), "the count starts again");
    }

    #[test]
    fn a_probe_that_is_abandoned_makes_room_for_the_next() {
        let start = Instant::now();
        let mut breaker = opened(start);
        let now = start + OPEN;
        assert_eq!(breaker.admit(now), Ok(Grant::Probe));
        breaker.abandon(Grant::Call, now);
        assert_eq!(breaker.admit(now), Err(PROBING));
        breaker.abandon(Grant::Probe, now);
        assert_eq!(breaker.admit(now), Ok(Grant::Probe));
        breaker.succeed();
        breaker.abandon(Grant::Probe, now);
        assert_eq!(breaker.admit(now), Ok(Grant::Call));
    }
}
