//! Amounts of money.

use std::fmt;

/// An amount in US dollars, exact to a trillionth: the price of a single token is that small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(u64);

/// Trillionths of a dollar per dollar.
const PER_DOLLAR: u64 = 1_000_000_000_000;

/// The highest price that makes sense, in dollars per million tokens.
const MAX_PRICE: f64 = 1_000_000.0;

impl Money {
    /// The price of one token of which a million cost `dollars`; `None` unless that is a number from
    /// 0 to 1 million.
    pub fn from_dollars_per_million(dollars: f64) -> Option<Self> {
        let is_price = (0.0..=MAX_PRICE).contains(&dollars);
        is_price.then(|| Self((dollars * 1e6).round() as u64))
    }

    /// `count` times this amount, saturating.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self(self.0.saturating_mul(count.into()))
    }

    /// The sum, saturating.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The amount in dollars, for metrics.
    pub fn dollars(self) -> f64 {
        self.0 as f64 / PER_DOLLAR as f64
    }
}

/// Dollars with six decimals, rounded to the nearest.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PER_MICRO: u64 = PER_DOLLAR / 1_000_000;
        let micros = self.0 / PER_MICRO + u64::from(self.0 % PER_MICRO >= PER_MICRO / 2);
        write!(f, "{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_never_overflow() {
        let token = Money::from_dollars_per_million(0.01).unwrap();
        assert_eq!(token.times(1_000_000).to_string(), "0.010000");
        assert_eq!(token.times(49).to_string(), "0.000000");
        assert_eq!(token.times(50).to_string(), "0.000001");
        let dear = Money::from_dollars_per_million(MAX_PRICE).unwrap();
        assert_eq!(dear.times(3).to_string(), "3.000000");
        assert_eq!(dear.times(u32::MAX).plus(dear.times(u32::MAX)), Money(u64::MAX));
        for nonsense in [-0.1, f64::NAN, f64::INFINITY, 1e6 + 1.0] {
            assert_eq!(Money::from_dollars_per_million(nonsense), None);
        }
    }
}
