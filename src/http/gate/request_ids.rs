//! Request ids.

use std::sync::atomic::{AtomicU64, Ordering};

/// Generates request ids: 16 hexadecimal digits, the first 8 random for each start of the server.
pub struct RequestIds {
    start: u32,
    next: AtomicU64,
}

impl RequestIds {
    /// Begins with a new random prefix.
    pub fn new() -> Self {
        Self { start: uuid::Uuid::new_v4().as_fields().0, next: AtomicU64::new(0) }
    }

    /// The next id.
    pub fn next(&self) -> String {
        let n = self.next.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff;
        format!("{:08x}{n:08x}", self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_differ() {
        let ids = RequestIds::new();
        let (a, b) = (ids.next(), ids.next());
        assert_ne!(a, b);
        assert_eq!((a.len(), &a[..8]), (16, &b[..8]));
    }
}
