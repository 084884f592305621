//! What a header announces of its block's execution, held against what came of it.

use alloy_consensus::{Header, proofs::ordered_trie_root_with_encoder};
use alloy_eip7928::compute_block_access_list_hash;
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::Bloom;
use parapet_types::ExecutedBlock;

use crate::{
    Field, ImportError,
    error::{equal, same},
};

/// Compares all but the state root.
///
/// # Errors
/// [`ImportError`] names the first that differs.
pub fn check_outcome<E>(header: &Header, executed: &ExecutedBlock<E>) -> Result<(), ImportError> {
    equal(Field::GasUsed, executed.gas_used, header.gas_used)?;
    let receipts = ordered_trie_root_with_encoder(&executed.included, |included, out| {
        included.receipt.encode_2718(out);
    });
    same(Field::ReceiptsRoot, receipts, header.receipts_root)?;
    let blooms = executed.included.iter().map(|included| *included.receipt.logs_bloom());
    if blooms.fold(Bloom::ZERO, |all, bloom| all | bloom) != header.logs_bloom {
        return Err(ImportError::LogsBloom);
    }
    if let Some(found) = header.blob_gas_used {
        equal(Field::BlobGasUsed, executed.blob_gas_used, found)?;
    }
    if let (Some(found), Some(list)) = (header.block_access_list_hash, &executed.access_list) {
        same(Field::AccessListHash, compute_block_access_list_hash(list), found)?;
    }
    if let Some(found) = header.requests_hash {
        same(Field::RequestsHash, executed.requests.requests_hash(), found)?;
    }
    Ok(())
}
