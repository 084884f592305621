//! Notes what is read of a state.
//!
//! Invariant: what it answers is what the state below answers, so whoever reads through it does what it would have done
//! without. When there is more than may be recorded, it goes on answering and gives no recording.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use parapet_types::{AccountInfo, ReadError, StateReader};
use parking_lot::Mutex;

use crate::{
    PRESTATE_ACCOUNTS_MAX, PRESTATE_CODE_BYTES_MAX, PRESTATE_SLOTS_MAX, Prestate, RecordedAccount, RecordingError,
};

/// A state, and what was read of it so far.
pub struct Observer<'a> {
    below: &'a dyn StateReader,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    state: Prestate,
    slots: usize,
    code_bytes: usize,
    /// What there was too much of.
    exceeded: Option<(&'static str, usize)>,
}

impl std::fmt::Debug for Observer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observer").field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl<'a> Observer<'a> {
    /// Nothing was read yet.
    #[must_use]
    pub fn new(below: &'a dyn StateReader) -> Self {
        Self { below, seen: Mutex::default() }
    }

    /// What was read.
    ///
    /// # Errors
    /// [`RecordingError::TooMany`].
    pub fn finish(self) -> Result<Prestate, RecordingError> {
        let Seen { state, exceeded, .. } = self.seen.into_inner();
        match exceeded {
            Some((what, max)) => Err(RecordingError::TooMany { what, max }),
            None => Ok(state),
        }
    }

    /// Notes an account, and what `more` has to say of it.
    fn note(
        &self,
        address: &Address,
        more: impl FnOnce(&mut RecordedAccount) -> usize,
    ) -> Result<Option<AccountInfo>, ReadError> {
        let mut seen = self.seen.lock();
        let known = seen.state.accounts.get(address).map(|known| known.info);
        let info = match known {
            Some(info) => info,
            None => self.below.account(address)?,
        };
        if seen.state.accounts.len() >= PRESTATE_ACCOUNTS_MAX && known.is_none() {
            seen.exceeded = Some(("accounts", PRESTATE_ACCOUNTS_MAX));
            return Ok(info);
        }
        if seen.slots >= PRESTATE_SLOTS_MAX {
            seen.exceeded = Some(("storage words", PRESTATE_SLOTS_MAX));
            return Ok(info);
        }
        let account =
            seen.state.accounts.entry(*address).or_insert_with(|| RecordedAccount { info, ..Default::default() });
        let slots = more(account);
        seen.slots += slots;
        Ok(info)
    }
}

impl StateReader for Observer<'_> {
    fn account(&self, address: &Address) -> Result<Option<AccountInfo>, ReadError> {
        self.note(address, |_| 0)
    }

    fn storage(&self, address: &Address, slot: U256) -> Result<U256, ReadError> {
        let value = self.below.storage(address, slot)?;
        self.note(address, |account| usize::from(account.storage.insert(slot, value).is_none()))?;
        Ok(value)
    }

    fn has_storage(&self, address: &Address) -> Result<bool, ReadError> {
        let has = self.below.has_storage(address)?;
        self.note(address, |account| {
            account.has_storage = Some(has);
            0
        })?;
        Ok(has)
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, ReadError> {
        let code = self.below.code(code_hash)?;
        if let (Some(code), true) = (&code, code_hash != KECCAK256_EMPTY) {
            let mut seen = self.seen.lock();
            if !seen.state.code.contains_key(&code_hash) {
                seen.code_bytes = seen.code_bytes.saturating_add(code.len());
                if seen.code_bytes > PRESTATE_CODE_BYTES_MAX {
                    seen.exceeded = Some(("bytes of code", PRESTATE_CODE_BYTES_MAX));
                } else {
                    seen.state.code.insert(code_hash, code.clone());
                }
            }
        }
        Ok(code)
    }
}
