//! The body of a request, which must have come by a time: who sends byte by byte keeps a connection, and no longer than
//! that.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http_body::{Body, Frame, SizeHint};
use hyper::body::{Bytes, Incoming};
use jsonrpsee::core::BoxError;
use tokio::time::{Sleep, sleep};

/// A body that comes over the network.
pub(crate) struct Timed {
    body: Incoming,
    time_max: Duration,
    /// Runs from the first time that it was waited for.
    time: Option<Pin<Box<Sleep>>>,
}

impl Timed {
    pub(crate) const fn new(body: Incoming, time_max: Duration) -> Self {
        Self { body, time_max, time: None }
    }
}

impl std::fmt::Debug for Timed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timed").finish_non_exhaustive()
    }
}

impl Body for Timed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let time_max = self.time_max;
        let time = self.time.get_or_insert_with(|| Box::pin(sleep(time_max)));
        time.as_mut().poll(context).map(|()| Some(Err("the request's body did not come in time".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
