//! A guard's parameters: from `name=value` to the bytes that `abi.encode` gives, and back to text.

pub mod json;
mod units;

use alloy_dyn_abi::{DynSolType, DynSolValue};
use parapet_monitor::{Descriptor, Parameter};

/// Why parameters cannot be encoded.
#[derive(Debug, thiserror::Error)]
pub enum ParameterError {
    /// The guard has no such parameter.
    #[error("guard {guard} has no parameter {name:?}; it has {known}")]
    Unknown {
        /// The guard.
        guard: String,
        /// What was given.
        name: String,
        /// Its parameters.
        known: String,
    },
    /// Given more than once.
    #[error("parameter {0:?} is given twice; arrays are written name=a,b")]
    Twice(String),
    /// Required, and not given.
    #[error("guard {guard} needs parameter {name} ({ty}): write --param {name}=…; {doc} Its parameters are {known}")]
    Missing {
        /// The guard.
        guard: String,
        /// The parameter.
        name: String,
        /// Its type.
        ty: String,
        /// What it says.
        doc: String,
        /// All parameters.
        known: String,
    },
    /// Not a value of the type.
    #[error("parameter {name} is {ty}, which {value:?} is not: {reason}")]
    Value {
        /// The parameter.
        name: String,
        /// Its type.
        ty: String,
        /// What was given.
        value: String,
        /// Why.
        reason: String,
    },
    /// The guard's author wrote a type that the ABI does not have.
    #[error("the guard declares parameter {name} with type {ty:?}, which Solidity's ABI does not have: {reason}")]
    Type {
        /// The parameter.
        name: String,
        /// The type.
        ty: String,
        /// Why.
        reason: String,
    },
    /// The guard's author wrote a default that its type does not have.
    #[error("the guard's own default of parameter {name} is {value:?}, which is not {ty}: {reason}")]
    Default {
        /// The parameter.
        name: String,
        /// Its type.
        ty: String,
        /// The default.
        value: String,
        /// Why.
        reason: String,
    },
}

/// Encodes a configuration: what is given, else the defaults, in the descriptor's order.
///
/// # Errors
/// [`ParameterError`] names the parameter and, where that helps, all of them.
pub fn encode(descriptor: &Descriptor, given: &[(String, String)]) -> Result<Vec<u8>, ParameterError> {
    let values = values(descriptor, given)?;
    // Of an empty tuple, alloy would encode nothing as well; said here so that it does not depend on that.
    Ok(if values.is_empty() { Vec::new() } else { DynSolValue::Tuple(values).abi_encode_params() })
}

/// A value for every parameter, in the descriptor's order.
fn values(descriptor: &Descriptor, given: &[(String, String)]) -> Result<Vec<DynSolValue>, ParameterError> {
    for (index, (name, _)) in given.iter().enumerate() {
        if !descriptor.parameters.iter().any(|parameter| parameter.name == *name) {
            let (guard, known) = (descriptor.name.clone(), known(descriptor));
            return Err(ParameterError::Unknown { guard, name: name.clone(), known });
        }
        if given[..index].iter().any(|(earlier, _)| earlier == name) {
            return Err(ParameterError::Twice(name.clone()));
        }
    }
    descriptor.parameters.iter().map(|parameter| value(descriptor, parameter, given)).collect()
}

/// Checks types and defaults, so that their author learns of a mistake before a user does.
///
/// # Errors
/// [`ParameterError::Type`] or [`ParameterError::Default`].
pub fn check(descriptor: &Descriptor) -> Result<(), ParameterError> {
    for parameter in &descriptor.parameters {
        let ty = sol_type(parameter)?;
        if let Some(default) = &parameter.default {
            coerce(parameter, &ty, default).map_err(|reason| ParameterError::Default {
                name: parameter.name.clone(),
                ty: parameter.ty.clone(),
                value: default.clone(),
                reason,
            })?;
        }
    }
    Ok(())
}

/// A configuration as `name` and value in text; `None` when the bytes are not what the descriptor says.
#[must_use]
pub fn decode(descriptor: &Descriptor, configuration: &[u8]) -> Option<Vec<(String, String)>> {
    if descriptor.parameters.is_empty() {
        return configuration.is_empty().then(Vec::new);
    }
    let types = descriptor.parameters.iter().map(sol_type).collect::<Result<Vec<_>, _>>().ok()?;
    let DynSolValue::Tuple(values) = DynSolType::Tuple(types).abi_decode_params(configuration).ok()? else {
        return None;
    };
    let names = descriptor.parameters.iter().map(|parameter| parameter.name.clone());
    Some(names.zip(values.iter().map(text)).collect())
}

fn value(
    descriptor: &Descriptor,
    parameter: &Parameter,
    given: &[(String, String)],
) -> Result<DynSolValue, ParameterError> {
    let ty = sol_type(parameter)?;
    let named = given.iter().find(|(name, _)| *name == parameter.name).map(|(_, value)| value);
    let Some(text) = named.or(parameter.default.as_ref()) else {
        return Err(ParameterError::Missing {
            guard: descriptor.name.clone(),
            name: parameter.name.clone(),
            ty: parameter.ty.clone(),
            doc: parameter.doc.clone(),
            known: known(descriptor),
        });
    };
    coerce(parameter, &ty, text).map_err(|reason| ParameterError::Value {
        name: parameter.name.clone(),
        ty: parameter.ty.clone(),
        value: text.clone(),
        reason,
    })
}

fn sol_type(parameter: &Parameter) -> Result<DynSolType, ParameterError> {
    DynSolType::parse(&parameter.ty).map_err(|error| ParameterError::Type {
        name: parameter.name.clone(),
        ty: parameter.ty.clone(),
        reason: one_line(&error.to_string()),
    })
}

/// The items of an array may be written without their brackets.
fn coerce(parameter: &Parameter, ty: &DynSolType, text: &str) -> Result<DynSolValue, String> {
    let bare = parameter.ty.ends_with("[]") && !text.starts_with('[');
    let text = if bare { format!("[{text}]") } else { text.to_owned() };
    let text = parameter.unit.map_or(Ok(text.clone()), |unit| units::plain(unit, &text))?;
    ty.coerce_str(&text).map_err(|error| one_line(&error.to_string()))
}

/// Parsers answer with a picture of the input; its lines are told one behind the other.
fn one_line(text: &str) -> String {
    text.split('\n').map(str::trim).filter(|line| !line.is_empty() && *line != "^").collect::<Vec<_>>().join("; ")
}

fn known(descriptor: &Descriptor) -> String {
    let one = |parameter: &Parameter| match &parameter.default {
        Some(default) => format!("{} ({}, default {default})", parameter.name, parameter.ty),
        None => format!("{} ({}, required)", parameter.name, parameter.ty),
    };
    match descriptor.parameters.as_slice() {
        [] => "none".to_owned(),
        parameters => parameters.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}

fn text(value: &DynSolValue) -> String {
    match value {
        DynSolValue::Bool(value) => value.to_string(),
        DynSolValue::Int(value, _) => value.to_string(),
        DynSolValue::Uint(value, _) => value.to_string(),
        DynSolValue::FixedBytes(word, size) => alloy_primitives::hex::encode_prefixed(&word[..*size]),
        DynSolValue::Address(value) => value.to_string(),
        DynSolValue::Function(value) => value.to_string(),
        DynSolValue::Bytes(value) => alloy_primitives::hex::encode_prefixed(value),
        DynSolValue::String(value) => value.clone(),
        DynSolValue::Array(items) | DynSolValue::FixedArray(items) | DynSolValue::Tuple(items) => {
            format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(","))
        }
    }
}
