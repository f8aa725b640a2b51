//! Noise that follows from a secret: the same for the same set of records, unforeseeable for every other one. Whole
//! numbers only: floating point would leave traces.

use aws_lc_rs::hmac;

/// What keys and noise follow from. Without it a release cannot be undone; with it a release can be made again.
pub struct Secret(hmac::Key);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

impl Secret {
    /// From 32 bytes of the keyring.
    pub fn new(material: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, material))
    }

    fn number(&self, parts: &[&[u8]]) -> u64 {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        let tag = context.sign();
        tag.as_ref().iter().take(8).fold(0, |n, byte| n << 8 | u64::from(*byte))
    }

    /// The key of a record.
    pub fn record(&self, id: uuid::Uuid) -> u64 {
        self.number(&[b"record", id.as_bytes()])
    }

    /// The noise of a cell: binomial around 0, at most `most` either way (variance `most` / 2).
    pub fn noise(&self, cell: u64, draw: u64, most: u64) -> i64 {
        let bits = most.min(32) * 2;
        let number = self.number(&[b"cell", &draw.to_be_bytes(), &cell.to_be_bytes()]);
        let mask = if bits == 64 { u64::MAX } else { (1_u64 << bits) - 1 };
        i64::from((number & mask).count_ones()) - i64::try_from(bits / 2).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_the_same_for_the_same_cell_and_balanced_over_all_of_them() {
        let (one, other) = (Secret::new(&[1; 32]), Secret::new(&[2; 32]));
        assert_eq!(one.noise(77, 0, 5), one.noise(77, 0, 5));
        let drawn: Vec<i64> = (0..20_000).map(|n| one.noise(n, 0, 5)).collect();
        assert!(drawn.iter().all(|e| (-5..=5).contains(e)));
        assert!((-5..=5).all(|e| drawn.contains(&e)), "every value comes");
        let sum: i64 = drawn.iter().sum();
        assert!(sum.abs() < 1_500, "{sum}");
        assert!((0..1_000).any(|n| one.noise(n, 0, 5) != other.noise(n, 0, 5)));
        assert!((0..1_000).any(|n| one.noise(n, 0, 5) != one.noise(n, 1, 5)));
        assert_eq!(one.noise(5, 0, 0), 0);
    }
}
