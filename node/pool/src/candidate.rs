//! A transaction on its way in. What is worked out of it is done here, once, before anybody waits for the pool: its length, the
//! authorities that it names, the proofs of its blobs.
//!
//! Invariant: what takes more than microseconds is worked out only for a sender who could pay for the transaction.

use std::{borrow::Cow, sync::Arc};

use alloy_consensus::{Signed, Transaction as _, TxEip4844Variant, TxEip4844WithSidecar, TxEnvelope, Typed2718 as _};
use alloy_eips::{
    eip2718::Encodable2718 as _, eip4844::env_settings::EnvKzgSettings, eip7594::BlobTransactionSidecarVariant,
};
use alloy_primitives::{Address, B256};
use parapet_types::{AccountInfo, Hardfork, Transaction};

use crate::{PoolError, Rules, TRANSACTION_BYTES_MAX, admission, intrinsic_gas};

/// Blobs with their commitments and proofs.
pub type Sidecar = BlobTransactionSidecarVariant;

/// What proves that blobs are those that were committed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProofForm {
    /// One proof for each blob (EIP-4844), before Osaka.
    PerBlob,
    /// One for each cell of each blob (EIP-7594), from Osaka on.
    PerCell,
}

impl ProofForm {
    /// The form in which a fork takes blobs.
    fn in_fork(hardfork: Hardfork) -> Self {
        if hardfork >= Hardfork::Osaka { Self::PerCell } else { Self::PerBlob }
    }

    fn of(sidecar: &Sidecar) -> Self {
        if sidecar.is_eip7594() { Self::PerCell } else { Self::PerBlob }
    }
}

/// A transaction that could be in the next block, as far as it tells itself.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// As it stands in a block: without its blobs.
    pub(crate) transaction: Transaction,
    pub(crate) sidecar: Option<Arc<Sidecar>>,
    /// Who signed its authorizations (EIP-7702), as far as those are signed at all.
    pub(crate) authorities: Vec<Address>,
    /// Length of its encoding, without its blobs, in bytes.
    encoded_bytes: usize,
    /// The same with its blobs.
    pub(crate) bytes: usize,
}

impl Candidate {
    /// Holds a transaction against the rules of the next block and its sender's account now. Cheap checks come first.
    ///
    /// # Errors
    /// [`PoolError`] says what is wrong with it.
    pub fn check(transaction: Transaction, account: &AccountInfo, rules: &Rules) -> Result<Self, PoolError> {
        check_type(&transaction, rules)?;
        let (envelope, sender) = transaction.into_parts();
        let (envelope, sidecar) = strip(envelope);
        let transaction = Transaction::new_unchecked(envelope, sender);
        let encoded_bytes = check_size(&transaction, rules)?;
        check_gas(&transaction, rules)?;
        check_tip(&transaction)?;
        check_blobs(&transaction, sidecar.as_ref(), rules)?;
        admission::check(&transaction, account, rules)?;
        let blob_bytes = check_proofs(&transaction, sidecar.as_ref())?;
        let authorizations = transaction.authorization_list().unwrap_or_default();
        let authorities = authorizations.iter().filter_map(|signed| signed.recover_authority().ok()).collect();
        let bytes = encoded_bytes + blob_bytes;
        Ok(Self { transaction, sidecar: sidecar.map(Arc::new), authorities, encoded_bytes, bytes })
    }

    /// The transaction, without its blobs.
    #[must_use]
    pub const fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// Length of its EIP-2718 encoding as it stands in a block, in bytes.
    #[must_use]
    pub const fn encoded_bytes(&self) -> usize {
        self.encoded_bytes
    }

    /// The transaction as it came: with its blobs.
    #[must_use]
    pub fn whole(&self) -> Cow<'_, Transaction> {
        let (TxEnvelope::Eip4844(signed), Some(sidecar)) = (self.transaction.inner(), &self.sidecar) else {
            return Cow::Borrowed(&self.transaction);
        };
        let (transaction, signature, hash) = (signed.tx().tx().clone(), *signed.signature(), *signed.hash());
        let whole = TxEip4844WithSidecar::from_tx_and_sidecar(transaction, Sidecar::clone(sidecar));
        let envelope = TxEnvelope::Eip4844(Signed::new_unchecked(whole.into(), signature, hash));
        Cow::Owned(Transaction::new_unchecked(envelope, self.transaction.signer()))
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> B256 {
        *self.transaction.tx_hash()
    }

    /// Whether its blobs, if it has any, are proved in the form that a fork takes.
    #[must_use]
    pub fn is_proved_for(&self, hardfork: Hardfork) -> bool {
        let form = ProofForm::in_fork(hardfork);
        self.sidecar.as_deref().is_none_or(|sidecar| ProofForm::of(sidecar) == form)
    }

    pub(crate) fn has_blobs(&self) -> bool {
        self.transaction.is_eip4844()
    }
}

/// A transaction as it stands in a block, and its blobs if they came with it. Its hash is the same.
fn strip(envelope: TxEnvelope) -> (TxEnvelope, Option<Sidecar>) {
    let TxEnvelope::Eip4844(signed) = envelope else { return (envelope, None) };
    let (transaction, signature, hash) = signed.into_parts();
    let (transaction, sidecar) = match transaction {
        TxEip4844Variant::TxEip4844WithSidecar(whole) => (whole.tx, Some(whole.sidecar)),
        TxEip4844Variant::TxEip4844(transaction) => (transaction, None),
    };
    (TxEnvelope::Eip4844(Signed::new_unchecked(transaction.into(), signature, hash)), sidecar)
}

fn check_type(transaction: &Transaction, rules: &Rules) -> Result<(), PoolError> {
    let later = || PoolError::Type { kind: transaction.ty(), hardfork: rules.hardfork };
    if transaction.is_eip4844() && rules.blobs.is_none() {
        return Err(later());
    }
    if transaction.is_eip7702() {
        if rules.hardfork < Hardfork::Prague {
            return Err(later());
        }
        if transaction.authorization_list().is_none_or(<[_]>::is_empty) {
            return Err(PoolError::NoAuthorization);
        }
        if transaction.is_create() {
            return Err(PoolError::SetCodeCreation);
        }
    }
    // A transaction without a chain id, from before EIP-155, is valid on every chain.
    match transaction.chain_id() {
        Some(found) if found != rules.chain_id => Err(PoolError::ChainId { found, expected: rules.chain_id }),
        _ => Ok(()),
    }
}

fn check_size(transaction: &Transaction, rules: &Rules) -> Result<usize, PoolError> {
    let bytes = transaction.inner().encode_2718_len();
    if bytes > TRANSACTION_BYTES_MAX {
        return Err(PoolError::Oversized { bytes });
    }
    let initcode = transaction.input().len();
    if let Some(limit) = rules.limits.initcode_bytes_max(rules.hardfork)
        && transaction.is_create()
        && initcode as u64 > limit
    {
        return Err(PoolError::InitcodeSize { bytes: initcode, limit });
    }
    Ok(bytes)
}

fn check_gas(transaction: &Transaction, rules: &Rules) -> Result<(), PoolError> {
    let gas_limit = transaction.gas_limit();
    if let Some(cap) = rules.limits.transaction_gas_max(rules.hardfork).filter(|cap| gas_limit > *cap) {
        return Err(PoolError::GasCap { gas_limit, cap });
    }
    if gas_limit > rules.block_gas_limit {
        return Err(PoolError::BlockGasLimit { gas_limit, block_gas_limit: rules.block_gas_limit });
    }
    let gas = intrinsic_gas(transaction, rules.hardfork);
    if gas_limit < gas.initial {
        return Err(PoolError::IntrinsicGas { gas_limit, needed: gas.initial });
    }
    if gas_limit < gas.floor {
        return Err(PoolError::FloorGas { gas_limit, needed: gas.floor });
    }
    Ok(())
}

fn check_tip(transaction: &Transaction) -> Result<(), PoolError> {
    let max_fee = transaction.max_fee_per_gas();
    match transaction.max_priority_fee_per_gas() {
        Some(tip) if tip > max_fee => Err(PoolError::TipAboveFee { tip, max_fee }),
        _ => Ok(()),
    }
}

fn check_blobs(transaction: &Transaction, sidecar: Option<&Sidecar>, rules: &Rules) -> Result<(), PoolError> {
    let (Some(hashes), Some(blobs)) = (transaction.blob_versioned_hashes(), rules.blobs) else { return Ok(()) };
    let (count, max) = (hashes.len() as u64, blobs.params.max_blobs_per_tx);
    if hashes.is_empty() {
        return Err(PoolError::NoBlobs);
    }
    if count > max {
        return Err(PoolError::TooManyBlobs { blobs: count, max });
    }
    let Some(sidecar) = sidecar else { return Err(PoolError::NoSidecar) };
    if ProofForm::of(sidecar) != ProofForm::in_fork(rules.hardfork) {
        return Err(PoolError::SidecarForm { hardfork: rules.hardfork });
    }
    Ok(())
}

/// Bytes of the blobs, whose proofs are looked at: that takes milliseconds.
fn check_proofs(transaction: &Transaction, sidecar: Option<&Sidecar>) -> Result<usize, PoolError> {
    let (Some(hashes), Some(sidecar)) = (transaction.blob_versioned_hashes(), sidecar) else { return Ok(0) };
    let valid = sidecar.validate(hashes, EnvKzgSettings::Default.get());
    valid.map_err(|error| PoolError::Sidecar { reason: error.to_string() })?;
    Ok(sidecar.size())
}
