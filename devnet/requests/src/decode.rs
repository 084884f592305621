//! Bytes that may be a transaction: signed ones, changed here and there, and others.

use alloy_consensus::{
    Signed, TxEip1559, TxEip2930, TxEip7702, TxEnvelope, TxLegacy, transaction::SignerRecoverable as _,
};
use alloy_eips::{
    Decodable2718 as _, Encodable2718 as _,
    eip2930::{AccessList, AccessListItem},
    eip7702::{Authorization, SignedAuthorization},
};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, hex, keccak256};
use alloy_signer::SignerSync as _;
use alloy_signer_local::PrivateKeySigner;
use arbitrary::Unstructured;

use crate::source::{below, bytes, disturb, one_in};

/// Chain id of a development chain.
const CHAIN_ID: u64 = 31_337;
/// Longest input that is drawn, in bytes.
const INPUT_MAX: usize = 100;

/// What became of drawn bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// They are no transaction.
    No(Vec<u8>),
    /// They are one; it need not be a good one.
    Yes(Vec<u8>),
}

/// A transaction that is not its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeFault {
    /// The bytes.
    pub bytes: Bytes,
    /// What was found.
    pub what: &'static str,
}

impl Decoded {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        let (Self::No(bytes) | Self::Yes(bytes)) = self;
        bytes
    }
}

/// Draws bytes and decodes them. Nonces are drawn from the first on; half of what is drawn is such as a pool takes.
///
/// # Errors
/// [`DecodeFault`] when they are decoded and are not what comes of encoding that again.
pub fn decode_seed(seed: u64, first_nonce: u64) -> Result<Decoded, DecodeFault> {
    let drawn = bytes(seed);
    let mut from = Unstructured::new(&drawn);
    let mut raw = transaction(&mut from, first_nonce).encoded_2718();
    if one_in(&mut from, 2) {
        disturb(&mut from, &mut raw);
    }
    let Ok(transaction) = TxEnvelope::decode_2718_exact(&raw) else { return Ok(Decoded::No(raw)) };
    let fault = |what| Err(DecodeFault { bytes: raw.clone().into(), what });
    if transaction.encoded_2718() != raw {
        return fault("encoded again it is other bytes");
    }
    if *transaction.tx_hash() != keccak256(&raw) {
        return fault("its hash is not that of its bytes");
    }
    // Whose it is may not be known, but asking must not fail otherwise, and must say the same twice.
    if transaction.recover_signer().ok() != transaction.recover_signer().ok() {
        return fault("two senders");
    }
    Ok(Decoded::Yes(raw))
}

/// Who signs.
pub(crate) fn sender() -> Address {
    signer().address()
}

fn signer() -> PrivateKeySigner {
    let key = hex!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    PrivateKeySigner::from_bytes(&B256::from(key)).expect("it is a key")
}

fn transaction(from: &mut Unstructured<'_>, first_nonce: u64) -> TxEnvelope {
    let nonce = first_nonce + if one_in(from, 2) { 0 } else { below(from, 3) as u64 };
    // One field after the other may be one that no pool takes.
    let gas_limit = if one_in(from, 4) { [0, 20_999, 21_000, u64::MAX][below(from, 4)] } else { 200_000 };
    let price = if one_in(from, 4) { [0, 7, u128::MAX][below(from, 3)] } else { 2_000_000_000 };
    let to = if one_in(from, 3) { TxKind::Create } else { TxKind::Call(Address::repeat_byte(below(from, 256) as u8)) };
    let value = if one_in(from, 8) { U256::MAX } else { U256::from(below(from, 2)) };
    let input = Bytes::from(
        from.bytes(INPUT_MAX.min(from.len())).map(|bytes| bytes[..below_len(bytes)].to_vec()).unwrap_or_default(),
    );
    let item = AccessListItem { address: Address::ZERO, storage_keys: vec![B256::ZERO; below(from, 3)] };
    let access_list = AccessList(vec![item; below(from, 3)]);
    match below(from, 4) {
        0 => {
            let chain_id = (!one_in(from, 3)).then_some(CHAIN_ID);
            sign(TxLegacy { chain_id, nonce, gas_price: price, gas_limit, to, value, input })
        }
        1 => sign(TxEip2930 { chain_id: CHAIN_ID, nonce, gas_price: price, gas_limit, to, value, access_list, input }),
        2 => sign(TxEip1559 {
            chain_id: CHAIN_ID,
            nonce,
            gas_limit,
            max_fee_per_gas: price,
            max_priority_fee_per_gas: price / 2,
            to,
            value,
            access_list,
            input,
        }),
        _ => {
            let authorization = Authorization { chain_id: U256::ZERO, address: Address::ZERO, nonce };
            let signed: SignedAuthorization = authorization.into_signed(Signature::test_signature());
            sign(TxEip7702 {
                chain_id: CHAIN_ID,
                nonce,
                gas_limit,
                max_fee_per_gas: price,
                max_priority_fee_per_gas: price / 2,
                to: Address::ZERO,
                value,
                access_list,
                authorization_list: vec![signed; below(from, 3)],
                input,
            })
        }
    }
}

/// The first byte says how many of them count.
fn below_len(bytes: &[u8]) -> usize {
    bytes.first().map_or(0, |first| usize::from(*first) % (bytes.len() + 1))
}

fn sign<T>(transaction: T) -> TxEnvelope
where
    T: alloy_consensus::SignableTransaction<Signature>,
    TxEnvelope: From<Signed<T>>,
{
    let signature = signer().sign_hash_sync(&transaction.signature_hash()).expect("the key is at hand");
    transaction.into_signed(signature).into()
}
