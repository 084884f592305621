//! A guard that is to be tried out: from arguments to what a node is asked with.

use std::borrow::Cow;

use alloy_primitives::{Address, B256};
use parapet_monitor::{Candidate, Failing, Fuel};
use parapet_registry::contract::IGuardRegistry as registry;

use crate::{CliError, TryoutArgs, WithArgs, args::FailureArg, attach::hash_of, module::Module, node::Node};

/// A guard and the terms it is tried out by.
pub(crate) struct Chosen {
    pub(crate) name: String,
    pub(crate) candidate: Candidate,
}

impl Chosen {
    /// Whom it guards, in words.
    pub(crate) fn whom(&self) -> String {
        match self.candidate.accounts.as_slice() {
            [] => "the whole chain".to_owned(),
            [one] => one.to_string(),
            many => format!("{} accounts", many.len()),
        }
    }
}

/// The guard that is named, if one is.
pub(crate) async fn beside(node: &Node, args: &WithArgs) -> Result<Option<Chosen>, CliError> {
    let terms = &args.terms;
    match &args.with {
        Some(module) => choose(node, module, terms, &terms.parameters).await.map(Some),
        None if terms.accounts.is_empty()
            && terms.parameters.is_empty()
            && terms.like.is_none()
            && !terms.chain_wide =>
        {
            Ok(None)
        }
        None => Err(CliError::NoGuardNamed),
    }
}

/// A guard, by its file, its name or its hash.
pub(crate) async fn choose(
    node: &Node,
    given: &str,
    terms: &TryoutArgs,
    parameters: &[(String, String)],
) -> Result<Chosen, CliError> {
    let module = open(node, given).await?;
    let like = match terms.like {
        Some(attachment) => Some(like(node, attachment).await?),
        None => None,
    };
    let (accounts, configuration) = match like {
        Some((accounts, configuration)) => {
            let accounts = if terms.accounts.is_empty() { accounts } else { terms.accounts.clone() };
            // The parameters of another attachment are those of another guard, perhaps: the node says so if they do not fit.
            let configuration = if parameters.is_empty() { configuration } else { module.encode(parameters)? };
            (accounts, configuration)
        }
        None if terms.accounts.is_empty() && !terms.chain_wide => return Err(CliError::NobodyGuarded),
        None => (terms.accounts.clone(), module.encode(parameters)?),
    };
    let candidate = Candidate {
        module: module.wasm.into_owned().into(),
        accounts,
        configuration: configuration.into(),
        fuel_max: (terms.fuel_max > 0).then_some(Fuel(terms.fuel_max)),
        failure: match terms.failure {
            FailureArg::Closed => Failing::Closed,
            FailureArg::Open => Failing::Open,
        },
        triggers: terms.triggers.clone(),
    };
    Ok(Chosen { name: format!("{} {}", module.descriptor.name, module.descriptor.version), candidate })
}

/// A module by its file, its name, or the hash under which it is deployed.
async fn open(node: &Node, given: &str) -> Result<Module, CliError> {
    let is_hash = given.starts_with("0x") && given.parse::<B256>().is_ok();
    if !is_hash {
        return Module::open(given);
    }
    let hash = hash_of(given)?;
    let code = node.read("reading the module", &registry::moduleCodeCall { module: hash }).await?;
    Module::vet(given, Cow::Owned(code.into()))
}

async fn like(node: &Node, id: B256) -> Result<(Vec<Address>, Vec<u8>), CliError> {
    let attachment = node.read("reading the attachment", &registry::attachmentCall { id }).await?;
    Ok((attachment.accounts, attachment.configuration.into()))
}
