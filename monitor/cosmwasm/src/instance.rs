//! An instance of a contract, good for one transaction after another.
//!
//! Invariant: before each call an instance is as it was before its first. Its memory, its size and its globals are put
//! back by [`Parts::restore`]; gas, room to grow, storage access and what the backend sees are set for each call. One that
//! broke, or that is large, is lost.

use std::sync::Arc;

use cosmwasm_vm::{
    Backend, VmError, VmResult, call_instantiate_raw, call_query_raw, call_sudo_raw, internals::instance_from_module,
};
use wasmer::{Engine, Module, Store, sys::NativeEngineExt as _};

use crate::{
    address::Addresses,
    lend::{Lent, Loan},
    limits::{INSTANCE_USES_MAX, PAGES_KEPT_MAX},
    memory::{Image, Parts, Restorable, Starved},
    metering::{self, Fate, payable},
    querier::Evm,
    storage::GuardState,
};

/// Compiled code and the engine it was compiled for.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) module: Module,
    pub(crate) engine: Engine,
}

/// An entry point with its message.
#[derive(Clone, Copy)]
pub(crate) enum Entry<'a> {
    Instantiate { info: &'a [u8], message: &'a [u8] },
    Sudo { message: &'a [u8] },
    Query { message: &'a [u8] },
}

/// Why there is no instance.
#[derive(Debug)]
pub(crate) enum NoInstance {
    /// The system does not give what every instance needs.
    Engine(String),
    /// The contract cannot be instantiated, anywhere.
    Contract(String),
}

/// What a call left behind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    /// Gas that was not spent.
    pub(crate) gas_left: u64,
    /// Pages that memory has grown by.
    pub(crate) grown: u32,
    pub(crate) starved: Starved,
    /// Whether the instance can be used again. It depends on what the contract did alone.
    pub(crate) fate: Fate,
}

pub(crate) struct Instance {
    vm: cosmwasm_vm::Instance<Addresses, GuardState, Evm>,
    lent: Lent,
    parts: Arc<Parts>,
    image: Arc<Image>,
    uses: u32,
}

impl Instance {
    /// A new instance; `image` is that of another instance of the same code, if there was one.
    pub(crate) fn new(code: &Code, image: Option<Arc<Image>>) -> Result<Self, NoInstance> {
        let parts = Arc::new(Parts::default());
        let mut engine = code.engine.clone();
        engine.set_tunables(Restorable::new(parts.clone()));
        let lent = Lent::default();
        let backend = Backend { api: Addresses, storage: GuardState(lent.clone()), querier: Evm(lent.clone()) };
        let vm = instance_from_module(Store::new(engine), &code.module, backend, 0, None).map_err(|error| {
            parts.refused().map_or_else(|| NoInstance::Contract(error.to_string()), NoInstance::Engine)
        })?;
        let image = image.unwrap_or_else(|| Arc::new(parts.image()));
        let mut instance = Self { vm, lent, parts, image, uses: 0 };
        instance.set_gas(1);
        let metered = instance.vm.get_gas_left() == 1;
        instance.set_gas(0);
        if !metered || instance.vm.get_gas_left() != 0 {
            return Err(NoInstance::Engine("the meter is not where this version of cosmwasm-vm keeps it".to_owned()));
        }
        Ok(instance)
    }

    /// The state before anything ran.
    pub(crate) fn image(&self) -> Arc<Image> {
        self.image.clone()
    }

    fn set_gas(&mut self, gas: u64) {
        self.parts.set_gas(gas);
    }

    /// Calls an entry point with so much fuel, and tells what it used.
    pub(crate) fn call(
        &mut self,
        entry: Entry<'_>,
        env: &[u8],
        fuel: u64,
        loan: &mut Loan<'_>,
    ) -> (VmResult<Vec<u8>>, Used) {
        self.uses += 1;
        let gas = metering::gas(fuel);
        self.set_gas(gas);
        self.parts.allow(payable(fuel));
        let vm = &mut self.vm;
        let answer = self.lent.lend(loan, || match entry {
            Entry::Instantiate { info, message } => call_instantiate_raw(vm, env, info, message),
            Entry::Sudo { message } => call_sudo_raw(vm, env, message),
            Entry::Query { message } => call_query_raw(vm, env, message),
        });
        let gas_left = match answer {
            Err(VmError::GasDepletion { .. }) => 0,
            Ok(_) | Err(_) => self.vm.get_gas_left().min(gas),
        };
        let (pages, starved) = self.parts.pages();
        let fate = if answer.is_ok() && pages <= PAGES_KEPT_MAX { Fate::Kept } else { Fate::Lost };
        (answer, Used { gas_left, grown: pages - self.image.pages(), starved, fate })
    }

    /// Makes it ready for another transaction, if it is good for one.
    pub(crate) fn renewed(self) -> Option<Self> {
        (self.uses < INSTANCE_USES_MAX && self.parts.restore(&self.image).is_ok()).then_some(self)
    }
}
