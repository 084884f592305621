//! What the scripted host knows while a hook runs.

use std::{
    any::Any,
    cell::RefCell,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use parapet_abi::{
    AccessRecord, AccountRecord, AuthorizationRecord, CodeChangeRecord, ContextRecord, DelegateRecord, FlowRecord,
    FrameRecord, FrameStatus, Kind, LogRecord, PreimageRecord, SlotChangeRecord, Word,
    import::{DATA_FRAME_INPUT, DATA_FRAME_OUTPUT, DATA_LOG, FORK_PRE_TX},
};
use zerocopy::IntoBytes as _;

use super::Store;

/// State at one fork; what is missing is zero.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Words by account and slot.
    pub storage: BTreeMap<([u8; 20], Word), Word>,
    /// Balances in wei.
    pub balances: BTreeMap<[u8; 20], Word>,
    /// Code hashes.
    pub code_hashes: BTreeMap<[u8; 20], Word>,
}

/// A static call: the fork, the contract, the calldata.
pub type Question = ([u32; 2], [u8; 20], Vec<u8>);

/// Everything a guard can ask for. A [`super::Scene`] fills it; tests may change any of it between events.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Configuration of the attachment.
    pub config: Vec<u8>,
    /// Accounts that it guards.
    pub accounts: Vec<AccountRecord>,
    /// The block and the transaction.
    pub context: ContextRecord,
    /// By id.
    pub frames: Vec<FrameRecord>,
    /// By frame.
    pub inputs: Vec<Vec<u8>>,
    /// By frame.
    pub outputs: Vec<Vec<u8>>,
    /// In order.
    pub accesses: Vec<AccessRecord>,
    /// In order.
    pub flows: Vec<FlowRecord>,
    /// In order.
    pub logs: Vec<LogRecord>,
    /// By log.
    pub log_data: Vec<Vec<u8>>,
    /// In order.
    pub code_changes: Vec<CodeChangeRecord>,
    /// By address and slot.
    pub slot_changes: Vec<SlotChangeRecord>,
    /// In order.
    pub preimages: Vec<PreimageRecord>,
    /// In order.
    pub authorizations: Vec<AuthorizationRecord>,
    /// By frame.
    pub delegates: Vec<DelegateRecord>,
    /// State as the transaction found it.
    pub pre_tx: State,
    /// State as it is.
    pub now: State,
    /// State before and after frames, by fork; where one is missing, `now` stands for it.
    pub forks: BTreeMap<[u32; 2], State>,
    /// What static calls answer, by fork, contract and calldata.
    pub answers: BTreeMap<Question, (FrameStatus, Vec<u8>)>,
    /// What the last static call returned.
    pub view_output: Vec<u8>,
    /// The attachment's own state.
    pub store: Store,
    /// Alerts raised so far, as code and detail.
    pub alerts: Vec<(u16, String)>,
}

impl World {
    fn records(&self, kind: Kind) -> &[u8] {
        match kind {
            Kind::Context => self.context.as_bytes(),
            Kind::Account => self.accounts.as_bytes(),
            Kind::Frame => self.frames.as_bytes(),
            Kind::Access => self.accesses.as_bytes(),
            Kind::Flow => self.flows.as_bytes(),
            Kind::Log => self.logs.as_bytes(),
            Kind::CodeChange => self.code_changes.as_bytes(),
            Kind::SlotChange => self.slot_changes.as_bytes(),
            Kind::Preimage => self.preimages.as_bytes(),
            Kind::Authorization => self.authorizations.as_bytes(),
            Kind::Delegate => self.delegates.as_bytes(),
        }
    }

    pub(crate) fn count(&self, kind: u32) -> u32 {
        Kind::from_u32(kind).map_or(0, |kind| (self.records(kind).len() / kind.record_bytes()) as u32)
    }

    pub(crate) fn read(&self, kind: u32, first: u32, record_bytes: usize, out: &mut [u8]) -> u32 {
        let Some(kind) = Kind::from_u32(kind) else { return 0 };
        let records = self.records(kind).chunks_exact(kind.record_bytes()).skip(first as usize);
        let mut read = 0;
        for (record, out) in records.zip(out.chunks_exact_mut(record_bytes)) {
            let shared = record.len().min(record_bytes);
            out.fill(0);
            out[..shared].copy_from_slice(&record[..shared]);
            read += 1;
        }
        read
    }

    pub(crate) fn data(&self, data: u32, index: u32) -> &[u8] {
        let of = match data {
            DATA_FRAME_INPUT => &self.inputs,
            DATA_FRAME_OUTPUT => &self.outputs,
            DATA_LOG => &self.log_data,
            _ => return &[],
        };
        of.get(index as usize).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn state(&self, fork: [u32; 2]) -> &State {
        match fork {
            [FORK_PRE_TX, _] => &self.pre_tx,
            _ => self.forks.get(&fork).unwrap_or(&self.now),
        }
    }
}

/// How a veto leaves a hook.
#[derive(Debug)]
pub(crate) struct VetoSignal {
    pub(crate) code: u16,
    pub(crate) detail: String,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Looks at the world of the running hook.
pub(crate) fn with_world<T>(look: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with_borrow_mut(|world| look(world.as_mut().expect("host functions are called from a hook of a Scene only")))
}

/// Runs a hook in a world; what it returns, or the veto that ended it.
pub(crate) fn run(world: &mut World, hook: impl FnOnce()) -> Result<(), VetoSignal> {
    WORLD.with_borrow_mut(|current| *current = Some(std::mem::take(world)));
    let ended = catch_unwind(AssertUnwindSafe(hook));
    *world = WORLD.with_borrow_mut(Option::take).expect("the hook's world was put there above");
    ended.map_err(|payload: Box<dyn Any + Send>| match payload.downcast::<VetoSignal>() {
        Ok(veto) => *veto,
        Err(panic) => resume_unwind(panic),
    })
}
