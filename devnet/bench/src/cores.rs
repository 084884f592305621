//! Virtual cores in virtual time: as many threads, of which one runs at a time, always the one that is earliest. What they
//! do takes no time but what they say ([`pass`]). So a program of threads runs as it would on that many cores, and the
//! same each time.
//!
//! Invariant: a core has its turn only while no other that is awake is earlier.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

/// Bytes of a core's stack: it runs no EVM.
const STACK_BYTES: usize = 1 << 18;

/// What a run on virtual cores took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Elapsed {
    /// Until the last core had ended, in nanoseconds.
    pub(crate) wall_ns: u64,
    /// What all cores together were busy for, in nanoseconds.
    pub(crate) busy_ns: u64,
}

/// What a core is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Awake,
    Asleep,
    /// It was woken before it slept.
    Called,
    Ended,
}

#[derive(Debug)]
struct State {
    /// By core: how late it is, in nanoseconds.
    now: Vec<u64>,
    standing: Vec<Standing>,
    turn: Option<usize>,
    busy_ns: u64,
    wall_ns: u64,
    /// A core has panicked, or all of them sleep: the others must not wait.
    failed: bool,
}

#[derive(Debug)]
struct Cores {
    state: Mutex<State>,
    turns: Vec<Condvar>,
    /// From a core's waking another until that one runs, in nanoseconds.
    wake_ns: u64,
}

thread_local! {
    static CORE: RefCell<Option<(Arc<Cores>, usize)>> = const { RefCell::new(None) };
}

/// Runs `task` on that many cores, which are told their number. The first starts at once, and wakes the others.
///
/// # Panics
/// If a core does, or if all that have not ended sleep.
pub(crate) fn run(count: usize, wake_ns: u64, task: impl Fn(usize) + Sync) -> Elapsed {
    let cores = Arc::new(Cores {
        state: Mutex::new(State {
            now: (0..count).map(|core| if core == 0 { 0 } else { wake_ns }).collect(),
            standing: vec![Standing::Awake; count],
            turn: Some(0),
            busy_ns: 0,
            wall_ns: 0,
            failed: false,
        }),
        turns: (0..count).map(|_| Condvar::new()).collect(),
        wake_ns,
    });
    thread::scope(|scope| {
        for core in 0..count {
            let (cores, task) = (Arc::clone(&cores), &task);
            let live = move || {
                CORE.set(Some((Arc::clone(&cores), core)));
                cores.wait(core, cores.state());
                let ended = catch_unwind(AssertUnwindSafe(|| task(core)));
                cores.end(core, ended.is_err());
                ended.unwrap_or_else(|panic| resume_unwind(panic));
            };
            let spawned = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, live);
            spawned.expect("the system has some more threads");
        }
    });
    let state = cores.state();
    Elapsed { wall_ns: state.wall_ns, busy_ns: state.busy_ns }
}

/// The calling core is busy for that long.
pub(crate) fn pass(ns: u64) {
    with(|cores, core| {
        let mut state = cores.state();
        state.now[core] += ns;
        state.busy_ns += ns;
        cores.hand_over(core, state);
    });
}

/// The calling core's number; zero outside of any.
pub(crate) fn own() -> usize {
    CORE.with_borrow(|core| core.as_ref().map_or(0, |(_, core)| *core))
}

/// The calling core sleeps until it is woken, or not at all if it has been woken since it last slept.
pub(crate) fn sleep() {
    with(|cores, core| {
        let mut state = cores.state();
        if state.standing[core] == Standing::Called {
            state.standing[core] = Standing::Awake;
            return;
        }
        state.standing[core] = Standing::Asleep;
        cores.hand_over(core, state);
    });
}

/// The calling core wakes another.
pub(crate) fn wake(sleeper: usize) {
    with(|cores, core| {
        let mut state = cores.state();
        state.standing[sleeper] = match state.standing[sleeper] {
            Standing::Asleep => {
                state.now[sleeper] = state.now[sleeper].max(state.now[core] + cores.wake_ns);
                Standing::Awake
            }
            Standing::Awake => Standing::Called,
            other @ (Standing::Called | Standing::Ended) => other,
        };
    });
}

fn with(act: impl FnOnce(&Cores, usize)) {
    let core = CORE.with_borrow(Clone::clone);
    if let Some((cores, core)) = core {
        act(&cores, core);
    }
}

impl Cores {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the turn to the earliest core, and waits until it comes back.
    fn hand_over(&self, core: usize, mut state: MutexGuard<'_, State>) {
        self.choose(&mut state);
        self.wait(core, state);
    }

    fn choose(&self, state: &mut State) {
        let awake = |core: &usize| matches!(state.standing[*core], Standing::Awake | Standing::Called);
        state.turn = (0..state.now.len()).filter(awake).min_by_key(|core| state.now[*core]);
        state.failed |= state.turn.is_none() && state.standing.contains(&Standing::Asleep);
        match state.turn {
            Some(next) if !state.failed => self.turns[next].notify_one(),
            Some(_) | None => self.turns.iter().for_each(Condvar::notify_one),
        }
    }

    fn wait(&self, core: usize, mut state: MutexGuard<'_, State>) {
        while state.turn != Some(core) && !state.failed {
            state = self.turns[core].wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let failed = state.failed;
        drop(state);
        assert!(!failed || thread::panicking(), "a virtual core has failed, or all of them sleep");
    }

    fn end(&self, core: usize, failed: bool) {
        let mut state = self.state();
        state.standing[core] = Standing::Ended;
        state.wall_ns = state.wall_ns.max(state.now[core]);
        state.failed |= failed;
        self.choose(&mut state);
    }
}
