//! Whether a block was refused for what is wrong with it, by the names that the execution-spec tests give to faults.

use parapet_executor::{BlockError, TxError};
use parapet_import::{Consequence, Field, ImportError};

/// Whether the error is what the test expects: one of several names, divided by `|`.
pub(crate) fn explains(error: &ImportError, expected: &str) -> bool {
    error.consequence() == Consequence::Refuse && expected.split('|').any(|name| is(error, name.trim()))
}

fn is(error: &ImportError, name: &str) -> bool {
    match name.split_once('.') {
        Some(("TransactionException", _)) => of_transaction(error),
        Some(("BlockException", name)) => of_block(error, name),
        // Names of other suites say less than these; that the block is refused is all there is to hold them against.
        _ => true,
    }
}

/// A fault that lies in a transaction. Which one is not asked: where several rules are broken, clients differ in the
/// order in which they look.
fn of_transaction(error: &ImportError) -> bool {
    match error {
        ImportError::Execution(BlockError::Transaction { source, .. }) => {
            matches!(source, TxError::Invalid(_) | TxError::BlockFull { .. })
        }
        ImportError::TransactionType { .. }
        | ImportError::Sidecar { .. }
        | ImportError::Signature { .. }
        | ImportError::Encoding(_) => true,
        // Older suites have headers that were made without the transaction, so that its absence is what is seen first.
        _ => matches!(field(error), Some(Field::BlobGasUsed | Field::TransactionsRoot)),
    }
}

fn of_block(error: &ImportError, name: &str) -> bool {
    let about = |fields: &[Field]| field(error).is_some_and(|field| fields.contains(&field));
    match name {
        "INCORRECT_EXCESS_BLOB_GAS" => about(&[Field::ExcessBlobGas]),
        "INCORRECT_BLOB_GAS_USED" | "BLOB_GAS_USED_ABOVE_LIMIT" => about(&[Field::BlobGasUsed]),
        "INVALID_REQUESTS" => about(&[Field::RequestsHash]),
        "IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS" => about(&[Field::Ommers, Field::OmmersHash]),
        "IMPORT_IMPOSSIBLE_PARIS_OVER_SHANGHAI" | "IMPORT_IMPOSSIBLE_SHANGHAI" => {
            about(&[Field::WithdrawalsRoot, Field::Withdrawals])
        }
        "IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS" => about(&[Field::Difficulty]),
        "INVALID_GASLIMIT" | "GASLIMIT_TOO_BIG" => about(&[Field::GasLimit]),
        "INVALID_GAS_USED" | "INVALID_GAS_USED_ABOVE_LIMIT" | "GAS_USED_OVERFLOW" => about(&[Field::GasUsed]),
        "INVALID_BASEFEE_PER_GAS" => about(&[Field::BaseFee]),
        "INVALID_BLOCK_NUMBER" => about(&[Field::Number]),
        "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT" => about(&[Field::Timestamp]),
        "INVALID_STATE_ROOT" => about(&[Field::StateRoot]),
        "INVALID_RECEIPTS_ROOT" => about(&[Field::ReceiptsRoot]),
        "INVALID_LOG_BLOOM" => about(&[Field::LogsBloom]),
        "INVALID_TRANSACTIONS_ROOT" => about(&[Field::TransactionsRoot]),
        "INVALID_WITHDRAWALS_ROOT" => about(&[Field::WithdrawalsRoot, Field::Withdrawals]),
        "EXTRA_DATA_TOO_BIG" => about(&[Field::ExtraData]),
        "UNKNOWN_PARENT" | "UNKNOWN_PARENT_ZERO" => about(&[Field::ParentHash]),
        "RLP_BLOCK_LIMIT_EXCEEDED" => about(&[Field::BlockSize]),
        "INVALID_VERSIONED_HASHES" => about(&[Field::BlobGasUsed]) || of_transaction(error),
        "INVALID_BLOCK_ACCESS_LIST" => {
            about(&[Field::AccessListHash])
                || matches!(
                    error,
                    ImportError::Execution(
                        BlockError::AccessList(_) | BlockError::AccessListForm(_) | BlockError::AccessListSize(_)
                    )
                )
        }
        "SYSTEM_CONTRACT_EMPTY" | "SYSTEM_CONTRACT_CALL_FAILED" => {
            matches!(error, ImportError::Execution(BlockError::SystemCall { .. }))
        }
        "INVALID_DEPOSIT_EVENT_LAYOUT" => matches!(error, ImportError::Execution(BlockError::Deposit(_))),
        "INCORRECT_BLOCK_FORMAT" => {
            matches!(error, ImportError::Missing { .. } | ImportError::Unexpected { .. } | ImportError::Encoding(_))
        }
        name if name.starts_with("RLP_") => {
            matches!(
                error,
                ImportError::Encoding(_)
                    | ImportError::TrailingBytes(_)
                    | ImportError::NotCanonical
                    | ImportError::Sidecar { .. }
            )
        }
        // A name that came up later: that the block is refused is all there is to hold it against.
        _ => true,
    }
}

/// The field that an error is about, where it is about one.
const fn field(error: &ImportError) -> Option<Field> {
    match error {
        ImportError::Hash { field, .. }
        | ImportError::Quantity { field, .. }
        | ImportError::Bounds { field, .. }
        | ImportError::Missing { field, .. }
        | ImportError::Unexpected { field, .. }
        | ImportError::NotZero(field)
        | ImportError::Parent { field, .. } => Some(*field),
        ImportError::LogsBloom => Some(Field::LogsBloom),
        ImportError::PartOfABlob { .. } => Some(Field::BlobGasUsed),
        ImportError::Encoding(_)
        | ImportError::TrailingBytes(_)
        | ImportError::NotCanonical
        | ImportError::Signature { .. }
        | ImportError::TransactionType { .. }
        | ImportError::Sidecar { .. }
        | ImportError::Execution(_)
        | ImportError::State(_) => None,
    }
}
