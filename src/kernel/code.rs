//! Human references such as `TP-2026-7F3K9QXM-4`: random, speakable, never sequential. Pure.

/// Crockford base32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Check characters of Crockford's mod-37 scheme.
const CHECK: &[u8; 37] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";

/// A reference: `PREFIX-YEAR-8 characters (40 bits of `random`)-check character`.
pub fn reference(prefix: &str, year: i32, random: [u8; 16]) -> String {
    format!("{prefix}-{year:04}-{}", body(bits(random)))
}

/// A reference without a year, for persons (a year would tell when the person was registered).
pub fn person_reference(prefix: &str, random: [u8; 16]) -> String {
    format!("{prefix}-{}", body(bits(random)))
}

fn bits(random: [u8; 16]) -> u64 {
    let [a, b, c, d, e, ..] = random;
    [a, b, c, d, e].iter().fold(0, |acc, byte| (acc << 8) | u64::from(*byte))
}

fn body(bits: u64) -> String {
    let symbol =
        |table: &[u8], index: u64| usize::try_from(index).ok().and_then(|i| table.get(i)).map_or('0', |b| char::from(*b));
    let mut text: String = (0..8).rev().map(|i| symbol(ALPHABET, (bits >> (5 * i)) & 31)).collect();
    text.push('-');
    text.push(symbol(CHECK, bits % 37));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_the_published_shape_and_a_right_check_character() {
        for _ in 0..1_000 {
            let text = reference("TP", 2026, *uuid::Uuid::new_v4().as_bytes());
            let parts: Vec<&str> = text.split('-').collect();
            assert_eq!((parts.len(), parts[0], parts[1], parts[2].len(), parts[3].len()), (4, "TP", "2026", 8, 1));
            let value = parts[2]
                .bytes()
                .fold(0_u64, |acc, b| acc * 32 + u64::try_from(ALPHABET.iter().position(|a| *a == b).unwrap()).unwrap());
            assert_eq!(CHECK[usize::try_from(value % 37).unwrap()], parts[3].as_bytes()[0]);
        }
    }
}
