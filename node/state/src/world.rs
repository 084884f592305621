//! The state as a value. Invariant: no slot holds zero, and storage exists only below an account that exists.

use std::{fmt, sync::Arc};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use alloy_trie::TrieAccount;
use imbl::{OrdMap, OrdSet};
use parapet_types::{AccountChange, AccountInfo, StateChanges, StateReader};
use rayon::iter::{IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _};

use crate::{
    StoreError,
    disk::Base,
    keys::{account_key, slot_key},
    source::AccountSource,
    trie::{AccountProof, Depth, Found, Rebuild, SlotProof, Source as _, Trie, TrieValue},
};

/// Accounts that one thread changes at least: below that there is too little to share out.
const PARALLEL_ACCOUNTS: usize = 4;

/// All accounts, their storage and their code at one point of the chain.
///
/// Cloning is O(1), and a value derived by [`apply`](Self::apply) costs memory for what changed only. What a store has
/// and nobody changed stays there and is read when somebody asks for it; hence the errors. A state that was made from
/// nothing but change sets is wholly in memory, and reading it does not fail.
///
/// A state may instead lie [over](Self::over) another one that cannot be walked, such as that of a chain elsewhere. Its tries
/// then hold what was changed here and nothing else: what they do not have is asked for below, unless it was removed here.
#[derive(Clone, Default)]
pub struct WorldState {
    /// By Keccak-256 of the address: the order of the trie's leaves.
    accounts: Trie<Arc<Account>>,
    /// Code that the store below may not have, by its hash. It stays when the last account that had it goes: it is found
    /// by content, so that is harmless.
    code: OrdMap<B256, Bytes>,
    /// Accounts and slots that were removed, by their keys, and that the store below may still have. Of an account that is
    /// here without its slots, what lies below has no say any more, be there an account by this key now or not.
    removed: OrdSet<Removed>,
    /// What is not in memory.
    base: Option<Arc<Base>>,
    /// The state over which this one lies, if it lies over one.
    below: Option<Arc<dyn StateReader>>,
    /// Over another state: all that was changed since the newest block from which this one is derived.
    since: Arc<StateChanges>,
}

/// A slot and its value, which is never zero.
pub(crate) type Slot = (U256, U256);

/// Key of an account that was removed, or of it and one of its slots.
pub(crate) type Removed = (B256, Option<B256>);

/// An account with its storage.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) address: Address,
    pub(crate) info: AccountInfo,
    /// By Keccak-256 of the slot.
    pub(crate) slots: Trie<Slot>,
}

impl WorldState {
    /// The state with no account.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The state that a change set makes of nothing.
    ///
    /// # Panics
    /// When an account has code that the change set does not carry.
    #[must_use]
    pub fn of(changes: &StateChanges) -> Self {
        Self::new().apply(changes).expect("nothing is read, and the change set carries its code")
    }

    /// A state that lies over another one, which answers for whatever is not changed here.
    #[must_use]
    pub fn over(below: Arc<dyn StateReader>) -> Self {
        Self { below: Some(below), ..Self::default() }
    }

    /// Whether it lies over another one. Its root and its walks are then of what was changed here alone, and it has no
    /// proofs.
    #[must_use]
    pub const fn is_over_another(&self) -> bool {
        self.below.is_some()
    }

    /// Whether nothing of an account needs to be asked for below: it was changed here, or was never anywhere else.
    #[must_use]
    pub fn is_here(&self, address: &Address) -> bool {
        let key = account_key(address);
        self.below(&key).is_none() || matches!(self.accounts.find(&key), Found::Here(_))
    }

    /// A state that lies in a store.
    pub(crate) fn at(base: Arc<Base>, root: B256) -> Self {
        Self { accounts: Trie::stored(root), base: Some(base), ..Self::default() }
    }

    /// An account; `None` where there is none.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer.
    pub fn account(&self, address: &Address) -> Result<Option<AccountInfo>, StoreError> {
        let key = account_key(address);
        Ok(match self.accounts.find(&key) {
            Found::Here(account) => Some(account.info),
            Found::Absent => self.account_below(&key, address)?,
            Found::InStore => self.source().base().account(&key)?.map(|stored| stored.info),
        })
    }

    /// A storage word; zero where there is none.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer.
    pub fn storage(&self, address: &Address, slot: U256) -> Result<U256, StoreError> {
        let (account, key) = (account_key(address), slot_key(slot));
        let found = match self.accounts.find(&account) {
            Found::Here(account) => account.slots.find(&key),
            Found::Absent => Found::Absent,
            Found::InStore => Found::InStore,
        };
        Ok(match found {
            Found::Here((_, value)) => *value,
            Found::Absent => match self.below(&account) {
                Some(below) if !self.removed.contains(&(account, Some(key))) => below.storage(address, slot)?,
                Some(_) | None => U256::ZERO,
            },
            Found::InStore => self.source().base().slot(&account, &key)?.map_or(U256::ZERO, |(_, value)| value),
        })
    }

    /// Code by its hash; that of the empty string is always known.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer.
    pub fn code(&self, code_hash: B256) -> Result<Option<Bytes>, StoreError> {
        if code_hash == KECCAK256_EMPTY {
            return Ok(Some(Bytes::new()));
        }
        match (self.code.get(&code_hash), &self.base, &self.below) {
            (Some(code), ..) => Ok(Some(code.clone())),
            (None, Some(base), _) => base.code(code_hash),
            (None, None, Some(below)) => Ok(below.code(code_hash)?),
            (None, None, None) => Ok(None),
        }
    }

    /// Whether the account has any storage (EIP-7610: a creation there must fail). Over another state, it has as long as the
    /// account below has any, unless all of it was dropped at once.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer.
    pub fn has_storage(&self, address: &Address) -> Result<bool, StoreError> {
        let key = account_key(address);
        if self.entry(&key, address)?.is_some_and(|account| !account.slots.is_empty()) {
            return Ok(true);
        }
        self.below(&key).map_or(Ok(false), |below| Ok(below.has_storage(address)?))
    }

    /// Hash of a block before the chain that this state belongs to, where what it lies over knows it.
    ///
    /// # Errors
    /// [`StoreError`] when what lies below cannot answer.
    pub fn block_hash(&self, number: u64) -> Result<Option<B256>, StoreError> {
        self.below.as_ref().map_or(Ok(None), |below| Ok(below.block_hash(number)?))
    }

    /// The state after a change set. Costs time and memory in the size of the change set, not of the state; storage that is
    /// dropped costs its size. Accounts are changed on several threads.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer, and when an account gets code that neither the change set nor the state
    /// has.
    pub fn apply(&self, changes: &StateChanges) -> Result<Self, StoreError> {
        let mut after = self.clone();
        after.code.extend(changes.code.iter().map(|(hash, code)| (*hash, code.clone())));
        let accounts: Vec<_> = changes.accounts.iter().collect();
        let changed: Vec<_> = accounts
            .par_iter()
            .with_min_len(PARALLEL_ACCOUNTS)
            .map(|(address, change)| after.changed(**address, change))
            .collect::<Result<_, _>>()?;
        if self.is_over_another() {
            after.since = Arc::new(Arc::unwrap_or_clone(after.since).followed_by(changes));
        }
        for Changed { key, account, removed } in changed {
            match account {
                Some(account) => after.accounts.insert(key, account, &self.source())?,
                None => after.accounts.remove(&key, &self.source())?,
            }
            after.removed.extend(removed);
        }
        Ok(after)
    }

    /// What becomes of an account.
    fn changed(&self, address: Address, change: &AccountChange) -> Result<Changed, StoreError> {
        let (key, source) = (account_key(&address), self.source());
        let before = self.entry(&key, &address)?;
        let mut removed = Vec::new();
        if let Some(before) = before.as_ref().filter(|_| change.info.is_none() || change.wipe_storage) {
            for slot in before.slots.entries(source.slots(key)) {
                removed.push((key, Some(slot?.0)));
            }
        }
        let Some(info) = change.info else {
            removed.extend((before.is_some() || self.below.is_some()).then_some((key, None)));
            return Ok(Changed { key, account: None, removed });
        };
        // Where there was no account, there is nothing of it to be asked for any more.
        if self.below.is_some() && (before.is_none() || change.wipe_storage) {
            removed.push((key, None));
        }
        let code_before = before.as_ref().map_or(KECCAK256_EMPTY, |before| before.info.code_hash);
        if info.code_hash != code_before && self.code(info.code_hash)?.is_none() {
            return Err(StoreError::Code { address, code_hash: info.code_hash });
        }
        let slots = before.filter(|_| !change.wipe_storage).map_or_else(Trie::new, |before| before.slots.clone());
        let mut account = Account { address, info, slots };
        for (slot, value) in &change.storage {
            let slot_key = slot_key(*slot);
            if value.is_zero() {
                account.slots.remove(&slot_key, &source.slots(key))?;
                removed.push((key, Some(slot_key)));
            } else {
                account.slots.insert(slot_key, (*slot, *value), &source.slots(key))?;
            }
        }
        Ok(Changed { key, account: Some(Arc::new(account)), removed })
    }

    /// The state root. Hashes the trie nodes that changed since a state from which this one was derived knew its own,
    /// on several threads, and those alone. Over another state, it is the root of what was changed here.
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
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer.
    pub fn rebuild_root(&self) -> Result<B256, StoreError> {
        let mut all = Rebuild::default();
        for account in self.accounts.entries(self.source()) {
            let (key, account) = account?;
            let storage_root = Rebuild::root_of(account.slots.entries(self.source().slots(key)))?;
            all.add(&key, |out| account.encode_with(storage_root, out));
        }
        Ok(all.root())
    }

    /// Merkle proofs of an account and some of its slots, present or absent. Reads the nodes on the way to them.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer.
    pub fn proof(&self, address: Address, slots: &[U256]) -> Result<AccountProof, StoreError> {
        if self.is_over_another() {
            return Err(StoreError::NoProof);
        }
        let key = account_key(&address);
        let (nodes, account) = self.accounts.prove(&key, &self.source())?;
        let storage = account.as_ref().map_or_else(Trie::new, |account| account.slots.clone());
        let prove_slot = |slot: &U256| {
            let (nodes, found) = storage.prove(&slot_key(*slot), &self.source().slots(key))?;
            Ok(SlotProof { slot: *slot, value: found.map_or(U256::ZERO, |(_, value)| value), nodes })
        };
        let slots = slots.iter().map(prove_slot).collect::<Result<_, StoreError>>()?;
        let info = account.map(|account| account.info);
        Ok(AccountProof { address, info, storage_root: storage.root(), nodes, slots })
    }

    /// Every account, by Keccak-256 of its address; ends after the first that cannot be read. Over another state, those that
    /// were changed here.
    pub fn accounts(&self) -> impl Iterator<Item = Result<(Address, AccountInfo), StoreError>> {
        self.accounts.entries(self.source()).map(|entry| entry.map(|(_, account)| (account.address, account.info)))
    }

    /// Hands over every slot of an account that is not zero and its value, one by one, by Keccak-256 of the slot.
    ///
    /// # Errors
    /// The first of `each`'s; [`StoreError`] when the store cannot answer.
    pub fn each_slot<E: From<StoreError>>(
        &self,
        address: &Address,
        mut each: impl FnMut(U256, U256) -> Result<(), E>,
    ) -> Result<(), E> {
        let key = account_key(address);
        let Some(account) = self.entry(&key, address)? else { return Ok(()) };
        account.slots.entries(self.source().slots(key)).try_for_each(|entry| {
            let (_, (slot, value)) = entry?;
            each(slot, value)
        })
    }

    /// Every slot of an account that is not zero, by Keccak-256 of the slot. Over another state, those that were changed
    /// here.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer.
    pub fn slots(&self, address: &Address) -> Result<Vec<(U256, U256)>, StoreError> {
        let mut slots = Vec::new();
        self.each_slot(address, |slot, value| {
            slots.push((slot, value));
            Ok::<_, StoreError>(())
        })?;
        Ok(slots)
    }

    /// Checks that the root lies in the store and is the one that is named.
    pub(crate) fn check_top(&self) -> Result<(), StoreError> {
        self.accounts.check(&self.source(), Depth::Top, &mut |_| Ok(()))
    }

    /// Checks that every node lies in the store and hashes to what its parent calls it. Tells of accounts and slots, and of
    /// the nodes above them.
    pub(crate) fn check(&self, mut each: impl FnMut(Checking)) -> Result<(), StoreError> {
        self.accounts.check(&self.source(), Depth::Whole, &mut |found| {
            let Some((key, account)) = found else {
                each(Checking::Node);
                return Ok(());
            };
            each(Checking::Account);
            account.slots.check(&self.source().slots(*key), Depth::Whole, &mut |found| {
                each(found.map_or(Checking::Node, |_| Checking::Slot));
                Ok(())
            })
        })
    }

    fn entry(&self, key: &B256, address: &Address) -> Result<Option<Arc<Account>>, StoreError> {
        match self.accounts.find(key) {
            Found::Here(account) => Ok(Some(Arc::clone(account))),
            Found::Absent => {
                let info = self.account_below(key, address)?;
                Ok(info.map(|info| Arc::new(Account { address: *address, info, slots: Trie::new() })))
            }
            Found::InStore => self.source().value(key),
        }
    }

    /// The account in the state below, if that has a say.
    fn account_below(&self, key: &B256, address: &Address) -> Result<Option<AccountInfo>, StoreError> {
        self.below(key).map_or(Ok(None), |below| Ok(below.account(address)?))
    }

    /// The state below, as long as nobody removed the account with a key, or all its storage.
    fn below(&self, key: &B256) -> Option<&dyn StateReader> {
        self.below.as_deref().filter(|_| !self.removed.contains(&(*key, None)))
    }

    fn source(&self) -> AccountSource<'_> {
        AccountSource::new(self.base.as_deref())
    }

    pub(crate) const fn accounts_trie(&self) -> &Trie<Arc<Account>> {
        &self.accounts
    }

    /// What a store has yet to be given: code, what was removed, and the trie.
    pub(crate) const fn unsaved(&self) -> (&OrdMap<B256, Bytes>, &OrdSet<Removed>, &Trie<Arc<Account>>) {
        (&self.code, &self.removed, &self.accounts)
    }

    /// The same, once the store of its base has everything.
    pub(crate) fn saved(self) -> Self {
        Self { code: OrdMap::new(), removed: OrdSet::new(), ..self }
    }

    /// The same as the state of a block, where there is no store that has to hear of what was removed.
    pub(crate) fn kept_in_memory(self) -> Self {
        let removed = if self.is_over_another() { self.removed } else { OrdSet::new() };
        Self { removed, since: Arc::default(), ..self }
    }

    /// Over another state: all that was changed since the newest block, or since it lies there.
    pub(crate) fn since_kept(&self) -> StateChanges {
        StateChanges::clone(&self.since)
    }

    /// Accounts and slots of the base that are in memory because they were read.
    pub(crate) fn values_cached(&self) -> usize {
        self.base.as_ref().map_or(0, |base| base.values_cached())
    }

    pub(crate) const fn base(&self) -> Option<&Arc<Base>> {
        self.base.as_ref()
    }
}

/// What a check came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checking {
    Node,
    Account,
    Slot,
}

/// What becomes of an account; `None` if it is no more.
struct Changed {
    key: B256,
    account: Option<Arc<Account>>,
    removed: Vec<Removed>,
}

impl Account {
    fn encode_with(&self, storage_root: B256, out: &mut Vec<u8>) {
        let AccountInfo { nonce, balance, code_hash } = self.info;
        alloy_rlp::Encodable::encode(&TrieAccount::new(nonce, balance, storage_root, code_hash), out);
    }
}

impl TrieValue for Arc<Account> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.encode_with(self.slots.root(), out);
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

impl fmt::Debug for WorldState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorldState")
            .field("base", &self.base)
            .field("over_another", &self.is_over_another())
            .field("accounts", &self.accounts)
            .finish_non_exhaustive()
    }
}
