//! Says what to do where JSON-RPC's own errors only say what is wrong.

use std::{collections::BTreeSet, future::Future, sync::Arc, time::Instant};

use jsonrpsee::{
    MethodResponse,
    core::{
        middleware::{Batch, BatchEntry, BatchEntryErr, Notification, RpcServiceT},
        server::BatchResponseBuilder,
    },
    types::{
        ErrorObjectOwned, Request,
        error::{INTERNAL_ERROR_CODE, INVALID_PARAMS_CODE, METHOD_NOT_FOUND_CODE},
    },
};
use serde::Deserialize;

use crate::{measure::note_call, sends::Sends};

/// Methods that need a connection that lasts.
const SUBSCRIPTION_METHODS: [&str; 2] = ["eth_subscribe", "eth_unsubscribe"];

/// Wraps the service that answers calls.
#[derive(Clone, Debug)]
pub(crate) struct Explain<S> {
    pub(crate) service: S,
    /// Bytes of a batch's answer.
    pub(crate) response_bytes_max: usize,
    /// Names of all methods.
    pub(crate) methods: Arc<BTreeSet<&'static str>>,
    /// Answers transactions that are sent together.
    pub(crate) sends: Sends,
}

/// What is looked at of an answer that is an error.
#[derive(Deserialize)]
struct Answer {
    error: ErrorObjectOwned,
}

impl<S> Explain<S> {
    /// The error that is sent instead, if the one at hand says too little.
    fn explain(&self, method: &str, code: i32, answer: &MethodResponse) -> Option<ErrorObjectOwned> {
        match code {
            // The server's own answer where a subscription is asked for over HTTP. Nothing in the node is at fault; the code
            // and the words are geth's.
            INTERNAL_ERROR_CODE if SUBSCRIPTION_METHODS.contains(&method) => {
                let message = "notifications not supported: subscribe over a WebSocket";
                Some(ErrorObjectOwned::owned(METHOD_NOT_FOUND_CODE, message, None::<()>))
            }
            METHOD_NOT_FOUND_CODE => {
                let nearest = self.nearest(method).map_or_else(String::new, |name| format!("; did you mean {name}?"));
                let message = format!("the method {method} does not exist or is not available{nearest}");
                Some(ErrorObjectOwned::owned(code, message, None::<()>))
            }
            INVALID_PARAMS_CODE => {
                let Answer { error } = serde_json::from_str(answer.as_json().get()).ok()?;
                // Only the server's own error has its detail in `data`.
                let detail: String = serde_json::from_str(error.data()?.get()).ok()?;
                let message = format!("invalid parameters for {method}: {detail}");
                Some(ErrorObjectOwned::owned(code, message, None::<()>))
            }
            _ => None,
        }
    }

    /// A method of the same name in another namespace or another spelling.
    /// Whether a call sends a transaction, where that is served.
    fn is_send(&self, request: &Request<'_>) -> bool {
        Sends::is_one(request) && self.methods.contains(request.method_name())
    }

    /// Whether an entry of a batch goes to the pool with those before it.
    fn goes_along(&self, entry: &Result<BatchEntry<'_>, BatchEntryErr<'_>>) -> bool {
        matches!(entry, Ok(BatchEntry::Call(request)) if self.is_send(request))
    }

    fn nearest(&self, wanted: &str) -> Option<&'static str> {
        let name = |method: &str| method.split_once('_').map_or(method, |(_, name)| name).to_ascii_lowercase();
        self.methods.iter().find(|method| name(method) == name(wanted)).copied()
    }
}

impl<S> RpcServiceT for Explain<S>
where
    S: RpcServiceT<MethodResponse = MethodResponse, NotificationResponse = MethodResponse>
        + Send
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
            let (id, method) = (request.id().into_owned(), request.method_name().to_owned());
            let began = Instant::now();
            let answer = this.service.call(request).await;
            note_call(this.methods.get(method.as_str()).copied(), began, &answer);
            let better = answer.as_error_code().and_then(|code| this.explain(&method, code, &answer));
            match better {
                Some(error) => MethodResponse::error(id, error).with_extensions(answer.extensions().clone()),
                None => answer,
            }
        }
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            let mut answers = BatchResponseBuilder::new_with_limit(this.response_bytes_max);
            let mut notified = false;
            let mut entries = batch.into_iter().peekable();
            while let Some(entry) = entries.next() {
                let answer = match entry {
                    Ok(BatchEntry::Call(request)) if this.is_send(&request) => {
                        let more = std::iter::from_fn(|| match entries.next_if(|entry| this.goes_along(entry)) {
                            Some(Ok(BatchEntry::Call(request))) => Some(request),
                            _ => None,
                        });
                        let together: Vec<_> = std::iter::once(request).chain(more).collect();
                        let began = Instant::now();
                        let sent = this.sends.answer(&together).await;
                        for (request, answer) in together.into_iter().zip(sent) {
                            let answer = match answer {
                                Some(answer) => {
                                    note_call(this.methods.get(request.method_name()).copied(), began, &answer);
                                    answer
                                }
                                None => this.call(request).await,
                            };
                            if let Err(too_large) = answers.append(answer) {
                                return too_large;
                            }
                        }
                        continue;
                    }
                    Ok(BatchEntry::Call(request)) => this.call(request).await,
                    Ok(BatchEntry::Notification(notification)) => {
                        notified = true;
                        this.notification(notification).await;
                        continue;
                    }
                    Err(entry) => {
                        let (error, id) = entry.into_parts();
                        MethodResponse::error(id, error)
                    }
                };
                if let Err(too_large) = answers.append(answer) {
                    return too_large;
                }
            }
            // A batch of notifications alone is not answered; an empty batch is answered as invalid.
            if answers.is_empty() && notified {
                MethodResponse::notification()
            } else {
                MethodResponse::from_batch(answers.finish())
            }
        }
    }

    fn notification<'a>(&self, notification: Notification<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.service.notification(notification)
    }
}
