//! Attaches guards as `parapet guard deploy` and `parapet guard attach` do, by transactions to the registry: with the
//! defaults of every parameter, and nothing given but the accounts: see `Script::parameters` for what is excepted.

use std::path::Path;

use alloy_primitives::{Address, Bytes, U256, keccak256};
use alloy_sol_types::SolCall;
use parapet_registry::{CHUNK_BYTES_MAX, contract::IGuardRegistry as registry};
use parapet_types::REGISTRY;

use crate::{ProofError, chain::Call, scene::Scene};

/// A module to be attached, with its configuration.
#[derive(Clone, Debug)]
pub(crate) struct Module {
    pub(crate) name: String,
    pub(crate) wasm: Bytes,
    pub(crate) configuration: Bytes,
}

impl Module {
    /// A guard, from a folder of modules or as it is shipped, as the command line encodes it with these parameters.
    pub(crate) fn open(name: &str, folder: Option<&Path>, parameters: &[(String, String)]) -> Result<Self, ProofError> {
        let file = folder.map(|folder| folder.join(format!("{name}.wasm")).display().to_string());
        let prepared = parapet_cli::prepare(file.as_deref().unwrap_or(name), parameters)
            .map_err(|error| ProofError::Guard { guard: name.to_owned(), reason: error.to_string() })?;
        Ok(Self { name: name.to_owned(), wasm: prepared.module.into(), configuration: prepared.configuration.into() })
    }
}

/// Deploys the module and attaches it, enforcing.
pub(crate) fn attach(scene: &mut Scene<'_>, module: &Module, accounts: &[String]) -> Result<(), ProofError> {
    let attacher = scene.names.account(&scene.script.attach_by)?;
    let accounts: Vec<_> = accounts.iter().map(|name| scene.names.account(name)).collect::<Result<_, _>>()?;
    let hash = keccak256(&module.wasm);
    let chunk_bytes = usize::try_from(CHUNK_BYTES_MAX).expect("24,575 fits");
    for (index, chunk) in module.wasm.chunks(chunk_bytes).enumerate() {
        let chunk = Bytes::copy_from_slice(chunk);
        let call = registry::uploadChunkCall { module: hash, index: U256::from(index), chunk };
        tell(scene, module, attacher, &call)?;
    }
    tell(scene, module, attacher, &registry::registerModuleCall { module: hash })?;
    for account in &accounts {
        // Where somebody else has authority, this changes nothing.
        if let Some((creator, nonce)) = scene.creations.get(account).copied() {
            tell(scene, module, creator, &registry::proveDeployerCall { account: *account, nonce })?;
        }
    }
    let request = registry::AttachRequest {
        module: hash,
        accounts,
        configuration: module.configuration.clone(),
        mode: registry::Mode::Enforce,
        manager: Address::ZERO,
        delay: 0,
        terms: registry::Terms {
            failure: registry::Failure::Closed,
            priority: 0,
            fuelMax: 0,
            demotionShare: 0,
            triggers: 0,
            escapes: Vec::new(),
        },
    };
    tell(scene, module, attacher, &registry::attachCall { request })
}

fn tell(scene: &mut Scene<'_>, module: &Module, from: Address, call: &impl SolCall) -> Result<(), ProofError> {
    let executed = scene.chain.send_as(&Call::to(from, REGISTRY, call.abi_encode().into()))?;
    if executed.succeeded() {
        return Ok(());
    }
    let reason = format!("the registry refuses: {:?}, {}", executed.destiny, executed.output);
    Err(ProofError::Guard { guard: module.name.clone(), reason })
}
