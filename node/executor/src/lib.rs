//! Executes blocks on revm, each transaction under the eyes of a monitor.
//!
//! Path of a transaction: [`block::execute_block`] hands it to a [`Session`], which opens the monitor's judgement, runs
//! the [`evm`] with frames recorded by the `recorder`, lets the monitor decide, and commits what remains to the
//! [`Overlay`]. A veto is not an error: every open frame ends as if it had reverted, so that gas, nonce and EIP-7702
//! authorizations stay as Ethereum has them for a failed transaction.
//!
//! [`Mode::Sequential`] is the oracle for every other mode and stays for ever: a parallel run must equal it bit for bit.
//!
//! Only this crate, and what simulates through it, names revm.

mod access_list;
mod admin;
mod analysed;
mod authorizations;
mod bets;
pub mod block;
mod closing;
mod collision;
mod conclude;
mod database;
mod environment;
mod error;
pub mod evm;
mod flows;
mod forks;
mod frames;
mod handler;
mod hashes;
mod identity;
mod instructions;
mod interrupt;
mod lookout;
mod outcome;
mod overlay;
mod parallel;
mod playback;
mod precompiles;
mod progress;
mod purse;
mod recorder;
mod session;
mod sync;
mod system;
mod view;
mod watch;
mod workers;

pub use access_list::{ListPart, Listing, Mislisted, WrongEntry, check_access_list};
pub use block::{
    Admission, BlockInput, BlockRun, Deadline, Mode, Point, execute_block, execute_transactions, receipt, run_block,
};
pub use database::{EvmDatabase, Footing};
pub use environment::{ChainRules, blob_params, block_env, cfg_env, spec_id, tx_env};
pub use error::{BlockError, Consequence, StateError, TxError};
pub use evm::{EvmContext, MonitoredEvm};
pub use identity::{Identity, Purpose, SenderRule};
pub use interrupt::Patience;
pub use outcome::Outcome;
pub use overlay::Overlay;
pub use parallel::RunReport;
pub use precompiles::PrecompileMoves;
pub use session::Session;
pub use system::{BlockDatabase, begin_block, end_block};
pub use workers::Workers;
