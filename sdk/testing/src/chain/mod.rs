//! A chain in the test's own process: real contracts, run by the node's executor, with guards attached natively.
//!
//! A guard wakes as its triggers say and sees the trace that the executor records; what it looks at of the state is
//! the executor's. Where the guard's module is given ([`Chain::attach_module`], or by `parapet guard test`), the guard VM is
//! asked the same at each hook, and a test whose module says something else fails.
//!
//! What is not here: the registry, fees for guards, failure policies and modes. A veto always acts.
//!
//! ```
//! use parapet_testing::chain::{Call, Chain, Ending};
//! # use parapet_guest::prelude::*;
//! # /// Nobody is paid more than a limit.
//! # #[guard(name = "limit", triggers(flow))] pub struct Limit { most: Wei }
//! # #[guard] impl Guard for Limit {
//! #     fn on_tx(&self, tx: &Tx) {
//! #         let out = moved::by_asset(tx).iter().fold(U256::ZERO, |sum, asset| sum + asset.net_out());
//! #         if out > self.most.get() { veto!(1, "{out} left"); }
//! #     }
//! # }
//!
//! let mut chain = Chain::new();
//! let user = chain.account("user");
//! // Init code of a contract that pays its caller the wei that the first word of its calldata says.
//! let payer = chain.deploy(user, &[
//!     0x60, 0x0e, 0x60, 0x0a, 0x5f, 0x39, 0x60, 0x0e, 0x5f, 0xf3, // returns the fourteen bytes that follow
//!     0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x35, 0x33, 0x5a, 0xf1, 0x5f, 0x52, 0x60, 0x20, 0x5f,
//! ]);
//! chain.send(&Call::to(user, payer).value(U256::from(1_000)));
//! chain.attach(&Limit { most: Wei::new(U256::from(100)) }, &[payer]);
//! let before = chain.clone();
//! let pay = |wei: u64| Call::to(user, payer).input(&B256::from(U256::from(wei)).0);
//! assert_eq!(chain.send(&pay(100)).ending, Ending::Succeeded);
//! assert_eq!(chain.send(&pay(101)).vetoed(), Some(1));
//! assert_eq!(chain.balance(payer), U256::from(900));
//! assert_eq!(before.balance(payer), U256::from(1_000), "a clone is a snapshot");
//! ```

mod artifact;
mod attached;
mod ground;
mod look;
mod natively;

use parapet_guest::{
    Address, B256, Guard, U256,
    descriptor::Described,
    keccak256,
    mock::{Hook, Said},
};
use parapet_types::{Destiny, Executed};

pub use artifact::{ArtifactError, creation_code};

use attached::Attached;
use ground::Ground;
use natively::{Heard, Natively};

/// Names the guard's module, for whoever attaches it: `parapet guard test` does.
pub const MODULE_VAR: &str = "PARAPET_GUARD_MODULE";

/// A transaction to be sent.
#[derive(Clone, Debug)]
pub struct Call {
    pub(crate) from: Address,
    /// None creates a contract.
    pub(crate) to: Option<Address>,
    pub(crate) input: Vec<u8>,
    pub(crate) value: U256,
}

impl Call {
    /// A call without calldata or value.
    #[must_use]
    pub const fn to(from: Address, to: Address) -> Self {
        Self { from, to: Some(to), input: Vec::new(), value: U256::ZERO }
    }

    /// The calldata; `calldata!` writes it.
    #[must_use]
    pub fn input(self, input: &[u8]) -> Self {
        Self { input: input.to_vec(), ..self }
    }

    /// The value, in wei.
    #[must_use]
    pub fn value(self, value: U256) -> Self {
        Self { value, ..self }
    }
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It returned or stopped.
    Succeeded,
    /// It reverted by itself; the output is its reason.
    Reverted,
    /// It ended exceptionally.
    Halted(String),
    /// A guard stopped it.
    Vetoed(Said),
}

/// What came of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// How it ended.
    pub ending: Ending,
    /// What guards alerted of, in order.
    pub alerts: Vec<Said>,
    /// What it returned, or reverted with.
    pub output: Vec<u8>,
    /// Gas it used, that of guards not included.
    pub gas_used: u64,
    /// Fuel that the guards' modules spent; 0 where none was asked.
    pub fuel: u64,
}

impl Sent {
    /// Code of the veto, if there was one.
    #[must_use]
    pub const fn vetoed(&self) -> Option<u16> {
        match &self.ending {
            Ending::Vetoed(said) => Some(said.code),
            Ending::Succeeded | Ending::Reverted | Ending::Halted(_) => None,
        }
    }

    fn new(executed: &Executed, heard: &Heard) -> Self {
        let ending = match &executed.destiny {
            Destiny::Succeeded => Ending::Succeeded,
            Destiny::Reverted => Ending::Reverted,
            Destiny::Halted { reason } => Ending::Halted(reason.clone()),
            Destiny::Vetoed { code, detail, .. } => Ending::Vetoed(heard.veto.clone().unwrap_or_else(|| Said {
                hook: Hook::OnTx,
                code: *code,
                detail: String::from_utf8_lossy(detail).into_owned(),
            })),
        };
        Self {
            ending,
            alerts: heard.alerts.clone(),
            output: executed.output.to_vec(),
            gas_used: executed.gas_used.saturating_sub(executed.guard_gas_used),
            fuel: heard.fuel,
        }
    }
}

/// The chain. A clone goes on by itself: it is a snapshot.
#[derive(Clone, Debug)]
pub struct Chain {
    ground: Ground,
    attached: Vec<Attached>,
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

impl Chain {
    /// With no contracts but those that the chain itself calls.
    #[must_use]
    pub fn new() -> Self {
        Self { ground: Ground::default(), attached: Vec::new() }
    }

    /// An account with a million ether and no code, the same for the same name.
    pub fn account(&mut self, name: &str) -> Address {
        let hash = keccak256(name.as_bytes());
        let mut address = Address::ZERO;
        address.0.copy_from_slice(&hash.0[12..]);
        self.ground.fund(address);
        address
    }

    /// Creates a contract; [`creation_code`] reads a compiler's artefact, and constructor arguments follow it.
    ///
    /// # Panics
    /// When the creation does not succeed.
    pub fn deploy(&mut self, from: Address, creation: &[u8]) -> Address {
        let call = Call { from, to: None, input: creation.to_vec(), value: U256::ZERO };
        let (executed, _) = self.execute(&call);
        let created = executed.created.filter(|_| executed.succeeded());
        let created = created.unwrap_or_else(|| panic!("the contract was not created: {:?}", executed.destiny));
        Address(created.into_array())
    }

    /// Places code at an account, without running anything.
    pub fn place(&mut self, account: Address, code: &[u8]) {
        self.ground.place(account, code, []);
    }

    /// Attaches a guard to accounts, as the last that judges.
    ///
    /// # Panics
    /// When its `init` refuses the parameters.
    pub fn attach<G: Guard + Described>(&mut self, guard: &G, accounts: &[Address]) {
        self.attach_all(Attached::new(guard, accounts, attached::named_module()));
    }

    /// The same, with the guard's module beside it.
    ///
    /// # Panics
    /// When its `init` refuses the parameters, the module is another guard's, or it cannot be a guard.
    pub fn attach_module<G: Guard + Described>(&mut self, guard: &G, accounts: &[Address], module: &[u8]) {
        self.attach_all(Attached::new(guard, accounts, Some(module.to_vec())));
    }

    fn attach_all(&mut self, attached: Attached) {
        let refused = natively::init(&attached, &self.ground.context());
        assert!(refused.is_none(), "the guard refuses its parameters: {refused:?}");
        self.attached.push(attached);
    }

    /// Sends a transaction in a block of its own, twelve seconds after the last one.
    ///
    /// # Panics
    /// When the executor cannot run it, which it can unless its sender lacks ether, and when a module says something else
    /// than its guard.
    pub fn send(&mut self, call: &Call) -> Sent {
        let (executed, heard) = self.execute(call);
        Sent::new(&executed, &heard)
    }

    fn execute(&mut self, call: &Call) -> (Executed, Heard) {
        let monitor = Natively::new(&self.attached);
        let (executed, hash) = self.ground.block(call, &monitor);
        let heard = monitor.heard(B256(hash.0));
        heard.check();
        if executed.succeeded() {
            for (attached, store) in self.attached.iter_mut().zip(&heard.stores) {
                attached.store.clone_from(store);
            }
        }
        (executed, heard)
    }

    /// What a call would return, with nobody watching; none when it fails.
    #[must_use]
    pub fn view(&self, to: Address, input: &[u8]) -> Option<Vec<u8>> {
        self.ground.view(to, input)
    }

    /// A balance, in wei.
    #[must_use]
    pub fn balance(&self, account: Address) -> U256 {
        self.ground.balance(account)
    }

    /// Lets time pass before the next block.
    pub const fn later(&mut self, seconds: u64) {
        self.ground.wait(seconds);
    }
}

/// Executes a recorded transaction once more (`parapet guard record` writes the file), judged by a guard on these accounts.
///
/// # Errors
/// [`parapet_simulate::RecordError`] when the bytes are no recording, or the guard looks at something that was not recorded.
///
/// # Panics
/// When the guard's `init` refuses the parameters, and when a module says something else than its guard.
pub fn recorded<G: Guard + Described>(
    recording: &[u8],
    guard: &G,
    accounts: &[Address],
) -> Result<Sent, parapet_simulate::RecordError> {
    let recording = parapet_recording::Recording::read(recording)?;
    let attached = [Attached::new(guard, accounts, attached::named_module())];
    let refused = natively::init(&attached[0], &recording.trace()?.context);
    assert!(refused.is_none(), "the guard refuses its parameters: {refused:?}");
    let monitor = Natively::new(&attached);
    let executed = parapet_simulate::execute_recorded(&recording, &monitor)?;
    let heard = monitor.heard(B256(recording.transaction.hash.0));
    heard.check();
    Ok(Sent::new(&executed, &heard))
}
