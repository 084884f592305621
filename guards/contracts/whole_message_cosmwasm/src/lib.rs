//! Is shown the whole trace as JSON, as a contract is whose descriptor says nothing else.

// The entry points' signatures are CosmWasm's.
#![allow(clippy::needless_pass_by_value)]

use cosmwasm_std::{DepsMut, Empty, Env, MessageInfo, Response, entry_point};
use parapet_contract::{GuardQuery, SudoMsg, Veto};

parapet_contract::guard!(
    r#"{"abi":1,"name":"whole_message_cosmwasm","version":"0.1.0","summary":"Reads the whole message, for tests and the benchmark of guards.","triggers":["frame","flow"]}"#
);

/// Nothing to keep.
#[entry_point]
pub fn instantiate(_: DepsMut<'_, GuardQuery>, _: Env, _: MessageInfo, _: Empty) -> Result<Response, Veto> {
    Ok(Response::new())
}

/// Judges a transaction.
#[entry_point]
pub fn sudo(_: DepsMut<'_, GuardQuery>, _: Env, message: SudoMsg) -> Result<Response, Veto> {
    let SudoMsg::Judge(judge) = message;
    if judge.frames.is_empty() {
        return Err(Veto::new(1, format!("no frames, but {} flows and {} logs", judge.flows.len(), judge.logs.len())));
    }
    Ok(Response::new())
}
