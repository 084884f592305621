//! Fuel of all but operators, as section 5 of the specification has it.

/// Making an instance.
const INSTANCE: u64 = 5_000;
/// Putting passive element segments in order, however many.
const PASSIVE_ELEMENTS: u64 = 1;
/// A page of memory found anew.
const PAGE: u64 = 20_000;
/// A call of the host.
const CALL: u64 = 50;
/// Eight bytes copied, or a part of them.
const COPIED: u64 = 1;
/// A record.
const RECORD: u64 = 4;
/// A look at state or at own state, or the question whether a bound would be exceeded.
const LOOK: u64 = 5_000;
/// An entry of the journal undone.
const UNDONE: u64 = 20;
/// A static call, and a gas of one.
const STATIC_CALL: u64 = 10_000;
const STATIC_GAS: u64 = 2;
/// A word of own state changed for the first time, and again.
const CHANGED_FIRST: u64 = 44_000;
const CHANGED_AGAIN: u64 = 5_000;
/// A word of an entry looked at again.
const ENTRY_WORD: u64 = 20;
/// A block of Keccak.
const KECCAK: u64 = 500;
const KECCAK_BYTES: u64 = 136;
/// Blocks that a key of own state takes besides its own.
const KEY_BLOCKS: u64 = 2;
/// An alert.
const ALERT: u64 = 1_000;

/// Fuel that was charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meter(pub u64);

impl Meter {
    fn charge(&mut self, each: u64, many: u64) {
        self.0 = self.0.saturating_add(each.saturating_mul(many));
    }

    /// An instance is being made.
    pub(crate) fn instance(&mut self) {
        self.charge(INSTANCE, 1);
    }

    /// Its passive element segments were put in order.
    pub(crate) fn passive_elements(&mut self) {
        self.charge(PASSIVE_ELEMENTS, 1);
    }

    /// Pages are found anew.
    pub(crate) fn pages(&mut self, many: u64) {
        self.charge(PAGE, many);
    }

    /// The host is called.
    pub(crate) fn call(&mut self) {
        self.charge(CALL, 1);
    }

    pub(super) fn copied(&mut self, bytes: u64) {
        self.charge(COPIED, bytes.div_ceil(8));
    }

    pub(super) fn records(&mut self, many: u64) {
        self.charge(RECORD, many);
    }

    pub(super) fn look(&mut self) {
        self.charge(LOOK, 1);
    }

    pub(super) fn undone(&mut self, entries: u64) {
        self.charge(UNDONE, entries);
    }

    pub(super) fn static_call(&mut self) {
        self.charge(STATIC_CALL, 1);
    }

    pub(super) fn static_gas(&mut self, gas: u64) {
        self.charge(STATIC_GAS, gas);
    }

    pub(super) fn changed_first(&mut self) {
        self.charge(CHANGED_FIRST, 1);
    }

    pub(super) fn changed_again(&mut self) {
        self.charge(CHANGED_AGAIN, 1);
    }

    pub(super) fn entry_word(&mut self) {
        self.charge(ENTRY_WORD, 1);
    }

    /// Keccak of so many bytes: its padding takes at least one, so that full blocks take one more.
    pub(super) fn keccak(&mut self, bytes: u64) {
        self.charge(KECCAK, bytes / KECCAK_BYTES + 1);
    }

    /// A key of own state is looked up.
    pub(super) fn key(&mut self, bytes: u64) {
        self.keccak(bytes);
        self.charge(KECCAK, KEY_BLOCKS);
    }

    pub(super) fn alert(&mut self) {
        self.charge(ALERT, 1);
    }
}
