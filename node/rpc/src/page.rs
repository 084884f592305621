//! The one page beside JSON-RPC: `GET /metrics`, as Prometheus reads it.

use std::{
    fmt,
    future::{Future, ready},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse};
use tower::Service;

/// Where the page lies.
const PATH: &str = "/metrics";
/// Its format: Prometheus' text exposition.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes the metrics as they are now.
#[derive(Clone)]
pub struct MetricsPage(Arc<dyn Fn() -> String + Send + Sync>);

impl MetricsPage {
    /// A page of what the function gives, in Prometheus' text format.
    pub fn new(render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(render))
    }
}

impl fmt::Debug for MetricsPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MetricsPage").finish_non_exhaustive()
    }
}

/// Answers for the page, and leaves everything else to the service that answers JSON-RPC.
#[derive(Clone, Debug)]
pub(crate) struct Paged<S> {
    pub(crate) service: S,
    pub(crate) metrics: Option<MetricsPage>,
}

impl<S, B> Service<HttpRequest<B>> for Paged<S>
where
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
        match &self.metrics {
            Some(MetricsPage(render)) if request.method().as_str() == "GET" && request.uri().path() == PATH => {
                Box::pin(ready(Ok(page(render()))))
            }
            _ => Box::pin(self.service.call(request)),
        }
    }
}

fn page(text: String) -> HttpResponse {
    let answer = HttpResponse::<()>::builder().header("content-type", CONTENT_TYPE).body(HttpBody::from(text));
    answer.expect("its only header is fixed")
}
