//! Has a finished transaction judged once more, without running it again: its trace is told from its beginning.
//!
//! Invariant: at each frame's start and end the judgement sees the records that it saw when the transaction ran. What
//! it cannot be shown again is state in the middle of the transaction, so only a judgement that has not looked at it
//! may be asked again ([`Judging::can_be_asked_again`]).

use alloy_primitives::{Address, B256, Bytes, U256};
use parapet_abi::FrameRecord;
use parapet_monitor::{
    Allowance, CallOutcome, CallRequest, Decision, Fault, Fork, Judging, StateFault, StateOp, StateView, Subscriptions,
    Trace,
};

/// How a judgement was asked by one hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// What its guards were allowed to spend. All of it is the execution's doing, so it is the same when they are asked
    /// again.
    pub(crate) allowance: Allowance,
    /// What it asked to have recorded from then on.
    pub(crate) subscriptions: Subscriptions,
}

/// Tells a trace. The decision is the last one, or a veto as soon as there is one. `None`: the judgement would have had
/// something else recorded, so the trace is not the one that it must see.
pub(crate) fn play(
    whole: &Trace,
    asked: &[Asked],
    judging: &mut dyn Judging,
    view: &mut dyn StateView,
) -> Result<Option<Decision>, Fault> {
    let mut told = Told::new(whole);
    for Asked { allowance, subscriptions } in asked {
        judging.allow(*allowance);
        let event = told.next();
        let decision = match event {
            Some(Event::Start(frame)) => judging.on_call(&told.trace, frame, view)?,
            Some(Event::End(frame)) => judging.on_call_end(&told.trace, frame, view)?,
            None => judging.on_tx(whole, view)?,
        };
        if judging.subscriptions() != *subscriptions {
            return Ok(None);
        }
        if event.is_none() || decision != Decision::Proceed {
            return Ok(Some(decision));
        }
    }
    Ok(None)
}

/// State before a finished transaction, where a judgement of it is opened: that is what stands, too.
pub(crate) struct Before<'a>(pub(crate) &'a mut dyn StateView);

impl StateView for Before<'_> {
    fn is_settled(&self) -> bool {
        self.0.is_settled()
    }

    fn storage(&mut self, _: Fork, address: Address, slot: U256) -> Result<U256, StateFault> {
        self.0.storage(Fork::PreTx, address, slot)
    }

    fn would_accept(&mut self, address: Address, slot: U256, ops: &[StateOp]) -> Result<bool, StateFault> {
        Ok(StateOp::apply_all(ops, self.storage(Fork::PreTx, address, slot)?).is_some())
    }

    fn balance(&mut self, _: Fork, address: Address) -> Result<U256, StateFault> {
        self.0.balance(Fork::PreTx, address)
    }

    fn code_hash(&mut self, _: Fork, address: Address) -> Result<B256, StateFault> {
        self.0.code_hash(Fork::PreTx, address)
    }

    fn code(&mut self, _: Fork, address: Address) -> Result<Bytes, StateFault> {
        self.0.code(Fork::PreTx, address)
    }

    fn call(&mut self, _: Fork, request: &CallRequest) -> Result<CallOutcome, StateFault> {
        self.0.call(Fork::PreTx, request)
    }
}

/// State around a finished transaction: what it left stands, the points inside of it are gone. Who asks for one of them
/// cannot be answered, and then the transaction runs again.
pub(crate) struct Around<'a>(pub(crate) &'a mut dyn StateView);

/// A point inside of a transaction that is not there any more.
#[derive(Debug, thiserror::Error)]
#[error("a finished transaction has no state at its frames")]
struct Gone;

impl Around<'_> {
    fn at(&mut self, fork: Fork) -> Result<&mut dyn StateView, StateFault> {
        match fork {
            Fork::PreTx | Fork::Now => Ok(self.0),
            Fork::BeforeFrame(_) | Fork::AfterFrame(_) => Err(StateFault(Box::new(Gone))),
        }
    }
}

impl StateView for Around<'_> {
    fn is_settled(&self) -> bool {
        self.0.is_settled()
    }

    fn storage(&mut self, fork: Fork, address: Address, slot: U256) -> Result<U256, StateFault> {
        self.at(fork)?.storage(fork, address, slot)
    }

    fn would_accept(&mut self, address: Address, slot: U256, ops: &[StateOp]) -> Result<bool, StateFault> {
        self.0.would_accept(address, slot, ops)
    }

    fn balance(&mut self, fork: Fork, address: Address) -> Result<U256, StateFault> {
        self.at(fork)?.balance(fork, address)
    }

    fn code_hash(&mut self, fork: Fork, address: Address) -> Result<B256, StateFault> {
        self.at(fork)?.code_hash(fork, address)
    }

    fn code(&mut self, fork: Fork, address: Address) -> Result<Bytes, StateFault> {
        self.at(fork)?.code(fork, address)
    }

    fn call(&mut self, fork: Fork, request: &CallRequest) -> Result<CallOutcome, StateFault> {
        self.at(fork)?.call(fork, request)
    }
}

/// What happens to a frame.
#[derive(Clone, Copy)]
enum Event {
    Start(u32),
    End(u32),
}

/// The part of a trace that was recorded up to some event.
struct Told<'a> {
    whole: &'a Trace,
    trace: Trace,
    /// Frames that have started and not ended.
    running: Vec<u32>,
}

impl<'a> Told<'a> {
    fn new(whole: &'a Trace) -> Self {
        let mut trace = Trace {
            context: whole.context,
            authorizations: whole.authorizations.clone(),
            delegates: whole.delegates.clone(),
            ..Trace::default()
        };
        // How it ends is not known before it has.
        trace.context.status = 0;
        Self { whole, trace, running: Vec::new() }
    }

    fn next(&mut self) -> Option<Event> {
        let next = self.whole.frames.get(self.trace.frames.len());
        let ending = self.running.last().map(|id| &self.whole.frames[*id as usize]);
        match (next, ending) {
            (Some(next), Some(ending)) if next.start_seq < ending.end_seq => Some(self.start(next)),
            (_, Some(ending)) => Some(self.end(ending)),
            (Some(next), None) => Some(self.start(next)),
            (None, None) => None,
        }
    }

    fn start(&mut self, frame: &FrameRecord) -> Event {
        self.accesses_before(frame.start_seq);
        let running = FrameRecord { end_seq: 0, status: 0, gas_used: 0, output_len: 0, is_precompile: 0, ..*frame };
        let input = self.whole.inputs.get(frame.id as usize).cloned();
        self.trace.frames.push(running);
        self.trace.inputs.push(input.unwrap_or_default());
        self.trace.outputs.push(Bytes::new());
        self.running.push(frame.id);
        Event::Start(frame.id)
    }

    fn end(&mut self, frame: &FrameRecord) -> Event {
        self.accesses_before(frame.end_seq);
        let id = frame.id as usize;
        self.trace.frames[id] = *frame;
        self.trace.outputs[id] = self.whole.outputs.get(id).cloned().unwrap_or_default();
        self.running.pop();
        Event::End(frame.id)
    }

    fn accesses_before(&mut self, seq: u32) {
        let rest = &self.whole.accesses[self.trace.accesses.len()..];
        let before = rest.partition_point(|access| access.seq < seq);
        self.trace.accesses.extend_from_slice(&rest[..before]);
    }
}
