//! The tree that keeps entries in order: height-balanced (Adelson-Velsky and Landis, 1962), because its depth is bounded
//! for every sequence of insertions and removals, whoever chooses them. Shape depends on that sequence alone.
//!
//! Invariant: the heights of the two trees below an entry differ by at most one, and its own height is what its word
//! says. With `n` entries no walk down is longer than 1.45 · log2(n + 2).

use std::cmp::Ordering;

use alloy_primitives::U256;

use crate::{
    EntryError, KEY_BYTES_MAX, Order, Words,
    layout::{KEY_HEAD_BYTES, Node, Side, mark, part, unpacked, words_of},
};

/// No tree that fits on a disk is as high.
const DEPTH_MAX: usize = 96;

pub(crate) struct Tree<'w, W> {
    root: U256,
    words: &'w mut W,
}

/// Entries on the way down, and the side on which it went on.
type Path = Vec<(Node, Side)>;

impl<'w, W: Words> Tree<'w, W> {
    pub(crate) fn new(root: U256, words: &'w mut W) -> Self {
        Self { root, words }
    }

    /// Hangs an entry into the tree whose key is not there yet. Its key is already written.
    pub(crate) fn insert(&mut self, node: Node, key: &[u8]) -> Result<(), W::Error> {
        let mut path = Path::new();
        if self.descend(node, key, &mut path)? {
            return Err(EntryError::Incoherent.into());
        }
        self.link(&path, Some(node))?;
        self.balance(path)
    }

    /// Takes an entry that is there out of the tree, and clears its links.
    pub(crate) fn remove(&mut self, node: Node, key: &[u8]) -> Result<(), W::Error> {
        let mut path = Path::new();
        if !self.descend(node, key, &mut path)? {
            return Err(EntryError::Incoherent.into());
        }
        let (left, right) = (self.child(node, Side::Left)?, self.child(node, Side::Right)?);
        match (left, right) {
            (Some(_), Some(right)) => {
                // The next larger one takes its place.
                let place = path.len();
                path.push((node, Side::Right));
                let mut next = right;
                while let Some(smaller) = self.child(next, Side::Left)? {
                    self.step(&mut path, next, Side::Left)?;
                    next = smaller;
                }
                let after = self.child(next, Side::Right)?;
                self.link(&path, after)?;
                let right = self.child(node, Side::Right)?;
                self.set_child(next, Side::Left, left)?;
                self.set_child(next, Side::Right, right)?;
                let height = self.words.read(node.height())?;
                self.words.write(next.height(), height)?;
                self.link(&path[..place], Some(next))?;
                path[place].0 = next;
            }
            (child, None) | (None, child) => self.link(&path, child)?,
        }
        for slot in [node.child(Side::Left), node.child(Side::Right), node.height()] {
            self.write(slot, U256::ZERO)?;
        }
        self.balance(path)
    }

    /// The entry with the smallest key, or the largest.
    pub(crate) fn end(&mut self, order: Order) -> Result<Option<Node>, W::Error> {
        let side = match order {
            Order::Ascending => Side::Left,
            Order::Descending => Side::Right,
        };
        let mut found = None;
        let mut next = self.top()?;
        let mut depth = 0;
        while let Some(node) = next {
            found = Some(node);
            next = self.child(node, side)?;
            depth += 1;
            check_depth(depth)?;
        }
        Ok(found)
    }

    /// The entry nearest to a key on one side; the key's own, if it counts and is there.
    pub(crate) fn beside(
        &mut self,
        own: Node,
        key: &[u8],
        own_counts: bool,
        order: Order,
    ) -> Result<Option<Node>, W::Error> {
        let (ahead, side) = match order {
            Order::Ascending => (Ordering::Greater, Side::Left),
            Order::Descending => (Ordering::Less, Side::Right),
        };
        let mut found = None;
        let mut next = self.top()?;
        let mut depth = 0;
        while let Some(node) = next {
            let compared = self.compare(node, own, key)?;
            if compared == Ordering::Equal && own_counts {
                return Ok(Some(node));
            }
            if compared == ahead {
                found = Some(node);
                next = self.child(node, side)?;
            } else {
                next = self.child(node, side.other())?;
            }
            depth += 1;
            check_depth(depth)?;
        }
        Ok(found)
    }

    /// Walks down to a key, and tells whether it is there. The path ends above it.
    fn descend(&mut self, own: Node, key: &[u8], path: &mut Path) -> Result<bool, W::Error> {
        let mut next = self.top()?;
        while let Some(node) = next {
            let side = match self.compare(node, own, key)? {
                Ordering::Greater => Side::Left,
                Ordering::Less => Side::Right,
                Ordering::Equal => return Ok(true),
            };
            self.step(path, node, side)?;
            next = self.child(node, side)?;
        }
        Ok(false)
    }

    fn step(&self, path: &mut Path, node: Node, side: Side) -> Result<(), W::Error> {
        path.push((node, side));
        Ok(check_depth(path.len())?)
    }

    /// How an entry's key compares with a key, whose own entry would be `own`.
    fn compare(&mut self, node: Node, own: Node, key: &[u8]) -> Result<Ordering, W::Error> {
        if node == own {
            return Ok(Ordering::Equal);
        }
        let head = self.words.read(node.key(0))?;
        let len = mark(head, KEY_HEAD_BYTES) as usize;
        if len > KEY_BYTES_MAX {
            return Err(EntryError::Incoherent.into());
        }
        for index in 0..words_of(len, KEY_HEAD_BYTES) {
            let word = if index == 0 { head } else { self.words.read(node.key(index))? };
            let (bytes, held) = unpacked(word, KEY_HEAD_BYTES, index, len);
            let compared = bytes[held].cmp(part(key, KEY_HEAD_BYTES, index));
            if compared != Ordering::Equal {
                return Ok(compared);
            }
        }
        Ok(len.cmp(&key.len()))
    }

    /// Restores the invariant from the end of a path upward, as far as heights change.
    fn balance(&mut self, mut path: Path) -> Result<(), W::Error> {
        while let Some((node, _)) = path.pop() {
            let before = self.words.read(node.height())?;
            let (left, right) = (self.height_at(node, Side::Left)?, self.height_at(node, Side::Right)?);
            let top = if left > right + 1 {
                self.rotate(node, Side::Left)?
            } else if right > left + 1 {
                self.rotate(node, Side::Right)?
            } else {
                let height = U256::from(left.max(right));
                if height == before {
                    return Ok(());
                }
                self.words.write(node.height(), height)?;
                continue;
            };
            self.link(&path, Some(top))?;
            if self.words.read(top.height())? == before {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Lifts what hangs too deep on one side of an entry. Gives the one that takes its place.
    fn rotate(&mut self, node: Node, deep: Side) -> Result<Node, W::Error> {
        let child = self.child(node, deep)?.ok_or(EntryError::Incoherent)?;
        if self.height_at(child, deep.other())? > self.height_at(child, deep)? {
            let inner = self.lift(child, deep.other())?;
            self.set_child(node, deep, Some(inner))?;
        }
        self.lift(node, deep)
    }

    /// Exchanges an entry with the one below it on one side.
    fn lift(&mut self, node: Node, side: Side) -> Result<Node, W::Error> {
        let child = self.child(node, side)?.ok_or(EntryError::Incoherent)?;
        let between = self.child(child, side.other())?;
        self.set_child(node, side, between)?;
        self.set_child(child, side.other(), Some(node))?;
        for lowered in [node, child] {
            let (left, right) = (self.height_at(lowered, Side::Left)?, self.height_at(lowered, Side::Right)?);
            self.write(lowered.height(), U256::from(left.max(right)))?;
        }
        Ok(child)
    }

    /// Height of the tree that hangs on one side of an entry: one for a single entry.
    fn height_at(&mut self, node: Node, side: Side) -> Result<u64, W::Error> {
        let Some(child) = self.child(node, side)? else { return Ok(0) };
        let height = self.words.read(child.height())?;
        if height > U256::from(DEPTH_MAX) {
            return Err(EntryError::Incoherent.into());
        }
        Ok(height.as_limbs()[0] + 1)
    }

    fn top(&mut self) -> Result<Option<Node>, W::Error> {
        self.words.read(self.root).map(Node::linked)
    }

    fn child(&mut self, node: Node, side: Side) -> Result<Option<Node>, W::Error> {
        self.words.read(node.child(side)).map(Node::linked)
    }

    fn set_child(&mut self, node: Node, side: Side, child: Option<Node>) -> Result<(), W::Error> {
        self.write(node.child(side), Node::link(child))
    }

    /// Lets the end of a path point to an entry.
    fn link(&mut self, path: &[(Node, Side)], node: Option<Node>) -> Result<(), W::Error> {
        match path.last() {
            Some((parent, side)) => self.set_child(*parent, *side, node),
            None => self.write(self.root, Node::link(node)),
        }
    }

    /// Writes a word that may be as it is already.
    fn write(&mut self, slot: U256, word: U256) -> Result<(), W::Error> {
        if self.words.read(slot)? == word { Ok(()) } else { self.words.write(slot, word) }
    }
}

fn check_depth(depth: usize) -> Result<(), EntryError> {
    if depth > DEPTH_MAX { Err(EntryError::Incoherent) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, ops::Bound};

    use alloy_primitives::B256;

    use super::*;
    use crate::Entries;

    #[derive(Default)]
    struct Plain(BTreeMap<U256, U256>);

    impl Words for Plain {
        type Error = EntryError;

        fn read(&mut self, slot: U256) -> Result<U256, EntryError> {
            Ok(self.0.get(&slot).copied().unwrap_or_default())
        }

        fn write(&mut self, slot: U256, word: U256) -> Result<(), EntryError> {
            if word.is_zero() {
                self.0.remove(&slot);
            } else {
                self.0.insert(slot, word);
            }
            Ok(())
        }
    }

    const ATTACHMENT: B256 = B256::repeat_byte(7);

    /// Checks heights and order below a node, and gives the height and the number of entries.
    fn check(tree: &mut Tree<'_, Plain>, node: Option<Node>) -> (u64, usize) {
        let Some(node) = node else { return (0, 0) };
        let below = [Side::Left, Side::Right].map(|side| {
            let child = tree.child(node, side).expect("memory is read");
            check(tree, child)
        });
        let [(left, left_count), (right, right_count)] = below;
        assert!(left.abs_diff(right) <= 1, "unbalanced: {left} and {right}");
        let height = tree.words.read(node.height()).expect("memory is read");
        assert_eq!(height, U256::from(left.max(right)));
        (left.max(right) + 1, left_count + right_count + 1)
    }

    fn keys(entries: &mut Entries<'_, Plain>) -> Vec<u32> {
        let mut found = Vec::new();
        let mut from = Bound::Unbounded;
        while let Some(key) = entries.seek(from.as_ref().map(Vec::as_slice), Order::Ascending).expect("memory is read")
        {
            found.push(u32::from_be_bytes(key[..].try_into().expect("keys of four bytes")));
            from = Bound::Excluded(key);
        }
        found
    }

    /// The orders that trees without balance are ruined by, and one that mixes.
    fn sequences(count: u32) -> [Vec<u32>; 4] {
        let zigzag = (0..count).map(|at| if at % 2 == 0 { at } else { 2 * count - at });
        let mixed = (0..count).map(|at| at.wrapping_mul(2_654_435_761) % 100_003);
        [(0..count).collect(), (0..count).rev().collect(), zigzag.collect(), mixed.collect()]
    }

    #[test]
    fn no_order_of_insertions_or_removals_makes_it_deep() {
        for sequence in sequences(300) {
            let mut words = Plain::default();
            let mut kept = std::collections::BTreeSet::new();
            for (step, key) in sequence.iter().enumerate() {
                let mut entries = Entries::new(ATTACHMENT, &mut words);
                entries.set(&key.to_be_bytes(), &[1]).expect("short");
                kept.insert(*key);
                if step % 3 == 2 {
                    let gone = sequence[step / 2];
                    assert_eq!(entries.remove(&gone.to_be_bytes()), Ok(kept.remove(&gone)));
                }
                let mut tree = entries.tree();
                let top = tree.top().expect("memory is read");
                let (height, count) = check(&mut tree, top);
                assert_eq!(count, kept.len());
                assert!(height as f64 <= 1.45 * ((count + 2) as f64).log2(), "{count} entries, height {height}");
            }
            assert_eq!(keys(&mut Entries::new(ATTACHMENT, &mut words)), kept.iter().copied().collect::<Vec<_>>());
            for key in &kept {
                assert_eq!(Entries::new(ATTACHMENT, &mut words).remove(&key.to_be_bytes()), Ok(true));
            }
            assert_eq!(words.0, BTreeMap::new(), "what is removed leaves nothing");
        }
    }

    #[test]
    fn links_in_a_circle_end_in_an_error() {
        let mut words = Plain::default();
        let mut entries = Entries::new(ATTACHMENT, &mut words);
        entries.set(b"a", b"1").expect("short");
        entries.set(b"b", b"2").expect("short");
        let (root, b) = (crate::entries_root(ATTACHMENT), Node::at(crate::entry_slot(ATTACHMENT, b"b")));
        words.0.insert(b.child(Side::Right), words.0[&root]);
        let mut entries = Entries::new(ATTACHMENT, &mut words);
        assert_eq!(entries.seek(Bound::Included(b"c"), Order::Ascending), Err(EntryError::Incoherent));
        assert_eq!(entries.seek(Bound::Unbounded, Order::Descending), Err(EntryError::Incoherent));
        assert_eq!(entries.set(b"c", b"3"), Err(EntryError::Incoherent));
        assert_eq!(entries.get(b"a"), Ok(Some(b"1".to_vec())));
    }
}
