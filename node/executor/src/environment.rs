//! From the node's types to the EVM's.

use alloy_consensus::{Transaction as _, Typed2718 as _};
use alloy_eips::eip7840::BlobParams;
use alloy_primitives::U256;
use parapet_types::{BlockContext, ChainParams, Era, ExecutionLimits, GuardParams, Hardfork, Transaction};
use revm::{
    context::{BlockEnv, CfgEnv, TxEnv},
    context_interface::either::Either,
    primitives::hardfork::SpecId,
};

use crate::PrecompileMoves;

/// The rules of a fork.
#[must_use]
pub const fn spec_id(hardfork: Hardfork) -> SpecId {
    match hardfork {
        Hardfork::ProofOfWork(Era::Homestead) => SpecId::HOMESTEAD,
        Hardfork::ProofOfWork(Era::Tangerine) => SpecId::TANGERINE,
        Hardfork::ProofOfWork(Era::Spurious) => SpecId::SPURIOUS_DRAGON,
        Hardfork::ProofOfWork(Era::Byzantium) => SpecId::BYZANTIUM,
        Hardfork::ProofOfWork(Era::Petersburg) => SpecId::PETERSBURG,
        Hardfork::ProofOfWork(Era::Istanbul) => SpecId::ISTANBUL,
        Hardfork::ProofOfWork(Era::Berlin) => SpecId::BERLIN,
        Hardfork::ProofOfWork(Era::London) => SpecId::LONDON,
        Hardfork::Paris => SpecId::MERGE,
        Hardfork::Shanghai => SpecId::SHANGHAI,
        Hardfork::Cancun => SpecId::CANCUN,
        Hardfork::Prague => SpecId::PRAGUE,
        Hardfork::Osaka | Hardfork::Bpo(_) => SpecId::OSAKA,
        Hardfork::Amsterdam => SpecId::AMSTERDAM,
    }
}

/// Blob parameters of a fork; `None` before Cancun.
#[must_use]
pub const fn blob_params(hardfork: Hardfork) -> Option<BlobParams> {
    match hardfork {
        Hardfork::ProofOfWork(_) | Hardfork::Paris | Hardfork::Shanghai => None,
        Hardfork::Cancun => Some(BlobParams::cancun()),
        Hardfork::Prague => Some(BlobParams::prague()),
        Hardfork::Osaka => Some(BlobParams::osaka()),
        Hardfork::Amsterdam => Some(BlobParams::bpo2()),
        Hardfork::Bpo(blobs) => Some(BlobParams {
            target_blob_count: blobs.target as u64,
            max_blob_count: blobs.max as u64,
            update_fraction: blobs.base_fee_update_fraction as u128,
            ..BlobParams::osaka()
        }),
    }
}

/// The rules of a chain: the EVM's, and what guards cost.
#[derive(Clone, Debug)]
pub struct ChainRules {
    /// The EVM's.
    pub cfg: CfgEnv,
    /// How guards are paid for.
    pub guards: GuardParams,
    /// Where precompiles answer, if not where the fork has them: in simulations alone.
    pub precompiles: Option<PrecompileMoves>,
}

impl ChainRules {
    /// Those of a chain with these parameters.
    #[must_use]
    pub fn of(params: &ChainParams) -> Self {
        Self { cfg: cfg_env(params), guards: params.guards, precompiles: None }
    }
}

/// Configuration of the EVM for a chain.
#[must_use]
pub fn cfg_env(params: &ChainParams) -> CfgEnv {
    let mut cfg = CfgEnv::new_with_spec(spec_id(params.hardfork)).with_chain_id(params.chain_id);
    let ExecutionLimits { code_bytes_max, transaction_gas_max } = params.limits;
    cfg.limit_contract_code_size = code_bytes_max.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    cfg.tx_gas_limit_cap = transaction_gas_max;
    if let Some(blobs) = blob_params(params.hardfork) {
        cfg.set_max_blobs_per_tx(blobs.max_blobs_per_tx);
        cfg.blob_base_fee_update_fraction = u64::try_from(blobs.update_fraction).ok();
    }
    cfg
}

/// A block as the EVM sees it.
#[must_use]
pub fn block_env(params: &ChainParams, block: &BlockContext) -> BlockEnv {
    let mut env = BlockEnv {
        number: U256::from(block.number),
        beneficiary: block.beneficiary,
        timestamp: U256::from(block.timestamp),
        gas_limit: block.gas_limit,
        basefee: block.base_fee,
        // Which of the two the EVM looks at, its rules decide.
        difficulty: block.prev_randao.into(),
        prevrandao: Some(block.prev_randao),
        blob_excess_gas_and_price: None,
        slot_num: 0,
    };
    if let (Some(excess), Some(blobs)) = (block.excess_blob_gas, blob_params(params.hardfork)) {
        let fraction = u64::try_from(blobs.update_fraction).unwrap_or(u64::MAX);
        env.set_blob_excess_gas_and_price(excess, fraction);
    }
    env
}

/// A signed transaction as the EVM sees it.
#[must_use]
pub fn tx_env(transaction: &Transaction) -> TxEnv {
    let tx = transaction.inner();
    TxEnv {
        tx_type: tx.ty(),
        caller: transaction.signer(),
        gas_limit: tx.gas_limit(),
        gas_price: tx.max_fee_per_gas(),
        kind: tx.kind(),
        value: tx.value(),
        data: tx.input().clone(),
        nonce: tx.nonce(),
        chain_id: tx.chain_id(),
        access_list: tx.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: tx.max_priority_fee_per_gas(),
        blob_hashes: tx.blob_versioned_hashes().map(<[_]>::to_vec).unwrap_or_default(),
        max_fee_per_blob_gas: tx.max_fee_per_blob_gas().unwrap_or_default(),
        authorization_list: tx
            .authorization_list()
            .map(|list| list.iter().cloned().map(Either::Left).collect())
            .unwrap_or_default(),
    }
}
