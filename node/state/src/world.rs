//! The state as a value. Invariant: no slot holds zero, and storage exists only below an account that exists.

use std::{fmt, sync::Arc};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::TrieAccount;
use imbl::OrdMap;
use parapet_types::{AccountChange, AccountInfo, ReadError, StateChanges, StateReader};

use crate::trie::{self, AccountProof, Trie, TrieValue};

/// All accounts, their storage and their code at one point of the chain.
///
/// Cloning is O(1), and a value derived by [`apply`](Self::apply) costs memory for what changed only.
#[derive(Clone, Default)]
pub struct WorldState {
    /// By Keccak-256 of the address: the order of the trie's leaves.
    accounts: Trie<Arc<Account>>,
    /// By its hash. Code stays when the last account that had it goes: it is found by content, so that is harmless.
    code: OrdMap<B256, Bytes>,
}

/// A slot and its value, which is never zero.
pub(crate) type Slot = (U256, U256);

/// An account with its storage.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) address: Address,
    pub(crate) info: AccountInfo,
    /// By Keccak-256 of the slot.
    pub(crate) slots: Trie<Slot>,
}

impl Account {
    fn new(address: Address) -> Self {
        Self { address, info: AccountInfo::default(), slots: Trie::new() }
    }

    fn write(&mut self, change: &AccountChange) {
        if change.wipe_storage {
            self.slots = Trie::new();
        }
        for (slot, value) in &change.storage {
            let key = keccak256(slot.to_be_bytes::<32>());
            if value.is_zero() {
                self.slots.remove(&key);
            } else {
                self.slots.insert(key, (*slot, *value));
            }
        }
    }
}

impl WorldState {
    /// The state with no account.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An account; `None` where there is none.
    #[must_use]
    pub fn account(&self, address: &Address) -> Option<AccountInfo> {
        self.entry(address).map(|account| account.info)
    }

    /// A storage word; zero where there is none.
    #[must_use]
    pub fn storage(&self, address: &Address, slot: U256) -> U256 {
        self.entry(address)
            .and_then(|account| account.slots.get(&keccak256(slot.to_be_bytes::<32>())))
            .map_or(U256::ZERO, |(_, value)| *value)
    }

    /// Code by its hash; that of the empty string is always known.
    #[must_use]
    pub fn code(&self, code_hash: B256) -> Option<Bytes> {
        if code_hash == KECCAK256_EMPTY { Some(Bytes::new()) } else { self.code.get(&code_hash).cloned() }
    }

    /// Whether the account has any storage (EIP-7610: a creation there must fail).
    #[must_use]
    pub fn has_storage(&self, address: &Address) -> bool {
        self.entry(address).is_some_and(|account| !account.slots.is_empty())
    }

    /// The state after a change set. Costs time and memory in the size of the change set, not of the state.
    #[must_use]
    pub fn apply(&self, changes: &StateChanges) -> Self {
        let mut accounts = self.accounts.clone();
        for (address, change) in &changes.accounts {
            let key = keccak256(address);
            let Some(info) = change.info else {
                accounts.remove(&key);
                continue;
            };
            let before = accounts.get(&key).map(|account| Account::clone(account));
            let mut account = before.unwrap_or_else(|| Account::new(*address));
            account.info = info;
            account.write(change);
            accounts.insert(key, Arc::new(account));
        }
        let mut code = self.code.clone();
        for (hash, bytes) in &changes.code {
            code.insert(*hash, bytes.clone());
        }
        Self { accounts, code }
    }

    /// The change set that leads from `self.apply(changes)` back to this state. Code is not taken back.
    #[must_use]
    pub fn undo_of(&self, changes: &StateChanges) -> StateChanges {
        let undo = |(address, change): (&Address, &AccountChange)| {
            let Some(before) = self.entry(address) else {
                return (*address, AccountChange { wipe_storage: true, ..AccountChange::default() });
            };
            let storage = if change.wipe_storage || change.info.is_none() {
                before.slots.values().copied().collect()
            } else {
                change.storage.keys().map(|slot| (*slot, self.storage(address, *slot))).collect()
            };
            // Without the wipe, slots would stay that were written after the account's storage was dropped.
            let wipe_storage = change.wipe_storage || change.info.is_none();
            (*address, AccountChange { info: Some(before.info), wipe_storage, storage })
        };
        StateChanges { accounts: changes.accounts.iter().map(undo).collect(), ..StateChanges::default() }
    }

    /// The state root. Hashes the trie nodes that changed since a state from which this one was derived knew its own,
    /// on several threads, and those alone.
    #[must_use]
    pub fn root(&self) -> B256 {
        self.accounts.root()
    }

    /// Trie nodes of accounts and storage that the next [`root`](Self::root) hashes; 0 once it was asked for.
    #[must_use]
    pub fn unhashed_nodes(&self) -> usize {
        self.accounts.unhashed()
    }

    /// The state root from nothing but accounts and slots, by other code than [`root`](Self::root): its oracle. A pass
    /// over the whole state.
    #[must_use]
    pub fn rebuild_root(&self) -> B256 {
        trie::rebuild_state_root(&self.accounts)
    }

    /// Merkle proofs of an account and some of its slots, present or absent. Reads the nodes on the way to them.
    #[must_use]
    pub fn proof(&self, address: Address, slots: &[U256]) -> AccountProof {
        trie::prove(&self.accounts, address, slots)
    }

    /// Every account, by Keccak-256 of its address.
    pub fn accounts(&self) -> impl Iterator<Item = (Address, AccountInfo)> {
        self.accounts.values().map(|account| (account.address, account.info))
    }

    /// Every slot of an account that is not zero, by Keccak-256 of the slot.
    pub fn slots(&self, address: &Address) -> impl Iterator<Item = (U256, U256)> {
        self.entry(address).into_iter().flat_map(|account| account.slots.values().copied())
    }

    /// Every code that was ever set, by its hash.
    pub fn codes(&self) -> impl Iterator<Item = (B256, &Bytes)> {
        self.code.iter().map(|(hash, code)| (*hash, code))
    }

    /// The change set that leads from the empty state to this one.
    #[must_use]
    pub fn to_changes(&self) -> StateChanges {
        let whole = |account: &Arc<Account>| {
            let storage = account.slots.values().copied().collect();
            (account.address, AccountChange { info: Some(account.info), wipe_storage: false, storage })
        };
        StateChanges {
            accounts: self.accounts.values().map(whole).collect(),
            code: self.code.iter().map(|(hash, code)| (*hash, code.clone())).collect(),
        }
    }

    fn entry(&self, address: &Address) -> Option<&Arc<Account>> {
        self.accounts.get(&keccak256(address))
    }
}

impl TrieValue for Arc<Account> {
    fn encode(&self, out: &mut Vec<u8>) {
        let AccountInfo { nonce, balance, code_hash } = self.info;
        alloy_rlp::Encodable::encode(&TrieAccount::new(nonce, balance, self.slots.root(), code_hash), out);
    }

    fn unhashed(&self) -> usize {
        self.slots.unhashed()
    }
}

impl TrieValue for Slot {
    fn encode(&self, out: &mut Vec<u8>) {
        alloy_rlp::Encodable::encode(&self.1, out);
    }

    fn unhashed(&self) -> usize {
        0
    }
}

impl StateReader for WorldState {
    fn account(&self, address: &Address) -> Result<Option<AccountInfo>, ReadError> {
        Ok(Self::account(self, address))
    }

    fn storage(&self, address: &Address, slot: U256) -> Result<U256, ReadError> {
        Ok(Self::storage(self, address, slot))
    }

    fn has_storage(&self, address: &Address) -> Result<bool, ReadError> {
        Ok(Self::has_storage(self, address))
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, ReadError> {
        Ok(Self::code(self, code_hash))
    }
}

impl fmt::Debug for WorldState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorldState").field("accounts", &self.accounts.len()).field("codes", &self.code.len()).finish()
    }
}
