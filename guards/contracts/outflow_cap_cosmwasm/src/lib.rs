//! At most so much of one asset leaves the guarded accounts: per transaction, and per decaying window of time.
//!
//! The same guard as `guards/outflow_cap`, as a CosmWasm contract: same parameters, same verdicts, same codes and words.
//! Judged once, when the transaction has executed. What counts is net: what flows out of the group less what flows in;
//! flows between its members are neither.

// The entry points' signatures are CosmWasm's.
#![allow(clippy::needless_pass_by_value)]

use std::fmt;

use cosmwasm_std::{
    Binary, Deps, DepsMut, Env, MessageInfo, Response, StdResult, Storage, Uint64, Uint256, entry_point, from_json,
    to_json_binary, to_json_vec,
};
use parapet_contract::{Address, Asset, Flow, FrameStatus, GuardQuery, Judge, SudoMsg, Veto};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod window;

pub use window::Window;

/// Veto: more leaves in this transaction than `tx_max`.
pub const CODE_TX: u16 = 1;
/// Veto: with this transaction more would have left within the window than `window_max`.
pub const CODE_WINDOW: u16 = 2;
/// Refusal at attachment: a window without length forgets everything at once and so caps nothing.
pub const CODE_NO_LENGTH: u16 = 3;

/// Where the configuration is kept.
const CONFIGURATION: &[u8] = b"configuration";
/// Where the window is kept.
const WINDOW: &[u8] = b"outflow";

parapet_contract::guard!(
    r#"{"abi":1,"name":"outflow_cap_cosmwasm","version":"0.1.0","summary":"At most so much of a token or of ether leaves the guarded accounts, per transaction and per decaying window.","triggers":["flow"],"parameters":[{"name":"token","type":"address","default":"0x0000000000000000000000000000000000000000","doc":"The ERC-20 token to watch; zero is ether."},{"name":"tx_max","type":"uint256","doc":"Most that may leave in one transaction, in wei or the token's smallest unit."},{"name":"window_max","type":"uint256","default":"115792089237316195423570985008687907853269984665640564039457584007913129639935","doc":"Most that may leave within a window, in the same unit; the highest value is no limit."},{"name":"window_seconds","type":"uint64","default":"86400","doc":"Length of the window, in seconds; a full window drains evenly within it."}]}"#
);

/// The `instantiate` message, which is the attachment's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutflowCap {
    /// The ERC-20 token to watch; zero is ether.
    #[serde(default)]
    pub token: Address,
    /// Most that may leave in one transaction, in wei or the token's smallest unit.
    pub tx_max: Uint256,
    /// Most that may leave within a window, in the same unit; the highest value is no limit.
    #[serde(default = "no_limit")]
    pub window_max: Uint256,
    /// Length of the window, in seconds; a full window drains evenly within it.
    #[serde(default = "day")]
    pub window_seconds: Uint64,
}

const fn no_limit() -> Uint256 {
    Uint256::MAX
}

const fn day() -> Uint64 {
    Uint64::new(86_400)
}

/// The `query` message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueryMsg {
    /// The configuration, as [`OutflowCap`].
    Configuration {},
    /// The window as it was last written, as [`Window`].
    Window {},
}

/// Keeps the configuration, or refuses it.
#[entry_point]
pub fn instantiate(
    deps: DepsMut<'_, GuardQuery>,
    _: Env,
    _: MessageInfo,
    configuration: OutflowCap,
) -> Result<Response, Veto> {
    if configuration.window_max != Uint256::MAX && configuration.window_seconds.is_zero() {
        let words = "window_seconds is 0: give the window a length, or leave window_max out";
        return Err(Veto::new(CODE_NO_LENGTH, words));
    }
    deps.storage.set(CONFIGURATION, &to_json_vec(&configuration)?);
    Ok(Response::new())
}

/// Judges a transaction.
#[entry_point]
pub fn sudo(deps: DepsMut<'_, GuardQuery>, env: Env, message: SudoMsg) -> Result<Response, Veto> {
    let SudoMsg::Judge(judge) = message;
    if judge.transaction.status != FrameStatus::Succeeded {
        return Ok(Response::new());
    }
    let cap = configuration(deps.storage)?;
    let out = cap.net_outflow(&judge);
    if out > cap.tx_max {
        let words = format!("{out} {} left, at most {} may in one transaction", cap.asset(), cap.tx_max);
        return Err(Veto::new(CODE_TX, words));
    }
    if out.is_zero() || cap.window_max == Uint256::MAX {
        return Ok(Response::new());
    }
    let window = Window::load(deps.storage, WINDOW);
    match window.add(out, cap.window_max, cap.window_seconds.u64(), env.block.time.seconds()) {
        Some(window) => window.save(deps.storage, WINDOW),
        None => {
            let (asset, most, seconds) = (cap.asset(), cap.window_max, cap.window_seconds);
            let words = format!("{out} more {asset} left, at most {most} may within {seconds} seconds");
            return Err(Veto::new(CODE_WINDOW, words));
        }
    }
    Ok(Response::new())
}

/// Answers readers.
#[entry_point]
pub fn query(deps: Deps<'_, GuardQuery>, _: Env, message: QueryMsg) -> StdResult<Binary> {
    match message {
        QueryMsg::Configuration {} => to_json_binary(&configuration(deps.storage)?),
        QueryMsg::Window {} => to_json_binary(&Window::load(deps.storage, WINDOW)),
    }
}

fn configuration(storage: &dyn Storage) -> StdResult<OutflowCap> {
    from_json(storage.get(CONFIGURATION).unwrap_or_default())
}

impl OutflowCap {
    /// What left the group, less what reached it; zero when more came in.
    fn net_outflow(&self, judge: &Judge) -> Uint256 {
        let (mut out, mut back) = (Uint256::zero(), Uint256::zero());
        for flow in judge.flows.iter().filter(|flow| self.counts(flow)) {
            match (judge.accounts.contains(&flow.from), judge.accounts.contains(&flow.to)) {
                (true, false) => out = out.saturating_add(flow.amount),
                (false, true) => back = back.saturating_add(flow.amount),
                (true, true) | (false, false) => {}
            }
        }
        out.saturating_sub(back)
    }

    fn counts(&self, flow: &Flow) -> bool {
        if self.token == Address::default() {
            flow.asset == Asset::Ether
        } else {
            flow.asset == Asset::Erc20 && flow.token == Some(self.token)
        }
    }

    fn asset(&self) -> Watched {
        Watched(self.token)
    }
}

/// Says which asset is watched.
struct Watched(Address);

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == Address::default() { f.write_str("wei of ether") } else { write!(f, "of token {}", self.0) }
    }
}
