//! Threads for what executes transactions or walks the chain for readers.
//!
//! Invariant: reads never delay blocks. They run on threads of their own, bounded in number, which the system serves only
//! with what nobody else needs; a bounded number waits for one of them; each has a time by which it is answered, its wait
//! included. Whoever takes longer is told so at once, and the thread is free when the read looks at its time next.
//!
//! Most reads take less than handing them to another thread and back does. So a read that can be begun anew is first tried where it
//! was asked for, for a fraction of a millisecond ([`Readers::run_briefly`]), and one thread that serves connections is always
//! left to others.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use metrics::{counter, gauge};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::{Limits, RpcError, measure};

/// How much less than others these threads are served, as `nice` has it: a third of what another thread gets where all are
/// busy, and whatever there is where nobody else is.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;
/// Longest time for which a read is tried where it was asked for: some times what handing it on costs.
const BRIEFLY: Duration = Duration::from_micros(200);

pub(crate) struct Readers {
    /// Always there but while it is dropped.
    threads: Option<Runtime>,
    /// Reads that run or wait.
    reads: Arc<AtomicUsize>,
    reads_max: usize,
    time_max: Duration,
    /// Whether several threads serve connections.
    may_try: bool,
}

/// A read that runs or waits.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
        gauge!(measure::READS).decrement(1.0);
    }
}

impl Readers {
    pub(crate) fn new(limits: &Limits) -> Result<Self, RpcError> {
        // A thread stands back as who makes it does, so those that all share are made before the first read could make them.
        let _shared: usize = rayon::current_num_threads();
        let threads = Builder::new_current_thread()
            .max_blocking_threads(limits.heavy_reads_max.max(1))
            .thread_name("parapet-read")
            .on_thread_start(stand_back)
            .build()
            .map_err(|error| RpcError::Internal(format!("no threads for reads: {error}")))?;
        Ok(Self {
            threads: Some(threads),
            reads: Arc::default(),
            reads_max: limits.heavy_reads_max.saturating_add(limits.reads_waiting_max),
            time_max: limits.read_time_max,
            may_try: Handle::try_current().is_ok_and(|serving| serving.metrics().num_workers() > 1),
        })
    }

    /// Tries a read here, for a fraction of a millisecond; it is late, too, where nothing may be tried, or a guard were to be asked.
    pub(crate) fn briefly<T>(&self, work: impl FnOnce() -> Result<T, RpcError>) -> Result<T, RpcError> {
        if !self.may_try {
            return Err(RpcError::Late(parapet_simulate::Late));
        }
        let end = Instant::now() + BRIEFLY.min(self.time_max);
        catch_unwind(AssertUnwindSafe(|| parapet_simulate::briefly(end, work)))
            .unwrap_or_else(|panic| Err(panicked(&*panic)))
    }

    /// Runs a read.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, RpcError> + Send + 'static,
    ) -> Result<T, RpcError> {
        let read = self.admit()?;
        let end = Instant::now() + self.time_max;
        let threads = self.threads.as_ref().expect("there until it is dropped");
        let done = threads.spawn_blocking(move || {
            let _read = read;
            parapet_simulate::until(end, || {
                // It may have waited for all of its time.
                parapet_simulate::check_time()?;
                work()
            })
        });
        let done = match tokio::time::timeout_at(end.into(), done).await {
            Ok(done) => done.unwrap_or_else(|panic| Err(RpcError::Internal(panic.to_string()))),
            Err(_) => Err(RpcError::Late(parapet_simulate::Late)),
        };
        if matches!(done, Err(RpcError::Late(_))) {
            counter!(measure::LATE_READS).increment(1);
        }
        done
    }

    fn admit(&self) -> Result<Counted, RpcError> {
        let room = |reads: usize| (reads < self.reads_max).then_some(reads + 1);
        if self.reads.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_err() {
            counter!(measure::REFUSED_READS).increment(1);
            return Err(RpcError::Busy);
        }
        gauge!(measure::READS).increment(1.0);
        Ok(Counted(Arc::clone(&self.reads)))
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        // Reads that run end by themselves; nobody waits for them.
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

/// A fault of the node's own.
fn panicked(panic: &(dyn std::any::Any + Send)) -> RpcError {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    RpcError::Internal(format!("a read panicked: {}", text.unwrap_or_default()))
}

/// Lets all other threads go first.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "a system call without memory")]
fn stand_back() {
    // SAFETY: it takes numbers only. On Linux, process 0 is the calling thread. Where it is refused, reads are served as others.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICENESS) };
}

/// Lets all other threads go first, where the system knows how.
#[cfg(not(target_os = "linux"))]
const fn stand_back() {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use std::sync::mpsc;

    use super::*;

    fn readers(limits: &Limits) -> Readers {
        Readers::new(limits).unwrap()
    }

    #[tokio::test]
    async fn reads_beyond_those_that_run_and_wait_are_refused() {
        let readers = Arc::new(readers(&Limits { heavy_reads_max: 1, reads_waiting_max: 1, ..Limits::default() }));
        let (release, released) = mpsc::channel::<()>();
        let running = {
            let readers = Arc::clone(&readers);
            tokio::spawn(async move { readers.run(move || Ok(released.recv().is_err())).await })
        };
        while readers.reads.load(Ordering::Relaxed) < 1 {
            tokio::task::yield_now().await;
        }
        let waiting = {
            let readers = Arc::clone(&readers);
            tokio::spawn(async move { readers.run(|| Ok(7)).await })
        };
        while readers.reads.load(Ordering::Relaxed) < 2 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(readers.run(|| Ok(())).await, Err(RpcError::Busy)));
        drop(release);
        assert!(running.await.unwrap().unwrap());
        assert_eq!(waiting.await.unwrap().unwrap(), 7);
        assert_eq!(readers.run(|| Ok(8)).await.unwrap(), 8);
    }

    #[tokio::test]
    async fn a_read_that_takes_too_long_is_answered_and_its_thread_is_free_when_it_looks() {
        let limits = Limits { heavy_reads_max: 1, read_time_max: Duration::from_millis(50), ..Limits::default() };
        let readers = readers(&limits);
        let endless = readers.run(|| -> Result<(), RpcError> {
            loop {
                parapet_simulate::check_time()?;
            }
        });
        assert!(matches!(endless.await, Err(RpcError::Late(_))));
        // The only thread is free again, or this would be late, too; it may take the rest of a time slice.
        let again = async {
            loop {
                if readers.run(|| Ok(())).await.is_ok() {
                    return;
                }
            }
        };
        again.await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_read_is_tried_only_as_long_as_it_is_brief() {
        let readers = readers(&Limits::default());
        assert_eq!(readers.briefly(|| Ok(7)).unwrap(), 7);
        let long = readers.briefly(|| -> Result<(), RpcError> {
            loop {
                parapet_simulate::check_time()?;
            }
        });
        assert!(matches!(long, Err(RpcError::Late(_))));
        let broken = readers.briefly(|| -> Result<(), RpcError> { panic!("as it should") });
        assert!(matches!(broken, Err(RpcError::Internal(text)) if text.contains("as it should")));
    }

    #[tokio::test]
    async fn nothing_is_tried_where_it_would_hold_up_all_connections() {
        assert!(matches!(readers(&Limits::default()).briefly(|| Ok(7)), Err(RpcError::Late(_))));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn reads_stand_back_behind_other_threads() {
        // The 19th field of a thread's line, and its name, which stands in brackets, may hold spaces.
        let niceness = |line: &str| line.rsplit_once(')').unwrap().1.split_whitespace().nth(16).unwrap().parse::<i32>();
        let own = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let readers = readers(&Limits::default());
        let line = readers.run(|| Ok(std::fs::read_to_string("/proc/thread-self/stat").unwrap())).await.unwrap();
        assert!(line.contains("(parapet-read)"), "{line}");
        assert_eq!(niceness(&line), niceness(&own).map(|own| own.max(NICENESS)), "{line}");
    }

    #[tokio::test]
    async fn a_read_that_panics_is_a_fault_of_the_node_and_the_next_one_runs() {
        let readers = readers(&Limits::default());
        let broken = readers.run(|| -> Result<(), RpcError> { panic!("as it should") }).await;
        assert!(matches!(broken, Err(RpcError::Internal(_))));
        assert_eq!(readers.run(|| Ok(1)).await.unwrap(), 1);
    }
}
