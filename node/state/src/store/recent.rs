//! The newest blocks, in memory, as many as a number of bytes allows; the head always.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use alloy_primitives::B256;

use crate::{StoredBlock, WorldState};

/// A block and the state after it.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) block: Arc<StoredBlock>,
    pub(super) world: WorldState,
}

#[derive(Debug)]
pub(super) struct Recent {
    head: Head,
    /// Those before the head, oldest first. Their states are in memory as far as the head's is.
    before: VecDeque<(Arc<StoredBlock>, Option<WorldState>)>,
    /// Number of a block by its hash.
    numbers: HashMap<B256, u64>,
    /// Number of the block and index in it, by transaction hash.
    transactions: HashMap<B256, (u64, usize)>,
    bytes: usize,
    bytes_max: usize,
}

impl Recent {
    pub(super) fn new(block: Arc<StoredBlock>, world: WorldState, bytes_max: usize) -> Self {
        let mut recent = Self {
            head: Head { block, world },
            before: VecDeque::new(),
            numbers: HashMap::new(),
            transactions: HashMap::new(),
            bytes: 0,
            bytes_max,
        };
        recent.index(&Arc::clone(&recent.head.block));
        recent
    }

    pub(super) const fn head(&self) -> &Head {
        &self.head
    }

    /// The oldest of them.
    pub(super) fn oldest(&self) -> &StoredBlock {
        self.before.front().map_or(&self.head.block, |(block, _)| block)
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes a block the head, and forgets the oldest if there are too many.
    pub(super) fn push(&mut self, block: Arc<StoredBlock>, world: WorldState) {
        self.index(&block);
        let before = std::mem::replace(&mut self.head, Head { block, world });
        self.before.push_back((before.block, Some(before.world)));
        while self.bytes > self.bytes_max {
            let Some((oldest, _)) = self.before.pop_front() else { break };
            self.forget(&oldest);
        }
    }

    /// The same, and forgets the states of all blocks before it, for there is no room for them.
    pub(super) fn push_alone(&mut self, block: Arc<StoredBlock>, world: WorldState) {
        self.push(block, world);
        self.before.iter_mut().for_each(|(_, world)| *world = None);
    }

    /// Begins again from another head.
    pub(super) fn restart(&mut self, block: Arc<StoredBlock>, world: WorldState) {
        *self = Self::new(block, world, self.bytes_max);
    }

    /// Makes an earlier block the head.
    pub(super) fn rewind(&mut self, number: u64) {
        while self.head.block.number() > number {
            let Some((block, Some(world))) = self.before.pop_back() else { break };
            let dropped = std::mem::replace(&mut self.head, Head { block, world });
            self.forget(&dropped.block);
        }
    }

    pub(super) fn block(&self, number: u64) -> Option<Arc<StoredBlock>> {
        if number == self.head.block.number() {
            return Some(Arc::clone(&self.head.block));
        }
        self.before.get(self.position(number)?).map(|(block, _)| Arc::clone(block))
    }

    pub(super) fn world(&self, number: u64) -> Option<WorldState> {
        if number == self.head.block.number() {
            return Some(self.head.world.clone());
        }
        self.before.get(self.position(number)?)?.1.clone()
    }

    pub(super) fn number(&self, hash: B256) -> Option<u64> {
        self.numbers.get(&hash).copied()
    }

    pub(super) fn place(&self, transaction: B256) -> Option<(u64, usize)> {
        self.transactions.get(&transaction).copied()
    }

    fn position(&self, number: u64) -> Option<usize> {
        let first = self.before.front()?.0.number();
        usize::try_from(number.checked_sub(first)?).ok()
    }

    fn index(&mut self, block: &StoredBlock) {
        self.bytes = self.bytes.saturating_add(block.memory_bytes());
        self.numbers.insert(block.hash(), block.number());
        for (index, transaction) in block.transactions.iter().enumerate() {
            self.transactions.insert(*transaction.tx_hash(), (block.number(), index));
        }
    }

    fn forget(&mut self, block: &StoredBlock) {
        self.bytes = self.bytes.saturating_sub(block.memory_bytes());
        self.numbers.remove(&block.hash());
        for transaction in &block.transactions {
            // Unless it stands in another block, too, where a chain was amended between the two.
            if self.transactions.get(transaction.tx_hash()).is_some_and(|(number, _)| *number == block.number()) {
                self.transactions.remove(transaction.tx_hash());
            }
        }
    }
}
