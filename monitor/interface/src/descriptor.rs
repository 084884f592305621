//! A guard's descriptor, parsed. See `parapet_abi::descriptor` for the format.

use parapet_abi::descriptor::{
    DESCRIPTOR_BYTES_MAX, SUBSCRIBE_ACCESSES, SUBSCRIBE_FEES, SUBSCRIBE_FLOWS, SUBSCRIBE_PREIMAGES, UNIT_BPS,
    UNIT_SECONDS, UNIT_WEI,
};
use serde::{Deserialize, Serialize};

use crate::{
    Subscriptions,
    shown::List,
    trigger::{BindError, Condition, TRIGGERS_MAX, Trigger},
};

/// Most parameters a guard may declare.
pub const PARAMETERS_MAX: usize = 32;
/// Longest name of a guard or a parameter, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// What a guard says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// ABI version it was built for.
    pub abi: u32,
    /// Name: lower-case letters, digits, `_` and `-`.
    pub name: String,
    /// Version.
    pub version: String,
    /// One sentence.
    #[serde(default)]
    pub summary: String,
    /// What wakes an attachment.
    pub triggers: Vec<Trigger>,
    /// What it reads besides frames.
    #[serde(default)]
    pub subscribes: Vec<String>,
    /// What a CosmWasm contract's message holds; all there is, if it does not say. Native guards have no messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Vec<List>>,
    /// Its configuration.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
}

/// One typed parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Name: lower-case letters, digits and `_`.
    pub name: String,
    /// Solidity ABI type.
    #[serde(rename = "type")]
    pub ty: String,
    /// What it is measured in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Value when none is given; without it the parameter is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// One sentence.
    #[serde(default)]
    pub doc: String,
}

/// What a number is measured in. `parapet_abi::descriptor` has the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Wei.
    Wei,
    /// Basis points, at most 10,000.
    Bps,
    /// Seconds.
    Seconds,
}

impl Unit {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wei => UNIT_WEI,
            Self::Bps => UNIT_BPS,
            Self::Seconds => UNIT_SECONDS,
        }
    }
}

/// Why a descriptor is refused.
#[derive(Debug, thiserror::Error)]
pub enum DescriptorError {
    /// Too long.
    #[error("the descriptor has {0} bytes, at most {DESCRIPTOR_BYTES_MAX} are accepted")]
    TooLong(usize),
    /// Not the JSON object it must be.
    #[error("the descriptor is not valid: {0}")]
    Json(#[from] serde_json::Error),
    /// Built for another ABI.
    #[error("the guard was built for ABI {0}, this host speaks ABI {host}", host = parapet_abi::ABI_VERSION)]
    Abi(u32),
    /// A name with other characters, or too long.
    #[error("{0:?} is not a name: 1 to {NAME_BYTES_MAX} lower-case letters, digits, '_' or '-'")]
    Name(String),
    /// Too many parameters.
    #[error("{0} parameters, at most {PARAMETERS_MAX} are accepted")]
    Parameters(usize),
    /// A unit of something that is no number.
    #[error("parameter {0:?} has a unit, but its type is no uint")]
    Unit(String),
    /// Two parameters of one name.
    #[error("parameter {0:?} is declared twice")]
    Duplicate(String),
    /// A trigger that means nothing.
    #[error("trigger {trigger}: {wrong}")]
    Trigger {
        /// As it was written.
        trigger: String,
        /// What is wrong.
        wrong: BindError,
    },
    /// Too many triggers.
    #[error("{0} triggers, at most {TRIGGERS_MAX} are accepted")]
    Triggers(usize),
    /// A subscription this host does not know.
    #[error("subscription {0:?} is unknown; known are \"accesses\", \"flows\", \"preimages\" and \"fees\"")]
    Subscription(String),
    /// A message that holds the same list twice.
    #[error("the message holds {0} twice")]
    ShownTwice(&'static str),
    /// Nothing would ever wake it.
    #[error("the guard declares no trigger, so nothing would ever wake it")]
    NoTrigger,
}

impl Descriptor {
    /// Parses and checks the bytes of the custom section.
    ///
    /// # Errors
    /// [`DescriptorError`] says what is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, DescriptorError> {
        if bytes.len() > DESCRIPTOR_BYTES_MAX {
            return Err(DescriptorError::TooLong(bytes.len()));
        }
        let descriptor: Self = serde_json::from_slice(bytes)?;
        descriptor.check()?;
        Ok(descriptor)
    }

    fn check(&self) -> Result<(), DescriptorError> {
        if self.abi != parapet_abi::ABI_VERSION {
            return Err(DescriptorError::Abi(self.abi));
        }
        check_name(&self.name)?;
        if self.parameters.len() > PARAMETERS_MAX {
            return Err(DescriptorError::Parameters(self.parameters.len()));
        }
        for (index, parameter) in self.parameters.iter().enumerate() {
            check_name(&parameter.name)?;
            if parameter.unit.is_some() && !parameter.ty.starts_with("uint") {
                return Err(DescriptorError::Unit(parameter.name.clone()));
            }
            if self.parameters[..index].iter().any(|other| other.name == parameter.name) {
                return Err(DescriptorError::Duplicate(parameter.name.clone()));
            }
        }
        if self.triggers.is_empty() {
            return Err(DescriptorError::NoTrigger);
        }
        if self.triggers.len() > TRIGGERS_MAX {
            return Err(DescriptorError::Triggers(self.triggers.len()));
        }
        for trigger in &self.triggers {
            let wrong = |wrong| DescriptorError::Trigger { trigger: trigger.to_string(), wrong };
            trigger.check(&self.parameters).map_err(wrong)?;
        }
        let shown = self.message.as_deref().unwrap_or_default();
        if let Some(twice) = (1..shown.len()).find(|index| shown[..*index].contains(&shown[*index])) {
            return Err(DescriptorError::ShownTwice(shown[twice].name()));
        }
        let known = [SUBSCRIBE_ACCESSES, SUBSCRIBE_FLOWS, SUBSCRIBE_PREIMAGES, SUBSCRIBE_FEES];
        match self.subscribes.iter().find(|s| !known.contains(&s.as_str())) {
            Some(other) => Err(DescriptorError::Subscription(other.clone())),
            None => Ok(()),
        }
    }

    /// What an attachment with this configuration waits for.
    ///
    /// # Errors
    /// [`BindError`] when the configuration is not one of this guard's parameters.
    pub fn conditions(&self, configuration: &[u8]) -> Result<Vec<Condition>, BindError> {
        self.triggers.iter().map(|trigger| trigger.bind(&self.parameters, configuration)).collect()
    }

    /// What it may read once it woke. Who is woken by a kind of record may read that kind, and so may who
    /// is shown it.
    #[must_use]
    pub fn subscriptions(&self) -> Subscriptions {
        let declared = self.subscribes.iter().map(|name| match name.as_str() {
            SUBSCRIBE_ACCESSES => Subscriptions::ACCESSES,
            SUBSCRIBE_FLOWS => Subscriptions::FLOWS,
            SUBSCRIBE_PREIMAGES => Subscriptions::PREIMAGES,
            SUBSCRIBE_FEES => Subscriptions::FLOWS.union(Subscriptions::FEES),
            _ => Subscriptions::NONE,
        });
        let implied = self.triggers.iter().map(Trigger::implies);
        let shown = self.message.iter().flatten().map(|list| list.subscription());
        declared.chain(implied).chain(shown).fold(Subscriptions::NONE, Subscriptions::union)
    }
}

fn check_name(name: &str) -> Result<(), DescriptorError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(fits) {
        return Err(DescriptorError::Name(name.to_owned()));
    }
    Ok(())
}
