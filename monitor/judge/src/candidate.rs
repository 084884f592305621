//! Guards that are tried out: each is a monitor of its own, over an index that holds nothing else.
//!
//! Invariant: the engine is not the chain's, so whoever tries guards out takes no instance from those that judge, and
//! none of what is compiled here is kept with what the chain has compiled.

use std::{collections::BTreeSet, sync::Arc};

use alloy_primitives::keccak256;
use parapet_abi::ContextRecord;
use parapet_monitor::{
    Allowance, AttachmentId, Candidate, CandidateError, Decision, Examination, Failing, Fault, Fuel, Judging, Mode,
    Monitor, StateView, Tryout,
};
use parapet_registry::{
    ACCOUNTS_MAX, Attachment, CONFIGURATION_BYTES_MAX, FUEL_DEFAULT, FUEL_MAX, Failure, SelectedTriggers,
};
use parapet_vm::{Engine, EngineSettings};
use parking_lot::Mutex;

use crate::{Clock, DemotionRules, guard::Engines, index::Index, judging::Judgment, local::entry};

/// Domain of the names under which guards are tried out, so that none is an attachment of the chain.
const CANDIDATE_DOMAIN: &[u8] = b"parapet.candidate.v1";
/// Most instances of guards that are tried out, over all requests: what runs them is bounded far below that.
const INSTANCES_MAX: u32 = 64;
/// Instances of one guard that are kept for the next transaction.
const WARM_MAX: u32 = 2;

/// Where guards are tried out. The engine starts when somebody asks for it.
#[derive(Debug, Default)]
pub(crate) struct Tryouts(Mutex<Option<Engines>>);

impl Tryouts {
    /// Vets, compiles and initialises a guard as an attachment of it would be.
    pub(crate) fn begin(&self, candidate: Candidate, clock: Clock) -> Result<Tryout, CandidateError> {
        check(&candidate)?;
        let engines = self.engines()?;
        let (attachment, triggers) = (attachment(&candidate)?, candidate.triggers);
        let (id, module) = (attachment.id, attachment.module);
        let entry = entry(&engines, attachment, candidate.module).map_err(CandidateError::Refused)?;
        let descriptor = entry.guard.as_ref().map_err(|reason| CandidateError::Refused(reason.clone()))?.descriptor();
        let count = descriptor.triggers.len();
        if let Some(trigger) = triggers.into_iter().find(|trigger| usize::from(*trigger) >= count) {
            return Err(CandidateError::Trigger { trigger, count });
        }
        let (guard, version) = (descriptor.name.clone(), descriptor.version.clone());
        let monitor = Alone { index: Arc::new(Index::new(vec![entry])), clock };
        Ok(Tryout { monitor: Box::new(monitor), attachment: id, module, guard, version })
    }

    fn engines(&self) -> Result<Engines, CandidateError> {
        let mut engines = self.0.lock();
        if let Some(engines) = &*engines {
            return Ok(engines.clone());
        }
        let settings = EngineSettings { instances_max: INSTANCES_MAX, warm_max: WARM_MAX, ..EngineSettings::default() };
        let engine = Engine::new(settings).map_err(|error| CandidateError::Engine(error.to_string()))?;
        Ok(engines.insert(Engines::new(engine)).clone())
    }
}

fn check(candidate: &Candidate) -> Result<(), CandidateError> {
    let (count, bytes) = (candidate.accounts.len(), candidate.configuration.len());
    if count as u64 > ACCOUNTS_MAX {
        return Err(CandidateError::Accounts { count, max: ACCOUNTS_MAX });
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = candidate.accounts.iter().find(|account| !seen.insert(**account)) {
        return Err(CandidateError::Twice(*twice));
    }
    if bytes as u64 > CONFIGURATION_BYTES_MAX {
        return Err(CandidateError::Configuration { bytes, max: CONFIGURATION_BYTES_MAX });
    }
    match candidate.fuel_max {
        Some(fuel) if fuel.0 > FUEL_MAX => Err(CandidateError::Fuel { fuel, max: FUEL_MAX }),
        Some(_) | None => Ok(()),
    }
}

/// As if it were attached, in shadow.
fn attachment(candidate: &Candidate) -> Result<Attachment, CandidateError> {
    let module = keccak256(&candidate.module);
    let accounts: Vec<u8> = candidate.accounts.iter().flat_map(|account| account.0.0).collect();
    let name = [CANDIDATE_DOMAIN, module.as_slice(), &accounts, &candidate.configuration].concat();
    let mask = candidate.triggers.iter().try_fold(0_u32, |mask, trigger| {
        let bit = 1_u32.checked_shl(u32::from(*trigger)).ok_or(*trigger);
        bit.map(|bit| mask | bit)
    });
    let triggers = mask.map_err(|trigger| CandidateError::Trigger { trigger, count: u32::BITS as usize })?;
    Ok(Attachment {
        id: AttachmentId::from(keccak256(name)),
        module,
        mode: Some(Mode::Shadow),
        failure: match candidate.failure {
            Failing::Closed => Failure::Closed,
            Failing::Open => Failure::Open,
        },
        fuel_max: candidate.fuel_max.filter(|fuel| fuel.0 > 0).unwrap_or(Fuel(FUEL_DEFAULT)),
        triggers: SelectedTriggers(triggers),
        accounts: candidate.accounts.clone(),
        configuration: candidate.configuration.clone(),
        ..Attachment::default()
    })
}

/// One guard, and nobody else.
struct Alone {
    index: Arc<Index>,
    clock: Clock,
}

impl Monitor for Alone {
    fn open(&self, context: &ContextRecord, _: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        let judging = Judgment::new(self.index.clone(), context, (self.clock, DemotionRules::DEFAULT));
        Ok(Some(Box::new(judging)))
    }

    fn admit(&self, _: &ContextRecord, _: Allowance, _: &mut dyn StateView) -> Result<Examination, Fault> {
        Ok(Decision::Proceed.into())
    }
}
