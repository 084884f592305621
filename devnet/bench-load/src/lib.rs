//! How much a node bears through JSON-RPC: transactions of several kinds from many senders, reads, and both at once, over HTTP
//! and WebSocket.
//!
//! [`work`] signs everything and writes every request before anything is measured, so that the load generator only copies bytes
//! ([`client`], [`wire`]). [`node`] starts `parapet dev` or anvil on the same genesis and reads what the process takes from the system.
//! [`throughput`] sends until every receipt is there, [`reads`] asks [`questions`], also of a [`bare`] server, [`siege`] does all of it at once for a minute and looks at
//! what it does to others.
//!
//! Invariant: both nodes are sent the same bytes, and nothing counts as done whose receipt is not there.

pub mod bare;
pub mod client;
pub mod error;
pub mod node;
pub mod questions;
pub mod reads;
pub mod report;
pub mod siege;
pub mod throughput;
pub mod wire;
pub mod work;
