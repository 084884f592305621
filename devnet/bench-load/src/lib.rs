//! How much a node bears through JSON-RPC: transactions of several kinds from many senders, reads, and both at once, over HTTP
//! and WebSocket.
//!
//! [`work`] signs everything and writes every request before anything is measured, so that the load generator only copies bytes
//! ([`client`]). [`node`] starts `parapet dev` or anvil on the same genesis and reads what the process takes from the system.
//! [`throughput`] sends until every receipt is there, [`reads`] asks, [`siege`] does all of it at once for a minute and looks at
//! what it does to others.
//!
//! Invariant: both nodes are sent the same bytes, and nothing counts as done whose receipt is not there.

pub mod client;
pub mod error;
pub mod node;
pub mod reads;
pub mod report;
pub mod siege;
pub mod throughput;
pub mod work;
