//! From calls to methods: where a call is answered, by which method, and what is told of it.
//!
//! The methods are jsonrpsee's, made by its macros; this is what stands between them and a connection, for HTTP and WebSocket
//! alike. Invariant: a call gets the same answer alone and in a batch. Calls of a batch are answered in their order; those
//! that send transactions, and stand together, together.

use std::{collections::HashMap, sync::Arc, time::Instant};

use jsonrpsee::{
    ConnectionId, Extensions, MethodCallback, MethodResponse, Methods,
    types::{
        ErrorObjectOwned,
        error::{ErrorCode, INVALID_PARAMS_CODE, METHOD_NOT_FOUND_CODE},
    },
};
use serde::Deserialize;

use crate::{
    asked::{Asked, Entry},
    forward::Forward,
    measure::Meter,
    node::Node,
    sends::Sends,
    socket::Socket,
};

/// All methods of a server.
pub(crate) struct Dispatch {
    methods: HashMap<&'static str, Method>,
    /// Calls to what there is not.
    unknown: Meter,
    sends: Sends,
    forward: Forward,
    response_bytes_max: usize,
}

struct Method {
    callback: MethodCallback,
    meter: Meter,
}

/// What is looked at of an answer that is an error.
#[derive(Deserialize)]
struct Answer {
    error: ErrorObjectOwned,
}

impl Dispatch {
    pub(crate) fn new(methods: &Methods, node: Arc<Node>, response_bytes_max: usize) -> Self {
        let method = |name: &'static str| {
            let callback = methods.method(name).expect("it was named by the methods").clone();
            (name, Method { callback, meter: Meter::of(name) })
        };
        Self {
            methods: methods.method_names().map(method).collect(),
            unknown: Meter::of_unknown(),
            sends: Sends(Arc::clone(&node)),
            forward: Forward::new(node, response_bytes_max),
            response_bytes_max,
        }
    }

    /// Most bytes of an answer, to a call or to a batch.
    pub(crate) const fn response_bytes_max(&self) -> usize {
        self.response_bytes_max
    }

    /// Answers a call. Subscriptions need a socket.
    pub(crate) async fn call(&self, asked: Asked<'_>, socket: Option<&Socket>) -> MethodResponse {
        let began = Instant::now();
        let Some(method) = self.methods.get(&*asked.method) else {
            let answer = self.no_such_method(&asked);
            self.unknown.note(began, &answer);
            return answer;
        };
        let answer = match self.forward.elsewhere(&asked).await {
            Some(answer) => answer,
            None => self.reach(method, &asked, socket).await,
        };
        method.meter.note(began, &answer);
        match answer.as_error_code().and_then(|code| explain(&asked.method, code, &answer)) {
            Some(error) => MethodResponse::error(asked.id, error).with_extensions(answer.extensions().clone()),
            None => answer,
        }
    }

    async fn reach(&self, method: &Method, asked: &Asked<'_>, socket: Option<&Socket>) -> MethodResponse {
        let bytes_max = self.response_bytes_max;
        match (&method.callback, socket) {
            (MethodCallback::Sync(callback), _) => {
                callback(asked.id.clone(), asked.params(), bytes_max, Extensions::new())
            }
            (MethodCallback::Async(callback), _) => {
                let (id, params) = (asked.id.clone().into_owned(), asked.params().into_owned());
                // Only subscriptions look at whose connection it is.
                callback(id, params, ConnectionId(0), bytes_max, Extensions::new()).await
            }
            (MethodCallback::Subscription(_) | MethodCallback::Unsubscription(_), Some(socket)) => {
                socket.subscribe(asked).await
            }
            // The code and the words are geth's.
            (MethodCallback::Subscription(_) | MethodCallback::Unsubscription(_), None) => {
                let message = "notifications not supported: subscribe over a WebSocket";
                let error = ErrorObjectOwned::owned(METHOD_NOT_FOUND_CODE, message, None::<()>);
                MethodResponse::error(asked.id.clone(), error)
            }
        }
    }

    /// Answers the entries of a batch in their order, each as it would be alone, and hands each answer on. Gives what was
    /// handed back: an answer that was refused ends it.
    pub(crate) async fn batch(
        &self,
        entries: Vec<Entry<'_>>,
        socket: Option<&Socket>,
        mut hand_on: impl FnMut(MethodResponse) -> Result<(), MethodResponse>,
    ) -> Result<(), MethodResponse> {
        let mut entries = entries.into_iter().peekable();
        while let Some(entry) = entries.next() {
            match entry {
                Entry::Call(asked) if self.sends_one(&asked) => {
                    let mut together = vec![asked];
                    let another = |entry: &Entry<'_>| matches!(entry, Entry::Call(asked) if self.sends_one(asked));
                    while let Some(Entry::Call(next)) = entries.next_if(another) {
                        together.push(next);
                    }
                    self.send(together, &mut hand_on).await?;
                }
                Entry::Call(asked) => hand_on(self.call(asked, socket).await)?,
                Entry::Notification => {}
                Entry::Invalid(id) => hand_on(MethodResponse::error(id, ErrorCode::InvalidRequest))?,
            }
        }
        Ok(())
    }

    fn sends_one(&self, asked: &Asked<'_>) -> bool {
        Sends::is_one(asked) && self.methods.contains_key(&*asked.method)
    }

    /// Answers calls that send transactions.
    async fn send(
        &self,
        together: Vec<Asked<'_>>,
        hand_on: &mut impl FnMut(MethodResponse) -> Result<(), MethodResponse>,
    ) -> Result<(), MethodResponse> {
        let began = Instant::now();
        let sent = self.sends.answer(&together).await;
        for (asked, answer) in together.into_iter().zip(sent) {
            let answer = match answer {
                Some(answer) => {
                    let meter = self.methods.get(&*asked.method).map_or(&self.unknown, |method| &method.meter);
                    meter.note(began, &answer);
                    answer
                }
                None => self.call(asked, None).await,
            };
            hand_on(answer)?;
        }
        Ok(())
    }

    fn no_such_method(&self, asked: &Asked<'_>) -> MethodResponse {
        let method = &*asked.method;
        let nearest = self.nearest(method).map_or_else(String::new, |name| format!("; did you mean {name}?"));
        let message = format!("the method {method} does not exist or is not available{nearest}");
        let error = ErrorObjectOwned::owned(METHOD_NOT_FOUND_CODE, message, None::<()>);
        MethodResponse::error(asked.id.clone(), error)
    }

    /// A method of the same name in another namespace or another spelling: the first of them by name.
    fn nearest(&self, wanted: &str) -> Option<&'static str> {
        fn name(method: &str) -> &str {
            method.split_once('_').map_or(method, |(_, name)| name)
        }
        let wanted = name(wanted);
        self.methods.keys().copied().filter(|method| name(method).eq_ignore_ascii_case(wanted)).min()
    }
}

/// The error that is sent instead of the library's own, which tells what is wrong in its data alone.
fn explain(method: &str, code: i32, answer: &MethodResponse) -> Option<ErrorObjectOwned> {
    if code != INVALID_PARAMS_CODE {
        return None;
    }
    let Answer { error } = serde_json::from_str(answer.as_json().get()).ok()?;
    let detail: String = serde_json::from_str(error.data()?.get()).ok()?;
    let message = format!("invalid parameters for {method}: {detail}");
    Some(ErrorObjectOwned::owned(code, message, None::<()>))
}
