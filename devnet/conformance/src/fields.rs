//! The transaction of a state test, built of its fields where the file does not have it signed.

use alloy_consensus::{
    SignableTransaction as _, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxEnvelope, TxLegacy, transaction::Recovered,
};
use alloy_eips::{eip2930::AccessList, eip7702::SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use parapet_fixtures::{OutOfRange, number};
use parapet_types::Transaction;
use serde::Deserialize;

use crate::ConformanceError;

/// The transaction's fields; lists have one entry for each variant.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fields {
    nonce: U256,
    gas_price: Option<U256>,
    max_fee_per_gas: Option<U256>,
    max_priority_fee_per_gas: Option<U256>,
    max_fee_per_blob_gas: Option<U256>,
    blob_versioned_hashes: Option<Vec<B256>>,
    gas_limit: Vec<U256>,
    #[serde(default)]
    to: String,
    value: Vec<String>,
    data: Vec<Bytes>,
    access_lists: Option<Vec<Option<AccessList>>>,
    authorization_list: Option<Vec<SignedAuthorization>>,
    sender: Option<Address>,
}

/// Which variant it is.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Indexes {
    data: usize,
    gas: usize,
    value: usize,
}

/// One variant of the fields, of the types that transactions have.
struct Variant {
    chain_id: u64,
    nonce: u64,
    gas_limit: u64,
    to: TxKind,
    value: U256,
    input: Bytes,
    access_list: Option<AccessList>,
}

/// A transaction of a type that has a tip: the variant's fields, and those that only its type has.
macro_rules! tipped {
    ($type:ident, $to:ident, $variant:expr, $fees:expr, { $($own:ident),* }) => {{
        let (max_fee_per_gas, max_priority_fee_per_gas) = $fees;
        let Variant { chain_id, nonce, gas_limit, value, input, access_list, .. } = $variant;
        let access_list = access_list.unwrap_or_default();
        $type {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to: $to,
            value,
            access_list,
            input,
            $($own),*
        }
    }};
}

impl Fields {
    /// A transaction of the type that its fields make it. Its signature is none: the sender is given.
    pub(crate) fn build(&self, chain_id: u64, at: Indexes) -> Result<Transaction, ConformanceError> {
        let variant = self.variant(chain_id, at)?;
        let envelope = match (&self.authorization_list, self.max_fee_per_blob_gas, self.max_fee_per_gas) {
            (Some(authorizations), _, _) => self.delegating(variant, authorizations)?,
            (None, Some(blob_fee), _) => self.with_blobs(variant, blob_fee)?,
            (None, None, Some(_)) => self.with_tip(variant)?,
            (None, None, None) => self.with_price(variant)?,
        };
        let sender = self.sender.ok_or(ConformanceError::Missing("sender"))?;
        Ok(Recovered::new_unchecked(envelope, sender))
    }

    fn variant(&self, chain_id: u64, at: Indexes) -> Result<Variant, ConformanceError> {
        let gas_limit = *self.gas_limit.get(at.gas).ok_or(ConformanceError::Missing("gas limit"))?;
        Ok(Variant {
            chain_id,
            nonce: number(self.nonce, "nonce")?,
            gas_limit: number(gas_limit, "gas limit")?,
            to: self.target()?,
            value: value(self.value.get(at.value).ok_or(ConformanceError::Missing("value"))?)?,
            input: self.data.get(at.data).ok_or(ConformanceError::Missing("data"))?.clone(),
            access_list: self.access_lists.as_ref().and_then(|lists| lists.get(at.data).cloned().flatten()),
        })
    }

    fn with_price(&self, variant: Variant) -> Result<TxEnvelope, ConformanceError> {
        let Variant { chain_id, nonce, gas_limit, to, value, input, access_list } = variant;
        let gas_price = wide(self.gas_price.unwrap_or_default(), "gas price")?;
        Ok(match access_list {
            Some(access_list) => TxEip2930 { chain_id, nonce, gas_price, gas_limit, to, value, access_list, input }
                .into_signed(unsigned())
                .into(),
            None => TxLegacy { chain_id: Some(chain_id), nonce, gas_price, gas_limit, to, value, input }
                .into_signed(unsigned())
                .into(),
        })
    }

    fn with_tip(&self, variant: Variant) -> Result<TxEnvelope, ConformanceError> {
        let to = variant.to;
        Ok(tipped!(TxEip1559, to, variant, self.fees()?, {}).into_signed(unsigned()).into())
    }

    fn with_blobs(&self, variant: Variant, blob_fee: U256) -> Result<TxEnvelope, ConformanceError> {
        let to = called(&variant)?;
        let blob_versioned_hashes = self.blob_versioned_hashes.clone().unwrap_or_default();
        let max_fee_per_blob_gas = wide(blob_fee, "blob fee")?;
        let own = tipped!(TxEip4844, to, variant, self.fees()?, { blob_versioned_hashes, max_fee_per_blob_gas });
        Ok(own.into_signed(unsigned()).into())
    }

    fn delegating(
        &self,
        variant: Variant,
        authorizations: &[SignedAuthorization],
    ) -> Result<TxEnvelope, ConformanceError> {
        let to = called(&variant)?;
        let authorization_list = authorizations.to_vec();
        let own = tipped!(TxEip7702, to, variant, self.fees()?, { authorization_list });
        Ok(own.into_signed(unsigned()).into())
    }

    /// Highest fee and tip per gas, in wei.
    fn fees(&self) -> Result<(u128, u128), OutOfRange> {
        let fee = wide(self.max_fee_per_gas.unwrap_or_default(), "fee")?;
        Ok((fee, wide(self.max_priority_fee_per_gas.unwrap_or_default(), "tip")?))
    }

    fn target(&self) -> Result<TxKind, ConformanceError> {
        match self.to.as_str() {
            "" | "0x" => Ok(TxKind::Create),
            address => match address.parse() {
                Ok(address) => Ok(TxKind::Call(address)),
                Err(error) => Err(ConformanceError::Transaction(format!("its target is no address: {error}"))),
            },
        }
    }
}

/// The target of a type that cannot create.
fn called(variant: &Variant) -> Result<Address, ConformanceError> {
    variant.to.to().copied().ok_or_else(|| ConformanceError::Transaction("it has no target".to_owned()))
}

/// Stands where a signature stands; nothing looks at it, since the sender is known.
const fn unsigned() -> Signature {
    Signature::new(U256::ONE, U256::ONE, false)
}

/// A value; those of more than 256 bits are marked as such, and are in tests because no transaction can have them.
fn value(text: &str) -> Result<U256, OutOfRange> {
    text.strip_prefix("0x:bigint ").unwrap_or(text).parse().map_err(|_| OutOfRange("value"))
}

fn wide(number: U256, what: &'static str) -> Result<u128, OutOfRange> {
    u128::try_from(number).map_err(|_| OutOfRange(what))
}
