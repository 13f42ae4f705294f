//! Limits requests per minute and client.

use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, RateLimiter};

use super::QuotaError;
use crate::domain::ClientKey;

/// Maximum number of clients counted individually per bucket. Further ones share the count of their
/// wider network, so that a flood from many addresses takes a bounded amount of memory.
const MAX_CLIENTS: usize = 100_000;

/// The kinds of requests, which are counted separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateBucket {
    /// Questions.
    Messages,
    /// New sessions.
    Sessions,
    /// Uploads.
    Uploads,
    /// Searches and SQL over a file.
    FileQueries,
}

impl RateBucket {
    /// Its label in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Sessions => "sessions",
            Self::Uploads => "uploads",
            Self::FileQueries => "file_queries",
        }
    }
}

/// One limiter per bucket; `None` if rates are not limited.
pub(super) struct Rates(Option<[DefaultKeyedRateLimiter<ClientKey>; 4]>);

impl Rates {
    /// At most `rate` requests per minute and client in each bucket, which may come in one burst;
    /// 0 for no limit.
    pub fn new(rate: u32) -> Self {
        Self(NonZeroU32::new(rate).map(|rate| {
            std::array::from_fn(|_| RateLimiter::keyed(governor::Quota::per_minute(rate)))
        }))
    }

    pub fn count(&self, bucket: RateBucket, client: ClientKey) -> Result<(), QuotaError> {
        let Some(limiters) = &self.0 else { return Ok(()) };
        let limiter = match bucket {
            RateBucket::Messages => &limiters[0],
            RateBucket::Sessions => &limiters[1],
            RateBucket::Uploads => &limiters[2],
            RateBucket::FileQueries => &limiters[3],
        };
        let client = if limiter.len() < MAX_CLIENTS { client } else { client.wider() };
        limiter.check_key(&client).map_err(|not_yet| QuotaError::RateLimited {
            retry_after: not_yet.wait_time_from(DefaultClock::default().now()),
        })
    }

    /// Drops clients whose whole allowance has been restored.
    pub fn tidy(&self) {
        for limiter in self.0.iter().flatten() {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const A: ClientKey = ClientKey::V4(1);
    const B: ClientKey = ClientKey::V6(1);

    #[test]
    fn clients_and_buckets_are_counted_separately() {
        let rates = Rates::new(3);
        for _ in 0..3 {
            rates.count(RateBucket::Messages, A).unwrap();
        }
        let refused = rates.count(RateBucket::Messages, A).unwrap_err();
        let QuotaError::RateLimited { retry_after } = refused else { panic!("{refused:?}") };
        assert!(retry_after > Duration::ZERO && retry_after <= Duration::from_secs(20));
        rates.count(RateBucket::Messages, B).unwrap();
        for bucket in [RateBucket::Sessions, RateBucket::Uploads, RateBucket::FileQueries] {
            rates.count(bucket, A).unwrap();
        }
        rates.tidy();
        rates.count(RateBucket::Messages, A).expect_err("tidying keeps current counts");
    }

    #[test]
    fn zero_means_no_limit() {
        let rates = Rates::new(0);
        for _ in 0..1000 {
            rates.count(RateBucket::Messages, A).unwrap();
        }
    }
}
