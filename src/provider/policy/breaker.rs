//! A circuit breaker: a provider that keeps failing is not asked for a while, so that visitors do
//! not wait for what will fail again. Pure, with time given from outside.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// So many failures without a success between them open the breaker …
const FAILURES: usize = 5;
/// … if they all happen within this time.
const WINDOW: Duration = Duration::from_secs(60);
/// How long it stays open before one call may try.
const OPEN: Duration = Duration::from_secs(30);
/// How long callers are told to wait while that call is out.
const PROBING: Duration = Duration::from_secs(5);

/// Whether calls may go through.
#[derive(Debug)]
pub struct Breaker(State);

#[derive(Debug)]
enum State {
    /// All calls go through. Holds when the last ones have failed, none older than [`WINDOW`].
    Closed(VecDeque<Instant>),
    /// No call goes through before that time, then one does.
    Open(Instant),
    /// That one is out.
    Probing,
}

/// Leave to make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// One of many.
    Call,
    /// The one that finds out whether the provider is back.
    Probe,
}

impl Default for Breaker {
    fn default() -> Self {
        Self(State::Closed(VecDeque::new()))
    }
}

impl Breaker {
    /// Asks for leave to make a call; without it, says how long to wait.
    pub fn admit(&mut self, now: Instant) -> Result<Leave, Duration> {
        match self.0 {
            State::Closed(_) => Ok(Leave::Call),
            State::Open(until) if now < until => Err(until - now),
            State::Open(_) => {
                self.0 = State::Probing;
                Ok(Leave::Probe)
            }
            State::Probing => Err(PROBING),
        }
    }

    /// A call was answered: the provider is there.
    pub fn succeed(&mut self) {
        self.0 = State::Closed(VecDeque::new());
    }

    /// A call failed. Answers whether the breaker has opened by it.
    pub fn fail(&mut self, leave: Leave, now: Instant) -> bool {
        match (&mut self.0, leave) {
            (State::Closed(failures), _) => {
                failures.push_back(now);
                while failures.front().is_some_and(|&first| now - first > WINDOW) {
                    failures.pop_front();
                }
                if failures.len() < FAILURES {
                    return false;
                }
                self.0 = State::Open(now + OPEN);
                true
            }
            (State::Probing, Leave::Probe) => {
                self.0 = State::Open(now + OPEN);
                true
            }
            // A straggler from before it opened says nothing new.
            _ => false,
        }
    }

    /// A call was given up before anything came of it: the next one may find out.
    pub fn abandon(&mut self, leave: Leave, now: Instant) {
        if matches!((&self.0, leave), (State::Probing, Leave::Probe)) {
            self.0 = State::Open(now);
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
            assert_eq!(breaker.admit(now), Ok(Leave::Call));
            breaker.fail(Leave::Call, now);
        }
        breaker
    }

    #[test]
    fn it_opens_after_failures_in_a_row_within_a_minute() {
        let start = Instant::now();
        let mut breaker = Breaker::default();
        for n in 0..4 {
            assert!(!breaker.fail(Leave::Call, start + n * SECOND));
        }
        breaker.succeed();
        // 16 s apart there are never five of them within a minute.
        for n in 0..20 {
            assert!(!breaker.fail(Leave::Call, start + n * 16 * SECOND));
        }
        breaker.succeed();
        let later = start + 1000 * SECOND;
        for n in 0..4 {
            assert!(!breaker.fail(Leave::Call, later + n * 15 * SECOND));
        }
        assert!(breaker.fail(Leave::Call, later + 60 * SECOND));
        assert_eq!(breaker.admit(later + 61 * SECOND), Err(29 * SECOND));
    }

    #[test]
    fn after_half_a_minute_one_call_goes_through_and_decides() {
        let start = Instant::now();
        let mut breaker = opened(start);
        assert_eq!(breaker.admit(start), Err(OPEN));
        assert_eq!(breaker.admit(start + 29 * SECOND), Err(SECOND));
        let now = start + OPEN;
        assert_eq!(breaker.admit(now), Ok(Leave::Probe));
        assert_eq!(breaker.admit(now), Err(PROBING));
        assert!(!breaker.fail(Leave::Call, now), "a straggler does not decide");
        assert!(breaker.fail(Leave::Probe, now + SECOND));
        assert_eq!(breaker.admit(now + SECOND), Err(OPEN));
        let now = now + SECOND + OPEN;
        assert_eq!(breaker.admit(now), Ok(Leave::Probe));
        breaker.succeed();
        assert_eq!(breaker.admit(now), Ok(Leave::Call));
        assert!(!breaker.fail(Leave::Call, now), "the count begins anew");
    }

    #[test]
    fn a_probe_that_is_given_up_makes_room_for_the_next() {
        let start = Instant::now();
        let mut breaker = opened(start);
        let now = start + OPEN;
        assert_eq!(breaker.admit(now), Ok(Leave::Probe));
        breaker.abandon(Leave::Call, now);
        assert_eq!(breaker.admit(now), Err(PROBING));
        breaker.abandon(Leave::Probe, now);
        assert_eq!(breaker.admit(now), Ok(Leave::Probe));
        breaker.succeed();
        breaker.abandon(Leave::Probe, now);
        assert_eq!(breaker.admit(now), Ok(Leave::Call));
    }
}
