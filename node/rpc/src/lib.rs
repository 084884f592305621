//! JSON-RPC over HTTP and WebSocket, on one port; the only holder of wire types.
//!
//! Path of a request: a connection is read as far as its client takes its answers (`connection`); [`serve`]'s server
//! checks from where it was asked ([`Access`]), the request's size and form (`front`); `dispatch` finds the method; a method in
//! `api` reads its parameters; and the shared node answers from the chain's published head, or runs what takes long on threads of its own (`readers`), bounded in
//! number and time. Every error is an [`RpcError`] with the code and the words that Ethereum's tools match on.
//!
//! Beside it there are [`Pages`]: `GET /health`, and where the node has them `GET /ready` and `GET /metrics`.
//!
//! Nothing here decides what is valid: that is the pool's and the executor's part.

mod access;
mod api;
mod asked;
mod backtests;
mod body;
mod connection;
mod dispatch;
mod engine;
mod error;
mod filters;
mod forward;
mod front;
mod impersonation;
mod intake;
mod ipc;
mod measure;
mod namespaces;
mod node;
mod otterscan;
mod page;
mod quick;
mod readers;
mod revert;
mod screen;
mod sends;
mod server;
mod settings;
mod simulation;
mod socket;
mod start_error;
mod typed_data;
mod wire;

pub use access::{Access, Allowed};
pub use engine::{EngineSettings, JwtSecret, SecretError};
pub use error::RpcError;
pub use impersonation::Others;
pub use namespaces::{Namespaces, UnknownNamespace};
pub use page::{MetricsPage, Pages, Readiness, ReadyPage};
pub use revert::{GuardVetoView, revert_message};
pub use server::{Running, describe_metrics, serve};
pub use settings::{Beginner, Limits, Refork, Screening, Settings};
pub use start_error::StartError;
pub use wire::Receipt;
