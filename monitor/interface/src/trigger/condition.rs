//! Conditions as they are compared with records: sets as bits and sorted lists, nothing that allocates.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use parapet_abi::{
    Asset, CodeChangeRecord, FlowRecord, FrameKind, FrameRecord, FrameStatus, LogRecord, PreimageRecord,
};

use super::{LogTrigger, MAPPING_DEPTH_MAX};

/// What an attachment waits for, its configuration put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A frame starts or ends.
    Call(CallCondition),
    /// A storage word changed.
    Slot(SlotCondition),
    /// A log was emitted.
    Log(LogCondition),
    /// Ether or a token flowed.
    Flow(FlowCondition),
    /// Code appeared, changed or went.
    Code(CodeCondition),
    /// A transient storage word was written.
    Transient(SlotCondition),
}

/// When a frame is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// As it starts.
    Start,
    /// As it ends.
    End,
}

/// What an account is to a frame; several at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role(u8);

impl Role {
    /// It works on the account's storage and balance.
    pub const TARGET: Self = Self(1);
    /// It runs the account's code.
    pub const CODE: Self = Self(1 << 1);
    /// The account entered it and sends ether with it.
    pub const PAYER: Self = Self(1 << 2);
    /// The account entered it.
    pub const CALLER: Self = Self(1 << 3);
    /// What the trigger `frame` waits for: target, code or payer.
    pub const FRAME: Self = Self(0b111);

    pub(super) const NAMES: &'static [&'static str] = &["target", "code", "payer", "caller"];

    pub(super) const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether they have one in common.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What the account that entered a frame is to it. A kind that this version does not know counts as one that moves
    /// ether: too many wake rather than too few.
    #[must_use]
    pub fn of_caller(frame: &FrameRecord) -> Self {
        let moving = match FrameKind::from_u8(frame.kind) {
            Some(FrameKind::DelegateCall | FrameKind::StaticCall | FrameKind::System) => false,
            Some(FrameKind::Call | FrameKind::CallCode | FrameKind::Create | FrameKind::Create2) | None => true,
        };
        if moving && frame.value != [0; 32] { Self::PAYER.union(Self::CALLER) } else { Self::CALLER }
    }
}

/// Which frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallCondition {
    pub(super) roles: Role,
    pub(super) kinds: Option<u8>,
    pub(super) selectors: Box<[[u8; 4]]>,
    pub(super) depth: (u32, u32),
    pub(super) outcomes: Option<u8>,
    pub(super) code_hashes: Box<[B256]>,
}

impl CallCondition {
    /// Whether callers that send nothing matter.
    #[must_use]
    pub const fn looks_at_callers(&self) -> bool {
        self.roles.meets(Role::CALLER)
    }

    /// The hashes of the code it waits for; empty: any code.
    #[must_use]
    pub const fn code_hashes(&self) -> &[B256] {
        &self.code_hashes
    }

    /// Whether a frame, to which an attached account is `role`, wakes.
    #[must_use]
    pub fn holds(&self, frame: &FrameRecord, role: Role, moment: Moment) -> bool {
        role.meets(self.roles) && self.holds_for_any(frame, moment)
    }

    /// Whether a frame wakes whoever does not care for accounts.
    #[must_use]
    pub fn holds_for_any(&self, frame: &FrameRecord, moment: Moment) -> bool {
        let outcome = match (self.outcomes, moment) {
            (None, _) => true,
            (Some(_), Moment::Start) => false,
            (Some(outcomes), Moment::End) => has_bit(outcomes, frame.status.wrapping_sub(1)),
        };
        outcome
            && self.kinds.is_none_or(|kinds| is_of_kind(kinds, frame, moment))
            && (self.depth.0..=self.depth.1).contains(&frame.depth)
            && (self.selectors.is_empty() || has_selector(frame) && self.selectors.contains(&frame.selector))
            && (self.code_hashes.is_empty() || self.code_hashes.binary_search(&frame.code_hash.into()).is_ok())
    }
}

/// Place of `precompile` among the kinds: no number of the ABI's, since a precompile is entered by one of the others.
pub(super) const PRECOMPILE: u8 = 7;

fn is_of_kind(kinds: u8, frame: &FrameRecord, moment: Moment) -> bool {
    let entered_so = frame.kind != PRECOMPILE && has_bit(kinds, frame.kind);
    entered_so || moment == Moment::End && frame.is_precompile == 1 && has_bit(kinds, PRECOMPILE)
}

fn has_selector(frame: &FrameRecord) -> bool {
    let creates = matches!(FrameKind::from_u8(frame.kind), Some(FrameKind::Create | FrameKind::Create2));
    !creates && frame.input_len >= 4
}

/// A number beyond the bits is one of a later version, which no descriptor of this one can name.
const fn has_bit(bits: u8, number: u8) -> bool {
    number < 8 && bits & (1 << number) != 0
}

/// Which storage words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotCondition {
    pub(super) any: bool,
    pub(super) slots: Box<[U256]>,
    /// First words of entries named by key; sorted.
    pub(super) entries: Box<[U256]>,
    /// Mappings whose entries, at any depth, are known by what was hashed.
    pub(super) mappings: Box<[U256]>,
    /// Entries of which not every key is named.
    pub(super) path: Option<KeyPath>,
    pub(super) words: u32,
}

/// The way from a mapping to an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyPath {
    /// Where it begins: mappings, or mappings inside them that named keys lead to.
    pub(super) bases: Box<[U256]>,
    /// The keys from there on, outermost first; `None`: any that was hashed.
    pub(super) keys: Box<[Option<Box<[B256]>>]>,
}

impl SlotCondition {
    /// Whether it needs to know what the transaction hashed.
    #[must_use]
    pub const fn needs_preimages(&self) -> bool {
        !self.mappings.is_empty() || self.path.is_some()
    }

    /// Whether a changed slot wakes.
    #[must_use]
    pub fn holds(&self, slot: U256, preimages: &Preimages) -> bool {
        let words = U256::from(self.words);
        let inside = |first: &U256| slot.wrapping_sub(*first) < words;
        self.any
            || self.slots.binary_search(&slot).is_ok()
            || self.entries.iter().any(inside)
            || !self.mappings.is_empty() && preimages.mapping_of(slot, words).any(|base| self.mappings.contains(&base))
            || self.path.as_ref().is_some_and(|path| preimages.is_on(path, slot, words))
    }
}

/// What a transaction hashed to find entries of mappings: from an entry's slot to its key and the mapping's slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preimages(BTreeMap<U256, (B256, U256)>);

impl Preimages {
    /// From the records of a trace.
    #[must_use]
    pub fn new(records: &[PreimageRecord]) -> Self {
        let word = U256::from_be_bytes::<32>;
        Self(records.iter().map(|record| (word(record.hash), (record.key.into(), word(record.base)))).collect())
    }

    /// The mappings that a slot lies in, the innermost first, if entries have so many words; a mapping inside another one
    /// is any word of an entry.
    fn mapping_of(&self, slot: U256, words: U256) -> impl Iterator<Item = U256> {
        let above = move |(_, base): &(B256, U256)| self.entry_of(*base, words);
        let near = self.entry_of(slot, words);
        std::iter::successors(near, above).take(MAPPING_DEPTH_MAX).map(|(_, base)| base)
    }

    /// Key and mapping of the entry that a slot lies in.
    fn entry_of(&self, slot: U256, words: U256) -> Option<(B256, U256)> {
        let near = self.0.range(..=slot).next_back().filter(|(entry, _)| slot - **entry < words);
        near.map(|(_, found)| *found)
    }

    /// Whether a slot lies in an entry that this way leads to.
    fn is_on(&self, path: &KeyPath, slot: U256, words: U256) -> bool {
        let mut entry = self.entry_of(slot, words);
        let mut base = None;
        for wanted in path.keys.iter().rev() {
            let Some((key, of)) = entry else { return false };
            if wanted.as_ref().is_some_and(|wanted| wanted.binary_search(&key).is_err()) {
                return false;
            }
            (entry, base) = (self.entry_of(of, words), Some(of));
        }
        base.is_some_and(|base| path.bases.contains(&base))
    }
}

/// Which logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogCondition {
    pub(super) topics: [Box<[B256]>; 4],
    /// Topics that a log must have.
    pub(super) least: u32,
}

impl LogTrigger {
    /// One behind the last topic that is named.
    pub(super) fn least_topics(&self) -> u32 {
        let named = [&self.topic0, &self.topic1, &self.topic2, &self.topic3];
        (1..).zip(named).filter(|(_, topic)| !topic.is_empty()).map(|(count, _)| count).max().unwrap_or(0)
    }
}

impl LogCondition {
    /// Whether a log wakes.
    #[must_use]
    pub fn holds(&self, log: &LogRecord) -> bool {
        let mut topics = self.topics.iter().zip(&log.topics);
        log.topic_count >= self.least
            && topics.all(|(wanted, topic)| wanted.is_empty() || wanted.binary_search(&B256::from(*topic)).is_ok())
    }
}

/// On which side of a flow an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It gains.
    In,
    /// It loses.
    Out,
}

/// Which flows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowCondition {
    pub(super) assets: Option<u8>,
    pub(super) tokens: Box<[Address]>,
    pub(super) directions: u8,
    pub(super) reasons: u8,
}

impl FlowCondition {
    /// Whether it waits for fees.
    #[must_use]
    pub const fn waits_for_fees(&self) -> bool {
        has_bit(self.reasons, parapet_abi::FlowReason::Fee as u8)
    }

    /// Whether a flow wakes for the account on one side of it.
    #[must_use]
    pub fn holds(&self, flow: &FlowRecord, side: Side) -> bool {
        has_bit(self.directions, side as u8) && self.holds_for_any(flow)
    }

    /// Whether a flow wakes whoever does not care for accounts.
    #[must_use]
    pub fn holds_for_any(&self, flow: &FlowRecord) -> bool {
        let ether = flow.asset == u8::from(Asset::Ether);
        self.assets.is_none_or(|assets| has_bit(assets, flow.asset))
            && has_bit(self.reasons, flow.reason)
            && (self.tokens.is_empty() || !ether && self.tokens.contains(&Address::from(flow.token.bytes)))
    }
}

/// Which changes of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeCondition {
    pub(super) changes: u8,
}

impl CodeCondition {
    /// Whether a change wakes.
    #[must_use]
    pub const fn holds(&self, change: &CodeChangeRecord) -> bool {
        has_bit(self.changes, change.kind)
    }
}

const _: () =
    assert!(FrameStatus::Succeeded as u8 == 1 && FrameStatus::Halted as u8 == 3, "outcomes are status less 1");
