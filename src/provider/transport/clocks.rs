//! The two clocks of a call. Anything that the server sends is a sign of life, pings and comments
//! too. Only pieces of text and of tool calls are words: thoughts are not.

use std::time::Duration;

use tokio::time::Instant;

use super::reader::{Mapper, Reader};

/// Time limits of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// From the start of a connection until it is established, TLS included.
    pub connect: Duration,
    /// From one sign of life to the next.
    pub silence: Duration,
    /// The same while the model thinks: Azure sends a sign of life every 30 s.
    pub silence_in_thought: Duration,
    /// From the call to the first word, connection and headers included.
    pub first_word: Duration,
    /// From one word to the next.
    pub between_words: Duration,
    /// The limit instead of the last two while the model thinks. Chat Completions sends nothing at
    /// all meanwhile.
    pub thought: Duration,
    /// From the call to the end.
    pub whole: Duration,
    /// From the end of the text to the end mark, which some servers omit without closing the
    /// connection.
    pub end_mark: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            silence: Duration::from_secs(30),
            silence_in_thought: Duration::from_secs(60),
            first_word: Duration::from_secs(30),
            between_words: Duration::from_secs(30),
            thought: Duration::from_secs(90),
            whole: Duration::from_secs(150),
            end_mark: Duration::from_secs(2),
        }
    }
}

/// The clocks of a call that is being answered.
#[derive(Debug)]
pub struct Clocks {
    limits: TimeLimits,
    started: Instant,
    /// When the last word arrived, or when the consumer of our events began to wait for the next.
    last_word: Instant,
    /// The same for the last sign of life, once there was one in the body.
    last_sign: Option<Instant>,
}

impl Clocks {
    /// The clocks of a call that was made at `started`.
    pub fn new(limits: TimeLimits, started: Instant) -> Self {
        Self { limits, started, last_word: started, last_sign: None }
    }

    /// The consumer of our events waits for the next: what it did in between was not our wait.
    pub fn resume(&mut self, now: Instant) {
        self.last_word = now;
        self.last_sign = self.last_sign.map(|_| now);
    }

    /// A piece of the body has arrived.
    pub fn hear(&mut self, has_words: bool, now: Instant) {
        self.last_sign = Some(now);
        if has_words {
            self.last_word = now;
        }
    }

    /// When the next piece must have arrived, and what it means if it has not.
    pub fn deadline<M: Mapper>(&self, answer: &Reader<M>) -> (Instant, &'static str) {
        let limits = &self.limits;
        let is_thinking = answer.is_thinking();
        let whole = (later(self.started, limits.whole), "the answer took too long");
        let word = if answer.is_closing() {
            (later(self.last_word, limits.end_mark), "no end mark in time")
        } else if answer.words() > 0 {
            let wait = if is_thinking { limits.thought } else { limits.between_words };
            (later(self.last_word, wait), "no next word in time")
        } else {
            let wait = if is_thinking { limits.thought } else { limits.first_word };
            (later(self.started, wait), "no first word in time")
        };
        let sign = match self.last_sign {
            // The wait for the first sign, or for any, is that for the word.
            _ if is_thinking && !answer.sends_pings() => whole,
            None if is_thinking => whole,
            Some(last) if is_thinking => {
                (later(last, limits.silence_in_thought), "no sign of life in time")
            }
            last => {
                (later(last.unwrap_or(self.started), limits.silence), "no sign of life in time")
            }
        };
        let sooner = |one: (Instant, _), other: (Instant, _)| match other.0 < one.0 {
            true => other,
            false => one,
        };
        sooner(sooner(word, sign), whole)
    }
}

/// The time `wait` after `start`; a day after it if the clock cannot represent that.
pub fn later(start: Instant, wait: Duration) -> Instant {
    start.checked_add(wait).unwrap_or_else(|| start + Duration::from_secs(24 * 60 * 60))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::sync::Arc;

    use super::*;
    use crate::provider::transport::reader::AnswerDraft;
    use crate::provider::{ProviderError, sse};

    /// A server whose events are words, except for a few.
    #[derive(Clone, Copy)]
    struct Words {
        may_think: bool,
        sends_pings: bool,
    }

    impl Mapper for Words {
        fn event(
            &mut self,
            event: sse::SseEvent<'_>,
            draft: &mut AnswerDraft,
        ) -> Result<(), ProviderError> {
            match event.data {
                "PING" => Ok(()),
                "THINK" => {
                    draft.thinking();
                    Ok(())
                }
                word => draft.text(Cow::Borrowed(word)),
            }
        }

        fn whole(&mut self, _: &[u8], _: &mut AnswerDraft) -> Result<(), ProviderError> {
            Ok(())
        }

        fn may_think(&self) -> bool {
            self.may_think
        }

        fn sends_pings(&self) -> bool {
            self.sends_pings
        }
    }

    /// When a call with the default limits fails, in seconds, whose events arrive at these times.
    fn fails(words: Words, events: &[(u64, &str)]) -> (u64, &'static str) {
        let started = Instant::now();
        let mut clocks = Clocks::new(TimeLimits::default(), started);
        let mut answer = Reader::new(words, Arc::default());
        for &(at, event) in events {
            let now = started + Duration::from_secs(at);
            if clocks.deadline(&answer).0 <= now {
                break;
            }
            let before = answer.words();
            let event = if event == ":" { ":\n".to_owned() } else { format!("data: {event}\n\n") };
            answer.feed(event.as_bytes());
            clocks.hear(answer.words() != before, now);
        }
        let (at, why) = clocks.deadline(&answer);
        (at.duration_since(started).as_secs(), why)
    }

    const FIRST: &str = "no first word in time";
    const NEXT: &str = "no next word in time";
    const SIGN: &str = "no sign of life in time";

    #[test]
    fn a_model_that_does_not_think_has_30_seconds() {
        let plain = Words { may_think: false, sends_pings: true };
        for (events, expected) in [
            (vec![], (30, FIRST)),
            (vec![(20, "PING"), (29, ":")], (30, FIRST)),
            (vec![(29, "a")], (59, NEXT)),
            (vec![(30, "a")], (30, FIRST)),
            (vec![(5, "a"), (34, "PING"), (34, ":")], (35, NEXT)),
            (vec![(20, "a"), (49, "b"), (78, "c")], (108, NEXT)),
        ] {
            assert_eq!(fails(plain, &events), expected, "{events:?}");
            let chat = Words { sends_pings: false, ..plain };
            assert_eq!(fails(chat, &events), expected, "{events:?}");
        }
        let words: Vec<_> = (1..10).map(|n| (n * 25, "a")).collect();
        assert_eq!(fails(plain, &words), (150, "the answer took too long"));
    }

    #[test]
    fn a_model_that_thinks_has_90_seconds_if_it_shows_that_it_lives() {
        let plain = Words { may_think: false, sends_pings: true };
        for (events, expected) in [
            (vec![(1, "THINK")], (61, SIGN)),
            (vec![(1, "THINK"), (60, ":")], (90, FIRST)),
            (vec![(1, "THINK"), (30, "PING"), (60, "PING"), (89, "a")], (119, NEXT)),
            (vec![(1, "THINK"), (30, "PING"), (60, "PING"), (90, "a")], (90, FIRST)),
            (vec![(1, "a"), (2, "THINK"), (61, "PING")], (91, NEXT)),
            (vec![(1, "a"), (2, "THINK"), (61, "PING"), (90, "b")], (120, NEXT)),
            (vec![(1, "a"), (2, "THINK"), (62, "PING")], (62, SIGN)),
            (vec![(1, "<think>"), (40, "plan"), (80, "plan")], (90, FIRST)),
            (vec![(1, "THINK"), (50, "THINK"), (80, "a"), (81, "THINK"), (140, ":")], {
                (150, "the answer took too long")
            }),
        ] {
            assert_eq!(fails(plain, &events), expected, "{events:?}");
        }
        // Known from the call.
        let known = Words { may_think: true, ..plain };
        for (events, expected) in [
            (vec![], (90, FIRST)),
            (vec![(5, "PING")], (65, SIGN)),
            (vec![(89, "a")], (119, NEXT)),
            (vec![(1, "PING"), (31, ":"), (61, ":"), (89, "a"), (118, "b")], (148, NEXT)),
        ] {
            assert_eq!(fails(known, &events), expected, "{events:?}");
        }
    }

    #[test]
    fn a_model_that_thinks_without_a_sign_is_waited_for() {
        let silent = Words { may_think: true, sends_pings: false };
        for (events, expected) in [
            (vec![], (90, FIRST)),
            (vec![(1, "PING")], (90, FIRST)),
            (vec![(1, "PING"), (89, "a")], (119, NEXT)),
            (vec![(1, "a")], (31, NEXT)),
        ] {
            assert_eq!(fails(silent, &events), expected, "{events:?}");
        }
    }
}
