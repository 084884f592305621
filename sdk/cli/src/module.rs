//! A module as it is named on the command line, and what vetting says of it.

use std::{borrow::Cow, path::PathBuf};

use alloy_primitives::{B256, keccak256};
use parapet_monitor::{Descriptor, Hook, trigger::Trigger};
use parapet_vm::{Hooks, Vetted, vet};
use serde_json::{Value, json};

use crate::{CliError, parameters, report::grouped, shipped};

/// A module that passed vetting.
pub(crate) struct Module {
    pub(crate) wasm: Cow<'static, [u8]>,
    pub(crate) hash: B256,
    pub(crate) descriptor: Descriptor,
    hooks: Hooks,
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
        let Vetted { descriptor, hooks, .. } =
            vet(&wasm).map_err(|source| CliError::Vet { module: name.to_owned(), source })?;
        parameters::check(&descriptor)?;
        Ok(Self { hash: keccak256(&wasm), wasm, descriptor, hooks })
    }

    fn hook_names(&self) -> Vec<&'static str> {
        let all =
            [(Hook::Init, "init"), (Hook::OnCall, "on_call"), (Hook::OnCallEnd, "on_call_end"), (Hook::OnTx, "on_tx")];
        all.into_iter().filter(|(hook, _)| self.hooks.has(*hook)).map(|(_, name)| name).collect()
    }

    /// What it is, for people.
    pub(crate) fn text(&self) -> String {
        let descriptor = &self.descriptor;
        let mut lines = vec![
            format!("guard      {} {}", descriptor.name, descriptor.version),
            format!("           {}", descriptor.summary),
            format!("module     {}", self.hash),
            format!("size       {} bytes", grouped(self.wasm.len() as u64)),
            format!("hooks      {}", self.hook_names().join(", ")),
            format!("triggers   {}", texts(&descriptor.triggers)),
        ];
        if !descriptor.subscribes.is_empty() {
            lines.push(format!("subscribes {}", descriptor.subscribes.join(", ")));
        }
        for parameter in &descriptor.parameters {
            let need = parameter.default.as_ref().map_or("required".to_owned(), |default| format!("default {default}"));
            lines.push(format!("parameter  {}: {}, {need}", parameter.name, parameter.ty));
            lines.push(format!("           {}", parameter.doc));
        }
        lines.join("\n")
    }

    /// What it is, for programs.
    pub(crate) fn json(&self) -> Value {
        json!({
            "module": self.hash,
            "bytes": self.wasm.len(),
            "hooks": self.hook_names(),
            "descriptor": self.descriptor,
        })
    }
}

fn texts(triggers: &[Trigger]) -> String {
    triggers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
