//! Says what to do where a request has no form at all: the errors that the server answers over HTTP before any method
//! is reached.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http_body::Body as _;
use http_body_util::BodyExt as _;
use jsonrpsee::{
    server::{HttpBody, HttpRequest, HttpResponse},
    types::error::{INVALID_REQUEST_CODE, OVERSIZED_REQUEST_CODE, PARSE_ERROR_CODE, TOO_BIG_BATCH_REQUEST_CODE},
};
use serde_json::{Value, json};
use tower::Service;

use crate::Limits;

/// Longest answer that is looked at, in bytes: the server's own errors are shorter.
const ANSWER_BYTES_MAX: u64 = 256;
/// An answer that is none.
const NOTHING: &str = "null";

/// What every error has.
const ERROR: &[u8] = br#""error""#;

/// Wraps the service that answers HTTP requests.
#[derive(Clone, Debug)]
pub(crate) struct ExplainForm<S> {
    pub(crate) service: S,
    pub(crate) limits: Arc<Limits>,
}

impl<S, B> Service<HttpRequest<B>> for ExplainForm<S>
where
    S: Service<HttpRequest<B>, Response = HttpResponse>,
    S::Error: Send,
    S::Future: Send + 'static,
{
    type Response = HttpResponse;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        let answer = self.service.call(request);
        let limits = Arc::clone(&self.limits);
        Box::pin(async move { Ok(explain(answer.await?, &limits).await) })
    }
}

async fn explain(answer: HttpResponse, limits: &Limits) -> HttpResponse {
    let length = answer.body().size_hint().exact();
    let short = length.is_some_and(|length| length > 0 && length <= ANSWER_BYTES_MAX);
    let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok());
    if !short || !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return answer;
    }
    let (head, body) = answer.into_parts();
    let body = match body.collect().await.map(http_body_util::Collected::to_bytes) {
        // What the server makes of notifications, which are not to be answered.
        Ok(bytes) if bytes == NOTHING => HttpBody::empty(),
        Ok(bytes) => better(&bytes, limits).map_or_else(|| bytes.to_vec().into(), HttpBody::from),
        Err(error) => HttpBody::from(error.to_string()),
    };
    HttpResponse::from_parts(head, body)
}

/// The answer with a message that says what to do; `None` where it is none of the server's own errors.
fn better(answer: &[u8], limits: &Limits) -> Option<String> {
    // Nearly all answers are none, and reading JSON takes longer than looking for a word.
    if !answer.windows(ERROR.len()).any(|window| window == ERROR) {
        return None;
    }
    let mut answer: Value = serde_json::from_slice(answer).ok()?;
    let error = answer.get_mut("error")?;
    let message = match i32::try_from(error.get("code")?.as_i64()?).ok()? {
        PARSE_ERROR_CODE => {
            "parse error: the body is not valid JSON; send one JSON-RPC 2.0 request or an array of them"
        }
        INVALID_REQUEST_CODE => {
            r#"invalid request: send {"jsonrpc": "2.0", "id": …, "method": …, "params": […]} or a non-empty array of such"#
        }
        OVERSIZED_REQUEST_CODE => &format!(
            "the request is too large: at most {} bytes are accepted; send less at once",
            limits.request_bytes_max
        ),
        TOO_BIG_BATCH_REQUEST_CODE => {
            &format!("the batch is too large: at most {} calls are accepted; send several", limits.batch_calls_max)
        }
        _ => return None,
    };
    error["message"] = json!(message);
    Some(answer.to_string())
}
