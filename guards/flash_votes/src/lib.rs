//! No vote with power that is borrowed for one transaction: who acquires what votes are counted by, makes the guarded
//! contracts act, and has given it back when the transaction ends, never held it.
//!
//! Judged once, when the transaction has executed. What gives power is not asked of anybody: it is every token that the
//! guarded contracts hold, take, or ask about.

#![cfg_attr(target_arch = "wasm32", no_std)]

use core::cell::OnceCell;

use parapet_guest::prelude::*;
use standing::share;

#[cfg(test)]
mod tests;

/// Veto: power was acquired, used, and given back.
pub const CODE_GIVEN_BACK: u16 = 1;
/// Veto: power was acquired and used, and much of what the guarded contracts held left them.
pub const CODE_DRAINED: u16 = 2;

/// Functions that use voting power even where the token itself counts votes.
const VOTING: [Bytes4; 12] = [
    Bytes4::from_hex("0x56781388"), // castVote(uint256,uint8)
    Bytes4::from_hex("0x15373e3d"), // castVote(uint256,bool)
    Bytes4::from_hex("0x7b3c71d3"), // castVoteWithReason(uint256,uint8,string)
    Bytes4::from_hex("0x5f398a14"), // castVoteWithReasonAndParams(uint256,uint8,string,bytes)
    Bytes4::from_hex("0x3bccf4fd"), // castVoteBySig(uint256,uint8,uint8,bytes32,bytes32)
    Bytes4::from_hex("0xc9d27afe"), // vote(uint256,bool)
    Bytes4::from_hex("0x0121b93f"), // vote(uint256)
    Bytes4::from_hex("0xb384abef"), // vote(uint256,uint256)
    Bytes4::from_hex("0xfe0d94c1"), // execute(uint256)
    Bytes4::from_hex("0x2656227d"), // execute(address[],uint256[],bytes[],bytes32)
    Bytes4::from_hex("0xda95691a"), // propose(address[],uint256[],string[],bytes[],string)
    Bytes4::from_hex("0x7d5e81e2"), // propose(address[],uint256[],bytes[],string)
];

/// Holders and tokens that are followed in one transaction.
const HOLDINGS_MAX: usize = 256;

/// No vote with power that is borrowed for one transaction.
#[guard(name = "flash_votes", triggers(frame), subscribes(flows))]
pub struct FlashVotes {
    /// Share of the acquired power that must be given back for it to count as borrowed, in basis points.
    #[param(default = "5000")]
    returned_bps: u64,
    /// Share of an asset of the guarded contracts whose loss ends a vote with power just acquired, in basis points.
    #[param(default = "1000")]
    drained_bps: u64,
}

/// What one account got hold of in this transaction, dealings with guarded accounts apart: what is staked is still its own.
struct Holding {
    asset: Held,
    holder: Address,
    acquired: U256,
    given: U256,
    /// Most that it held of this transaction's as power was used.
    used: U256,
}

type Held = (Option<Asset>, Address);

#[guard]
impl Guard for FlashVotes {
    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        let flows: Vec<Flow> = tx.flows().collect();
        let uses = uses(tx, &flows);
        if uses.is_empty() {
            return;
        }
        // Many holders may have claimed in one transaction; what was drained is the same for all.
        let drained = OnceCell::new();
        for holding in holdings(tx, &flows, &uses) {
            if holding.used.is_zero() || !gives_power(tx, &flows, holding.asset) {
                continue;
            }
            let kept = holding.acquired.saturating_sub(holding.given).min(holding.used);
            let (returned, token, holder) = (holding.used - kept, holding.asset.1, holding.holder);
            if returned >= share(holding.used, self.returned_bps) {
                let used = holding.used;
                veto!(CODE_GIVEN_BACK, "{holder} used {used} of {token} as power and gave {returned} of it back");
            }
            if let Some((lost, amount)) = drained.get_or_init(|| self.drained(tx, &flows, &uses)) {
                veto!(CODE_DRAINED, "{holder} used {token} just acquired as power, and {amount} of {lost} left");
            }
        }
    }
}

/// Frames in which strangers make guarded contracts act: not those that only pay in.
fn uses(tx: &Tx, flows: &[Flow]) -> Vec<Frame> {
    let enters = |frame: &Frame| {
        tx.is_guarded(frame.target())
            && !tx.is_guarded(frame.caller())
            && frame.kind() == Some(FrameKind::Call)
            && !frame.is_static()
            && frame.status() == Some(FrameStatus::Succeeded)
    };
    let acts = |frame: &Frame| {
        if VOTING.contains(&frame.selector()) {
            return true;
        }
        let is_token = flows.iter().any(|flow| flow.token() == frame.target());
        let mut inside = flows.iter().filter(|flow| is_inside(frame, flow.seq())).peekable();
        !is_token && (inside.peek().is_none() || inside.any(|flow| tx.is_guarded(flow.from())))
    };
    tx.frames().filter(|frame| enters(frame) && acts(frame)).collect()
}

fn is_inside(frame: &Frame, seq: u32) -> bool {
    (frame.start_seq()..frame.end_seq()).contains(&seq)
}

/// Who held how much of what this transaction brought, when power was used and at the end.
fn holdings(tx: &Tx, flows: &[Flow], uses: &[Frame]) -> Vec<Holding> {
    let mut holdings: Vec<Holding> = Vec::new();
    let mut uses = uses.iter().map(Frame::start_seq).peekable();
    for flow in flows {
        while uses.next_if(|seq| *seq < flow.seq()).is_some() {
            mark(&mut holdings);
        }
        if tx.is_guarded(flow.from()) || tx.is_guarded(flow.to()) {
            continue;
        }
        let asset = (flow.asset(), flow.token());
        for (holder, gains) in [(flow.from(), false), (flow.to(), true)] {
            let known = holdings.iter().position(|holding| holding.holder == holder && holding.asset == asset);
            if holder == Address::ZERO || (known.is_none() && holdings.len() >= HOLDINGS_MAX) {
                continue;
            }
            let at = known.unwrap_or_else(|| {
                let (acquired, given, used) = (U256::ZERO, U256::ZERO, U256::ZERO);
                holdings.push(Holding { asset, holder, acquired, given, used });
                holdings.len() - 1
            });
            let total = if gains { &mut holdings[at].acquired } else { &mut holdings[at].given };
            *total = total.saturating_add(flow.amount());
        }
    }
    if uses.next().is_some() {
        mark(&mut holdings);
    }
    holdings
}

fn mark(holdings: &mut [Holding]) {
    for holding in holdings {
        holding.used = holding.used.max(holding.acquired.saturating_sub(holding.given));
    }
}

/// Whether guarded contracts are the token, took or paid it, or asked it something.
fn gives_power(tx: &Tx, flows: &[Flow], asset: Held) -> bool {
    let (kind, token) = asset;
    tx.is_guarded(token)
        || flows.iter().any(|flow| {
            (flow.asset(), flow.token()) == asset && (tx.is_guarded(flow.from()) != tx.is_guarded(flow.to()))
        })
        || (kind != Some(Asset::Ether)
            && tx.frames().any(|frame| frame.target() == token && tx.is_guarded(frame.caller())))
}

impl FlashVotes {
    /// An asset of which the guarded contracts lost so much in a frame that used power, after another that did.
    fn drained(&self, tx: &Tx, flows: &[Flow], uses: &[Frame]) -> Option<(Address, U256)> {
        let first = uses.first()?.end_seq();
        let mut lost = flows.iter().filter(|flow| {
            tx.is_guarded(flow.from())
                && !tx.is_guarded(flow.to())
                && uses.iter().any(|frame| frame.start_seq() > first && is_inside(frame, flow.seq()))
        });
        lost.find(|flow| {
            let (held, token) = (flow.from(), flow.token());
            let before = match flow.asset() {
                Some(Asset::Ether) => tx.balance(Fork::PreTx, held),
                Some(Asset::Erc20) => {
                    view!(tx, Fork::PreTx, token, "balanceOf(address)(uint256)", held).unwrap_or_default()
                }
                _ => return false,
            };
            !before.is_zero() && flow.amount() >= share(before, self.drained_bps)
        })
        .map(|flow| (flow.token(), flow.amount()))
    }
}
