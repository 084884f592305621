//! What a request over HTTP meets before any method, in this order: the secret, where there is one; from where it was asked;
//! pages; and its form. Whoever asks for a WebSocket is handed on to jsonrpsee's server, with the same dispatch behind it.
//!
//! Calls over HTTP are answered here, on hyper itself: a call takes some microseconds, and what stands between it and its method
//! counts. So nothing is made anew for each request, and a browser's rules (CORS) are looked up for browsers alone, which say
//! from where they come.

use std::sync::Arc;

use hyper::{Method, StatusCode, header};
use jsonrpsee::{
    MethodResponse, Methods,
    core::{
        BoxError,
        http_helpers::{HttpError, read_body},
        middleware::RpcServiceBuilder,
    },
    server::{
        HttpBody, HttpRequest, HttpResponse, StopHandle, TowerServiceBuilder,
        http::{content_type_is_json, response},
    },
    types::{
        ErrorObjectOwned, Id,
        error::{
            INVALID_REQUEST_CODE, OVERSIZED_REQUEST_CODE, PARSE_ERROR_CODE, TOO_BIG_BATCH_REQUEST_CODE,
            reject_too_big_batch_response,
        },
    },
};
use tower::{Layer as _, Service as _, layer::util::Identity};
use tower_http::cors::CorsLayer;

use crate::{
    Access, JwtSecret, Limits, Pages,
    asked::{Asked, Entry, Form},
    body::Timed,
    connection::Connection,
    dispatch::{Answers, Dispatch},
    socket::{Socket, busy},
};

/// Text for people.
pub(crate) const TEXT_TYPE: &str = "text/plain; charset=utf-8";
const JSON_TYPE: &str = "application/json; charset=utf-8";
/// Room for an answer, in bytes, with which it begins: most are not longer.
const ANSWER_BYTES: usize = 128;
/// Most answers of a batch for which there is room from its beginning.
const BATCH_ROOM: usize = 256;

/// What is before the methods of a server.
pub(crate) struct Front {
    pub(crate) dispatch: Arc<Dispatch>,
    pub(crate) secret: Option<JwtSecret>,
    pub(crate) access: Access,
    /// What browsers are told.
    pub(crate) cors: CorsLayer,
    pub(crate) pages: Pages,
    pub(crate) limits: Limits,
    pub(crate) sockets: Sockets,
}

/// What makes WebSockets.
pub(crate) struct Sockets {
    pub(crate) methods: Methods,
    pub(crate) builder: TowerServiceBuilder<Identity, Identity>,
    pub(crate) stop: StopHandle,
}

impl Front {
    /// Answers a request.
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: HttpRequest<Timed>,
        connection: Arc<Connection>,
    ) -> Result<HttpResponse, BoxError> {
        if let Some(refused) = self.secret.as_ref().and_then(|secret| secret.refuse(&request)) {
            return Ok(refused);
        }
        if let Some(refused) = self.access.refuse(&request) {
            return Ok(refused);
        }
        if request.headers().contains_key(header::ORIGIN) || request.method() == Method::OPTIONS {
            let cors = self.cors.clone();
            let within = tower::service_fn(move |request| Arc::clone(&self).allowed(request, Arc::clone(&connection)));
            return cors.layer(within).call(request).await;
        }
        self.allowed(request, connection).await
    }

    /// Answers a request of somebody who may ask.
    async fn allowed(
        self: Arc<Self>,
        request: HttpRequest<Timed>,
        connection: Arc<Connection>,
    ) -> Result<HttpResponse, BoxError> {
        if let Some(page) = self.pages.answer(&request) {
            return Ok(page);
        }
        if request.headers().contains_key(header::UPGRADE) {
            return self.open_socket(request, connection).await;
        }
        Ok(match *request.method() {
            Method::POST if content_type_is_json(&request) => self.read(request, &connection).await,
            Method::POST => response::unsupported_content_type(),
            _ => response::method_not_allowed(),
        })
    }

    async fn open_socket(
        &self,
        request: HttpRequest<Timed>,
        connection: Arc<Connection>,
    ) -> Result<HttpResponse, BoxError> {
        let Sockets { methods, builder, stop } = &self.sockets;
        let dispatch = Arc::clone(&self.dispatch);
        let rpc = RpcServiceBuilder::new().layer_fn(move |service| Socket {
            service,
            dispatch: Arc::clone(&dispatch),
            connection: Arc::clone(&connection),
        });
        builder.clone().set_rpc_middleware(rpc).build(methods.clone(), stop.clone()).call(request).await
    }

    async fn read(&self, request: HttpRequest<Timed>, connection: &Arc<Connection>) -> HttpResponse {
        let (head, body) = request.into_parts();
        let max = self.limits.request_bytes_max;
        match read_body(&head.headers, body, max).await {
            Ok((body, _)) => self.carry_out(&body, connection).await,
            Err(HttpError::TooLarge) => {
                let message = format!("the request is too large: at most {max} bytes are accepted; send less at once");
                json(StatusCode::PAYLOAD_TOO_LARGE, error(&Id::Null, OVERSIZED_REQUEST_CODE, &message))
            }
            Err(HttpError::Malformed) => json(StatusCode::BAD_REQUEST, not_json()),
            Err(HttpError::Stream(error)) => {
                tracing::debug!("a request's body did not come: {error}");
                response::internal_error()
            }
        }
    }

    async fn carry_out(&self, body: &[u8], connection: &Arc<Connection>) -> HttpResponse {
        let max = self.limits.batch_calls_max;
        json(
            StatusCode::OK,
            match Form::read(body, max as usize) {
                Form::One(Entry::Call(asked)) => self.call(asked, connection).await,
                Form::One(Entry::Notification) => Vec::new(),
                Form::One(Entry::Invalid(id)) => invalid(&id),
                Form::Broken => not_json(),
                Form::Batch(entries) if entries.is_empty() => invalid(&Id::Null),
                Form::TooMany => {
                    let message = format!("the batch is too large: at most {max} calls are accepted; send several");
                    error(&Id::Null, TOO_BIG_BATCH_REQUEST_CODE, &message)
                }
                Form::Batch(entries) => self.batch(entries, connection).await,
            },
        )
    }

    async fn call(&self, asked: Asked<'_>, connection: &Arc<Connection>) -> Vec<u8> {
        let Some(call) = connection.begin() else { return text(busy(asked.id)) };
        let mut answer = Vec::with_capacity(ANSWER_BYTES);
        if self.dispatch.call_quickly(&asked, &mut answer).is_none() {
            answer = text(self.dispatch.call_usually(asked, None).await);
        }
        call.answered(answer.len());
        answer
    }

    /// The answers to the calls of a batch; nothing where there are notifications alone.
    async fn batch(&self, entries: Vec<Entry<'_>>, connection: &Arc<Connection>) -> Vec<u8> {
        let Some(call) = connection.begin() else { return text(busy(Id::Null)) };
        let text_begun = Vec::with_capacity(ANSWER_BYTES * entries.len().min(BATCH_ROOM));
        let mut array = Array { text: text_begun, bytes_max: self.limits.response_bytes_max as usize };
        let answers = match self.dispatch.batch(entries, None, &mut array).await {
            Err(too_big) => text(too_big),
            Ok(()) => array.end(),
        };
        call.answered(answers.len());
        answers
    }
}

/// The answers to the calls of a batch, as they are sent.
struct Array {
    text: Vec<u8>,
    bytes_max: usize,
}

impl Array {
    /// Goes on to the next one.
    fn go_on(&mut self) {
        self.text.push(if self.text.is_empty() { b'[' } else { b',' });
    }

    /// Whether it is not too long, with a bracket at its end.
    fn fits(&self) -> bool {
        self.text.len() < self.bytes_max
    }

    /// Nothing where nothing was answered.
    fn end(mut self) -> Vec<u8> {
        if !self.text.is_empty() {
            self.text.push(b']');
        }
        self.text
    }
}

impl Answers for Array {
    fn take(&mut self, answer: MethodResponse) -> Result<(), MethodResponse> {
        self.go_on();
        self.text.extend_from_slice(answer.as_json().get().as_bytes());
        match self.fits() {
            true => Ok(()),
            false => Err(MethodResponse::error(Id::Null, reject_too_big_batch_response(self.bytes_max))),
        }
    }

    fn write<T>(&mut self, answer: impl FnOnce(&mut Vec<u8>) -> Option<T>) -> Option<T> {
        let begin = self.text.len();
        self.go_on();
        let written = answer(&mut self.text).filter(|_| self.fits());
        if written.is_none() {
            self.text.truncate(begin);
        }
        written
    }
}

fn text(answer: MethodResponse) -> Vec<u8> {
    Box::<str>::from(answer.into_json()).into_boxed_bytes().into()
}

/// A whole answer over HTTP.
pub(crate) fn answer(status: StatusCode, kind: &'static str, text: impl Into<HttpBody>) -> HttpResponse {
    let answer = HttpResponse::<()>::builder().status(status);
    let answer = answer.header(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    answer.body(text.into()).expect("its only header is fixed")
}

fn json(status: StatusCode, text: Vec<u8>) -> HttpResponse {
    answer(status, JSON_TYPE, text)
}

fn error(id: &Id<'_>, code: i32, message: &str) -> Vec<u8> {
    text(MethodResponse::error(id.clone(), ErrorObjectOwned::owned(code, message, None::<()>)))
}

fn not_json() -> Vec<u8> {
    let message = "parse error: the body is not valid JSON; send one JSON-RPC 2.0 request or an array of them";
    error(&Id::Null, PARSE_ERROR_CODE, message)
}

fn invalid(id: &Id<'_>) -> Vec<u8> {
    let message =
        r#"invalid request: send {"jsonrpc": "2.0", "id": …, "method": …, "params": […]} or a non-empty array of such"#;
    error(id, INVALID_REQUEST_CODE, message)
}
