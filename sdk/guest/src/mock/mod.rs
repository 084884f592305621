//! A scripted host for the unit tests of guards: play a transaction, see what the guard says.
//!
//! ```
//! # use parapet_guest::prelude::*;
//! # /// Stops everything.
//! # #[guard(name = "no", triggers(frame))] struct No;
//! # #[guard] impl Guard for No { fn on_call(&self, _: &Tx, _: &Frame) { veto!(7, "no"); } }
//! use parapet_guest::mock::{Enter, Scene};
//!
//! let vault = Address([0xaa; 20]);
//! let mut scene = Scene::new(&No, &[vault]);
//! scene.enter(Enter::call(vault));
//! assert_eq!(scene.finish().vetoed(), Some(7));
//! ```
//!
//! Invariant: hooks run at the points and for the frames for which the engine runs them, and see what they would see
//! there; fields that narrow a trigger are the engine's, so a guard that has them is asked for every frame that touches its
//! accounts, which is more than on a chain. A vetoed scene ignores what is played afterwards, as a vetoed transaction ends.

mod scene;
mod store;
mod world;

pub use scene::{Enter, Hook, Outcome, Said, Scene};
pub use store::Store;
pub use world::{Question, State, World};

pub(crate) use world::{VetoSignal, run, with_world};
