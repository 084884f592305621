//! From declarations to conditions: parameters get the attachment's values.

use alloy_primitives::{Address, B256, U256, keccak256};

use super::{
    CallCondition, CodeCondition, Condition, ENTRY_WORDS_MAX, FlowCondition, LogCondition, MAPPING_KEYS_MAX, Role,
    SlotCondition, SlotTrigger, TRIGGER_VALUES_MAX, Trigger,
    condition::{KeyPath, PRECOMPILE},
    values::{Sort, Values},
};
use crate::Parameter;

/// Frame kinds by their number in the ABI, and what is none.
const KINDS: &[&str] = &["call", "callcode", "delegatecall", "staticcall", "create", "create2", "system", "precompile"];
/// Outcomes of frames; the status in the ABI is one more.
const OUTCOMES: &[&str] = &["succeeded", "reverted", "halted"];
/// Assets by their number in the ABI.
const ASSETS: &[&str] = &["ether", "erc20", "erc721", "erc1155"];
/// Reasons of flows by their number in the ABI.
const REASONS: &[&str] = &["call", "create", "selfdestruct", "log", "fee", "withdrawal"];
/// Bit of the reason `fee`.
const FEE: u8 = 1 << 4;
/// Directions of flows.
const DIRECTIONS: &[&str] = &["in", "out"];
/// Kinds of code change by their number in the ABI.
const CHANGES: &[&str] = &["create", "delegation", "selfdestruct"];

/// Why a trigger is refused, or cannot be bound to a configuration.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A name that the field does not have.
    #[error("{field}: {name:?} is unknown; known are {known}")]
    Name {
        /// The field.
        field: &'static str,
        /// What it says.
        name: String,
        /// What it may say.
        known: String,
    },
    /// A literal that is no value of the field.
    #[error("{field}: {value:?} is not {expected}")]
    Value {
        /// The field.
        field: &'static str,
        /// What it says.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
    /// A parameter that the guard does not have.
    #[error("{field}: the guard has no parameter {name:?}")]
    Unknown {
        /// The field.
        field: &'static str,
        /// The name behind `$`.
        name: String,
    },
    /// A parameter of another type.
    #[error("{field}: parameter {name:?} is {ty}, which is not {expected}")]
    Type {
        /// The field.
        field: &'static str,
        /// The parameter.
        name: String,
        /// Its type.
        ty: String,
        /// What the field takes.
        expected: &'static str,
    },
    /// A parameter behind one that takes more than a word of the configuration's head.
    #[error("parameter {name:?} stands behind {wide:?}, which takes more than one word: declare it before")]
    Behind {
        /// The parameter.
        name: String,
        /// The one before it.
        wide: String,
    },
    /// Too many values.
    #[error("{field}: {count} values, at most {TRIGGER_VALUES_MAX} are accepted")]
    TooMany {
        /// The field.
        field: &'static str,
        /// How many there are.
        count: usize,
    },
    /// Fields that contradict each other.
    #[error("{0}")]
    Fields(&'static str),
    /// The configuration is not what the parameters say.
    #[error("the configuration has no value for parameter {parameter:?}")]
    Configuration {
        /// The parameter.
        parameter: String,
    },
}

/// What a trigger is bound to.
#[derive(Clone, Copy)]
struct Binding<'a> {
    parameters: &'a [Parameter],
    /// `None`: only declarations are checked, and nothing is known of parameters.
    configuration: Option<&'a [u8]>,
}

impl Binding<'_> {
    fn words(self, field: &'static str, sort: Sort, values: &Values) -> Result<Box<[B256]>, BindError> {
        match self.configuration {
            None => values.check(field, sort, self.parameters).map(|()| Box::default()),
            Some(configuration) => values.bind(field, sort, self.parameters, configuration),
        }
    }

    fn numbers(self, field: &'static str, values: &Values) -> Result<Box<[U256]>, BindError> {
        Ok(self.words(field, Sort::Word, values)?.iter().map(|word| (*word).into()).collect())
    }
}

impl Trigger {
    /// Checks everything that does not depend on a configuration.
    ///
    /// # Errors
    /// [`BindError`] says what is wrong.
    pub fn check(&self, parameters: &[Parameter]) -> Result<(), BindError> {
        self.condition(Binding { parameters, configuration: None }).map(|_| ())
    }

    /// The condition that an attachment with this configuration waits for.
    ///
    /// # Errors
    /// [`BindError`] when the configuration is not one of these parameters, or names too many values.
    pub fn bind(&self, parameters: &[Parameter], configuration: &[u8]) -> Result<Condition, BindError> {
        self.condition(Binding { parameters, configuration: Some(configuration) })
    }

    fn condition(&self, binding: Binding<'_>) -> Result<Condition, BindError> {
        Ok(match self {
            Self::Call(call) => {
                if call.depth_min.unwrap_or(0) > call.depth_max.unwrap_or(u32::MAX) {
                    return Err(BindError::Fields("depth_min is above depth_max, so nothing would wake"));
                }
                let selectors = binding.words("selector", Sort::Selector, &call.selector)?;
                Condition::Call(CallCondition {
                    roles: call.role.bits("role", Role::NAMES)?.map_or(Role::FRAME, Role::from_bits),
                    kinds: call.kind.bits("kind", KINDS)?,
                    selectors: selectors.iter().filter_map(|word| word.0.first_chunk().copied()).collect(),
                    depth: (call.depth_min.unwrap_or(0), call.depth_max.unwrap_or(u32::MAX)),
                    outcomes: call.outcome.bits("outcome", OUTCOMES)?,
                    code_hashes: binding.words("code_hash", Sort::Hash, &call.code_hash)?,
                })
            }
            Self::Slot(slot) => Condition::Slot(slots(slot, binding)?),
            Self::Transient(slot) => Condition::Transient(slots(slot, binding)?),
            Self::Log(log) => Condition::Log(LogCondition {
                topics: [
                    binding.words("topic0", Sort::Topic, &log.topic0)?,
                    binding.words("topic1", Sort::Word, &log.topic1)?,
                    binding.words("topic2", Sort::Word, &log.topic2)?,
                    binding.words("topic3", Sort::Word, &log.topic3)?,
                ],
                least: log.least_topics(),
            }),
            Self::Flow(flow) => {
                let tokens = binding.words("token", Sort::Address, &flow.token)?;
                Condition::Flow(FlowCondition {
                    assets: flow.asset.bits("asset", ASSETS)?,
                    tokens: tokens.iter().map(|word| Address::from_word(*word)).collect(),
                    directions: flow.direction.bits("direction", DIRECTIONS)?.unwrap_or(u8::MAX),
                    reasons: flow.reason.bits("reason", REASONS)?.unwrap_or(!FEE),
                })
            }
            Self::Code(code) => {
                Condition::Code(CodeCondition { changes: code.change.bits("change", CHANGES)?.unwrap_or(u8::MAX) })
            }
        })
    }
}

fn slots(trigger: &SlotTrigger, binding: Binding<'_>) -> Result<SlotCondition, BindError> {
    let depth = trigger.depth();
    if trigger.mapping.is_empty() && (depth > 0 || trigger.depth.is_some()) {
        return Err(BindError::Fields("keys and depth are of a mapping: say which, in mapping"));
    }
    if trigger.depth.is_some() && !(1..=MAPPING_KEYS_MAX).contains(&depth) {
        return Err(BindError::Fields("depth is 1 to 4"));
    }
    if trigger.keys().iter().skip(depth).any(|(_, key)| !key.is_empty()) {
        return Err(BindError::Fields("a key is named that lies deeper than depth"));
    }
    let words = trigger.words.unwrap_or(1);
    if words == 0 || words > ENTRY_WORDS_MAX {
        return Err(BindError::Fields("words is 1 to 64"));
    }
    let slots = binding.numbers("slot", &trigger.slot)?;
    let mappings = binding.numbers("mapping", &trigger.mapping)?;
    let any = trigger.slot.is_empty() && trigger.mapping.is_empty();
    let condition = SlotCondition { any, slots, entries: Box::default(), mappings, path: None, words };
    if depth == 0 {
        return Ok(condition);
    }
    let mut keys = Vec::new();
    for (field, values) in &trigger.keys()[..depth] {
        let bound = binding.words(field, Sort::Word, values)?;
        keys.push((!values.is_empty()).then_some(bound));
    }
    // Keys that are named lead to slots that are known; what was hashed is asked from the first one that is not. A mapping
    // inside an entry may be any word of it.
    let inside = |entry: U256| (0..words).map(move |word| entry.wrapping_add(U256::from(word)));
    let mut bases = condition.mappings.into_vec();
    let mut rest = &keys[..];
    while let [Some(named), more @ ..] = rest {
        let found = bases.iter().flat_map(|base| named.iter().map(|key| entry(*key, *base)));
        bases = if more.is_empty() { found.collect() } else { found.flat_map(inside).collect() };
        if bases.len() > TRIGGER_VALUES_MAX {
            return Err(BindError::TooMany { field: "key", count: bases.len() });
        }
        rest = more;
    }
    bases.sort_unstable();
    let (entries, path) = match rest {
        [] => (bases.into(), None),
        rest => (Box::default(), Some(KeyPath { bases: bases.into(), keys: rest.into() })),
    };
    Ok(SlotCondition { entries, path, mappings: Box::default(), ..condition })
}

/// Where Solidity keeps the entry of a mapping.
fn entry(key: B256, base: U256) -> U256 {
    keccak256([key.0, base.to_be_bytes()].concat()).into()
}

const _: () = assert!(KINDS.len() == PRECOMPILE as usize + 1, "a precompile is no kind of the ABI");
