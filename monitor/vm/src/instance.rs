//! One instance of a guard: its store, its hooks, and how all that a guard can change in it is put back.
//!
//! Invariant: an instance that was put back cannot be told from a fresh one, neither by its guard nor by its fuel. What a
//! guard can change is the memory, the mutable globals, and, by instructions that vetting looks for, tables and
//! segments. Memory that has grown cannot shrink, and tables and segments are not put back: such an instance is used once.

use parapet_abi::import::{EXPORT_INIT, EXPORT_MEMORY, EXPORT_ON_CALL, EXPORT_ON_CALL_END, EXPORT_ON_TX};
use wasmtime::{Global, InstancePre, Memory, Result, Store, TypedFunc, Val};

use crate::{
    expose::global_name,
    host::{Host, MemoryCap},
    lend::{Loan, lend},
    limits::PAGE_BYTES,
    session::HookCall,
};

/// Bytes that are looked at together when memory is put back: a system page, since what was never written need not
/// become resident.
const BLOCK_BYTES: usize = 4_096;
/// Zeros to compare with.
static ZEROS: [u8; BLOCK_BYTES] = [0; BLOCK_BYTES];

/// What a fresh instance holds in memory: zeros, then bytes, then zeros.
#[derive(Debug)]
pub(crate) struct Image {
    /// What making one costs.
    pub(crate) fuel: u64,
    memory_bytes: usize,
    zeros: usize,
    bytes: Box<[u8]>,
}

impl Image {
    fn of(memory: &[u8], fuel: u64) -> Self {
        let zeros = memory.iter().position(|byte| *byte != 0).unwrap_or(0);
        let end = memory.iter().rposition(|byte| *byte != 0).map_or(zeros, |last| last + 1);
        Self { fuel, memory_bytes: memory.len(), zeros, bytes: memory[zeros..end].into() }
    }

    /// Makes a memory equal to the image; false when it has grown.
    fn restore(&self, memory: &mut [u8]) -> bool {
        if memory.len() != self.memory_bytes {
            return false;
        }
        let (before, rest) = memory.split_at_mut(self.zeros);
        let (bytes, behind) = rest.split_at_mut(self.bytes.len());
        clear(before);
        bytes.copy_from_slice(&self.bytes);
        clear(behind);
        true
    }
}

/// Writes zeros where there are none: most of a memory is not used, and reading is cheaper than writing.
fn clear(memory: &mut [u8]) {
    for block in memory.chunks_mut(BLOCK_BYTES) {
        if *block != ZEROS[..block.len()] {
            block.fill(0);
        }
    }
}

/// An instance, and everything in it that is asked for by name, looked up once.
pub(crate) struct Instance {
    store: Store<Host>,
    memory: Memory,
    /// Mutable globals and what they start as.
    globals: Vec<(Global, Val)>,
    init: Option<TypedFunc<(), ()>>,
    on_call: Option<TypedFunc<u32, ()>>,
    on_call_end: Option<TypedFunc<u32, ()>>,
    on_tx: Option<TypedFunc<(), ()>>,
}

impl Instance {
    /// Makes one for so much fuel, and says what is left of it, also when it cannot be made.
    pub(crate) fn new(pre: &InstancePre<Host>, globals: &[u32], host: Host, fuel: u64) -> (Result<Box<Self>>, u64) {
        let mut store = match Store::try_new(pre.module().engine(), host) {
            Ok(store) => store,
            Err(error) => return (Err(error), fuel),
        };
        store.limiter(|host| &mut host.memory_cap);
        // Data segments that lie in memory are part of its image and free; what else initialises is metered.
        store.set_fuel(fuel).expect("the engine meters");
        let instance = pre.instantiate(&mut store);
        let left = store.get_fuel().expect("the engine meters").min(fuel);
        (instance.and_then(|instance| Self::open(store, instance, globals)), left)
    }

    fn open(mut store: Store<Host>, instance: wasmtime::Instance, globals: &[u32]) -> Result<Box<Self>> {
        let memory = instance.get_memory(&mut store, EXPORT_MEMORY).expect("vetted: the memory is exported");
        let mut mutable = Vec::with_capacity(globals.len());
        for index in globals {
            let global = instance.get_global(&mut store, &global_name(*index)).expect("exported before compiling");
            let start = global.get(&mut store);
            mutable.push((global, start));
        }
        let (init, on_call) = (EXPORT_INIT, EXPORT_ON_CALL);
        Ok(Box::new(Self {
            memory,
            globals: mutable,
            init: instance.get_typed_func(&mut store, init).ok(),
            on_call: instance.get_typed_func(&mut store, on_call).ok(),
            on_call_end: instance.get_typed_func(&mut store, EXPORT_ON_CALL_END).ok(),
            on_tx: instance.get_typed_func(&mut store, EXPORT_ON_TX).ok(),
            store,
        })
        .with_memory())
    }

    fn with_memory(mut self: Box<Self>) -> Box<Self> {
        self.store.data_mut().memory = Some(self.memory);
        self
    }

    /// What the memory holds, if so few pages of it need to be put back, and what making the instance cost.
    pub(crate) fn image(&self, pages_max: u64, fuel: u64) -> Option<Image> {
        (self.memory.size(&self.store) <= pages_max).then(|| Image::of(self.memory.data(&self.store), fuel))
    }

    /// Gives the instance to another transaction.
    pub(crate) fn begin(&mut self, host: Host) {
        *self.store.data_mut() = Host { memory: Some(self.memory), ..host };
    }

    /// Puts back all that a guard can change; false when that is impossible, and the instance must not be used again.
    pub(crate) fn restore(&mut self, image: &Image) -> bool {
        if !image.restore(self.memory.data_mut(&mut self.store)) {
            return false;
        }
        self.globals.iter().all(|(global, start)| global.set(&mut self.store, *start).is_ok())
    }

    /// Calls a hook for so much fuel, and says what is left of it.
    pub(crate) fn call(&mut self, call: HookCall, loan: Loan<'_>, fuel: u64) -> (Result<()>, u64) {
        self.store.set_fuel(fuel).expect("the engine meters");
        self.store.data_mut().memory_cap = MemoryCap::paid_from(fuel);
        let (for_tx, for_frame) = match call {
            HookCall::Init => (&self.init, &None),
            HookCall::OnTx => (&self.on_tx, &None),
            HookCall::OnCall(_) => (&None, &self.on_call),
            HookCall::OnCallEnd(_) => (&None, &self.on_call_end),
        };
        let ended = lend(&mut self.store, loan, |store| match (for_tx, for_frame, call.frame()) {
            (Some(hook), _, _) => hook.call(store, ()),
            (_, Some(hook), Some(frame)) => hook.call(store, frame),
            _ => unreachable!("asked only for hooks that vetting found"),
        });
        (ended, self.store.get_fuel().expect("the engine meters").min(fuel))
    }

    pub(crate) fn host(&mut self) -> &mut Host {
        self.store.data_mut()
    }
}

const _: () = assert!(PAGE_BYTES.is_multiple_of(BLOCK_BYTES));
