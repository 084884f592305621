//! One block of another chain, as a state that can be read. Invariant: what it answered once, it answers always.

use std::{num::NonZeroUsize, sync::Arc};

use alloy_consensus::{Header, Sealed};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use lru::LruCache;
use parapet_types::{AccountInfo, ReadError, StateReader};
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

use crate::{
    ForkError, ForkSettings, Repeat, answer,
    cache::{Cache, Key, KnownAccount, Value},
    client::{Call, Client},
    file::{CacheFile, keep},
    flights::Flights,
    reply::Answer,
};

/// Most accounts and slots that one request asks for.
const WANTED_MAX: usize = 32;
/// Most accounts and slots that are fetched ahead at a time.
const AHEAD_MAX: usize = 1_024;
/// Answers to clients that are remembered.
pub(crate) const PASSED_MAX: NonZeroUsize = NonZeroUsize::new(64).expect("it is above zero");
/// Most bytes of one that is.
const PASSED_BYTES_MAX: usize = 1_024 * 1_024;

/// How answers are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Checks {
    /// Against the state root of the block, by proofs.
    Proved,
    /// Not at all, beyond their form: the endpoint is believed.
    Told,
}

/// Something of the state that may be wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// An account, with its code.
    Account(Address),
    /// A slot of an account.
    Slot(Address, U256),
}

/// A block of another chain that is forked.
#[derive(Debug)]
pub struct Fork {
    pub(crate) client: RwLock<Arc<Client>>,
    pub(crate) settings: RwLock<ForkSettings>,
    pub(crate) chain_id: u64,
    pub(crate) header: Sealed<Header>,
    pub(crate) checks: Checks,
    pub(crate) repeat: Option<Repeat>,
    /// The block, as requests name it.
    pub(crate) at: serde_json::Value,
    pub(crate) cache: Cache,
    pub(crate) file: Option<CacheFile>,
    pub(crate) flights: Flights,
    /// Answers that were passed on, by method and parameters.
    pub(crate) passed: Mutex<LruCache<(String, String), Box<RawValue>>>,
}

impl Fork {
    /// Chain id of the chain that is forked.
    #[must_use]
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Header of the block that is forked.
    #[must_use]
    pub const fn header(&self) -> &Sealed<Header> {
        &self.header
    }

    /// How its endpoint's answers are checked.
    #[must_use]
    pub const fn checks(&self) -> Checks {
        self.checks
    }

    /// What of the next block is to be executed again before anything else, where the chain goes on after a transaction.
    #[must_use]
    pub const fn repeat(&self) -> Option<&Repeat> {
        self.repeat.as_ref()
    }

    /// How its endpoint is treated.
    #[must_use]
    pub fn settings(&self) -> ForkSettings {
        self.settings.read().clone()
    }

    /// Its endpoint, as it may be shown.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.client().name().to_owned()
    }

    /// Makes a call that a client made about something that does not change any more, and gives what the endpoint answers.
    /// Nothing of it is checked but its form. What was passed on lately is remembered.
    ///
    /// # Errors
    /// [`ForkError`]; what the endpoint refuses is [`ForkError::Refused`], with its words.
    pub fn pass_on(&self, method: &str, params: &RawValue) -> Result<Box<RawValue>, ForkError> {
        let call = (method.to_owned(), params.get().to_owned());
        if let Some(answer) = self.passed.lock().get(&call) {
            return Ok(answer.clone());
        }
        let answer = self.client().pass_on(method, params)?;
        self.remember(call, &answer);
        Ok(answer)
    }

    /// What is not there may be there later.
    pub(crate) fn remember(&self, call: (String, String), answer: &RawValue) {
        if answer.get() != "null" && answer.get().len() + call.1.len() <= PASSED_BYTES_MAX {
            self.passed.lock().put(call, answer.to_owned());
        }
    }

    /// Reads what will be wanted, in as few requests as possible.
    ///
    /// # Errors
    /// [`ForkError`]; what was read before stays.
    pub fn fetch_ahead(&self, wanted: impl IntoIterator<Item = Want>) -> Result<(), ForkError> {
        let mut unknown: Vec<_> = wanted.into_iter().filter(|want| self.cache.get(&want.key()).is_none()).collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown.truncate(AHEAD_MAX);
        unknown.chunks(WANTED_MAX).try_for_each(|wanted| self.fetch(wanted))
    }

    pub(crate) fn client(&self) -> Arc<Client> {
        Arc::clone(&self.client.read())
    }

    /// An answer from memory, or else from the endpoint, asked by one thread for all.
    fn known(&self, want: Want) -> Result<Value, ForkError> {
        let key = want.key();
        loop {
            if let Some(value) = self.cache.get(&key) {
                return Ok(value);
            }
            let Some(_flight) = self.flights.take_off(want) else { continue };
            // Another thread may have landed just before.
            if let Some(value) = self.cache.get(&key) {
                return Ok(value);
            }
            let found = self.fetched(&[want])?;
            let value = found.iter().find(|(found, _)| *found == key).map(|(_, value)| value.clone());
            self.keep_all(found);
            return Ok(value.expect("what was asked for is among what was answered"));
        }
    }

    fn fetch(&self, wanted: &[Want]) -> Result<(), ForkError> {
        let found = self.fetched(wanted)?;
        self.keep_all(found);
        Ok(())
    }

    pub(crate) fn keep_all(&self, found: Vec<(Key, Value)>) {
        for (key, value) in found {
            if let Some(file) = self.file.as_ref().filter(|_| self.cache.get(&key).is_none()) {
                file.add(&key, &value);
            }
            keep(&self.cache, key, value);
        }
    }

    /// Whether it is known already that no slot of an account needs to be asked for.
    fn has_certainly_no_storage(&self, address: Address) -> bool {
        let known = self.cache.get(&Key::Account(address));
        matches!(known, Some(Value::Account(KnownAccount { info, has_storage })) if info.is_none() || has_storage == Some(false))
    }

    fn account_known(&self, address: Address) -> Result<KnownAccount, ForkError> {
        match self.known(Want::Account(address))? {
            Value::Account(account) => Ok(account),
            _ => unreachable!("an account is known by its key"),
        }
    }

    /// Code that somebody had when he was read.
    fn code_known(&self, code_hash: B256) -> Result<Option<Bytes>, ForkError> {
        if let Some(Value::Code(code)) = self.cache.get(&Key::Code(code_hash)) {
            return Ok(Some(code));
        }
        let Some(Value::Holder(address)) = self.cache.get(&Key::Holder(code_hash)) else { return Ok(None) };
        let client = self.client();
        let call = Call { method: "eth_getCode", params: json!([address, self.at]) };
        let answer = client.call(call.method, call.params.clone());
        let code = read(&client, &mut [(answer, &call)].into_iter(), answer::code)?;
        let is = keccak256(&code);
        if is != code_hash {
            return Err(self.unproven(
                &client,
                address.to_string(),
                format!("its code has hash {is}, not {code_hash}"),
            ));
        }
        self.keep_all(vec![(Key::Code(code_hash), Value::Code(code.clone()))]);
        Ok(Some(code))
    }

    pub(crate) fn unproven(&self, client: &Client, of: String, reason: String) -> ForkError {
        ForkError::Unproven { endpoint: client.name().to_owned(), of, block: self.header.hash(), reason }
    }
}

impl Want {
    const fn key(self) -> Key {
        match self {
            Self::Account(address) => Key::Account(address),
            Self::Slot(address, slot) => Key::Slot(address, slot),
        }
    }
}

/// The next answer as a value.
pub(crate) fn read<'a, T>(
    client: &Client,
    answers: &mut impl Iterator<Item = (Answer, &'a Call)>,
    parse: impl FnOnce(&RawValue) -> Result<T, String>,
) -> Result<T, ForkError> {
    let (answer, call) = answers.next().expect("an answer for each call");
    parse(&answer?).map_err(|reason| ForkError::Nonsense {
        endpoint: client.name().to_owned(),
        method: call.method.to_owned(),
        reason,
    })
}

impl StateReader for Fork {
    fn account(&self, address: &Address) -> Result<Option<AccountInfo>, ReadError> {
        Ok(self.account_known(*address)?.info)
    }

    fn storage(&self, address: &Address, slot: U256) -> Result<U256, ReadError> {
        if self.has_certainly_no_storage(*address) {
            return Ok(U256::ZERO);
        }
        match self.known(Want::Slot(*address, slot))? {
            Value::Slot(value) => Ok(value),
            _ => unreachable!("a slot is known by its key"),
        }
    }

    /// Where answers are not checked, it cannot be known, and an account without nonce and code counts as one without storage.
    /// Mainnet has 28 others (EIP-7610), at none of whose addresses anybody can create.
    fn has_storage(&self, address: &Address) -> Result<bool, ReadError> {
        Ok(self.account_known(*address)?.has_storage.unwrap_or(false))
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, ReadError> {
        Ok(self.code_known(code_hash)?)
    }

    fn block_hash(&self, number: u64) -> Result<Option<B256>, ReadError> {
        if number > self.header.number { Ok(None) } else { Ok(Some(self.hash_known(number)?)) }
    }
}
