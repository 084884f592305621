//! Blocks for tests of clients: built as they are asked for, and none of the chain (execution-apis, `src/testing`).

use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_engine::PayloadAttributes;
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_builder::PayloadRequest;

use crate::{
    RpcError,
    api::{Api, send::signed_transaction},
    engine::requested,
    wire::BuiltPayload,
};

#[rpc(server, namespace = "testing")]
pub(crate) trait Testing {
    /// A block on the head with these transactions, or with what waits in the pool where `null` is given. Nothing of the
    /// chain or the pool changes; a transaction that cannot be in the block is an error.
    #[method(name = "buildBlockV1")]
    async fn build_block(
        &self,
        parent: B256,
        attributes: PayloadAttributes,
        transactions: Option<Vec<Bytes>>,
        extra_data: Option<Bytes>,
    ) -> Result<BuiltPayload, RpcError>;
}

#[async_trait]
impl TestingServer for Api {
    async fn build_block(
        &self,
        parent: B256,
        attributes: PayloadAttributes,
        transactions: Option<Vec<Bytes>>,
        extra_data: Option<Bytes>,
    ) -> Result<BuiltPayload, RpcError> {
        let named = self.0.read(move |_| {
            let one = |raw: &Bytes| {
                parapet_simulate::check_time()?;
                signed_transaction(raw)
            };
            transactions.map(|raw| raw.iter().map(one).collect::<Result<Vec<_>, RpcError>>()).transpose()
        });
        let request = PayloadRequest { transactions: named.await?, extra_data, ..requested(parent, attributes) };
        self.0.write(move |node| Ok(node.chain.build_apart(request)?.into())).await
    }
}
