//! The Merkle tree of RFC 6962 (§2.1): hashes, the frontier that grows it, and the proofs. Pure.
//!
//! A tree is never held whole. Writers keep its frontier (one hash for every 1 bit of its size); a proof is a list of
//! ranges of leaves, and whoever stores the hashes of complete subtrees answers each range's hash.

use std::ops::Range;

use aws_lc_rs::digest::{Context, SHA256, digest};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// Complete subtrees are reported at every eighth height: 256 leaves, 65,536 leaves …
pub const LEVEL_BITS: u32 = 8;

fn finish(context: Context) -> Hash {
    let mut hash = [0; 32];
    // SHA-256 has 32 bytes, so both sides have the same length.
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// SHA-256 of bytes.
pub fn sha256(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// Hash of a leaf: SHA-256(0x00 ‖ bytes).
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&[0]);
    context.update(bytes);
    finish(context)
}

/// Hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&[1]);
    context.update(left);
    context.update(right);
    finish(context)
}

/// Root of the tree without leaves.
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// A subtree that became complete: all its leaves are there and none will ever change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// 1 for 256 leaves, 2 for 65,536 …
    pub level: u32,
    /// Its place among those of its level.
    pub index: u64,
    /// Its hash.
    pub hash: Hash,
}

/// The right edge of a tree: enough to add leaves and to know the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees, largest (leftmost) first; one for every 1 bit of the size.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// From what [`Frontier::bytes`] wrote; none if it does not fit the size.
    pub fn read(size: u64, bytes: &[u8]) -> Option<Self> {
        let (peaks, rest) = bytes.as_chunks::<32>();
        let fits = rest.is_empty() && u32::try_from(peaks.len()).is_ok_and(|n| n == size.count_ones());
        fits.then(|| Self { size, peaks: peaks.to_vec() })
    }

    /// The peaks, one after the other.
    pub fn bytes(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// Leaves of the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf; `complete` hears of the subtrees that it completes, at every eighth height.
    pub fn push(&mut self, leaf: Hash, mut complete: impl FnMut(Node)) {
        self.put(0, leaf, &mut complete);
    }

    /// Adds a complete subtree of 256 leaves at once; none of it happens where the tree does not end at such a border.
    pub fn push_tile(&mut self, hash: Hash, mut complete: impl FnMut(Node)) -> bool {
        let aligned = self.size.is_multiple_of(1 << LEVEL_BITS);
        if aligned {
            self.put(LEVEL_BITS, hash, &mut complete);
        }
        aligned
    }

    fn put(&mut self, height: u32, hash: Hash, complete: &mut impl FnMut(Node)) {
        let mut tell = |height: u32, end: u64, hash: Hash| {
            if height > 0 && height.is_multiple_of(LEVEL_BITS) {
                complete(Node { level: height / LEVEL_BITS, index: (end >> height) - 1, hash });
            }
        };
        let (mut hash, mut height, before) = (hash, height, self.size);
        self.size += 1 << height;
        tell(height, self.size, hash);
        while before & (1 << height) != 0 {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            height += 1;
            tell(height, self.size, hash);
        }
        self.peaks.push(hash);
    }

    /// The root.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return empty_root() };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// Largest power of two smaller than `n`; `n` is at least 2.
fn split(n: u64) -> u64 {
    1 << (u64::BITS - 1 - (n - 1).leading_zeros())
}

/// Ranges of leaves whose hashes prove that leaf `index` is in the tree of `size`, lowest first (RFC 6962 §2.1.1).
pub fn inclusion(index: u64, size: u64) -> Option<Vec<Range<u64>>> {
    let mut path = Vec::new();
    if index >= size {
        return None;
    }
    let (mut low, mut high) = (0, size);
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            path.push(middle..high);
            high = middle;
        } else {
            path.push(low..middle);
            low = middle;
        }
    }
    path.reverse();
    Some(path)
}

/// Ranges of leaves whose hashes prove that the tree of `to` extends the tree of `from` (RFC 6962 §2.1.2).
pub fn consistency(from: u64, to: u64) -> Option<Vec<Range<u64>>> {
    if from == 0 || from > to {
        return None;
    }
    let mut path = Vec::new();
    let (mut low, mut high) = (0, to);
    // Until what is left is exactly the end of the old tree.
    while from < high {
        let middle = low + split(high - low);
        if from <= middle {
            path.push(middle..high);
            high = middle;
        } else {
            path.push(low..middle);
            low = middle;
        }
    }
    // The old root itself need not be sent: who asks has it.
    if low > 0 {
        path.push(low..high);
    }
    path.reverse();
    Some(path)
}

/// The hash of a range of leaves of a tree, given those of complete subtrees: `complete(height, index)`.
pub fn range_hash<E>(range: Range<u64>, complete: &mut impl FnMut(u32, u64) -> Result<Hash, E>) -> Result<Hash, E> {
    let length = range.end.saturating_sub(range.start);
    if length == 0 {
        return Ok(empty_root());
    }
    if length.is_power_of_two() && range.start.is_multiple_of(length) {
        let height = length.trailing_zeros();
        return complete(height, range.start >> height);
    }
    let middle = range.start + split(length);
    let left = range_hash(range.start..middle, complete)?;
    let right = range_hash(middle..range.end, complete)?;
    Ok(node_hash(&left, &right))
}

/// Hash of a complete subtree, from its children of a lower height, in order.
pub fn fold(mut hashes: Vec<Hash>) -> Option<Hash> {
    while hashes.len() > 1 {
        hashes = hashes
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => Some(node_hash(left, right)),
                _ => None,
            })
            .collect::<Option<_>>()?;
    }
    hashes.pop()
}

/// Whether an inclusion proof holds (RFC 9162 §2.1.3.2).
pub fn is_included(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(sibling, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether a consistency proof holds (RFC 9162 §2.1.4.2).
pub fn is_extension(from: u64, old: &Hash, to: u64, new: &Hash, path: &[Hash]) -> bool {
    if from == 0 || from > to {
        return false;
    }
    if from == to {
        return path.is_empty() && old == new;
    }
    let mut hashes = path.iter();
    let first = if from.is_power_of_two() { Some(old) } else { hashes.next() };
    let Some(first) = first else { return false };
    let shift = (from - 1).trailing_ones();
    let (mut place, mut last) = ((from - 1) >> shift, (to - 1) >> shift);
    let (mut of_old, mut of_new) = (*first, *first);
    for sibling in hashes {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            of_old = node_hash(sibling, &of_old);
            of_new = node_hash(sibling, &of_new);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            of_new = node_hash(&of_new, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && of_old == *old && of_new == *new
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn hex(hash: &[u8]) -> String {
        hash.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The definition of RFC 6962 §2.1, word for word.
    fn naive(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [one] => *one,
            many => {
                let middle = usize::try_from(split(u64::try_from(many.len()).unwrap())).unwrap();
                node_hash(&naive(&many[..middle]), &naive(&many[middle..]))
            }
        }
    }

    fn leaves(n: u64) -> Vec<Hash> {
        (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    fn grown(leaves: &[Hash]) -> (Frontier, Vec<Node>) {
        let (mut frontier, mut nodes) = (Frontier::default(), Vec::new());
        leaves.iter().for_each(|leaf| frontier.push(*leaf, |n| nodes.push(n)));
        (frontier, nodes)
    }

    fn proof(leaves: &[Hash], ranges: &[Range<u64>]) -> Vec<Hash> {
        let at = |i: u64| usize::try_from(i).unwrap();
        ranges.iter().map(|r| naive(&leaves[at(r.start)..at(r.end)])).collect()
    }

    /// The known answers of the reference implementation (certificate-transparency, merkle_tree_test).
    #[test]
    fn the_known_answers_of_the_reference_come_out() {
        let inputs: [&[u8]; 8] = [
            b"",
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let all: Vec<Hash> = inputs.iter().map(|i| leaf_hash(i)).collect();
        for (size, expected) in roots.iter().enumerate() {
            assert_eq!(&hex(&grown(&all[..size]).0.root()), expected, "{size}");
        }
        let path = proof(&all, &inclusion(0, 8).unwrap());
        assert_eq!(
            path.iter().map(|h| hex(h)).collect::<Vec<_>>(),
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ]
        );
        let path = proof(&all, &consistency(6, 8).unwrap());
        assert_eq!(
            path.iter().map(|h| hex(h)).collect::<Vec<_>>(),
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        );
    }

    #[test]
    fn every_tree_up_to_a_hundred_leaves_is_the_one_of_the_definition_and_its_proofs_hold() {
        let all = leaves(100);
        for size in 1..=100_u64 {
            let (tree, root) =
                (grown(&all[..usize::try_from(size).unwrap()]).0, naive(&all[..usize::try_from(size).unwrap()]));
            assert_eq!((tree.root(), tree.size()), (root, size));
            assert_eq!(Frontier::read(size, &tree.bytes()), Some(tree.clone()));
            assert_eq!(
                Frontier::read(size + 1, &tree.bytes()).filter(|_| (size + 1).count_ones() != size.count_ones()),
                None
            );
            for index in 0..size {
                let leaf = all[usize::try_from(index).unwrap()];
                let path = proof(&all, &inclusion(index, size).unwrap());
                assert!(is_included(&leaf, index, size, &path, &root), "{index} {size}");
                assert!(!is_included(&leaf, index + 1, size, &path, &root));
                assert!(!is_included(&root, index, size, &path, &root) || size == 1);
                assert!(path.is_empty() || !is_included(&leaf, index, size, &path[1..], &root));
            }
            for from in 1..=size {
                let old = naive(&all[..usize::try_from(from).unwrap()]);
                let path = proof(&all, &consistency(from, size).unwrap());
                assert!(is_extension(from, &old, size, &root, &path), "{from} {size}");
                assert!(!is_extension(from, &leaf_hash(b"other"), size, &root, &path));
                assert!(!is_extension(from, &old, size, &leaf_hash(b"other"), &path));
                assert!(from == size || !is_extension(from + 1, &old, size, &root, &path));
            }
        }
        assert_eq!((inclusion(3, 3), consistency(0, 3), consistency(4, 3)), (None, None, None));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn any_range_comes_from_the_complete_subtrees(size in 1_u64..3_000, a in 0_u64..3_000, b in 0_u64..3_000) {
            let all = leaves(size);
            let (_, nodes) = grown(&all);
            let stored: HashMap<(u32, u64), Hash> = nodes.iter().map(|n| ((n.level, n.index), n.hash)).collect();
            // As the store answers: from the nodes of the level below, in one piece of at most 256.
            let mut complete = |height: u32, index: u64| -> Result<Hash, Infallible> {
                let (level, rest) = (height / LEVEL_BITS, height % LEVEL_BITS);
                let children = (index << rest)..((index + 1) << rest);
                let hash = |i: u64| if level == 0 { all[usize::try_from(i).unwrap()] } else { stored[&(level, i)] };
                Ok(fold(children.map(hash).collect()).unwrap())
            };
            let to = 1 + a % size;
            let index = b % to;
            let root = range_hash(0..to, &mut complete).unwrap();
            prop_assert_eq!(root, naive(&all[..usize::try_from(to).unwrap()]));
            let mut hashes = |ranges: Vec<Range<u64>>| -> Vec<Hash> {
                ranges.into_iter().map(|r| range_hash(r, &mut complete).unwrap()).collect()
            };
            let path = hashes(inclusion(index, to).unwrap());
            prop_assert!(is_included(&all[usize::try_from(index).unwrap()], index, to, &path, &root));
            let old = naive(&all[..usize::try_from(index + 1).unwrap()]);
            let path = hashes(consistency(index + 1, to).unwrap());
            prop_assert!(is_extension(index + 1, &old, to, &root, &path));
        }

        #[test]
        fn whole_tiles_grow_the_same_tree_as_their_leaves(size in 0_u64..2_000) {
            let all = leaves(size);
            let (slow, nodes) = grown(&all);
            let (mut fast, mut heard) = (Frontier::default(), Vec::new());
            for tile in all.chunks(256) {
                if tile.len() == 256 {
                    prop_assert!(fast.push_tile(naive(tile), |n| heard.push(n)));
                } else {
                    tile.iter().for_each(|l| fast.push(*l, |n| heard.push(n)));
                }
            }
            prop_assert_eq!((fast.root(), fast), (slow.root(), slow));
            prop_assert_eq!(heard, nodes);
        }
    }
}
