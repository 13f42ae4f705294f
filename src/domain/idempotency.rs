//! Keys that let clients repeat a question without asking it twice.

use sha2::{Digest, Sha256};

/// A client's name for one question of a session (`Idempotency-Key`), as a digest, so that its
/// size is fixed whatever the client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(pub [u8; 16]);

impl IdempotencyKey {
    /// Maximum length of a key, in bytes.
    pub const MAX_BYTES: usize = 255;

    /// Parses a key: 1 to [`Self::MAX_BYTES`] printable ASCII characters.
    pub fn new(text: &str) -> Option<Self> {
        let printable = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if text.trim().is_empty() || text.len() > Self::MAX_BYTES || !printable {
            return None;
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&Sha256::digest(text)[..16]);
        Some(Self(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::IdempotencyKey;

    #[test]
    fn a_key_is_printable_and_short() {
        let longest = "k".repeat(IdempotencyKey::MAX_BYTES);
        for text in ["a", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "\"quoted one\"", &longest] {
            assert!(IdempotencyKey::new(text).is_some(), "{text}");
        }
        for text in ["", "  ", "a\nb", "schlüssel", &(longest + "k")] {
            assert!(IdempotencyKey::new(text).is_none(), "{text}");
        }
        assert_ne!(IdempotencyKey::new("a"), IdempotencyKey::new("b"));
    }
}
