//! Pieces of JSON that both APIs use, parsed leniently, and without copying where possible.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

/// A JSON string, borrowed from the input if it has no escapes. (`Option<Cow<str>>` would always
/// copy: serde borrows a `Cow` only if it is a field itself.)
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Str<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// A number of tokens. Some servers write `12.0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count(pub u32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor)
    }
}

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of tokens")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Count, E> {
        Ok(Count(u32::try_from(value).unwrap_or(u32::MAX)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Count, E> {
        Ok(Count(u32::try_from(value.max(0)).unwrap_or(u32::MAX)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Count, E> {
        // `as` saturates, and turns NaN into zero.
        Ok(Count(value as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_without_escapes_are_borrowed() {
        let plain: Option<Str<'_>> = serde_json::from_str(r#""zażółć""#).unwrap();
        assert!(matches!(plain, Some(Str(Cow::Borrowed("zażółć")))));
        let escaped: Option<Str<'_>> = serde_json::from_str(r#""a\nb""#).unwrap();
        assert!(matches!(escaped, Some(Str(Cow::Owned(text))) if text == "a\nb"));
    }

    #[test]
    fn counts_are_read_from_any_number() {
        let counts: Vec<Count> = serde_json::from_str("[7, 7.0, -1, 1e30, 99999999999]").unwrap();
        let counts: Vec<u32> = counts.into_iter().map(|count| count.0).collect();
        assert_eq!(counts, [7, 7, 0, u32::MAX, u32::MAX]);
        assert!(serde_json::from_str::<Count>(r#""many""#).is_err());
    }
}
