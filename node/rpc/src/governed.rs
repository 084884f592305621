//! Counts the calls of a connection, and refuses them where clients leave too much untaken.

use std::{future::Future, sync::Arc};

use jsonrpsee::{
    MethodResponse,
    core::middleware::Batch,
    types::{ErrorObjectOwned, Id, Request},
};
use metrics::counter;

use crate::{
    RpcError,
    connection::Connection,
    layer::{Around, Calls},
    measure,
};

/// Counts what a connection is answered.
#[derive(Clone, Debug)]
pub(crate) struct Governed(pub(crate) Arc<Connection>);

impl Governed {
    /// An answer that is counted, unless too many bytes are untaken.
    async fn counted(self, id: Id<'static>, answer: impl Future<Output = MethodResponse> + Send) -> MethodResponse {
        let Some(call) = self.0.begin() else {
            counter!(measure::REFUSED_CALLS).increment(1);
            return MethodResponse::error(id, ErrorObjectOwned::from(RpcError::Busy));
        };
        let answer = answer.await;
        call.answered(answer.as_json().get().len());
        answer
    }
}

impl Around for Governed {
    async fn call(self, service: impl Calls, request: Request<'_>) -> MethodResponse {
        self.counted(request.id().into_owned(), service.call(request)).await
    }

    async fn batch(self, service: impl Calls, batch: Batch<'_>) -> MethodResponse {
        self.counted(Id::Null, service.batch(batch)).await
    }
}
