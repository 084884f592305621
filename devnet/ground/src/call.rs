//! Transactions, which are numbered and put into an envelope as they are sent.

use std::collections::BTreeMap;

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEip7702, TxEnvelope};
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use parapet_types::Transaction;

use crate::CHAIN_ID;

/// Highest gas limit of a transaction (EIP-7825): the one that each has here.
pub const GAS_MAX: u64 = 16_777_216;
/// Wei per gas: twice the base fee.
const GAS_PRICE: u128 = 2_000_000_000;

/// A transaction to be sent.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who sends it.
    pub from: Address,
    /// Whom it calls, or that it creates.
    pub to: TxKind,
    /// In wei.
    pub value: U256,
    /// Calldata or init code.
    pub input: Bytes,
    /// A delegation that goes with it (EIP-7702). What creates has none.
    pub delegation: Option<SignedAuthorization>,
}

impl Call {
    /// Without value.
    #[must_use]
    pub const fn to(from: Address, to: Address, input: Bytes) -> Self {
        Self { from, to: TxKind::Call(to), value: U256::ZERO, input, delegation: None }
    }

    /// The transaction with its sender's next nonce, under a signature that is nobody's.
    pub(crate) fn numbered(&self, nonces: &mut BTreeMap<Address, u64>) -> Transaction {
        let next = nonces.entry(self.from).or_default();
        let nonce = *next;
        *next += 1;
        let tx = TxEip1559 {
            chain_id: CHAIN_ID,
            nonce,
            gas_limit: GAS_MAX,
            max_fee_per_gas: GAS_PRICE,
            max_priority_fee_per_gas: GAS_PRICE,
            to: self.to,
            value: self.value,
            input: self.input.clone(),
            ..TxEip1559::default()
        };
        let signature = Signature::test_signature();
        let envelope: TxEnvelope = match (&self.delegation, self.to) {
            (Some(signed), TxKind::Call(to)) => delegating(tx, to, signed).into_signed(signature).into(),
            _ => tx.into_signed(signature).into(),
        };
        Transaction::new_unchecked(envelope, self.from)
    }
}

fn delegating(tx: TxEip1559, to: Address, signed: &SignedAuthorization) -> TxEip7702 {
    let TxEip1559 {
        chain_id,
        nonce,
        gas_limit,
        max_fee_per_gas,
        max_priority_fee_per_gas,
        value,
        access_list,
        input,
        ..
    } = tx;
    let authorization_list = vec![signed.clone()];
    TxEip7702 {
        chain_id,
        nonce,
        gas_limit,
        max_fee_per_gas,
        max_priority_fee_per_gas,
        to,
        value,
        access_list,
        authorization_list,
        input,
    }
}
