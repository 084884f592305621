//! Counts the calls of a connection, and refuses them where clients leave too much untaken.

use std::{future::Future, sync::Arc};

use jsonrpsee::{
    MethodResponse,
    core::middleware::{Batch, Notification, RpcServiceT},
    types::{ErrorObjectOwned, Id, Request},
};
use metrics::counter;

use crate::{RpcError, connection::Connection, measure};

/// Wraps the service that answers the calls of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Governed<S> {
    pub(crate) service: S,
    pub(crate) connection: Arc<Connection>,
}

fn busy(id: Id<'_>) -> MethodResponse {
    counter!(measure::REFUSED_CALLS).increment(1);
    MethodResponse::error(id, ErrorObjectOwned::from(RpcError::Busy))
}

impl<S> RpcServiceT for Governed<S>
where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            NotificationResponse = MethodResponse,
            BatchResponse = MethodResponse,
        > + Send
        + Sync
        + Clone
        + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            let Some(call) = this.connection.begin() else { return busy(request.id().into_owned()) };
            let answer = this.service.call(request).await;
            call.answered(answer.as_json().get().len());
            answer
        }
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            let Some(call) = this.connection.begin() else { return busy(Id::Null) };
            let answer = this.service.batch(batch).await;
            call.answered(answer.as_json().get().len());
            answer
        }
    }

    fn notification<'a>(&self, notification: Notification<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.service.notification(notification)
    }
}
