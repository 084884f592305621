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
//! A transaction of several frames, with the state around it and the guard's own state from one to the next:
//!
//! ```
//! use parapet_guest::{mock::{Enter, Hook, Outcome, Said, Scene, State, Store, World}, prelude::*};
//!
//! /// Each payer pays once, and only while the price holds.
//! #[guard(name = "once", triggers(frame))]
//! pub struct Once;
//!
//! #[guard]
//! impl Guard for Once {
//!     fn on_call(&self, tx: &Tx, frame: &Frame) {
//!         let price = view!(tx, Fork::Now, frame.target(), "price()(uint256)").unwrap_or_default();
//!         let owed = tx.storage(Fork::PreTx, frame.target(), U256::ZERO);
//!         if store::contains(&frame.caller().0) || price < owed {
//!             veto!(1, "paid before, or {price} is less than {owed}");
//!         }
//!         store::insert(&frame.caller().0);
//!     }
//! }
//!
//! let (shop, token, payer) = (Address([1; 20]), Address([2; 20]), Address([3; 20]));
//! let pay = |scene: &mut Scene<Once>| -> Outcome {
//!     scene.storage(Fork::PreTx, shop, U256::ZERO, U256::from(4));
//!     let price = U256::from(5).to_be_bytes::<32>();
//!     scene.answer(Fork::Now, shop, &calldata!("price()"), &price);
//!     scene.enter(Enter::call(payer).input(b"\x01\x02\x03\x04"));
//!     scene.enter(Enter::call(shop).selector(Bytes4([1, 2, 3, 4])).value(U256::from(9)));
//!     scene.enter(Enter::static_call(Address([0; 20])).precompile()).leave();
//!     scene.enter(Enter::delegate_call(token)).token(token, payer, shop, U256::from(9)).leave();
//!     scene.balance(Fork::PreTx, payer, U256::from(100)).holds(Fork::PreTx, token, payer, U256::from(9));
//!     scene.code_hash(Fork::PreTx, shop, keccak256(b"code")).transfer(token, payer, shop, U256::from(1));
//!     let entry = scene.find(U256::from(3), payer.into());
//!     scene.write(shop, entry, U256::ZERO, U256::from(9));
//!     scene.enter(Enter::create(Address([9; 20]))).log(shop, &[], b"").leave_as(FrameStatus::Reverted, &[]);
//!     scene.later(60).finish()
//! };
//! let mut scene = Scene::new(&Once, &[shop]);
//! assert_eq!(pay(&mut scene).vetoed(), None);
//! let again: Option<Said> = pay(&mut scene).veto;
//! assert_eq!(again.map(|said| said.hook), Some(Hook::OnCall(1)));
//! // All that the guard can see may be set by hand.
//! let world: &mut World = &mut scene.world;
//! let (state, store): (&State, &Store) = (&world.pre_tx, &world.store);
//! assert!(state.balances.is_empty() && format!("{store:?}").contains("words"));
//! # let _: Option<parapet_guest::mock::Question> = None;
//! ```
//!
//! A host that has a trace of its own fills a [`World`] and calls [`judge`]:
//!
//! ```
//! # use parapet_guest::prelude::*;
//! # /// Stops who owns too much.
//! # #[guard(name = "rich", triggers(frame))] struct Rich;
//! # #[guard] impl Guard for Rich {
//! #     fn on_tx(&self, tx: &Tx) {
//! #         if !tx.balance(Fork::Now, Address([7; 20])).is_zero() { veto!(7, "rich"); }
//! #     }
//! # }
//! use std::collections::BTreeMap;
//!
//! use parapet_guest::mock::{Found, Hook, Look, Stopped, World, judge};
//!
//! // Nothing is known of the state yet, so what the guard looks at is asked for.
//! let mut world = World { known: Some(BTreeMap::new()), ..World::default() };
//! let Err(Stopped::Asked(look)) = judge::<Rich>(&mut world, Hook::OnTx) else { panic!("it looks at a balance") };
//! assert!(matches!(look, Look::Balance(..)));
//! world.known = Some(BTreeMap::from([(look, Found::Word([1; 32]))]));
//! world.store.next_tx(); // what was written before counts no more towards the limit of a transaction
//! assert_eq!(judge::<Rich>(&mut world, Hook::OnTx), Err(Stopped::Vetoed(7, "rich".to_owned())));
//! ```
//!
//! Invariant: hooks run at the points and for the frames for which the engine runs them, and see what they would see
//! there; fields that narrow a trigger are the engine's, so a guard that has them is asked for every frame that touches its
//! accounts, which is more than on a chain. A vetoed scene ignores what is played afterwards, as a vetoed transaction ends.

mod enter;
pub mod journal;
mod outcome;
mod scene;
mod store;
mod world;

pub use enter::Enter;
pub use outcome::{Hook, Outcome, Said};
pub use scene::Scene;
pub use store::Store;
pub use world::{Found, Look, Question, State, Stopped, World, judge};

pub(crate) use world::{look, stop, with_world};
