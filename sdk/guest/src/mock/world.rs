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

use super::{Hook, Store};
use crate::{Frame, Guard, Tx, View as _, guard::load};

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

/// A look at the state around a transaction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// The word of a slot.
    Storage([u32; 2], [u8; 20], Word),
    /// A balance.
    Balance([u32; 2], [u8; 20]),
    /// A code hash.
    CodeHash([u32; 2], [u8; 20]),
    /// A static call with up to so much gas.
    Call(Question, u64),
}

/// What a look finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A word.
    Word(Word),
    /// How a static call ended, what it returned, and the gas it used.
    Called(FrameStatus, Vec<u8>, u64),
}

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
    /// Instead of the states above: what is known of the state, by look. What is missing here is asked for.
    pub known: Option<BTreeMap<Look, Found>>,
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

    /// What a look finds; none when that has to be asked for first.
    fn find(&self, look: &Look) -> Option<Found> {
        if let Some(known) = &self.known {
            return known.get(look).cloned();
        }
        let word = |word: Option<&Word>| Found::Word(word.copied().unwrap_or_default());
        Some(match look {
            Look::Storage(fork, account, slot) => word(self.state(*fork).storage.get(&(*account, *slot))),
            Look::Balance(fork, account) => word(self.state(*fork).balances.get(account)),
            Look::CodeHash(fork, account) => word(self.state(*fork).code_hashes.get(account)),
            // A call that nobody scripted succeeds and returns nothing, as one of an account without code does.
            Look::Call(question, _) => {
                let (status, output) = self.answers.get(question).cloned().unwrap_or((FrameStatus::Succeeded, vec![]));
                Found::Called(status, output, 0)
            }
        })
    }

    fn state(&self, fork: [u32; 2]) -> &State {
        match fork {
            [FORK_PRE_TX, _] => &self.pre_tx,
            _ => self.forks.get(&fork).unwrap_or(&self.now),
        }
    }
}

/// Why a hook did not return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The guard vetoed, with this code and these words.
    Vetoed(u16, String),
    /// It looked at something that [`World::known`] does not have. What it had done to its own state by then is to be
    /// undone before it is asked again.
    Asked(Look),
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Looks at the world of the running hook.
pub(crate) fn with_world<T>(look: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with_borrow_mut(|world| look(world.as_mut().expect("host functions are called from a hook of a Scene only")))
}

/// What a look finds. Where that has to be asked for, the hook is left.
pub(crate) fn look(look: Look) -> Found {
    with_world(|world| world.find(&look)).unwrap_or_else(|| stop(Stopped::Asked(look)))
}

/// Ends the hook by unwinding, without a panic's message: a veto is an ordinary outcome.
pub(crate) fn stop(why: Stopped) -> ! {
    resume_unwind(Box::new(why))
}

/// Runs a hook in a world.
pub(crate) fn run(world: &mut World, hook: impl FnOnce()) -> Result<(), Stopped> {
    WORLD.with_borrow_mut(|current| *current = Some(std::mem::take(world)));
    let ended = catch_unwind(AssertUnwindSafe(hook));
    *world = WORLD.with_borrow_mut(Option::take).expect("the hook's world was put there above");
    ended.map_err(|payload: Box<dyn Any + Send>| match payload.downcast::<Stopped>() {
        Ok(stopped) => *stopped,
        Err(panic) => resume_unwind(panic),
    })
}

/// Runs one hook of a guard in a world: what a host does that has a trace of its own. Alerts are added to
/// [`World::alerts`].
///
/// # Errors
/// [`Stopped`] when the hook did not return.
///
/// # Panics
/// When the hook names a frame that the world does not have, and when the guard panics.
pub fn judge<G: Guard>(world: &mut World, hook: Hook) -> Result<(), Stopped> {
    let frame = |world: &World, id: u32| Frame::of(Box::new(world.frames[id as usize]));
    match hook {
        Hook::Init => run(world, || load::<G>().init(&Tx::current())),
        Hook::OnCall(id) => {
            let frame = frame(world, id);
            run(world, || load::<G>().on_call(&Tx::current(), &frame))
        }
        Hook::OnCallEnd(id) => {
            let frame = frame(world, id);
            run(world, || load::<G>().on_call_end(&Tx::current(), &frame))
        }
        Hook::OnTx => run(world, || load::<G>().on_tx(&Tx::current())),
    }
}
