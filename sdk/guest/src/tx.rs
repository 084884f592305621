//! The transaction that is judged: its trace, the accounts it is judged for, and the state around it.
//!
//! ```
//! use parapet_guest::{Ancestors, Records, VIEW_GAS, Viewed, prelude::*};
//!
//! /// Tells all that can be asked.
//! #[guard(name = "teller", triggers(frame), subscribes(accesses, flows, preimages))]
//! pub struct Teller;
//!
//! #[guard]
//! impl Guard for Teller {
//!     fn on_call_end(&self, tx: &Tx, frame: &Frame) {
//!         // The trace so far.
//!         let around: Ancestors = tx.ancestors(frame);
//!         let outermost = around.last().or_else(|| tx.frame(0));
//!         let entered_by_guarded = tx.parent(frame).is_some_and(|outer| tx.is_guarded(outer.target()));
//!         let (input, output) = (tx.input(frame), tx.output(frame));
//!         let mut second_argument = [0; 32];
//!         let copied = tx.input_at(frame, 36, &mut second_argument);
//!         alert!(1, "{} {} {copied} {entered_by_guarded} {}", input.len(), output.len(), outermost.is_some());
//!         // The state around it.
//!         for account in tx.accounts() {
//!             let (before, after) = (Fork::before(frame), Fork::after(frame));
//!             let lost = tx.balance(before, account).saturating_sub(tx.balance(after, account));
//!             let word = tx.storage(Fork::PreTx, account, U256::ZERO);
//!             alert!(2, "{account} ({}): {lost} wei, {word}", tx.code_hash(Fork::Now, account));
//!             // What view! does for functions with typed arguments.
//!             let asked: Viewed = tx.view(after, account, &[0x18, 0x16, 0x0d, 0xdd]);
//!             let supply = asked.decode(|answer| answer.next::<U256>("")).unwrap_or_default();
//!             let cheap = tx.view_with_gas(after, account, &[], VIEW_GAS / 10);
//!             alert!(3, "{supply} {} {} {}", cheap.succeeded(), cheap.gas_used, cheap.output.len());
//!         }
//!     }
//!
//!     fn on_tx(&self, tx: &Tx) {
//!         let flows: Records<Flow> = tx.flows();
//!         alert!(4, "{} frames, {} flows, {}", tx.frames().count(), flows.count(), tx.succeeded());
//!         alert!(5, "{} accesses, {} slots", tx.accesses().count(), tx.slot_changes().count());
//!         let logged: usize = (0..).zip(tx.logs()).map(|(index, _)| tx.log_data(index).len()).sum();
//!         alert!(6, "{logged} bytes, {} changes of code", tx.code_changes().count());
//!         alert!(7, "{} {} {}", tx.preimages().count(), tx.authorizations().count(), tx.delegates().count());
//!     }
//! }
//! # use parapet_guest::mock::{Enter, Scene};
//! # let outcome = Scene::new(&Teller, &[Address([1; 20])]).enter(Enter::call(Address([1; 20]))).finish();
//! # assert_eq!(outcome.alerts.len(), 7);
//! ```

use alloc::{boxed::Box, vec, vec::Vec};
use core::marker::PhantomData;

use parapet_abi::{
    AccountRecord, FrameStatus, Kind, Record,
    import::{
        DATA_FRAME_INPUT, DATA_FRAME_OUTPUT, DATA_LOG, FORK_AFTER_FRAME, FORK_BEFORE_FRAME, FORK_NOW, FORK_PRE_TX,
    },
};
use zerocopy::{FromZeros as _, IntoBytes as _};

use crate::{
    Access, Address, Authorization, B256, CodeChange, Context, Delegate, Flow, Frame, Log, Preimage, SlotChange, U256,
    View,
    config::{ConfigError, Decoder},
    host,
    value::{number, word},
};

/// Records that one call to the host fetches: a balance between calls and stack.
const BATCH: usize = 8;

/// What a guest has of memory is far more than its trace needs; without it, the trap fails closed.
const MEMORY: &str = "the host gives a guard memory";

/// Which state is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fork {
    /// As the transaction found it.
    PreTx,
    /// As it is at this point of the transaction.
    Now,
    /// As the frame with this id found it.
    Before(u32),
    /// As the frame with this id left it; it must have ended. What a reverted frame did is gone, so forks inside of one
    /// are all as after it.
    After(u32),
}

/// The transaction that is judged. A handle: everything is fetched from the host when asked for.
#[derive(Debug)]
pub struct Tx(());

impl Tx {
    /// The handle of the running hook. Hooks are given one; only the expansion of `#[guard]` makes it.
    #[doc(hidden)]
    #[must_use]
    pub const fn current() -> Self {
        Self(())
    }

    /// The block and the transaction.
    ///
    /// # Panics
    /// When the host gives none, which no host does.
    #[must_use]
    pub fn context(&self) -> Context {
        record(0).expect("every trace has one context")
    }

    /// In `on_tx`: whether the transaction succeeded, so that its effects are about to be committed.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.context().status() == Some(FrameStatus::Succeeded)
    }

    /// The accounts that the attachment guards.
    #[must_use]
    pub fn accounts(&self) -> Vec<Address> {
        host::with_accounts(|guarded| guarded.iter().map(|guarded| guarded.address.into()).collect())
    }

    /// Whether the attachment guards an account.
    #[must_use]
    pub fn is_guarded(&self, account: Address) -> bool {
        host::with_accounts(|guarded| guarded.iter().any(|guarded| account.is(guarded.address)))
    }

    /// A frame by its id, if it has started.
    #[must_use]
    pub fn frame(&self, id: u32) -> Option<Frame> {
        record(id)
    }

    /// The frame that entered a frame.
    #[must_use]
    pub fn parent(&self, frame: &Frame) -> Option<Frame> {
        frame.parent().and_then(record)
    }

    /// The frames around a frame, the nearest first.
    #[must_use]
    pub fn ancestors(&self, frame: &Frame) -> Ancestors {
        Ancestors { next: frame.parent() }
    }

    /// Frames that have started, by id.
    #[must_use]
    pub fn frames(&self) -> Records<Frame> {
        Records::new()
    }

    /// Storage accesses so far; needs `subscribes(accesses)`.
    #[must_use]
    pub fn accesses(&self) -> Records<Access> {
        Records::new()
    }

    /// Ether and token flows; needs `subscribes(flows)` or the trigger `flow`; complete in `on_tx`. Fees are among them
    /// for who subscribes to `fees`.
    #[must_use]
    pub fn flows(&self) -> Records<Flow> {
        Records::new()
    }

    /// Logs; needs `subscribes(flows)` or the trigger `flow`; complete in `on_tx`.
    #[must_use]
    pub fn logs(&self) -> Records<Log> {
        Records::new()
    }

    /// Code that appeared, changed or was destroyed; complete in `on_tx`.
    #[must_use]
    pub fn code_changes(&self) -> Records<CodeChange> {
        Records::new()
    }

    /// Net storage writes by address and slot; in `on_tx` only.
    #[must_use]
    pub fn slot_changes(&self) -> Records<SlotChange> {
        Records::new()
    }

    /// What was hashed to find entries of mappings; needs `subscribes(preimages)` or a trigger on a mapping.
    #[must_use]
    pub fn preimages(&self) -> Records<Preimage> {
        Records::new()
    }

    /// The transaction's EIP-7702 authorizations, in order.
    #[must_use]
    pub fn authorizations(&self) -> Records<Authorization> {
        Records::new()
    }

    /// Frames that ran code by way of a delegation (EIP-7702).
    #[must_use]
    pub fn delegates(&self) -> Records<Delegate> {
        Records::new()
    }

    /// Calldata or init code of a frame.
    #[must_use]
    pub fn input(&self, frame: &Frame) -> Vec<u8> {
        data(DATA_FRAME_INPUT, frame.id(), frame.input_len())
    }

    /// Copies calldata from `offset` on into `out`; tells how many bytes there were.
    pub fn input_at(&self, frame: &Frame, offset: u32, out: &mut [u8]) -> usize {
        host::trace_data(DATA_FRAME_INPUT, frame.id(), offset, out) as usize
    }

    /// Return data of a frame that has ended.
    #[must_use]
    pub fn output(&self, frame: &Frame) -> Vec<u8> {
        data(DATA_FRAME_OUTPUT, frame.id(), frame.output_len())
    }

    /// Data of the log with this index in [`Tx::logs`].
    #[must_use]
    pub fn log_data(&self, index: u32) -> Vec<u8> {
        record::<Log>(index).map_or_else(Vec::new, |log| data(DATA_LOG, index, log.data_len()))
    }

    /// A storage word; zero where there is none.
    #[must_use]
    pub fn storage(&self, fork: Fork, account: Address, slot: U256) -> U256 {
        number(&host::state_storage(fork.number(), &account.0, &word(&slot)))
    }

    /// A balance in wei.
    #[must_use]
    pub fn balance(&self, fork: Fork, account: Address) -> U256 {
        number(&host::state_balance(fork.number(), &account.0))
    }

    /// A code hash; zero for an account that does not exist.
    #[must_use]
    pub fn code_hash(&self, fork: Fork, account: Address) -> B256 {
        B256(host::state_code_hash(fork.number(), &account.0))
    }

    /// A static call with up to [`VIEW_GAS`] gas; `view!` writes calldata and reads the answer.
    #[must_use]
    #[inline(never)] // a guard that asks for much stays small
    pub fn view(&self, fork: Fork, contract: Address, calldata: &[u8]) -> Viewed {
        self.view_with_gas(fork, contract, calldata, VIEW_GAS)
    }

    /// A static call with up to so much gas, at most [`VIEW_GAS_MAX`](parapet_abi::import::VIEW_GAS_MAX).
    #[must_use]
    pub fn view_with_gas(&self, fork: Fork, contract: Address, calldata: &[u8], gas: u64) -> Viewed {
        let outcome = host::view_call(fork.number(), &contract.0, calldata, gas);
        let mut output = vec![0; outcome.output_len as usize];
        host::view_output(&mut output);
        let status = u8::try_from(outcome.status).ok().and_then(FrameStatus::from_u8);
        Viewed { status, output, gas_used: outcome.gas_used }
    }
}

/// Gas of a static call that names none.
pub const VIEW_GAS: u64 = 1_000_000;

/// What came of a static call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewed {
    status: Option<FrameStatus>,
    /// What it returned, or reverted with.
    pub output: Vec<u8>,
    /// Gas it used.
    pub gas_used: u64,
}

impl Viewed {
    /// Whether the call returned or stopped. So does one of an account without code, with no output.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status == Some(FrameStatus::Succeeded)
    }

    /// The answer, if the call succeeded and `decode` finds it in the output; what lies behind it is ignored.
    pub fn decode<T>(&self, decode: impl FnOnce(&mut Decoder<'_>) -> Result<T, ConfigError>) -> Option<T> {
        if self.succeeded() { decode(&mut Decoder::new(&self.output)).ok() } else { None }
    }
}

/// Calldata of a function.
#[doc(hidden)]
#[must_use]
#[inline(never)]
pub fn calldata(selector: [u8; 4], values: &[u8]) -> Vec<u8> {
    [&selector[..], values].concat()
}

impl Fork {
    /// As a frame found it.
    #[must_use]
    pub fn before(frame: &Frame) -> Self {
        Self::Before(frame.id())
    }

    /// As a frame, which has ended, left it.
    #[must_use]
    pub fn after(frame: &Frame) -> Self {
        Self::After(frame.id())
    }

    pub(crate) const fn number(self) -> [u32; 2] {
        match self {
            Self::PreTx => [FORK_PRE_TX, 0],
            Self::Now => [FORK_NOW, 0],
            Self::Before(frame) => [FORK_BEFORE_FRAME, frame],
            Self::After(frame) => [FORK_AFTER_FRAME, frame],
        }
    }
}

/// The frames around a frame, the nearest first. Ends at the transaction's own frame.
#[derive(Clone, Debug)]
pub struct Ancestors {
    next: Option<u32>,
}

impl Iterator for Ancestors {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        let frame: Frame = record(self.next?)?;
        self.next = frame.parent();
        Some(frame)
    }
}

/// Records of one kind in order, fetched in small batches.
#[derive(Debug)]
pub struct Records<V: View> {
    next: u32,
    count: u32,
    batch: Vec<V::Of>,
    view: PhantomData<V>,
}

impl<V: View> Records<V> {
    fn new() -> Self {
        let count = host::trace_count(V::Of::KIND as u32);
        Self { next: 0, count, batch: zeroed(BATCH.min(count as usize)), view: PhantomData }
    }
}

impl<V: View> Iterator for Records<V> {
    type Item = V;

    fn next(&mut self) -> Option<V> {
        if self.next >= self.count {
            return None;
        }
        let at = self.next as usize % BATCH;
        if at == 0 {
            fetch(self.next, &mut self.batch);
        }
        self.next += 1;
        Some(V::of(Box::new(self.batch[at].clone())))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.count - self.next) as usize;
        (left, Some(left))
    }
}

/// Reads records from index `first` into `out`; tells how many there were.
fn fetch<R: Record>(first: u32, out: &mut [R]) -> u32 {
    host::trace_read(R::KIND as u32, first, size_of::<R>(), out.as_mut_bytes())
}

fn record<V: View>(index: u32) -> Option<V> {
    let mut found = V::Of::new_box_zeroed().expect(MEMORY);
    (fetch(index, core::slice::from_mut(&mut *found)) == 1).then(|| V::of(found))
}

fn zeroed<R: Record>(count: usize) -> Vec<R> {
    R::new_vec_zeroed(count).expect(MEMORY)
}

/// The guarded accounts as the host tells them. They are the same throughout a transaction, so the host asks once.
pub(crate) fn fetch_accounts() -> Vec<AccountRecord> {
    let mut records = zeroed(host::trace_count(Kind::Account as u32) as usize);
    fetch(0, &mut records);
    records
}

fn data(which: u32, index: u32, len: u32) -> Vec<u8> {
    let mut out = vec![0; len as usize];
    let copied = host::trace_data(which, index, 0, &mut out);
    out.truncate(copied as usize);
    out
}
