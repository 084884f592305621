//! Guards on a chain, and a transaction that is put before the judge as the executor does it.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use parapet_abi::{FlowRecord, FrameRecord, FrameStatus, SlotChangeRecord};
use parapet_judge::{Judge, LocalError, LocalGuard, LocalJudge};
use parapet_monitor::{Decision, Fuel, Judgement, MemoryAccounts, MemoryState, Mode, Monitor, StateOp, Trace};
use parapet_registry::{Attachment, REGISTRY_ADDRESS, RegistryImage};
use parapet_vm::{Engine, EngineSettings};

use crate::BenchError;

/// The account that is guarded.
pub const VAULT: Address = Address::repeat_byte(0x11);
/// Fuel of each attachment.
const FUEL: Fuel = Fuel(10_000_000);

/// Attachments that are to stand on a chain.
#[derive(Clone, Debug, Default)]
pub struct Attached(RegistryImage);

impl Attached {
    /// Attaches a guard to accounts, enforcing.
    #[must_use]
    pub fn with(mut self, module: &Bytes, accounts: Vec<Address>, configuration: Bytes) -> Self {
        if !self.0.modules.contains(module) {
            self.0.register(module.clone());
        }
        self.0.attachments.push(Attachment {
            id: B256::from(U256::from(self.0.attachments.len() + 1)),
            module: keccak256(module),
            mode: Some(Mode::Enforce),
            fuel_max: FUEL,
            attached_at: 1,
            accounts,
            configuration,
            ..Attachment::default()
        });
        self
    }

    /// So many attachments, each to an account of its own that nobody touches.
    #[must_use]
    pub fn elsewhere(module: &Bytes, count: u64) -> Self {
        (0..count).fold(Self::default(), |all, index| all.with(module, vec![nobody(index)], Bytes::new()))
    }

    /// The registry's account, and those that hold the modules.
    #[must_use]
    pub fn accounts(&self) -> MemoryAccounts {
        let mut accounts = MemoryAccounts::new();
        self.0.write(&mut accounts);
        accounts
    }
}

/// An account that nobody touches.
fn nobody(index: u64) -> Address {
    Address::from_word(B256::from(U256::from(index + 0xe15e_0000_0000)))
}

/// A judge, the state it looks at, and a transaction.
#[derive(Clone)]
pub struct Scene {
    /// The judge; clones of a scene share it, as threads do.
    judge: Arc<dyn Monitor>,
    state: MemoryState,
    trace: Trace,
}

impl Scene {
    /// A transaction with frames that target the given accounts, one after the other, and ten written slots.
    ///
    /// # Errors
    /// [`BenchError::Engine`].
    pub fn new(attached: &Attached, targets: &[Address]) -> Result<Self, BenchError> {
        let judge = Arc::new(Judge::new(Engine::new(EngineSettings::default())?));
        Ok(Self { judge, state: MemoryState::unchanged(attached.accounts()), trace: trace(targets) })
    }

    /// The same on a chain without guards, for a node that has so many of its own, each on an account that nobody touches:
    /// they are looked up as the chain's are, and no registry bounds their number.
    ///
    /// # Errors
    /// [`BenchError`] if they cannot be used.
    pub fn of_a_node(module: &Bytes, count: usize, targets: &[Address]) -> Result<Self, BenchError> {
        let engine = || Engine::new(EngineSettings::default());
        let guard = |index: usize| LocalGuard {
            module: module.clone(),
            accounts: vec![nobody(index as u64)],
            configuration: Bytes::new(),
        };
        let judge = LocalJudge::new(Judge::new(engine()?), &engine()?, (0..count).map(guard).collect());
        let unusable = |error: LocalError| BenchError::Unexpected { what: "a node's guards", found: error.to_string() };
        let state = MemoryState::unchanged(Attached::default().accounts());
        Ok(Self { judge: Arc::new(judge.map_err(unusable)?), state, trace: trace(targets) })
    }

    /// Judges the transaction.
    ///
    /// # Errors
    /// [`BenchError`] if it cannot be judged, or is vetoed.
    pub fn judge(&mut self) -> Result<Judgement, BenchError> {
        let Some(mut judging) = self.judge.open(&self.trace.context, &mut self.state)? else {
            return Ok(Judgement::default());
        };
        let frames = u32::try_from(self.trace.frames.len()).unwrap_or(u32::MAX);
        for frame in 0..frames {
            proceed(judging.on_call(&self.trace, frame, &mut self.state)?)?;
        }
        for frame in (0..frames).rev() {
            proceed(judging.on_call_end(&self.trace, frame, &mut self.state)?)?;
        }
        proceed(judging.on_tx(&self.trace, &mut self.state)?)?;
        Ok(judging.close())
    }

    /// Judges it once and keeps what the guards wrote, as a chain does.
    ///
    /// # Errors
    /// [`BenchError`] if it cannot be judged, or is vetoed.
    pub fn settle(&mut self) -> Result<(), BenchError> {
        for update in self.judge()?.updates {
            for accounts in [&mut self.state.pre_tx, &mut self.state.now] {
                let word = accounts.entry(REGISTRY_ADDRESS).or_default().storage.entry(update.slot).or_default();
                *word = StateOp::apply_all(&update.ops, *word).unwrap_or(*word);
            }
        }
        Ok(())
    }

    /// Judges it, and expects so many verdicts.
    ///
    /// # Errors
    /// [`BenchError`] if there are others.
    pub fn expect(&mut self, verdicts: usize) -> Result<(), BenchError> {
        let found = self.judge()?.verdicts;
        if found.len() == verdicts {
            return Ok(());
        }
        Err(BenchError::Unexpected { what: "a judged transaction", found: format!("{found:?}") })
    }

    /// Opens one judgement and tells it of each frame as it starts, again and again; what is returned is for one frame.
    ///
    /// # Errors
    /// [`BenchError`] if it cannot be judged.
    pub fn frames(&mut self, times: usize) -> Result<std::time::Duration, BenchError> {
        let Some(mut judging) = self.judge.open(&self.trace.context, &mut self.state)? else {
            return Err(BenchError::Unexpected { what: "frames", found: "no attachment".to_owned() });
        };
        let frames = u32::try_from(self.trace.frames.len()).unwrap_or(u32::MAX);
        let start = std::time::Instant::now();
        for _ in 0..times {
            for frame in 0..frames {
                proceed(judging.on_call(&self.trace, frame, &mut self.state)?)?;
            }
        }
        Ok(start.elapsed())
    }
}

/// Frames that target the given accounts, one inside the other, ten written slots, and some ether that leaves the vault.
#[must_use]
pub fn trace(targets: &[Address]) -> Trace {
    let mut trace = Trace { frames: (0..).zip(targets).map(frame).collect(), ..Trace::default() };
    trace.inputs = vec![Bytes::new(); trace.frames.len()];
    trace.outputs = trace.inputs.clone();
    trace.slot_changes = (0..10).map(slot_change).collect();
    trace.flows = vec![flow()];
    trace.context.status = FrameStatus::Succeeded.into();
    trace
}

fn proceed(decision: Decision) -> Result<(), BenchError> {
    match decision {
        Decision::Proceed => Ok(()),
        Decision::Veto(veto) => {
            Err(BenchError::Unexpected { what: "a judged transaction", found: format!("{veto:?}") })
        }
    }
}

fn frame((id, target): (u32, &Address)) -> FrameRecord {
    FrameRecord {
        id,
        parent: id.checked_sub(1).unwrap_or(parapet_abi::NO_FRAME),
        start_seq: id,
        end_seq: 1_000 + id,
        depth: id,
        status: FrameStatus::Succeeded.into(),
        gas_limit: 100_000,
        caller: Address::repeat_byte(0x22).into_array().into(),
        target: target.into_array().into(),
        code_address: target.into_array().into(),
        ..FrameRecord::default()
    }
}

fn flow() -> FlowRecord {
    let (from, to) = (VAULT.into_array().into(), Address::repeat_byte(0x33).into_array().into());
    FlowRecord { seq: 1, from, to, amount: U256::from(7).to_be_bytes(), ..FlowRecord::default() }
}

fn slot_change(index: u8) -> SlotChangeRecord {
    SlotChangeRecord { address: VAULT.into_array().into(), slot: [index; 32], old: [1; 32], new: [2; 32] }
}
