//! Accounts for which the node sends transactions that nobody signed. Only tools of a development chain ask for it.

use std::collections::BTreeSet;

use alloy_primitives::Address;
use parking_lot::RwLock;

use crate::RpcError;

/// Most accounts that are impersonated one by one; who wants more has all of them.
const IMPERSONATED_MAX: usize = 10_000;

/// Who is impersonated.
#[derive(Debug, Default)]
pub(crate) struct Impersonation(RwLock<Impersonated>);

#[derive(Debug, Default)]
struct Impersonated {
    accounts: BTreeSet<Address>,
    others: Others,
}

/// What becomes of accounts that nobody named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// They send what they signed.
    #[default]
    Sign,
    /// They are impersonated, too.
    Impersonated,
}

impl Impersonation {
    pub(crate) fn start(&self, account: Address) -> Result<(), RpcError> {
        let accounts = &mut self.0.write().accounts;
        if accounts.len() >= IMPERSONATED_MAX && !accounts.contains(&account) {
            return Err(RpcError::TooManyImpersonated(IMPERSONATED_MAX));
        }
        accounts.insert(account);
        Ok(())
    }

    pub(crate) fn stop(&self, account: &Address) {
        self.0.write().accounts.remove(account);
    }

    pub(crate) fn set_others(&self, others: Others) {
        self.0.write().others = others;
    }

    pub(crate) fn has(&self, account: &Address) -> bool {
        let impersonated = self.0.read();
        impersonated.others == Others::Impersonated || impersonated.accounts.contains(account)
    }

    /// Those that were named, in order of their addresses.
    pub(crate) fn accounts(&self) -> Vec<Address> {
        self.0.read().accounts.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_are_named_are_bounded() {
        let impersonation = Impersonation::default();
        let account = |index: usize| Address::from_slice(&[&[0; 12][..], &index.to_be_bytes()].concat());
        for index in 0..IMPERSONATED_MAX {
            impersonation.start(account(index)).expect("within the bound");
        }
        impersonation.start(account(0)).expect("it is there");
        assert!(impersonation.start(account(IMPERSONATED_MAX)).is_err());
        impersonation.stop(&account(0));
        impersonation.start(account(IMPERSONATED_MAX)).expect("there is room again");
    }
}
