//! From calls to methods: where a call is answered, by which method, and what is told of it.
//!
//! The methods are jsonrpsee's, made by its macros; this is what stands between them and a connection, for HTTP and WebSocket
//! alike. Invariant: a call gets the same answer alone and in a batch. Calls of a batch are answered in their order; those
//! that send transactions, and stand together, together. The commonest are tried [quickly](crate::quick) first.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::map::HashMap;
use jsonrpsee::{
    ConnectionId, Extensions, MethodCallback, MethodResponse, Methods, ResponsePayload,
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
    quick::{self, Quick, Takes},
    sends::Sends,
    socket::Socket,
};

/// Longest time for which one batch keeps others from the thread that answers it.
const UNINTERRUPTED: Duration = Duration::from_micros(250);

/// Answers that are only looked up, after which a batch looks at the clock: some microseconds of them.
const LOOKUPS: u32 = 32;

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
    quick: Option<Quick>,
    meter: Meter,
}

/// Where the answers to the calls of a batch go.
pub(crate) trait Answers {
    /// Takes the next one. One that is refused is given back as what is answered instead of all of them.
    fn take(&mut self, answer: MethodResponse) -> Result<(), MethodResponse>;

    /// Has the next one written, if it can be: gives whether it was.
    fn write<T>(&mut self, answer: impl FnOnce(&mut Vec<u8>) -> Option<T>) -> Option<T>;
}

/// Calls of one method that a batch has had answered quickly, one after the other: they are told of together, since looking at
/// the clock and telling of each would take as long as answering it.
struct Row<'a> {
    method: Option<&'a Method>,
    calls: u32,
    began: Instant,
    /// Since when the batch has kept others from its thread.
    turn: Instant,
    /// Looked up since the clock was looked at.
    lookups: u32,
}

impl<'a> Row<'a> {
    fn new() -> Self {
        let now = Instant::now();
        Self { method: None, calls: 0, began: now, turn: now, lookups: 0 }
    }

    /// Another call was answered quickly. Whether it is another's turn.
    fn add(&mut self, method: &'a Method) -> bool {
        if !self.method.is_some_and(|last| std::ptr::eq(last, method)) {
            self.tell();
            self.method = Some(method);
        }
        self.calls += 1;
        self.lookups += 1;
        let looks_up = method.quick.is_some_and(|quick| quick.takes == Takes::Nothing);
        if looks_up && self.lookups < LOOKUPS {
            return false;
        }
        self.lookups = 0;
        let now = Instant::now();
        let is_long = now - self.turn > UNINTERRUPTED;
        if is_long {
            self.turn = now;
        }
        is_long
    }

    fn tell(&mut self) {
        if let Some(method) = self.method.filter(|_| self.calls > 0) {
            let now = Instant::now();
            method.meter.note_answered(now - self.began, self.calls);
            (self.calls, self.began) = (0, now);
        }
    }

    /// Something else begins.
    fn end(&mut self) {
        self.tell();
        self.method = None;
    }

    /// Something else has ended.
    fn resume(&mut self) {
        self.began = Instant::now();
        self.turn = self.began;
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        self.tell();
    }
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
            (name, Method { callback, quick: quick::quick(name), meter: Meter::of(name) })
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

    /// Answers a call at once, if that can be, and writes the answer; else nothing is written.
    pub(crate) fn call_quickly(&self, asked: &Asked<'_>, out: &mut Vec<u8>) -> Option<()> {
        let began = Instant::now();
        let method = self.write(asked, out)?;
        method.meter.note_answered(began.elapsed(), 1);
        Some(())
    }

    fn write(&self, asked: &Asked<'_>, out: &mut Vec<u8>) -> Option<&Method> {
        let method = self.methods.get(&*asked.method)?;
        quick::answer(method.quick?, &self.sends.0, asked, self.response_bytes_max, out)?;
        Some(method)
    }

    /// Answers a call over a socket.
    pub(crate) async fn call(&self, asked: Asked<'_>, socket: &Socket) -> MethodResponse {
        let began = Instant::now();
        if let Some(method) = self.methods.get(&*asked.method)
            && let Some(result) = method.quick.and_then(|quick| quick::result(quick, &self.sends.0, &asked))
        {
            let answer = MethodResponse::response(asked.id, ResponsePayload::success(result), self.response_bytes_max);
            method.meter.note(began, &answer);
            return answer;
        }
        self.call_usually(asked, Some(socket)).await
    }

    /// Answers a call by its method. Subscriptions need a socket.
    pub(crate) async fn call_usually(&self, asked: Asked<'_>, socket: Option<&Socket>) -> MethodResponse {
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

    /// Answers the entries of a batch in their order, each as it would be alone. One answer that is refused ends it.
    pub(crate) async fn batch(
        &self,
        entries: Vec<Entry<'_>>,
        socket: Option<&Socket>,
        answers: &mut impl Answers,
    ) -> Result<(), MethodResponse> {
        let mut entries = entries.into_iter().peekable();
        let mut row = Row::new();
        while let Some(entry) = entries.next() {
            match entry {
                Entry::Call(asked) if self.sends_one(&asked) => {
                    row.end();
                    let mut together = vec![asked];
                    let another = |entry: &Entry<'_>| matches!(entry, Entry::Call(asked) if self.sends_one(asked));
                    while let Some(Entry::Call(next)) = entries.next_if(another) {
                        together.push(next);
                    }
                    self.send(together, answers).await?;
                    row.resume();
                }
                Entry::Call(asked) => match answers.write(|out| self.write(&asked, out)) {
                    Some(method) => {
                        if row.add(method) {
                            tokio::task::yield_now().await;
                        }
                    }
                    None => {
                        row.end();
                        answers.take(match socket {
                            Some(socket) => self.call(asked, socket).await,
                            None => self.call_usually(asked, None).await,
                        })?;
                        row.resume();
                    }
                },
                Entry::Notification => {}
                Entry::Invalid(id) => answers.take(MethodResponse::error(id, ErrorCode::InvalidRequest))?,
            }
        }
        Ok(())
    }

    fn sends_one(&self, asked: &Asked<'_>) -> bool {
        Sends::is_one(asked) && self.methods.contains_key(&*asked.method)
    }

    /// Answers calls that send transactions.
    async fn send(&self, together: Vec<Asked<'_>>, answers: &mut impl Answers) -> Result<(), MethodResponse> {
        let began = Instant::now();
        let sent = self.sends.answer(&together).await;
        for (asked, answer) in together.into_iter().zip(sent) {
            let answer = match answer {
                Some(answer) => {
                    let meter = self.methods.get(&*asked.method).map_or(&self.unknown, |method| &method.meter);
                    meter.note(began, &answer);
                    answer
                }
                None => self.call_usually(asked, None).await,
            };
            answers.take(answer)?;
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
