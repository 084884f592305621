//! Headers: what is fixed of a block before it runs, and the sealed header after.
//!
//! Every field is as Ethereum's rules have it for the chain's fork; a block of this node verifies on any client that
//! knows the registry.

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header, ReceiptEnvelope, Sealable as _, proofs};
use alloy_eips::eip1559::{BaseFeeParams, GAS_LIMIT_BOUND_DIVISOR, INITIAL_BASE_FEE};
use alloy_primitives::{B64, B256, Bloom, Bytes, Log, Sealed, U256, keccak256};
use parapet_executor::blob_params;
use parapet_types::{BlockContext, ChainParams, Hardfork, Transaction};

use crate::Settings;

/// Base fee of the block after `parent` (EIP-1559), in wei per gas; the initial one where the parent has none.
#[must_use]
pub fn next_base_fee(parent: &Header) -> u64 {
    parent.next_block_base_fee(BaseFeeParams::ethereum()).unwrap_or(INITIAL_BASE_FEE)
}

/// Gas limit of the block after `parent`: as near to the wanted one as a block may move it (EIP-1559).
fn next_gas_limit(wanted: u64, parent: &Header) -> u64 {
    let step_max = (parent.gas_limit / GAS_LIMIT_BOUND_DIVISOR).saturating_sub(1);
    wanted.clamp(parent.gas_limit.saturating_sub(step_max), parent.gas_limit.saturating_add(step_max))
}

/// Excess blob gas of the block after `parent`; `None` before Cancun.
#[must_use]
pub fn next_excess_blob_gas(params: &ChainParams, parent: &Header) -> Option<u64> {
    let blobs = blob_params(params.hardfork)?;
    if params.hardfork >= Hardfork::Osaka {
        return Some(parent.next_block_excess_blob_gas(blobs).unwrap_or_default());
    }
    // Before EIP-7918 there is no reserve price: what is above the target carries over.
    let total = parent.excess_blob_gas.unwrap_or_default().saturating_add(parent.blob_gas_used.unwrap_or_default());
    Some(total.saturating_sub(blobs.target_blob_gas_per_block()))
}

/// What a block of `timestamp` on `parent` is given before its transactions run.
pub(crate) fn next_context(
    params: &ChainParams,
    settings: &Settings,
    parent: &Sealed<Header>,
    timestamp: u64,
) -> BlockContext {
    let number = parent.number + 1;
    let parent_hash = parent.hash();
    BlockContext {
        number,
        timestamp,
        beneficiary: settings.beneficiary,
        gas_limit: next_gas_limit(params.block_gas_limit, parent),
        base_fee: next_base_fee(parent),
        prev_randao: randao(parent_hash, number),
        parent_hash,
        parent_beacon_block_root: (params.hardfork >= Hardfork::Cancun).then_some(B256::ZERO),
        excess_blob_gas: next_excess_blob_gas(params, parent),
        withdrawals: Vec::new(),
    }
}

/// PREVRANDAO without a beacon chain: different in every block, the same on every run.
fn randao(parent_hash: B256, number: u64) -> B256 {
    let mut seed = [0; 40];
    seed[..32].copy_from_slice(parent_hash.as_slice());
    seed[32..].copy_from_slice(&number.to_be_bytes());
    keccak256(seed)
}

/// What execution adds to a block's context.
pub struct Contents<'a> {
    /// Root of the state after the block. It takes a while, as do the other roots.
    pub state_root: &'a (dyn Fn() -> B256 + Sync),
    /// In block order.
    pub transactions: &'a [Transaction],
    /// By transaction.
    pub receipts: &'a [ReceiptEnvelope<Log>],
    /// Sum of the gas used.
    pub gas_used: u64,
    /// Sum of the blob gas used.
    pub blob_gas_used: u64,
    /// EIP-7685.
    pub requests_hash: B256,
    /// Bytes that mean nothing.
    pub extra_data: Bytes,
}

/// The sealed header of an executed block. One from before the merge is not mined: it has no proof of work.
#[must_use]
pub fn seal(params: &ChainParams, context: &BlockContext, outcome: Contents<'_>) -> Sealed<Header> {
    let since = |fork: Hardfork| params.hardfork >= fork;
    let envelopes: Vec<_> = outcome.transactions.iter().map(|transaction| transaction.inner()).collect();
    let roots = || (transactions_root(&envelopes), proofs::calculate_receipt_root(outcome.receipts));
    let (state_root, (transactions_root, receipts_root)) = rayon::join(outcome.state_root, roots);
    let logs_bloom = outcome.receipts.iter().fold(Bloom::ZERO, |bloom, receipt| bloom | *receipt.logs_bloom());
    Header {
        parent_hash: context.parent_hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: context.beneficiary,
        state_root,
        transactions_root,
        receipts_root,
        logs_bloom,
        difficulty: if since(Hardfork::Paris) { U256::ZERO } else { context.prev_randao.into() },
        number: context.number,
        gas_limit: context.gas_limit,
        gas_used: outcome.gas_used,
        timestamp: context.timestamp,
        extra_data: outcome.extra_data,
        mix_hash: if since(Hardfork::Paris) { context.prev_randao } else { B256::ZERO },
        nonce: B64::ZERO,
        base_fee_per_gas: since(Hardfork::LONDON).then_some(context.base_fee),
        withdrawals_root: since(Hardfork::Shanghai).then(|| proofs::calculate_withdrawals_root(&context.withdrawals)),
        blob_gas_used: since(Hardfork::Cancun).then_some(outcome.blob_gas_used),
        excess_blob_gas: context.excess_blob_gas,
        parent_beacon_block_root: context.parent_beacon_block_root,
        requests_hash: since(Hardfork::Prague).then_some(outcome.requests_hash),
        block_access_list_hash: None,
        slot_number: None,
    }
    .seal_slow()
}

fn transactions_root(envelopes: &[&alloy_consensus::TxEnvelope]) -> B256 {
    use alloy_eips::eip2718::Encodable2718 as _;
    proofs::ordered_trie_root_with_encoder(envelopes, |envelope, buffer| envelope.encode_2718(buffer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(hardfork: Hardfork) -> ChainParams {
        ChainParams {
            chain_id: 1,
            hardfork,
            block_gas_limit: 30_000_000,
            guards: parapet_types::GuardParams::DEFAULT,
            deposit_contract: ChainParams::MAINNET_DEPOSITS,
            limits: parapet_types::ExecutionLimits::ETHEREUM,
        }
    }

    #[test]
    fn fields_appear_with_their_forks() {
        let present = |hardfork| {
            let params = params(hardfork);
            let parent = Header { base_fee_per_gas: Some(7), gas_limit: 30_000_000, ..Header::default() }.seal_slow();
            let context = next_context(&params, &Settings::default(), &parent, 12);
            let outcome = Contents {
                state_root: &|| B256::ZERO,
                transactions: &[],
                receipts: &[],
                gas_used: 0,
                blob_gas_used: 0,
                requests_hash: B256::ZERO,
                extra_data: Bytes::new(),
            };
            let header = seal(&params, &context, outcome);
            (
                header.withdrawals_root.is_some(),
                header.excess_blob_gas.is_some() && header.parent_beacon_block_root.is_some(),
                header.requests_hash.is_some(),
            )
        };
        assert_eq!(present(Hardfork::Paris), (false, false, false));
        assert_eq!(present(Hardfork::Shanghai), (true, false, false));
        assert_eq!(present(Hardfork::Cancun), (true, true, false));
        assert_eq!(present(Hardfork::Prague), (true, true, true));
        assert_eq!(present(Hardfork::Osaka), (true, true, true));
    }

    #[test]
    fn excess_blob_gas_falls_by_the_target_of_the_fork() {
        let parent = Header {
            base_fee_per_gas: Some(1),
            excess_blob_gas: Some(1_000_000),
            blob_gas_used: Some(0),
            ..Header::default()
        };
        assert_eq!(next_excess_blob_gas(&params(Hardfork::Shanghai), &parent), None);
        assert_eq!(next_excess_blob_gas(&params(Hardfork::Cancun), &parent), Some(1_000_000 - 3 * 131_072));
        assert_eq!(next_excess_blob_gas(&params(Hardfork::Prague), &parent), Some(1_000_000 - 6 * 131_072));
    }

    #[test]
    fn randao_differs_by_parent_and_number() {
        let here = randao(B256::ZERO, 1);
        assert_ne!(here, randao(B256::ZERO, 2));
        assert_ne!(here, randao(B256::repeat_byte(1), 1));
        assert_eq!(here, randao(B256::ZERO, 1));
    }
}
