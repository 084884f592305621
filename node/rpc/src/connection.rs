//! One connection: how much is under way on it, and its bytes.
//!
//! Invariant: who does not read is not read from, so what one client has asked for and not taken is bounded. A connection
//! with many calls under way, or many bytes of answers that its client has not taken, is not read until there are fewer; one
//! whose client takes nothing for too long is closed. The bytes of all connections together are bounded, too: beyond, calls
//! are refused. What a subscription announces waits for room before it is laid there ([`Connection::room`]), so the same bounds hold
//! for it.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use metrics::gauge;
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::Notify,
    time::{Sleep, sleep, timeout},
};

use crate::{Limits, measure};

/// How often whoever waits for room looks whether other connections have left some.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What all connections of a server have in common.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: AtomicU32,
    /// Bytes of answers that clients have not taken.
    unread: AtomicU64,
}

impl Connections {
    /// Counts another one; `None` where there are too many.
    pub(crate) fn open(self: &Arc<Self>, limits: &Limits) -> Option<Arc<Connection>> {
        let room = |open: u32| (open < limits.connections_max).then_some(open + 1);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).ok()?;
        gauge!(measure::CONNECTIONS).increment(1.0);
        Some(Arc::new(Connection {
            all: Arc::clone(self),
            calls_max: limits.connection_calls_max,
            unread_max: limits.connection_unread_bytes_max,
            unread_total_max: limits.unread_bytes_max,
            calls: AtomicU32::new(0),
            unread: AtomicU64::new(0),
            broken: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            waits: Mutex::new(None),
            took: Notify::new(),
        }))
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    all: Arc<Connections>,
    calls_max: u32,
    unread_max: u64,
    unread_total_max: u64,
    /// Under way.
    calls: AtomicU32,
    /// Bytes of answers that its client has not taken, as far as is known: frames and headers are not counted as answers, but
    /// as taken, so it is a little less.
    unread: AtomicU64,
    /// It cannot be written to any more, so whoever waits to read from it has nothing to wait for.
    broken: AtomicBool,
    /// Its client is gone: nothing will be taken any more.
    gone: AtomicBool,
    /// Who waits until it may be read.
    waits: Mutex<Option<Waker>>,
    /// Tells those who wait for room that there may be some.
    took: Notify,
}

/// A call that is under way.
pub(crate) struct Call(Arc<Connection>);

impl Connection {
    /// Begins a call; `None` where clients of this server have too much that they did not take.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<Call> {
        if self.all.unread.load(Ordering::Relaxed) > self.unread_total_max {
            return None;
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        Some(Call(Arc::clone(self)))
    }

    fn is_open(&self) -> bool {
        if self.broken.load(Ordering::Acquire) {
            return true;
        }
        // Of two that make room at once, in different ways, one at least sees what both did.
        self.calls.load(Ordering::SeqCst) < self.calls_max && self.unread.load(Ordering::SeqCst) <= self.unread_max
    }

    /// Whether it may be read. If not, the task is woken when it may.
    fn may_be_read(&self, context: &Context<'_>) -> bool {
        if self.is_open() {
            return true;
        }
        *self.waits.lock() = Some(context.waker().clone());
        // What changed in between has woken nobody.
        self.is_open()
    }

    /// Waits until an announcement of so many bytes may be laid before the client, and counts it. Where the client is gone, there is
    /// room for everything.
    pub(crate) async fn room(&self, bytes: u64) {
        loop {
            let took = self.took.notified();
            tokio::pin!(took);
            // From here on nothing is missed.
            took.as_mut().enable();
            if self.find_room(bytes) {
                return;
            }
            // Nobody tells what was taken on other connections; either way it is looked at again.
            let _: Result<(), _> = timeout(LOOK_AGAIN, took).await;
        }
    }

    fn find_room(&self, bytes: u64) -> bool {
        if self.gone.load(Ordering::SeqCst) || self.broken.load(Ordering::Acquire) {
            return true;
        }
        let all = self.all.unread.fetch_add(bytes, Ordering::SeqCst);
        let more = |unread: u64| (unread <= self.unread_max).then_some(unread + bytes);
        let fits = all <= self.unread_total_max;
        if !fits || self.unread.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_err() {
            self.all.unread.fetch_sub(bytes, Ordering::SeqCst);
            return false;
        }
        if self.gone.load(Ordering::SeqCst) {
            self.taken(u64::MAX);
        }
        true
    }

    fn wake(&self) {
        self.took.notify_waiters();
        if self.is_open()
            && let Some(waker) = self.waits.lock().take()
        {
            waker.wake();
        }
    }

    /// So many bytes were answered. In this order, the whole is never less than its parts, and nothing stays counted of a
    /// connection that is closed meanwhile.
    fn owe(&self, bytes: u64) {
        self.all.unread.fetch_add(bytes, Ordering::SeqCst);
        self.unread.fetch_add(bytes, Ordering::SeqCst);
        if self.gone.load(Ordering::SeqCst) {
            self.taken(u64::MAX);
        }
    }

    /// The system has taken so many bytes.
    fn taken(&self, bytes: u64) {
        let less = |unread: u64| Some(unread.saturating_sub(bytes));
        let before = self.unread.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).unwrap_or_default();
        self.all.unread.fetch_sub(before.min(bytes), Ordering::SeqCst);
        self.wake();
    }

    /// Nothing can be written any more.
    fn break_off(&self) {
        self.broken.store(true, Ordering::Release);
        self.wake();
    }

    /// The client is gone.
    fn close(&self) {
        self.gone.store(true, Ordering::SeqCst);
        self.taken(u64::MAX);
        self.all.open.fetch_sub(1, Ordering::Relaxed);
        gauge!(measure::CONNECTIONS).decrement(1.0);
    }
}

impl Call {
    /// It was answered with so many bytes.
    pub(crate) fn answered(self, bytes: usize) {
        self.0.owe(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::SeqCst);
        self.0.wake();
    }
}

/// The bytes of a connection.
pub(crate) struct Bytes<S> {
    stream: S,
    connection: Arc<Connection>,
    /// Longest time in which its client takes nothing of what waits for it.
    stall_max: Duration,
    /// Runs while something waits.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Bytes<S> {
    pub(crate) fn new(stream: S, connection: Arc<Connection>, stall_max: Duration) -> Self {
        Self { stream, connection, stall_max, stalled: None }
    }

    fn wrote(&mut self, wrote: Poll<io::Result<usize>>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let wrote = match wrote {
            Poll::Ready(wrote) => {
                self.stalled = None;
                Poll::Ready(wrote)
            }
            Poll::Pending => {
                let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(self.stall_max)));
                stalled.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
            }
        };
        match &wrote {
            Poll::Ready(Ok(bytes)) => self.connection.taken(u64::try_from(*bytes).unwrap_or(u64::MAX)),
            Poll::Ready(Err(_)) => self.connection.break_off(),
            Poll::Pending => {}
        }
        wrote
    }
}

impl<S> Drop for Bytes<S> {
    fn drop(&mut self) {
        self.connection.close();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bytes<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.connection.may_be_read(context) {
            return Poll::Pending;
        }
        if this.connection.broken.load(Ordering::Acquire) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        Pin::new(&mut this.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bytes<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let wrote = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.wrote(wrote, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let wrote = Pin::new(&mut this.stream).poll_write_vectored(context, bytes);
        this.wrote(wrote, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    fn limits() -> Limits {
        Limits {
            connections_max: 2,
            connection_calls_max: 2,
            connection_unread_bytes_max: 10,
            unread_bytes_max: 15,
            ..Limits::default()
        }
    }

    fn readable(connection: &Connection) -> bool {
        connection.may_be_read(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn connections_are_counted_until_they_are_closed() {
        let (all, limits) = (Arc::new(Connections::default()), limits());
        let first = all.open(&limits).unwrap();
        let _second = all.open(&limits).unwrap();
        assert!(all.open(&limits).is_none());
        first.close();
        assert!(all.open(&limits).is_some());
    }

    #[test]
    fn a_connection_with_many_calls_under_way_is_not_read_until_one_has_ended() {
        let all = Arc::new(Connections::default());
        let connection = all.open(&limits()).unwrap();
        let first = connection.begin().unwrap();
        assert!(readable(&connection));
        let second = connection.begin().unwrap();
        assert!(!readable(&connection));
        drop(first);
        assert!(readable(&connection));
        drop(second);
    }

    #[test]
    fn a_connection_whose_client_does_not_read_is_not_read_until_it_does() {
        let all = Arc::new(Connections::default());
        let connection = all.open(&limits()).unwrap();
        connection.begin().unwrap().answered(11);
        assert!(!readable(&connection));
        connection.taken(1);
        assert!(readable(&connection));
        // Frames and headers are taken, too.
        connection.taken(100);
        connection.begin().unwrap().answered(11);
        assert!(!readable(&connection));
    }

    #[test]
    fn who_waits_to_read_from_a_connection_is_told_that_it_is_broken() {
        let all = Arc::new(Connections::default());
        let connection = all.open(&limits()).unwrap();
        connection.begin().unwrap().answered(11);
        assert!(!readable(&connection));
        connection.break_off();
        assert!(readable(&connection));
    }

    #[tokio::test]
    async fn an_announcement_finds_the_room_that_another_connection_left() {
        let all = Arc::new(Connections::default());
        let (first, second) = (all.open(&limits()).unwrap(), all.open(&limits()).unwrap());
        first.begin().unwrap().answered(16);
        let mut waiting = Box::pin(second.room(1));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        first.taken(16);
        waiting.await;
    }

    #[tokio::test]
    async fn an_announcement_waits_until_the_client_has_taken_what_was_before_it() {
        let all = Arc::new(Connections::default());
        let connection = all.open(&limits()).unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let mut room = |connection: &Connection| Box::pin(connection.room(11)).as_mut().poll(&mut context).is_ready();
        assert!(room(&connection));
        assert!(!room(&connection));
        let mut waiting = Box::pin(connection.room(1));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        connection.taken(1);
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        drop(waiting);
        assert_eq!(all.unread.load(Ordering::SeqCst), 11, "what found no room is not counted");
        connection.close();
        assert!(room(&connection));
        assert_eq!(all.unread.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn what_all_clients_did_not_take_is_bounded_and_goes_with_those_that_leave() {
        let all = Arc::new(Connections::default());
        let (first, second) = (all.open(&limits()).unwrap(), all.open(&limits()).unwrap());
        first.begin().unwrap().answered(16);
        assert!(second.begin().is_none());
        first.close();
        assert!(second.begin().is_some());
        // An answer that nobody waits for any more is not counted.
        first.begin().unwrap().answered(16);
        assert!(second.begin().is_some());
    }
}
