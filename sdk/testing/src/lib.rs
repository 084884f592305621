//! Tests of guards. The guard runs natively, as plain Rust, whatever shows it a transaction:
//!
//! | what is shown | by | takes |
//! |---|---|---|
//! | a transaction written in a few lines | [`Scene`] | microseconds |
//! | transactions that are drawn | [`traces`] | microseconds each |
//! | transactions of real contracts, on a chain in the test's own process | `chain::Chain`, feature `chain` | milliseconds |
//! | a recorded transaction, from a file | `chain::recorded`, feature `chain` | milliseconds |
//!
//! ```
//! use parapet_testing::{Enter, Scene};
//! # use parapet_guest::prelude::*;
//! # /// Nobody is paid more than a limit.
//! # #[guard(name = "limit", triggers(flow))] pub struct Limit { most: Wei }
//! # #[guard] impl Guard for Limit {
//! #     fn on_tx(&self, tx: &Tx) {
//! #         if tx.flows().any(|flow| flow.amount() > self.most.get()) { veto!(1, "too much"); }
//! #     }
//! # }
//!
//! let (vault, thief) = (Address([0xaa; 20]), Address([0xee; 20]));
//! let guard = Limit { most: Wei::new(U256::from(100)) };
//! let mut scene = Scene::new(&guard, &[vault]);
//! scene.enter(Enter::call(vault)).enter(Enter::call(thief).value(U256::from(101)));
//! assert_eq!(scene.finish().vetoed(), Some(1));
//! ```
//!
//! The same tests show the same to the guard's module: `parapet guard test` runs them, takes down what each scene showed and
//! what the guard said natively, shows it to the module in the guard VM, and fails where that says something else.
//!
//! Invariant: nothing here decides a verdict. What a guard sees natively is what the engine would show it, or is said to be
//! less.

#[cfg(feature = "chain")]
pub mod chain;
pub mod traces;

pub use parapet_guest::mock::{Enter, Hook, Outcome, Said, Scene, State, World};
pub use proptest;
