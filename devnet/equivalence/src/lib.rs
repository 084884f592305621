//! Is a block executed in parallel the block executed sequentially? This crate makes blocks to ask it of, and compares.
//!
//! Path of a question: a seed makes a [`Scenario`] ([`generate`]), which is made real as a state, a block context and
//! transactions ([`Scenario::realise`]); [`observe`] executes it and keeps everything that can be seen of the outcome;
//! [`first_difference`] says where two observations part, and [`crews`] asks it of several threads; [`shrink`] drops what the difference does not need. The
//! monitor ([`Watch`]) and the readers ([`Hesitant`], [`Overtaken`], [`Broken`]) are part of the question: the first is a pure function
//! of what it sees, the others disturb schedules and fail.
//!
//! Invariant: equal seeds and equal scenarios give equal blocks, on any machine. Nothing here reads a clock.

pub mod assembler;
mod cast;
mod compile;
pub mod crews;
mod generate;
mod keep;
mod observe;
mod program;
mod reader;
mod realise;
mod scenario;
mod shrink;
mod spoil;
mod watch;

pub use cast::{AUTHORITIES, Place, System, slot_key};
pub use compile::{Resolve, child_init_code, compile};
pub use generate::generate;
pub use keep::{Counter, Keeping, Ledger};
pub use observe::{Included, Observed, first_difference, observe};
pub use parapet_random::Random;
pub use program::{Act, CallKind, Target, Word};
pub use reader::{Breakage, Broken, Failure, Hesitant, Hesitation, Overtaken};
pub use realise::{CHAIN_ID, Cut, Realised};
pub use scenario::{
    Account, Argument, Authorization, Body, Candidate, ChainChoice, Child, Destination, Envelope, NonceChoice, Payout,
    Price, Scenario, ScenarioError,
};
pub use shrink::shrink;
pub use spoil::{Part, Spoiling, Way, spoilings};
pub use watch::{Condition, Consequence, Look, Moment, Subject, Thirst, Watch, Watcher, Wrath};
