//! At most so much of one asset leaves the guarded accounts: per transaction, and per decaying window of time.
//!
//! The same guard as `guards/outflow_cap`, as a CosmWasm contract: same parameters, same verdicts, same codes and words.
//! What it judges by it reads as records, and its configuration it keeps as bytes: parsing JSON would take most of its time.
//! Judged once, when the transaction has executed. What counts is net: what flows out of the group less what flows in;
//! flows between its members are neither.

// The entry points' signatures are CosmWasm's.
#![allow(clippy::needless_pass_by_value)]

use std::fmt;

use cosmwasm_std::{
    Binary, Deps, DepsMut, Env, MessageInfo, Response, StdError, StdResult, Storage, Uint64, Uint256, entry_point,
    to_json_binary,
};
use parapet_contract::{
    Address, GuardQuery, Veto,
    abi::{AccountRecord, Asset, ContextRecord, FlowRecord, FrameStatus},
    records,
};
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
    r#"{"abi":1,"name":"outflow_cap_cosmwasm","version":"0.1.0","summary":"At most so much of a token or of ether leaves the guarded accounts, per transaction and per decaying window.","triggers":["flow"],"message":[],"parameters":[{"name":"token","type":"address","default":"0x0000000000000000000000000000000000000000","doc":"The ERC-20 token to watch; zero is ether."},{"name":"tx_max","type":"uint256","doc":"Most that may leave in one transaction, in wei or the token's smallest unit."},{"name":"window_max","type":"uint256","default":"115792089237316195423570985008687907853269984665640564039457584007913129639935","doc":"Most that may leave within a window, in the same unit; the highest value is no limit."},{"name":"window_seconds","type":"uint64","default":"86400","doc":"Length of the window, in seconds; a full window drains evenly within it."}]}"#
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

/// The `sudo` message, with nothing in it: what is judged is read as records.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SudoMsg {
    /// A transaction is to be judged.
    Judge {},
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
    deps.storage.set(CONFIGURATION, &configuration.to_bytes());
    Ok(Response::new())
}

/// Judges a transaction.
#[entry_point]
pub fn sudo(deps: DepsMut<'_, GuardQuery>, _: Env, _: SudoMsg) -> Result<Response, Veto> {
    let Some(context) = records::<ContextRecord>(deps.storage).next() else {
        return Err(StdError::msg("the host shows no transaction").into());
    };
    if context.status != u8::from(FrameStatus::Succeeded) {
        return Ok(Response::new());
    }
    let cap = configuration(deps.storage)?;
    let out = cap.net_outflow(deps.storage);
    if out > cap.tx_max {
        let words = format!("{out} {} left, at most {} may in one transaction", cap.asset(), cap.tx_max);
        return Err(Veto::new(CODE_TX, words));
    }
    if out.is_zero() || cap.window_max == Uint256::MAX {
        return Ok(Response::new());
    }
    let window = Window::load(deps.storage, WINDOW);
    match window.add(out, cap.window_max, cap.window_seconds.u64(), context.timestamp) {
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
    let stored = storage.get(CONFIGURATION).as_deref().and_then(OutflowCap::from_bytes);
    stored.ok_or_else(|| StdError::msg("the stored configuration is damaged"))
}

impl OutflowCap {
    /// What is stored: token, both caps, and the window's length, big-endian.
    fn to_bytes(&self) -> Vec<u8> {
        let (tx_max, window_max) = (self.tx_max.to_be_bytes(), self.window_max.to_be_bytes());
        [self.token.0.as_slice(), &tx_max, &window_max, &self.window_seconds.to_be_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (token, rest) = bytes.split_first_chunk()?;
        let (tx_max, rest) = rest.split_first_chunk()?;
        let (window_max, rest) = rest.split_first_chunk()?;
        Some(Self {
            token: Address(*token),
            tx_max: Uint256::from_be_bytes(*tx_max),
            window_max: Uint256::from_be_bytes(*window_max),
            window_seconds: Uint64::from_be_bytes(rest.try_into().ok()?),
        })
    }

    /// What left the group, less what reached it; zero when more came in.
    fn net_outflow(&self, storage: &dyn Storage) -> Uint256 {
        let accounts: Vec<_> = records::<AccountRecord>(storage).map(|account| account.address).collect();
        let (mut out, mut back) = (Uint256::zero(), Uint256::zero());
        for flow in records::<FlowRecord>(storage).filter(|flow| self.counts(flow)) {
            let amount = Uint256::from_be_bytes(flow.amount);
            match (accounts.contains(&flow.from), accounts.contains(&flow.to)) {
                (true, false) => out = out.saturating_add(amount),
                (false, true) => back = back.saturating_add(amount),
                (true, true) | (false, false) => {}
            }
        }
        out.saturating_sub(back)
    }

    fn counts(&self, flow: &FlowRecord) -> bool {
        if self.token == Address::default() {
            flow.asset == u8::from(Asset::Ether)
        } else {
            flow.asset == u8::from(Asset::Erc20) && flow.token.bytes == self.token.0
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
