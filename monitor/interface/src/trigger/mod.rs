//! Triggers as data: what wakes an attachment, as its guard's descriptor declares it.
//!
//! A declaration ([`Trigger`]) may name parameters of the guard; [`Trigger::bind`] puts the attachment's configuration in
//! their place and gives a [`Condition`], which never changes while the attachment stands. Invariant: what a descriptor
//! declares can be bound to every configuration that decodes.

mod bind;
mod condition;
mod declared;
mod names;
mod values;

pub use bind::BindError;
pub use condition::{
    CallCondition, CodeCondition, Condition, FlowCondition, LogCondition, Moment, Preimages, Role, Side, SlotCondition,
};
pub use declared::{CallTrigger, CodeTrigger, FlowTrigger, LogTrigger, SlotTrigger, Trigger};
pub use names::Names;
pub use values::Values;

/// Most triggers a guard may declare.
pub const TRIGGERS_MAX: usize = 32;
/// Most values of one field of a trigger, those of array parameters included.
pub const TRIGGER_VALUES_MAX: usize = 64;
/// Most words of one entry of a mapping that a trigger may cover.
pub const ENTRY_WORDS_MAX: u32 = 64;
/// How deep mappings of mappings are followed where no key is named.
pub const MAPPING_DEPTH_MAX: usize = 8;
/// Most keys on the way to an entry that a trigger may name.
pub const MAPPING_KEYS_MAX: usize = 4;
