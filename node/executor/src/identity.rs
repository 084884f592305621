//! What the monitor is told of a transaction before anything of it happens.

use alloy_primitives::{B256, U256};
use parapet_abi::{ContextRecord, TX_TYPE_CHAIN};
use parapet_types::{Transaction, is_unsigned};
use revm::context_interface::Transaction as _;

use crate::{database::EvmDatabase, evm::EvmContext};

/// Whether what runs can be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The transaction is part of a block.
    Block,
    /// It is `eth_call` or its like.
    Simulation,
    /// It is none: what the chain itself does in a block. Guards see it and cannot veto it (I5).
    Chain,
}

/// What the monitor is told of a transaction besides the EVM's own environment.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// Hash of the transaction; zero in a simulation.
    pub tx_hash: B256,
    /// Hash of the block's parent.
    pub parent_hash: B256,
    /// Whether it can be committed.
    pub purpose: Purpose,
    /// Who may send it.
    pub sender: SenderRule,
}

/// Who may send a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SenderRule {
    /// An account that can have a key: none with code, unless that is a delegation (EIP-3607).
    #[default]
    HasKey,
    /// Any account: nobody signed it.
    Anybody,
}

impl Identity {
    /// That of a block's transaction.
    #[must_use]
    pub fn of(transaction: &Transaction, parent_hash: B256) -> Self {
        let sender = if is_unsigned(transaction) { SenderRule::Anybody } else { SenderRule::HasKey };
        Self { tx_hash: *transaction.hash(), parent_hash, purpose: Purpose::Block, sender }
    }

    /// That of what the chain itself does in a block.
    pub(crate) const fn of_chain(parent_hash: B256) -> Self {
        Self { tx_hash: B256::ZERO, parent_hash, purpose: Purpose::Chain, sender: SenderRule::HasKey }
    }
}

/// The block and the transaction, as guards see them.
pub(crate) fn context_record<DB: EvmDatabase>(ctx: &EvmContext<'_, DB>, identity: Identity) -> ContextRecord {
    let (block, tx) = (&ctx.block, &ctx.tx);
    ContextRecord {
        chain_id: ctx.cfg.chain_id,
        block_number: block.number.saturating_to(),
        timestamp: block.timestamp.saturating_to(),
        block_gas_limit: block.gas_limit,
        gas_limit: tx.gas_limit,
        nonce: tx.nonce,
        tx_type: if identity.purpose == Purpose::Chain { TX_TYPE_CHAIN } else { tx.tx_type },
        simulation: u8::from(identity.purpose == Purpose::Simulation),
        status: 0,
        zero: [0; 5],
        beneficiary: block.beneficiary.into_array().into(),
        sender: tx.caller.into_array().into(),
        target: tx.kind.to().copied().unwrap_or_default().into_array().into(),
        tx_hash: identity.tx_hash.0,
        value: tx.value.to_be_bytes(),
        base_fee: U256::from(block.basefee).to_be_bytes(),
        gas_price: U256::from(tx.effective_gas_price(u128::from(block.basefee))).to_be_bytes(),
        prev_randao: block.prevrandao.unwrap_or_default().0,
        parent_hash: identity.parent_hash.0,
    }
}
