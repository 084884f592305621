//! A block as it comes in. Invariant of [`IncomingBlock::decode`]: the hash is that of the bytes that came, and every
//! transaction's sender was recovered from its signature.

use alloy_consensus::{
    Block, Header, TxEnvelope,
    transaction::{Recovered, SignerRecoverable as _},
};
use alloy_eip7928::BlockAccessList;
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::{Sealable as _, Sealed};
use parapet_types::{BlockContext, Hardfork, Transaction};

use crate::ImportError;

/// Longest block, in bytes of RLP, that is looked at at all, whatever its fork allows: several times what any gas limit
/// in use lets a block have.
pub const BLOCK_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A block that was built elsewhere. Nothing of it has been checked but its signatures.
#[derive(Clone, Debug)]
pub struct IncomingBlock {
    /// Header and hash.
    pub header: Sealed<Header>,
    /// Transactions with their senders.
    pub transactions: Vec<Transaction>,
    /// Ommers: none since the merge.
    pub ommers: Vec<Header>,
    /// EIP-4895, from Shanghai on.
    pub withdrawals: Option<Withdrawals>,
    /// Its access list (EIP-7928), where one came beside it. Decoding leaves it out: no block carries its own.
    pub access_list: Option<BlockAccessList>,
    /// Length of its RLP.
    pub rlp_bytes: usize,
}

impl IncomingBlock {
    /// Reads the RLP of a block and recovers its senders.
    ///
    /// # Errors
    /// [`ImportError`] for what is no block, or holds a signature without a signer.
    pub fn decode(rlp: &[u8]) -> Result<Self, ImportError> {
        if rlp.len() > BLOCK_BYTES_MAX {
            return Err(ImportError::Encoding(alloy_rlp::Error::Custom("it is longer than any block")));
        }
        let mut rest = rlp;
        let (block, hash) = Block::<TxEnvelope>::decode_sealed(&mut rest).map_err(ImportError::Encoding)?.into_parts();
        if !rest.is_empty() {
            return Err(ImportError::TrailingBytes(rest.len()));
        }
        // The decoder does not hold the length of the string around a typed transaction against the transaction's own,
        // so that two encodings would be one block to it.
        if alloy_rlp::encode(&block) != rlp {
            return Err(ImportError::NotCanonical);
        }
        Self::recover(Sealed::new_unchecked(block.header, hash), block.body, rlp.len())
    }

    /// Takes a block that was decoded by other means, and recovers its senders.
    ///
    /// # Errors
    /// [`ImportError::Signature`].
    pub fn from_block(block: Block<TxEnvelope>) -> Result<Self, ImportError> {
        let rlp_bytes = Block::rlp_length_for(&block.header, &block.body);
        Self::recover(block.header.seal_slow(), block.body, rlp_bytes)
    }

    fn recover(
        header: Sealed<Header>,
        body: alloy_consensus::BlockBody<TxEnvelope>,
        rlp_bytes: usize,
    ) -> Result<Self, ImportError> {
        let recover = |(index, transaction): (usize, TxEnvelope)| {
            let signer = transaction.recover_signer().map_err(|source| ImportError::Signature { index, source })?;
            Ok(Recovered::new_unchecked(transaction, signer))
        };
        let transactions =
            body.transactions.into_iter().enumerate().map(recover).collect::<Result<_, ImportError>>()?;
        let (ommers, withdrawals) = (body.ommers, body.withdrawals);
        Ok(Self { header, transactions, ommers, withdrawals, access_list: None, rlp_bytes })
    }

    /// What its header fixed before its transactions ran, and what is paid after them.
    #[must_use]
    pub fn context(&self, hardfork: Hardfork) -> BlockContext {
        let withdrawals = self.withdrawals.as_ref().map_or(&[][..], |withdrawals| withdrawals);
        BlockContext::of_block(hardfork, &self.header, &self.ommers, withdrawals)
    }
}
