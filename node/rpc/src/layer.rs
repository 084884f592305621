//! The frames of the layers around the methods, over HTTP and within it: what a layer does is written beside its purpose, and
//! says nothing of how layers are put together.

use std::{
    future::{Future, ready},
    pin::Pin,
    task::{Context, Poll},
};

use jsonrpsee::{
    MethodResponse,
    core::middleware::{Batch, Notification, RpcServiceT},
    server::{HttpBody, HttpRequest, HttpResponse},
    types::Request,
};
use tower::Service;

/// Text for people.
pub(crate) const TEXT_TYPE: &str = "text/plain; charset=utf-8";

/// Looks at HTTP requests before the service within does.
pub(crate) trait Gate {
    /// The answer to a request that is not passed on.
    fn answer<B>(&self, request: &HttpRequest<B>) -> Option<HttpResponse>;
}

/// Answers what its gate answers, and passes everything else on.
#[derive(Clone)]
pub(crate) struct Gated<G, S> {
    pub(crate) gate: G,
    pub(crate) service: S,
}

impl<G, S, B> Service<HttpRequest<B>> for Gated<G, S>
where
    G: Gate,
    S: Service<HttpRequest<B>, Response = HttpResponse>,
    S::Error: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = HttpResponse;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        match self.gate.answer(&request) {
            Some(answer) => Box::pin(ready(Ok(answer))),
            None => Box::pin(self.service.call(request)),
        }
    }
}

/// A whole answer.
pub(crate) fn answer(status: u16, kind: &'static str, text: String) -> HttpResponse {
    let answer = HttpResponse::<()>::builder().status(status).header("content-type", kind);
    answer.body(HttpBody::from(text)).expect("its status and only header are fixed")
}

/// What answers calls, batches and notifications.
pub(crate) trait Calls:
    RpcServiceT<MethodResponse = MethodResponse, NotificationResponse = MethodResponse, BatchResponse = MethodResponse>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Calls for S where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            NotificationResponse = MethodResponse,
            BatchResponse = MethodResponse,
        > + Clone
        + Send
        + Sync
        + 'static
{
}

/// What is done around calls. Notifications are passed on.
pub(crate) trait Around: Clone + Send + Sync + 'static {
    /// Answers a call, by the service within or without it.
    fn call(self, service: impl Calls, request: Request<'_>) -> impl Future<Output = MethodResponse> + Send;

    /// Answers a batch; the service within does, unless there is more to it.
    fn batch(self, service: impl Calls, batch: Batch<'_>) -> impl Future<Output = MethodResponse> + Send {
        async move { service.batch(batch).await }
    }
}

/// A service with something around it.
#[derive(Clone)]
pub(crate) struct Wrapped<A, S> {
    pub(crate) around: A,
    pub(crate) service: S,
}

impl<A: Around, S: Calls> RpcServiceT for Wrapped<A, S> {
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.around.clone().call(self.service.clone(), request)
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.around.clone().batch(self.service.clone(), batch)
    }

    fn notification<'a>(&self, notification: Notification<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.service.notification(notification)
    }
}
