//! A block's access list on the wire (EIP-7928; execution-apis, `BlockAccessList`).

use alloy_eip7928::AccountChanges;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::Serialize;

/// What a block reads and changes of an account.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountAccess {
    address: Address,
    storage_changes: Vec<SlotChanges>,
    storage_reads: Vec<B256>,
    balance_changes: Vec<Change<U256>>,
    nonce_changes: Vec<Change<U64>>,
    code_changes: Vec<CodeChange>,
}

/// What becomes of a slot.
#[derive(Clone, Debug, Serialize)]
struct SlotChanges {
    key: B256,
    changes: Vec<Change<B256>>,
}

/// A value after a place in the block: 0 before the transactions, `n` after transaction `n - 1`.
#[derive(Clone, Debug, Serialize)]
struct Change<T> {
    index: U64,
    value: T,
}

#[derive(Clone, Debug, Serialize)]
struct CodeChange {
    index: U64,
    code: Bytes,
}

impl From<&AccountChanges> for AccountAccess {
    fn from(account: &AccountChanges) -> Self {
        let slot = |slot: &alloy_eip7928::SlotChanges| SlotChanges {
            key: B256::from(slot.slot),
            changes: slot
                .changes
                .iter()
                .map(|change| Change {
                    index: U64::from(change.block_access_index.get()),
                    value: B256::from(change.new_value),
                })
                .collect(),
        };
        Self {
            address: account.address,
            storage_changes: account.storage_changes.iter().map(slot).collect(),
            storage_reads: account.storage_reads.iter().map(|slot| B256::from(*slot)).collect(),
            balance_changes: account
                .balance_changes
                .iter()
                .map(|change| Change { index: U64::from(change.block_access_index.get()), value: change.post_balance })
                .collect(),
            nonce_changes: account
                .nonce_changes
                .iter()
                .map(|change| Change {
                    index: U64::from(change.block_access_index.get()),
                    value: U64::from(change.new_nonce),
                })
                .collect(),
            code_changes: account
                .code_changes
                .iter()
                .map(|change| CodeChange {
                    index: U64::from(change.block_access_index.get()),
                    code: change.new_code.clone(),
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use alloy_eip7928::{BlockAccessIndex, NonceChange, StorageChange};
    use serde_json::json;

    use super::*;

    #[test]
    fn slots_are_words_and_places_are_quantities() {
        let mut account = AccountChanges::new(Address::repeat_byte(1));
        let change = StorageChange::new(BlockAccessIndex::new(2), U256::from(9));
        account.storage_changes.push(alloy_eip7928::SlotChanges::new(U256::from(3), vec![change]));
        account.storage_reads.push(U256::from(4));
        account.nonce_changes.push(NonceChange::new(BlockAccessIndex::new(1), 7));
        let told = serde_json::to_value(AccountAccess::from(&account)).unwrap();
        let word = |last| json!(B256::with_last_byte(last));
        assert_eq!(
            told["storageChanges"],
            json!([{ "key": word(3), "changes": [{ "index": "0x2", "value": word(9) }] }])
        );
        assert_eq!((&told["storageReads"], &told["codeChanges"]), (&json!([word(4)]), &json!([])));
        assert_eq!(told["nonceChanges"], json!([{ "index": "0x1", "value": "0x7" }]));
    }
}
