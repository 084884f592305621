//! Takes from the disk, ahead of their block, what transactions that wait are likely to need, on threads that wait for the disk
//! so that the executor's do not.
//!
//! What is known of a transaction is read: its sender, its target with its code, its access list, and the words that [earlier
//! calls](learned) of the same function changed. It is read into the memory that the executor reads from, which is bounded by
//! the store's settings.
//!
//! Invariants: nothing that is read here decides anything, so a block is the same with it, without it, and in whatever part of
//! it was done; nobody waits for it, and what comes when much is waiting is left out; no thread outlives the chain, whose folder
//! somebody may want to open again.

mod learned;

use std::{
    collections::VecDeque,
    num::NonZeroUsize,
    sync::Arc,
    thread::{self, JoinHandle},
};

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U256};
use metrics::counter;
use parapet_state::{StoreError, WorldState};
use parapet_types::{StateChanges, Transaction};
use parking_lot::{Condvar, Mutex};

use self::learned::Learned;
use crate::{
    Chain, ChainError,
    measure::{PREFETCHED_TRANSACTIONS, PREFETCHED_VALUES},
};

/// Most transactions that wait to be looked at.
const WAITING_MAX: usize = 8_192;
/// After so many transactions in a row for which nothing had to be read, most are passed over.
const IDLE_MAX: u32 = 256;
/// One in so many is then looked at.
const IDLE_STRIDE: u32 = 16;
/// Words of an access list that are read ahead: who lists more pays for what it is.
const LISTED_MAX: usize = 1_024;

/// Threads that read ahead.
pub(crate) struct Prefetch {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    learned: Learned,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Transactions in a row for which nothing had to be read.
    idle: u32,
    closed: bool,
}

struct Job {
    world: WorldState,
    transaction: Transaction,
}

impl Prefetch {
    /// Starts so many threads.
    ///
    /// # Errors
    /// [`ChainError::Thread`] when the system gives none.
    pub(crate) fn start(threads: NonZeroUsize) -> Result<Self, ChainError> {
        let shared = Arc::new(Shared { queue: Mutex::default(), filled: Condvar::new(), learned: Learned::default() });
        let mut started = Self { shared, threads: Vec::new() };
        for index in 0..threads.get() {
            let shared = Arc::clone(&started.shared);
            let named = thread::Builder::new().name(format!("prefetch-{index}"));
            started.threads.push(named.spawn(move || shared.work()).map_err(ChainError::Thread)?);
        }
        Ok(started)
    }

    /// Has read what a transaction may need of a state.
    fn want(&self, world: &WorldState, transaction: Transaction) {
        if self.shared.queue.lock().put(Job { world: world.clone(), transaction }) {
            self.shared.filled.notify_one();
        }
    }
}

impl Queue {
    /// Takes a job, or leaves it out.
    fn put(&mut self, job: Job) -> bool {
        self.idle = self.idle.saturating_add(1);
        let passes = self.idle > IDLE_MAX && !self.idle.is_multiple_of(IDLE_STRIDE);
        if passes || self.jobs.len() >= WAITING_MAX {
            return false;
        }
        self.jobs.push_back(job);
        true
    }
}

impl Chain {
    /// Has read ahead what a transaction may need of a state.
    pub(crate) fn prefetch(&self, world: &WorldState, transaction: Transaction) {
        if let Some(prefetch) = &self.0.prefetch {
            prefetch.want(world, transaction);
        }
    }

    /// Learns from a block what calls like its own change.
    pub(crate) fn learn(&self, transactions: &[Transaction], changes: &StateChanges) {
        if let Some(prefetch) = &self.0.prefetch {
            prefetch.shared.learned.learn(transactions, changes);
        }
    }
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        {
            let mut queue = self.shared.queue.lock();
            queue.closed = true;
            queue.jobs.clear();
        }
        self.shared.filled.notify_all();
        for thread in self.threads.drain(..) {
            // Whatever ended it decided nothing.
            let _: thread::Result<()> = thread.join();
        }
    }
}

impl std::fmt::Debug for Prefetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prefetch").field("threads", &self.threads.len()).finish_non_exhaustive()
    }
}

impl Shared {
    fn work(&self) {
        while let Some(Job { world, transaction }) = self.next() {
            // Who needs what cannot be read is told so.
            let read = self.read(&world, &transaction).unwrap_or_default();
            if read > 0 {
                self.queue.lock().idle = 0;
            }
            counter!(PREFETCHED_TRANSACTIONS).increment(1);
            counter!(PREFETCHED_VALUES).increment(read as u64);
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.queue.lock();
        loop {
            if queue.closed {
                return None;
            }
            match queue.jobs.pop_front() {
                Some(job) => return Some(job),
                None => self.filled.wait(&mut queue),
            }
        }
    }

    /// Gives how many accounts and words were not in memory.
    fn read(&self, world: &WorldState, transaction: &Transaction) -> Result<usize, StoreError> {
        let mut read = world.read_ahead(&transaction.signer(), &[])?;
        if let Some(to) = transaction.to() {
            read += world.read_ahead(&to, &[])?;
        }
        let listed = transaction.access_list().into_iter().flat_map(|list| &list.0);
        let mut left = LISTED_MAX;
        for item in listed {
            let words: Vec<U256> = item.storage_keys.iter().take(left).map(|key| U256::from_be_bytes(key.0)).collect();
            read += world.read_ahead(&item.address, &words)?;
            left = left.saturating_sub(words.len() + 1);
            if left == 0 {
                break;
            }
        }
        let words: Vec<(Address, U256)> = self.learned.words_of(transaction);
        for (contract, word) in words {
            read += world.read_ahead(&contract, &[word])?;
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use alloy_consensus::{Header, SignableTransaction as _, TxEip2930, TxEnvelope};
    use alloy_eips::eip2930::{AccessList, AccessListItem};
    use alloy_primitives::{B256, Signature, TxKind, keccak256};
    use parapet_state::{ChainStore, GenesisBlock, StoreSettings};
    use parapet_types::{AccountChange, AccountInfo, ChainParams, ExecutionLimits, GuardParams, Hardfork};

    use super::*;

    const TOKEN: Address = Address::repeat_byte(0xaa);
    const ORACLE: Address = Address::repeat_byte(0xbb);
    const SELECTOR: [u8; 4] = [1, 2, 3, 4];

    fn entry(holder: Address) -> U256 {
        U256::from_be_bytes(keccak256([holder.into_word(), B256::ZERO].concat()).0)
    }

    fn holder(number: u8) -> Address {
        Address::repeat_byte(number)
    }

    /// A call with one argument that lists a word of another contract.
    fn give(sender: Address, to: Address) -> Transaction {
        let item = AccessListItem { address: ORACLE, storage_keys: vec![B256::with_last_byte(7)] };
        let input = [&SELECTOR[..], to.into_word().as_slice()].concat().into();
        let to = TxKind::Call(TOKEN);
        let tx = TxEip2930 { to, input, access_list: AccessList(vec![item]), ..TxEip2930::default() };
        Transaction::new_unchecked(TxEnvelope::Eip2930(tx.into_signed(Signature::test_signature())), sender)
    }

    /// A state with holders of a token, and an oracle.
    fn state() -> StateChanges {
        let info = Some(AccountInfo { nonce: 1, ..AccountInfo::default() });
        let account = |storage| AccountChange { info, wipe_storage: false, storage };
        let entries = (0..200).map(|number| (entry(holder(number)), U256::from(5))).collect();
        let oracle = (0..20).map(|word| (U256::from(word), U256::from(9))).collect();
        let mut accounts: std::collections::BTreeMap<_, _> =
            (0..100).map(|number| (holder(number), account([].into()))).collect();
        accounts.extend([(TOKEN, account(entries)), (ORACLE, account(oracle))]);
        StateChanges { accounts, ..StateChanges::default() }
    }

    #[test]
    fn sender_target_listed_and_learned_words_are_read_once() {
        let (dir, world) = (tempfile::tempdir().expect("there is room"), WorldState::of(&state()));
        let params = ChainParams {
            chain_id: 1,
            hardfork: Hardfork::Prague,
            block_gas_limit: 30_000_000,
            guards: GuardParams::DEFAULT,
            deposit_contract: ChainParams::MAINNET_DEPOSITS,
            limits: ExecutionLimits::ETHEREUM,
        };
        let header = Header { state_root: world.root(), ..Header::default() };
        let genesis = GenesisBlock { spec: params.into(), header, world };
        let store = ChainStore::open(dir.path(), genesis, StoreSettings::default()).expect("there is room");
        let prefetch = Prefetch::start(NonZeroUsize::MIN).expect("there is a thread");
        let read = |sender, to| prefetch.shared.read(&store.head_world(), &give(sender, to)).expect("it is there");
        assert_eq!(read(holder(1), holder(2)), 4, "sender, token, oracle and its word");
        let words = [entry(holder(1)), entry(holder(2))].map(|word| (word, U256::ONE));
        let change = AccountChange { storage: words.into(), ..AccountChange::default() };
        let changes = StateChanges { accounts: [(TOKEN, change)].into(), ..StateChanges::default() };
        prefetch.shared.learned.learn(&[give(holder(1), holder(2))], &changes);
        assert_eq!(read(holder(3), holder(4)), 3, "sender, and two words of the token");
        assert_eq!(read(holder(3), holder(4)), 0, "all of it is in memory");
    }

    #[test]
    fn where_nothing_has_to_be_read_most_is_passed_over() {
        let mut queue = Queue::default();
        let mut put = || {
            queue.jobs.clear();
            queue.put(Job { world: WorldState::new(), transaction: give(holder(1), holder(2)) })
        };
        assert!((0..IDLE_MAX).all(|_| put()));
        assert_eq!((0..10 * IDLE_STRIDE).filter(|_| put()).count(), 10);
    }

    #[test]
    fn no_more_waits_than_is_bounded() {
        let mut queue = Queue::default();
        for _ in 0..2 * WAITING_MAX {
            queue.idle = 0;
            queue.put(Job { world: WorldState::new(), transaction: give(holder(1), holder(2)) });
        }
        assert_eq!(queue.jobs.len(), WAITING_MAX);
    }
}
