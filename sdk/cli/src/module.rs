//! A module as it is named on the command line, and what vetting says of it.

use std::{borrow::Cow, path::PathBuf};

use alloy_primitives::{B256, keccak256};
use parapet_cosmwasm::{Answers, is_contract};
use parapet_monitor::{Descriptor, Hook, trigger::Trigger};
use serde_json::{Value, json};

use crate::{
    CliError,
    parameters::{self, ParameterError},
    report::grouped,
    shipped,
};

/// A module that passed vetting.
pub(crate) struct Module {
    pub(crate) wasm: Cow<'static, [u8]>,
    pub(crate) hash: B256,
    pub(crate) descriptor: Descriptor,
    pub(crate) form: Form,
}

/// What runs a module.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// wasmtime.
    Native(parapet_vm::Hooks),
    /// cosmwasm-vm.
    Contract(Answers),
}

/// Why vetting refuses a module.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A native guard.
    #[error(transparent)]
    Native(#[from] parapet_vm::VetError),
    /// A CosmWasm contract.
    #[error(transparent)]
    Contract(#[from] parapet_cosmwasm::VetError),
}

impl Module {
    /// Reads a file or a shipped guard, and vets it.
    pub(crate) fn open(given: &str) -> Result<Self, CliError> {
        let path = PathBuf::from(given);
        let looks_like_path = given.ends_with(".wasm") || given.contains(std::path::MAIN_SEPARATOR);
        match shipped::find(given) {
            Some(shipped) if !looks_like_path => Self::vet(given, Cow::Borrowed(shipped.wasm)),
            Some(_) | None if looks_like_path || path.is_file() => {
                let wasm = std::fs::read(&path).map_err(|source| CliError::Read { path, source })?;
                Self::vet(given, Cow::Owned(wasm))
            }
            Some(_) | None => Err(CliError::NoSuchModule { given: given.to_owned(), known: shipped::names() }),
        }
    }

    /// Vets bytes as a node would, and the parameters that they declare.
    pub(crate) fn vet(name: &str, wasm: Cow<'static, [u8]>) -> Result<Self, CliError> {
        let hash = keccak256(&wasm);
        let vetted =
            vet(hash, &wasm).map_err(|source| CliError::Vet { module: name.to_owned(), source: Box::new(source) });
        let (descriptor, form) = vetted?;
        parameters::check(&descriptor)?;
        Ok(Self { hash, wasm, descriptor, form })
    }

    /// Parameters as the configuration bytes of an attachment.
    pub(crate) fn encode(&self, given: &[(String, String)]) -> Result<Vec<u8>, ParameterError> {
        match self.form {
            Form::Native(_) => parameters::encode(&self.descriptor, given),
            Form::Contract(_) => parameters::json::encode(&self.descriptor, given),
        }
    }

    /// Configuration bytes as parameters; `None` when they are not what the descriptor says.
    pub(crate) fn decode(&self, configuration: &[u8]) -> Option<Vec<(String, String)>> {
        match self.form {
            Form::Native(_) => parameters::decode(&self.descriptor, configuration),
            Form::Contract(_) => parameters::json::decode(configuration),
        }
    }

    fn hook_names(&self) -> Vec<&'static str> {
        let native =
            [(Hook::Init, "init"), (Hook::OnCall, "on_call"), (Hook::OnCallEnd, "on_call_end"), (Hook::OnTx, "on_tx")];
        match self.form {
            Form::Native(hooks) => {
                native.into_iter().filter(|(hook, _)| hooks.has(*hook)).map(|(_, name)| name).collect()
            }
            Form::Contract(Answers::Queries) => vec!["instantiate", "sudo", "query"],
            Form::Contract(Answers::Nothing) => vec!["instantiate", "sudo"],
        }
    }

    const fn form_name(&self) -> &'static str {
        match self.form {
            Form::Native(_) => "native",
            Form::Contract(_) => "cosmwasm",
        }
    }

    /// What it is, for people.
    pub(crate) fn text(&self) -> String {
        let descriptor = &self.descriptor;
        let mut lines = vec![
            format!("guard      {} {}", descriptor.name, descriptor.version),
            format!("           {}", descriptor.summary),
            format!("module     {}", self.hash),
            format!("form       {}", self.form_name()),
            format!("size       {} bytes", grouped(self.wasm.len() as u64)),
            format!("hooks      {}", self.hook_names().join(", ")),
            format!("triggers   {}", texts(&descriptor.triggers)),
        ];
        if !descriptor.subscribes.is_empty() {
            lines.push(format!("subscribes {}", descriptor.subscribes.join(", ")));
        }
        if let Some(shown) = &descriptor.message {
            let lists: Vec<_> = shown.iter().map(|list| list.name()).collect();
            lines.push(format!("message    {}", if lists.is_empty() { "empty".to_owned() } else { lists.join(", ") }));
        }
        for parameter in &descriptor.parameters {
            let need = parameter.default.as_ref().map_or("required".to_owned(), |default| format!("default {default}"));
            let unit = parameter.unit.map(|unit| format!(" in {}", unit.name())).unwrap_or_default();
            lines.push(format!("parameter  {}: {}{unit}, {need}", parameter.name, parameter.ty));
            lines.push(format!("           {}", parameter.doc));
        }
        lines.join("\n")
    }

    /// What it is, for programs.
    pub(crate) fn json(&self) -> Value {
        json!({
            "module": self.hash,
            "form": self.form_name(),
            "bytes": self.wasm.len(),
            "hooks": self.hook_names(),
            "descriptor": self.descriptor,
        })
    }
}

fn texts(triggers: &[Trigger]) -> String {
    triggers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What a node would say of a module.
fn vet(hash: B256, wasm: &[u8]) -> Result<(Descriptor, Form), Refusal> {
    if is_contract(wasm) {
        let vetted = parapet_cosmwasm::vet(hash, wasm)?;
        return Ok((vetted.descriptor, Form::Contract(vetted.answers)));
    }
    let vetted = parapet_vm::vet(wasm)?;
    Ok((vetted.descriptor, Form::Native(vetted.hooks)))
}
