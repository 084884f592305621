//! What the node can be asked, as an OpenRPC document.
//!
//! The document is drawn from the traits in this folder (`tests/it/openrpc.rs`), and a test compares it with them and with
//! what the server answers.

use jsonrpsee::proc_macros::rpc;
use serde_json::value::RawValue;

use crate::{RpcError, api::Api};

/// The document.
const DOCUMENT: &str = include_str!("../../openrpc/document.json");

#[rpc(server)]
pub(crate) trait Discover {
    /// This document: every method with its parameters and its result, in OpenRPC's form.
    #[method(name = "rpc.discover")]
    fn discover(&self) -> Result<Box<RawValue>, RpcError>;
}

impl DiscoverServer for Api {
    fn discover(&self) -> Result<Box<RawValue>, RpcError> {
        serde_json::from_str(DOCUMENT).map_err(|error| RpcError::Internal(format!("the document is no JSON: {error}")))
    }
}
