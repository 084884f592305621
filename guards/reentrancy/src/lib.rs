//! No re-entry: while a frame of the guarded group is open, no foreign contract may call back into the group.
//!
//! Judged as a frame is about to start, so nothing of the re-entry happens. Only the step over the group's border is
//! judged: a frame that a member of the group calls was decided when that member was entered.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::prelude::*;

#[cfg(test)]
mod tests;

/// Veto: a foreign contract called into the group while a frame of the group was open.
pub const CODE_REENTERED: u16 = 1;

/// In `allow_selectors`: a plain transfer of ether, which has no calldata and so no selector.
pub const PLAIN_TRANSFER: Bytes4 = Bytes4([0; 4]);

/// No foreign contract may call into the guarded accounts while a call to one of them is open.
#[guard(name = "reentrancy", triggers(frame))]
pub struct Reentrancy {
    /// Foreign contracts that may re-enter, such as a lending pool whose callback is part of the protocol.
    #[param(default = "[]")]
    allow_callers: Vec<Address>,
    /// Selectors that may be re-entered, such as intended callbacks; 0x00000000 is a plain transfer of ether.
    #[param(default = "[]")]
    allow_selectors: Vec<Bytes4>,
    /// Whether calls that cannot change state may re-enter; leaves read-only re-entrancy open.
    #[param(default = "false")]
    allow_views: bool,
}

#[guard]
impl Guard for Reentrancy {
    fn on_call(&self, tx: &Tx, frame: &Frame) {
        if !enters(tx, frame) {
            return;
        }
        let Some(open) = open_before(tx, frame) else { return };
        if !self.allows(frame) && !is_answer(tx, frame) {
            let entry = Entry(frame);
            let (target, caller, open) = (frame.target(), frame.caller(), open.id());
            veto!(CODE_REENTERED, "re-entered {target} ({entry}) from {caller} while frame {open} was open");
        }
    }
}

/// Whether a frame works on an account of the group.
fn enters(tx: &Tx, frame: &Frame) -> bool {
    !frame.is_precompile() && tx.is_guarded(frame.target())
}

/// The nearest open frame of the group, when a foreign frame lies between it and `frame`.
fn open_before(tx: &Tx, frame: &Frame) -> Option<Frame> {
    let mut around = tx.ancestors(frame);
    let caller = around.next()?;
    if tx.is_guarded(caller.target()) {
        return None;
    }
    around.find(|frame| tx.is_guarded(frame.target()))
}

/// Whether an account that the group just called answers as it was asked to: by a callback for which the group has a
/// function of a known name, or by the ether it was asked for. Who was paid was not asked for anything.
fn is_answer(tx: &Tx, frame: &Frame) -> bool {
    let answers = frame.input_len() == 0 && !frame.value().is_zero();
    if !answers && !CALLBACKS.contains(&frame.selector().0) {
        return false;
    }
    // A caller's own frames: borrowed code repeats its account.
    let mut own = tx.ancestors(frame).take_while(|outer| outer.target() == frame.caller());
    let Some(asked) = own.by_ref().last() else { return false };
    tx.parent(&asked).is_some_and(|outer| tx.is_guarded(outer.target()))
        && asked.value().is_zero()
        && asked.input_len() >= 4
}

impl Reentrancy {
    fn allows(&self, frame: &Frame) -> bool {
        (self.allow_views && frame.is_static())
            || self.allow_callers.contains(&frame.caller())
            || entered_at(frame).is_some_and(|selector| self.allow_selectors.contains(&selector))
    }
}

/// What a frame calls: the selector, [`PLAIN_TRANSFER`] without calldata, none for input that is no selector.
fn entered_at(frame: &Frame) -> Option<Bytes4> {
    match frame.input_len() {
        0 => Some(PLAIN_TRANSFER),
        // A function that hashes to zero is not what 0x00000000 allows.
        4.. => Some(frame.selector()).filter(|selector| *selector != PLAIN_TRANSFER),
        _ => None,
    }
}

/// Says what a frame calls.
struct Entry<'a>(&'a Frame);

impl Show for Entry<'_> {
    fn show(&self, detail: &mut Detail) {
        let selector = self.0.selector();
        let plain = match self.0.input_len() {
            0 => "plain transfer",
            1..=3 => "fallback",
            _ => "",
        };
        detail.push(plain);
        if plain.is_empty() {
            for (_, name) in NAMES.iter().filter(|(known, _)| *known == selector.0) {
                detail.push(*name).push(" ");
            }
            detail.push("selector ").push(&selector);
        }
    }
}

/// Functions that attacks on vaults and pools enter most, so that a reader need not look a selector up.
const NAMES: [([u8; 4], &str); 8] = [
    ([0x3c, 0xcf, 0xd6, 0x0b], "withdraw"),
    ([0x2e, 0x1a, 0x7d, 0x4d], "withdraw"),
    ([0xb4, 0x60, 0xaf, 0x94], "withdraw"),
    ([0xba, 0x08, 0x76, 0x52], "redeem"),
    ([0xd0, 0xe3, 0x0d, 0xb0], "deposit"),
    ([0x6e, 0x55, 0x3f, 0x65], "deposit"),
    ([0xa9, 0x05, 0x9c, 0xbb], "transfer"),
    ([0x23, 0xb8, 0x72, 0xdd], "transferFrom"),
];

/// Functions that are there to be called back: what was called asks for payment, tells of a receipt, or hands out a loan.
const CALLBACKS: [[u8; 4]; 16] = [
    [0x15, 0x0b, 0x7a, 0x02], // onERC721Received(address,address,uint256,bytes)
    [0xf2, 0x3a, 0x6e, 0x61], // onERC1155Received(address,address,uint256,uint256,bytes)
    [0xbc, 0x19, 0x7c, 0x81], // onERC1155BatchReceived(address,address,uint256[],uint256[],bytes)
    [0x00, 0x23, 0xde, 0x29], // tokensReceived(address,address,address,uint256,bytes,bytes)
    [0x75, 0xab, 0x97, 0x82], // tokensToSend(address,address,address,uint256,bytes,bytes)
    [0x88, 0xa7, 0xca, 0x5c], // onTransferReceived(address,address,uint256,bytes)
    [0x10, 0xd1, 0xe8, 0x5c], // uniswapV2Call(address,uint256,uint256,bytes)
    [0xfa, 0x46, 0x1e, 0x33], // uniswapV3SwapCallback(int256,int256,bytes)
    [0xd3, 0x48, 0x79, 0x97], // uniswapV3MintCallback(uint256,uint256,bytes)
    [0xe9, 0xcb, 0xaf, 0xb0], // uniswapV3FlashCallback(uint256,uint256,bytes)
    [0x23, 0xa6, 0x9e, 0x75], // pancakeV3SwapCallback(int256,int256,bytes)
    [0x91, 0xdd, 0x73, 0x46], // unlockCallback(bytes)
    [0x92, 0x0f, 0x5c, 0x84], // executeOperation(address[],uint256[],uint256[],address,bytes)
    [0x1b, 0x11, 0xd0, 0xff], // executeOperation(address,uint256,uint256,address,bytes)
    [0x23, 0xe3, 0x0c, 0x8b], // onFlashLoan(address,address,uint256,uint256,bytes)
    [0xf0, 0x4f, 0x27, 0x07], // receiveFlashLoan(address[],uint256[],uint256[],bytes)
];
