//! Adds up what ten frames and ten written slots hold, as the benchmark's native light guard does.

// The entry points' signatures are CosmWasm's.
#![allow(clippy::needless_pass_by_value)]

use cosmwasm_std::{DepsMut, Empty, Env, MessageInfo, Response, entry_point};
use parapet_contract::{
    GuardQuery, Veto,
    abi::{FrameRecord, SlotChangeRecord},
    records,
};
use serde::Deserialize;

parapet_contract::guard!(
    r#"{"abi":1,"name":"light_cosmwasm","version":"0.1.0","summary":"Adds up frames and writes, for the benchmark of guards.","triggers":["frame"],"message":[]}"#
);

/// The `sudo` message, with nothing in it: what it reads it reads as records.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// A transaction is to be judged.
    Judge {},
}

/// Nothing to keep.
#[entry_point]
pub fn instantiate(_: DepsMut<'_, GuardQuery>, _: Env, _: MessageInfo, _: Empty) -> Result<Response, Veto> {
    Ok(Response::new())
}

/// Judges a transaction.
#[entry_point]
pub fn sudo(deps: DepsMut<'_, GuardQuery>, _: Env, _: Message) -> Result<Response, Veto> {
    let gas = records::<FrameRecord>(deps.storage).map(|frame| frame.gas_used);
    let written = records::<SlotChangeRecord>(deps.storage).map(|change| u64::from_be_bytes(low(&change.new)));
    if gas.chain(written).fold(0, u64::wrapping_add) == u64::MAX {
        return Err(Veto::new(1, "the sum is the one that is refused"));
    }
    Ok(Response::new())
}

/// The lowest eight bytes of a word.
fn low(word: &[u8; 32]) -> [u8; 8] {
    let mut low = [0; 8];
    low.copy_from_slice(&word[24..]);
    low
}
