//! What guarded accounts give and get in the calls that they make, and which of it belongs together.

use parapet_guest::{moved, prelude::*};

/// Movements of one transaction that are looked at.
const LEGS_MAX: usize = 64;

/// Whether an asset left the group or came to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Gave,
    Got,
}

/// One asset that moved over the border of the group in a call that the group made.
#[derive(Clone, Debug)]
struct Leg {
    side: Side,
    token: Address,
    amount: U256,
    /// Who is on the other side.
    party: Address,
    /// The call out of the group in which it moved.
    call: u32,
}

/// One asset given for another.
#[derive(Clone, Debug)]
pub(crate) struct Trade {
    pub(crate) gave: Address,
    pub(crate) got: Address,
    /// How much of it was given.
    pub(crate) given: U256,
    /// How much was got for that.
    pub(crate) gotten: U256,
    /// The calls out of the group that belong to it, the first one first.
    pub(crate) calls: Vec<u32>,
}

/// Trades that the group made: with one counterparty, or within one call.
pub(crate) fn trades(tx: &Tx) -> Vec<Trade> {
    let legs = legs(tx);
    let mut trades: Vec<Trade> = Vec::new();
    let mut counted: Vec<usize> = Vec::new();
    for gave in legs.iter().filter(|leg| leg.side == Side::Gave) {
        let got = |same: &dyn Fn(&Leg) -> bool| {
            legs.iter().position(|leg| leg.side == Side::Got && leg.token != gave.token && same(leg))
        };
        let Some(at) = got(&|leg| leg.party == gave.party).or_else(|| got(&|leg| leg.call == gave.call)) else {
            continue;
        };
        let got = &legs[at];
        let known = trades.iter().position(|trade| trade.gave == gave.token && trade.got == got.token);
        let index = known.unwrap_or_else(|| {
            let (given, gotten) = (U256::ZERO, U256::ZERO);
            trades.push(Trade { gave: gave.token, got: got.token, given, gotten, calls: Vec::new() });
            trades.len() - 1
        });
        let trade = &mut trades[index];
        trade.given = trade.given.saturating_add(gave.amount);
        if !counted.contains(&at) {
            counted.push(at);
            trade.gotten = trade.gotten.saturating_add(got.amount);
        }
        trade.calls.extend([gave.call.min(got.call), gave.call.max(got.call)]);
        trade.calls.dedup();
    }
    // What is traded both ways in one transaction is a loan that came and went, or a position that was turned around.
    let pairs: Vec<(Address, Address)> = trades.iter().map(|trade| (trade.got, trade.gave)).collect();
    trades.retain(|trade| !pairs.contains(&(trade.gave, trade.got)));
    trades
}

/// What moved, summed up by call, party and asset.
fn legs(tx: &Tx) -> Vec<Leg> {
    let mut legs: Vec<Leg> = Vec::new();
    for flow in tx.flows().filter(moved::is_fungible) {
        let leaves = tx.is_guarded(flow.from());
        if leaves == tx.is_guarded(flow.to()) || flow.amount().is_zero() {
            continue;
        }
        let (side, party) = if leaves { (Side::Gave, flow.to()) } else { (Side::Got, flow.from()) };
        let Some(call) = call_out(tx, &flow).filter(|call| !is_caller(tx, call, party)) else { continue };
        let (token, call) = (flow.token(), call.id());
        let is_known = |leg: &&mut Leg| (leg.side, leg.token, leg.party, leg.call) == (side, token, party, call);
        if let Some(leg) = legs.iter_mut().find(is_known) {
            leg.amount = leg.amount.saturating_add(flow.amount());
        } else if legs.len() < LEGS_MAX {
            legs.push(Leg { side, token, amount: flow.amount(), party, call });
        }
    }
    legs
}

/// The frame by which the group called out, nearest around a flow.
fn call_out(tx: &Tx, flow: &Flow) -> Option<Frame> {
    let frame = tx.frame(flow.frame())?;
    let around = core::iter::once(frame.clone()).chain(tx.ancestors(&frame));
    around.filter(|frame| !tx.is_guarded(frame.target())).find(|frame| tx.is_guarded(frame.caller()))
}

/// Whether the group acted at somebody's word when it called out: he deals with the group, it does not trade with him.
fn is_caller(tx: &Tx, call: &Frame, party: Address) -> bool {
    party == tx.context().sender() || tx.ancestors(call).any(|outer| outer.target() == party || outer.caller() == party)
}

impl Trade {
    /// Accounts outside that took one asset on the trade's way and gave another: who, what they took, and what they gave.
    pub(crate) fn counterparties(&self, tx: &Tx) -> Vec<(Address, Address, Address)> {
        let mut takes: Vec<(Address, Address)> = Vec::new();
        let mut found: Vec<(Address, Address, Address)> = Vec::new();
        let calls: Vec<Frame> = self.calls.iter().filter_map(|call| tx.frame(*call)).collect();
        let on_the_way =
            |flow: &Flow| calls.iter().any(|call| (call.start_seq()..call.end_seq()).contains(&flow.seq()));
        for flow in tx.flows().filter(|flow| moved::is_fungible(flow) && on_the_way(flow)).take(LEGS_MAX) {
            let gives = |(party, _): &&(Address, Address)| *party == flow.from();
            if let Some((party, given)) = takes.iter().find(gives)
                && *given != flow.token()
                && found.iter().all(|(known, ..)| known != party)
            {
                found.push((*party, *given, flow.token()));
            }
            if !tx.is_guarded(flow.to()) && flow.to() != Address::ZERO {
                takes.push((flow.to(), flow.token()));
            }
        }
        found
    }
}
