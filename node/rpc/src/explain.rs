//! Says what to do where JSON-RPC's own errors only say what is wrong.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use jsonrpsee::{
    MethodResponse,
    core::{
        middleware::{Batch, BatchEntry, BatchEntryErr},
        server::BatchResponseBuilder,
    },
    types::{
        ErrorObjectOwned, Request,
        error::{INTERNAL_ERROR_CODE, INVALID_PARAMS_CODE, METHOD_NOT_FOUND_CODE},
    },
};
use serde::Deserialize;

use crate::{
    layer::{Around, Calls},
    measure::note_call,
    sends::Sends,
};

/// Methods that need a connection that lasts.
const SUBSCRIPTION_METHODS: [&str; 2] = ["eth_subscribe", "eth_unsubscribe"];

/// Explains what the server answers by itself, and answers batches.
#[derive(Clone, Debug)]
pub(crate) struct Explain {
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

impl Explain {
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

    /// Whether a call sends a transaction, where that is served.
    fn is_send(&self, request: &Request<'_>) -> bool {
        Sends::is_one(request) && self.methods.contains(request.method_name())
    }

    /// Whether an entry of a batch goes to the pool with those before it.
    fn goes_along(&self, entry: &Result<BatchEntry<'_>, BatchEntryErr<'_>>) -> bool {
        matches!(entry, Ok(BatchEntry::Call(request)) if self.is_send(request))
    }

    /// A method of the same name in another namespace or another spelling.
    fn nearest(&self, wanted: &str) -> Option<&'static str> {
        let name = |method: &str| method.split_once('_').map_or(method, |(_, name)| name).to_ascii_lowercase();
        self.methods.iter().find(|method| name(method) == name(wanted)).copied()
    }

    /// Answers to transactions that are sent together, in their order.
    async fn sent(&self, service: &impl Calls, together: Vec<Request<'_>>) -> Vec<MethodResponse> {
        let began = Instant::now();
        let sent = self.sends.answer(&together).await;
        let mut answers = Vec::with_capacity(together.len());
        for (request, answer) in together.into_iter().zip(sent) {
            answers.push(match answer {
                Some(answer) => {
                    note_call(self.methods.get(request.method_name()).copied(), began, &answer);
                    answer
                }
                None => self.clone().call(service.clone(), request).await,
            });
        }
        answers
    }
}

impl Around for Explain {
    async fn call(self, service: impl Calls, request: Request<'_>) -> MethodResponse {
        let (id, method) = (request.id().into_owned(), request.method_name().to_owned());
        let began = Instant::now();
        let answer = service.call(request).await;
        note_call(self.methods.get(method.as_str()).copied(), began, &answer);
        let better = answer.as_error_code().and_then(|code| self.explain(&method, code, &answer));
        match better {
            Some(error) => MethodResponse::error(id, error).with_extensions(answer.extensions().clone()),
            None => answer,
        }
    }

    async fn batch(self, service: impl Calls, batch: Batch<'_>) -> MethodResponse {
        let mut answers = BatchResponseBuilder::new_with_limit(self.response_bytes_max);
        let mut notified = false;
        let mut entries = batch.into_iter().peekable();
        while let Some(entry) = entries.next() {
            let answered = match entry {
                Ok(BatchEntry::Call(request)) if self.is_send(&request) => {
                    let more = std::iter::from_fn(|| match entries.next_if(|entry| self.goes_along(entry)) {
                        Some(Ok(BatchEntry::Call(request))) => Some(request),
                        _ => None,
                    });
                    let together = std::iter::once(request).chain(more).collect();
                    self.sent(&service, together).await
                }
                Ok(BatchEntry::Call(request)) => vec![self.clone().call(service.clone(), request).await],
                Ok(BatchEntry::Notification(notification)) => {
                    notified = true;
                    service.notification(notification).await;
                    Vec::new()
                }
                Err(entry) => {
                    let (error, id) = entry.into_parts();
                    vec![MethodResponse::error(id, error)]
                }
            };
            for answer in answered {
                if let Err(too_large) = answers.append(answer) {
                    return too_large;
                }
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
