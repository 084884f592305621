//! Triggers as they stand in a descriptor.

use parapet_abi::descriptor::{TRIGGER_FLOW, TRIGGER_FRAME};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, de::value::MapDeserializer, ser};
use serde_json::{Map, Value};

use super::{MAPPING_KEYS_MAX, Names, Values};
use crate::Subscriptions;

/// What wakes an attachment. Fields that are left out exclude nothing; all fields given must hold at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A frame: `{"on": "call", …}`. Without fields it is the name `"frame"`.
    Call(CallTrigger),
    /// A changed storage word: `{"on": "slot", …}`.
    Slot(SlotTrigger),
    /// A log: `{"on": "log", …}`.
    Log(LogTrigger),
    /// Ether or a token that leaves or reaches an account: `{"on": "flow", …}`. Without fields it is the name `"flow"`.
    Flow(FlowTrigger),
    /// Code that appears, changes or goes: `{"on": "code", …}`.
    Code(CodeTrigger),
    /// A transient storage word (EIP-1153) that is written: `{"on": "transient", …}`.
    Transient(SlotTrigger),
}

/// Fields of a trigger on frames.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallTrigger {
    /// First four bytes of the input: hex, or a function's signature. Creations and shorter inputs have none.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub selector: Values,
    /// How the frame was entered: `call`, `callcode`, `delegatecall`, `staticcall`, `create`, `create2`, `system`; or
    /// `precompile`, however one was entered. That is known at the frame's end, which then wakes alone.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub kind: Names,
    /// What an attached account is to the frame: `target`, `code`, `payer` (it sends ether), `caller` (with or without
    /// ether). Left out: target, code or payer.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub role: Names,
    /// Least depth; 0 is the transaction's own frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth_min: Option<u32>,
    /// Greatest depth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth_max: Option<u32>,
    /// How the frame ended: `succeeded`, `reverted`, `halted`. Given, only the frame's end wakes.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub outcome: Names,
    /// Hash of the code that runs.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub code_hash: Values,
}

/// Fields of a trigger on storage words: on those that the transaction changes for good, or on transient ones that frames
/// write which are not reverted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlotTrigger {
    /// The slot.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub slot: Values,
    /// Slot of a mapping; its entries wake, those of mappings inside it too.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub mapping: Values,
    /// Keys of the mapping; left out, every key whose hash the transaction computes.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub key: Values,
    /// Keys of the mappings inside the mapping.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub key2: Values,
    /// Keys of the mappings inside those.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub key3: Values,
    /// Keys of the mappings inside those.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub key4: Values,
    /// How many keys lead to an entry, 1 to 4; those that are not named are any whose hash the transaction computes.
    /// Left out: as many as the last that is named; if none is, any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    /// Words of one entry; left out, 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<u32>,
}

impl SlotTrigger {
    /// The keys on the way to an entry, outermost first, with their fields.
    pub(super) const fn keys(&self) -> [(&'static str, &Values); MAPPING_KEYS_MAX] {
        [("key", &self.key), ("key2", &self.key2), ("key3", &self.key3), ("key4", &self.key4)]
    }

    /// How many keys lead to an entry; 0: any number.
    pub(super) fn depth(&self) -> usize {
        let named = self.keys().iter().rposition(|(_, key)| !key.is_empty()).map_or(0, |last| last + 1);
        self.depth.map_or(named, |depth| usize::try_from(depth).unwrap_or(usize::MAX))
    }

    /// Whether it must be known what the transaction hashes.
    fn follows_hashes(&self) -> bool {
        let depth = self.depth();
        !self.mapping.is_empty() && (depth == 0 || self.keys().iter().take(depth).any(|(_, key)| key.is_empty()))
    }

    fn implies(&self) -> Subscriptions {
        if self.follows_hashes() { Subscriptions::PREIMAGES } else { Subscriptions::NONE }
    }
}

/// Fields of a trigger on logs that an attached account emits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogTrigger {
    /// First topic: hex, or an event's signature.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub topic0: Values,
    /// Second topic.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub topic1: Values,
    /// Third topic.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub topic2: Values,
    /// Fourth topic.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub topic3: Values,
}

/// Fields of a trigger on flows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlowTrigger {
    /// What flows: `ether`, `erc20`, `erc721`, `erc1155`.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub asset: Names,
    /// Token contract.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub token: Values,
    /// `in` (it reaches an attached account) or `out` (it leaves one).
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub direction: Names,
    /// Why: `call`, `create`, `selfdestruct`, `log`, `fee`, `withdrawal`. Left out: all but `fee`.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub reason: Names,
}

/// Fields of a trigger on code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CodeTrigger {
    /// `create`, `delegation`, `selfdestruct`.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub change: Names,
}

impl Trigger {
    const KINDS: &'static str = "\"call\", \"slot\", \"log\", \"flow\", \"code\" and \"transient\"";

    /// The trigger that a name stands for, if it is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            TRIGGER_FRAME => Some(Self::Call(CallTrigger::default())),
            TRIGGER_FLOW => Some(Self::Flow(FlowTrigger::default())),
            _ => None,
        }
    }

    /// What an attachment that it wakes may read besides.
    #[must_use]
    pub fn implies(&self) -> Subscriptions {
        match self {
            Self::Call(_) | Self::Code(_) => Subscriptions::NONE,
            Self::Log(_) => Subscriptions::FLOWS,
            Self::Flow(flow) if flow.reason.contains("fee") => Subscriptions::FLOWS.union(Subscriptions::FEES),
            Self::Flow(_) => Subscriptions::FLOWS,
            Self::Slot(slot) => slot.implies(),
            Self::Transient(slot) => Subscriptions::ACCESSES.union(slot.implies()),
        }
    }

    /// The name that stands for it, if one does.
    fn name(&self) -> Option<&'static str> {
        [TRIGGER_FRAME, TRIGGER_FLOW].into_iter().find(|name| Self::named(name).as_ref() == Some(self))
    }

    fn from_fields(mut fields: Map<String, Value>) -> Result<Self, serde_json::Error> {
        let on = match fields.remove("on") {
            Some(Value::String(on)) => on,
            _ => return Err(serde_json::Error::custom(format!("a trigger says \"on\": one of {}", Self::KINDS))),
        };
        let fields = MapDeserializer::new(fields.into_iter());
        let read = match on.as_str() {
            "call" => CallTrigger::deserialize(fields).map(Self::Call),
            "slot" => SlotTrigger::deserialize(fields).map(Self::Slot),
            "log" => LogTrigger::deserialize(fields).map(Self::Log),
            "flow" => FlowTrigger::deserialize(fields).map(Self::Flow),
            "code" => CodeTrigger::deserialize(fields).map(Self::Code),
            "transient" => SlotTrigger::deserialize(fields).map(Self::Transient),
            _ => {
                let wrong = format!("a trigger on {on:?} is unknown; known are {}", Self::KINDS);
                return Err(serde_json::Error::custom(wrong));
            }
        };
        read.map_err(|error: serde_json::Error| serde_json::Error::custom(format!("trigger on {on:?}: {error}")))
    }
}

impl<'de> Deserialize<'de> for Trigger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(name) => Self::named(&name).ok_or_else(|| {
                D::Error::custom(format!(
                    "trigger {name:?} is unknown; known are {TRIGGER_FRAME:?}, {TRIGGER_FLOW:?} and objects"
                ))
            }),
            Value::Object(fields) => Self::from_fields(fields).map_err(D::Error::custom),
            other => Err(D::Error::custom(format!("a trigger is a name or an object, not {other}"))),
        }
    }
}

impl Serialize for Trigger {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(name) = self.name() {
            return serializer.serialize_str(name);
        }
        let (on, fields) = match self {
            Self::Call(fields) => ("call", serde_json::to_value(fields)),
            Self::Slot(fields) => ("slot", serde_json::to_value(fields)),
            Self::Log(fields) => ("log", serde_json::to_value(fields)),
            Self::Flow(fields) => ("flow", serde_json::to_value(fields)),
            Self::Code(fields) => ("code", serde_json::to_value(fields)),
            Self::Transient(fields) => ("transient", serde_json::to_value(fields)),
        };
        let mut map = Map::new();
        map.insert("on".to_owned(), Value::String(on.to_owned()));
        if let Value::Object(fields) = fields.map_err(ser::Error::custom)? {
            map.extend(fields);
        }
        map.serialize(serializer)
    }
}

impl std::fmt::Display for Trigger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.name(), serde_json::to_string(self)) {
            (Some(name), _) => f.write_str(name),
            (None, Ok(json)) => f.write_str(&json),
            (None, Err(_)) => Err(std::fmt::Error),
        }
    }
}
