//! A guard that is attached natively, and its module if it is at hand.

use std::sync::{Arc, OnceLock};

use alloy_primitives::{Bytes, keccak256};
use parapet_abi::{AccountRecord, FlowRecord, FrameRecord};
use parapet_guest::{
    Address, Guard,
    descriptor::Described,
    mock::{Hook, Stopped, Store, World, judge},
};
use parapet_monitor::{
    Descriptor, Fuel, Subscriptions, Trace,
    trigger::{Condition, Moment, Preimages, Role, Side},
};
use parapet_types::REGISTRY;
use parapet_vm::{Engine, EngineSettings, Subject};

use super::MODULE_VAR;

/// Fuel of one transaction: as much as an attachment can have.
const FUEL_MAX: u64 = 100_000_000;

/// A guard at its accounts.
#[derive(Clone, Debug)]
pub(super) struct Attached {
    pub(super) configuration: Vec<u8>,
    pub(super) accounts: Vec<AccountRecord>,
    pub(super) subscriptions: Subscriptions,
    conditions: Vec<Condition>,
    pub(super) judge: fn(&mut World, Hook) -> Result<(), Stopped>,
    /// Its own state, as of the last transaction that stood.
    pub(super) store: Store,
    pub(super) module: Option<(Arc<parapet_vm::Guard>, Arc<Subject>)>,
}

impl Attached {
    /// Where `module` is another guard's, it is left alone.
    pub(super) fn new<G: Guard + Described>(guard: &G, accounts: &[Address], module: Option<Vec<u8>>) -> Self {
        let descriptor = Descriptor::parse(G::DESCRIPTOR.as_bytes());
        let descriptor = descriptor.unwrap_or_else(|error| panic!("no node would have this guard: {error}"));
        let configuration = guard.encode();
        let conditions = descriptor.conditions(&configuration);
        let conditions = conditions.unwrap_or_else(|error| panic!("no node would have these triggers: {error}"));
        let accounts: Vec<AccountRecord> =
            accounts.iter().map(|account| AccountRecord { address: (*account).into() }).collect();
        let subscriptions = descriptor.subscriptions();
        let module = module.and_then(|module| load(module, &descriptor)).map(|loaded| {
            let subject = Subject {
                // Two guards of one chain have each their own state.
                attachment: keccak256(descriptor.name.as_bytes()),
                accounts: accounts.clone(),
                configuration: Bytes::copy_from_slice(&configuration),
                subscriptions,
                fuel_max: Fuel(FUEL_MAX),
                store_account: REGISTRY,
            };
            (loaded, Arc::new(subject))
        });
        Self { configuration, accounts, subscriptions, conditions, judge: judge::<G>, store: Store::default(), module }
    }

    /// Whether a frame wakes it.
    pub(super) fn wakes(&self, trace: &Trace, frame: u32, moment: Moment) -> bool {
        let record = &trace.frames[frame as usize];
        let delegate = trace.delegate_of(frame).map(|record| record.delegate);
        let roles = self.accounts.iter().map(|account| role(record, delegate, account.address));
        let roles: Vec<Role> = roles.flatten().collect();
        self.conditions.iter().any(|condition| match condition {
            Condition::Call(call) => roles.iter().any(|role| call.holds(record, *role, moment)),
            _ => false,
        })
    }

    /// Whether what an executed transaction left wakes it.
    pub(super) fn wakes_at_end(&self, trace: &Trace) -> bool {
        let own = |address: parapet_abi::Address| self.accounts.iter().any(|account| account.address == address);
        let preimages = Preimages::new(&trace.preimages);
        let side = |flow: &FlowRecord| {
            let sides = [(flow.from, Side::Out), (flow.to, Side::In)];
            sides.into_iter().filter(|(account, _)| own(*account)).map(|(_, side)| side).collect::<Vec<_>>()
        };
        self.conditions.iter().any(|condition| match condition {
            Condition::Call(_) => false,
            Condition::Flow(wanted) => {
                trace.flows.iter().any(|flow| side(flow).into_iter().any(|side| wanted.holds(flow, side)))
            }
            Condition::Log(wanted) => trace.logs.iter().any(|log| own(log.address) && wanted.holds(log)),
            Condition::Code(wanted) => {
                trace.code_changes.iter().any(|change| own(change.address) && wanted.holds(change))
            }
            Condition::Slot(wanted) => {
                let mut changes = trace.slot_changes.iter().filter(|change| own(change.address));
                changes.any(|change| wanted.holds(alloy_primitives::U256::from_be_bytes(change.slot), &preimages))
            }
            Condition::Transient(wanted) => {
                let of_own = |account: alloy_primitives::Address| own(parapet_abi::Address::new(account.into_array()));
                let writes = trace.transient_writes(&trace.standing_frames(), &of_own);
                writes.iter().any(|write| wanted.holds(alloy_primitives::U256::from_be_bytes(write.slot), &preimages))
            }
        })
    }
}

/// What an account is to a frame.
fn role(
    frame: &FrameRecord,
    delegate: Option<parapet_abi::Address>,
    account: parapet_abi::Address,
) -> impl Iterator<Item = Role> {
    let as_target = (frame.target == account).then_some(Role::TARGET);
    let as_code = (frame.code_address == account || delegate == Some(account)).then_some(Role::CODE);
    let as_caller = (frame.caller == account).then(|| Role::of_caller(frame));
    [as_target, as_code, as_caller].into_iter().flatten()
}

/// The module that the environment names, if it does.
pub(super) fn named_module() -> Option<Vec<u8>> {
    static MODULE: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    let read = || {
        let path = std::env::var_os(MODULE_VAR)?;
        let read = std::fs::read(&path);
        Some(read.unwrap_or_else(|error| panic!("{MODULE_VAR} names {}: {error}", path.display())))
    };
    MODULE.get_or_init(read).clone()
}

/// Vets and compiles a module, unless it is another guard's.
fn load(module: Vec<u8>, descriptor: &Descriptor) -> Option<Arc<parapet_vm::Guard>> {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let start = || Engine::new(EngineSettings::default()).unwrap_or_else(|error| panic!("no guard VM: {error}"));
    let engine = ENGINE.get_or_init(start);
    let loaded = engine.load(keccak256(&module), module.into());
    let loaded = loaded.unwrap_or_else(|error| panic!("the module cannot be a guard: {error}"));
    (loaded.descriptor() == descriptor).then_some(loaded)
}
