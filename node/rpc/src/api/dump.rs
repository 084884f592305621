//! The whole state as one value, in the form in which anvil dumps it: JSON, compressed by gzip.

use std::io::{Read as _, Write as _};

use alloy_primitives::Bytes;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_genesis::StateFile;

use crate::{RpcError, api::Api, node::Node};

/// Most bytes of a dump once it is no longer compressed.
const DUMP_BYTES_MAX: u64 = 256 * 1_024 * 1_024;
/// How gzip begins (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

#[rpc(server)]
pub(crate) trait Dump {
    /// The state now. Historical states, which anvil can be asked for, are never part of it.
    #[method(name = "anvil_dumpState", aliases = ["hardhat_dumpState"])]
    async fn dump_state(&self, historical: Option<bool>) -> Result<Bytes, RpcError>;

    /// Lays the accounts of a dump over those that are there; the chain goes on from its own head.
    #[method(name = "anvil_loadState", aliases = ["hardhat_loadState"])]
    async fn load_state(&self, dump: Bytes) -> Result<bool, RpcError>;
}

impl Node {
    fn dump(&self) -> Result<Bytes, RpcError> {
        let head = self.chain.head();
        let state = StateFile::read(&head.world, || ())?.to_anvil(&head.block.header);
        let failed = |error: &dyn std::fmt::Display| RpcError::Internal(format!("the state was not dumped: {error}"));
        let json = serde_json::to_vec(&state).map_err(|error| failed(&error))?;
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        let packed = packed.write_all(&json).and_then(|()| packed.finish()).map_err(|error| failed(&error))?;
        Ok(packed.into())
    }
}

/// The JSON of a dump, compressed or not.
fn unpack(dump: &[u8]) -> Result<Vec<u8>, RpcError> {
    if !dump.starts_with(&GZIP) {
        return Ok(dump.to_vec());
    }
    let mut json = Vec::new();
    let read = GzDecoder::new(dump).take(DUMP_BYTES_MAX + 1).read_to_end(&mut json);
    match read {
        Ok(_) if json.len() as u64 > DUMP_BYTES_MAX => {
            Err(RpcError::TooMuch { what: "a dump that becomes long".into(), max: DUMP_BYTES_MAX })
        }
        Ok(_) => Ok(json),
        Err(error) => Err(RpcError::params(format!("the dump is not what gzip makes: {error}"))),
    }
}

#[async_trait]
impl DumpServer for Api {
    async fn dump_state(&self, _: Option<bool>) -> Result<Bytes, RpcError> {
        self.0.read(Node::dump).await
    }

    async fn load_state(&self, dump: Bytes) -> Result<bool, RpcError> {
        self.0
            .write(move |node| {
                let parsed = StateFile::parse(&unpack(&dump)?);
                let (state, _) = parsed.map_err(|error| RpcError::params(error.to_string()))?;
                node.chain.amend_all(&state.changes())?;
                Ok(true)
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_that_would_fill_the_memory_is_refused() {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        let zeros = vec![0; 1_024 * 1_024];
        for _ in 0..=DUMP_BYTES_MAX / zeros.len() as u64 {
            packed.write_all(&zeros).expect("in memory");
        }
        let packed = packed.finish().expect("in memory");
        assert!(matches!(unpack(&packed), Err(RpcError::TooMuch { .. })));
        assert!(matches!(unpack(&packed[..1_000]), Err(RpcError::Params(_))));
        assert_eq!(unpack(b"{}").expect("as it is"), b"{}");
    }
}
