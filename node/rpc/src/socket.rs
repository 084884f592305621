//! The calls of a WebSocket: jsonrpsee's server reads them, and its service makes subscriptions; everything else is answered as
//! over HTTP.

use std::{future::Future, sync::Arc};

use jsonrpsee::{
    MethodResponse,
    core::{
        middleware::{Batch, BatchEntry, BatchEntryErr, Notification, RpcServiceT},
        server::BatchResponseBuilder,
    },
    server::middleware::rpc::RpcService,
    types::{ErrorObjectOwned, Id, Request},
};
use metrics::counter;

use crate::{
    RpcError,
    asked::{Asked, Entry},
    connection::Connection,
    dispatch::{Answers, Dispatch},
    measure,
};

/// Answers the calls of one WebSocket.
#[derive(Clone)]
pub(crate) struct Socket {
    pub(crate) service: RpcService,
    pub(crate) dispatch: Arc<Dispatch>,
    pub(crate) connection: Arc<Connection>,
}

/// An entry of a batch, as the server read it.
enum Read<'a> {
    Call(Request<'a>),
    Notification,
    Invalid(Id<'a>),
}

/// The answer where clients have too much that they did not take.
pub(crate) fn busy(id: Id<'_>) -> MethodResponse {
    counter!(measure::REFUSED_CALLS).increment(1);
    MethodResponse::error(id, ErrorObjectOwned::from(RpcError::Busy))
}

impl Socket {
    /// Begins or ends a subscription. It learns on whose connection it is.
    pub(crate) async fn subscribe(&self, asked: &Asked<'_>) -> MethodResponse {
        let mut request = asked.request();
        request.extensions_mut().insert(Arc::clone(&self.connection));
        self.service.call(request).await
    }
}

impl RpcServiceT for Socket {
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            let Some(call) = this.connection.begin() else { return busy(request.id()) };
            let answer = this.dispatch.call(Asked::from(&request), &this).await;
            call.answered(answer.as_json().get().len());
            answer
        }
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            let Some(call) = this.connection.begin() else { return busy(Id::Null) };
            let read: Vec<_> = batch.into_iter().map(read).collect();
            let mut answers = BatchResponseBuilder::new_with_limit(this.dispatch.response_bytes_max());
            let entries = read.iter().map(Read::entry).collect();
            let ended = this.dispatch.batch(entries, Some(&this), &mut answers).await;
            let answer = match ended {
                Err(too_big) => too_big,
                // A batch of notifications alone is not answered; an empty batch is answered as invalid.
                Ok(()) if answers.is_empty() && !read.is_empty() => MethodResponse::notification(),
                Ok(()) => MethodResponse::from_batch(answers.finish()),
            };
            call.answered(answer.as_json().get().len());
            answer
        }
    }

    fn notification<'a>(&self, notification: Notification<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.service.notification(notification)
    }
}

impl Answers for BatchResponseBuilder {
    fn take(&mut self, answer: MethodResponse) -> Result<(), MethodResponse> {
        self.append(answer)
    }

    /// The library takes whole answers, and reads them once more.
    fn write<T>(&mut self, _: impl FnOnce(&mut Vec<u8>) -> Option<T>) -> Option<T> {
        None
    }
}

fn read<'a>(entry: Result<BatchEntry<'a>, BatchEntryErr<'a>>) -> Read<'a> {
    match entry {
        Ok(BatchEntry::Call(request)) => Read::Call(request),
        Ok(BatchEntry::Notification(_)) => Read::Notification,
        Err(entry) => Read::Invalid(entry.into_parts().1),
    }
}

impl Read<'_> {
    fn entry(&self) -> Entry<'_> {
        match self {
            Self::Call(request) => Entry::Call(Asked::from(request)),
            Self::Notification => Entry::Notification,
            Self::Invalid(id) => Entry::Invalid(id.clone()),
        }
    }
}
