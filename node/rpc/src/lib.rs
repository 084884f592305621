//! JSON-RPC over HTTP and WebSocket, on one port; the only holder of wire types.
//!
//! Path of a request: [`serve`]'s server checks its size and form, a method in `api` reads its parameters, and the
//! shared node answers from the chain's published head, or runs what takes long off the async threads, bounded in
//! number. Every error is an [`RpcError`] with the code and the words that Ethereum's tools match on.
//!
//! Beside it, where the node has metrics, `GET /metrics` answers with them.
//!
//! Nothing here decides what is valid: that is the pool's and the executor's part.

mod api;
mod backtests;
mod error;
mod explain;
mod filters;
mod form;
mod impersonation;
mod intake;
mod node;
mod page;
mod revert;
mod screen;
mod sends;
mod server;
mod settings;
mod wire;

pub use error::RpcError;
pub use page::MetricsPage;
pub use revert::{GuardVetoView, revert_message};
pub use server::{Running, StartError, serve};
pub use settings::{Limits, Screening, Settings};
pub use wire::Receipt;
