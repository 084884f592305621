//! The memory model. Each thread has a *view*: for every place, the oldest write that it may still read. A write that
//! releases carries its thread's view; a load that acquires takes over the view of what it reads. The order of `SeqCst`
//! is that of the execution: such a load reads nothing older than the last `SeqCst` write to its place. That is the
//! operational reading of C++20's model, without load buffering and with each place's writes in the order of the
//! execution.
//!
//! Shuttle runs all threads of an execution as coroutines of one thread of the system, so the machine is a thread-local
//! that is set up anew by [`reset`], and never borrowed across a [`pause`].

use std::{
    cell::RefCell,
    sync::{OnceLock, atomic::Ordering},
};

use shuttle::rand::Rng as _;

/// Which values a load may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// The last one written, whatever the orderings say.
    Sequential,
    /// Any that the orderings allow.
    Weak,
}

/// What a thread knows: by place, the position of the oldest write that it may still read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View(Vec<u32>);

impl View {
    fn at(&self, place: usize) -> u32 {
        self.0.get(place).copied().unwrap_or(0)
    }

    fn raise(&mut self, place: usize, position: u32) {
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
        self.0[place] = self.0[place].max(position);
    }

    fn join(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (own, position) in self.0.iter_mut().zip(&other.0) {
            *own = (*own).max(*position);
        }
    }
}

#[derive(Debug)]
struct Write {
    value: u64,
    /// What who reads it with `Acquire` learns.
    released: View,
}

#[derive(Debug)]
struct Machine {
    strength: Strength,
    places: Vec<Vec<Write>>,
    /// By thread.
    views: Vec<View>,
    /// The last `SeqCst` write of each place.
    ordered: View,
}

thread_local! {
    /// Every use of a primitive of shuttle's is a point at which it may go on with another thread.
    static GATE: shuttle::sync::atomic::AtomicBool = const { shuttle::sync::atomic::AtomicBool::new(false) };

    static MACHINE: RefCell<Machine> = const {
        RefCell::new(Machine {
            strength: Strength::Sequential,
            places: Vec::new(),
            views: Vec::new(),
            ordered: View(Vec::new()),
        })
    };
}

/// Starts an execution: no place exists, nobody knows anything.
pub fn reset(strength: Strength) {
    MACHINE.with_borrow_mut(|machine| {
        *machine = Machine { strength, places: Vec::new(), views: Vec::new(), ordered: View::default() };
    });
}

/// Any other thread may run now.
pub fn pause() {
    GATE.with(|gate| gate.load(Ordering::SeqCst));
}

/// What the calling thread knows.
#[must_use]
pub fn known() -> View {
    with(|machine, thread| machine.views[thread].clone())
}

/// The calling thread learns what another knew.
pub fn learn(view: &View) {
    with(|machine, thread| machine.views[thread].join(view));
}

fn with<T>(act: impl FnOnce(&mut Machine, usize) -> T) -> T {
    let thread = usize::from(shuttle::current::me());
    MACHINE.with_borrow_mut(|machine| {
        if machine.views.len() <= thread {
            machine.views.resize_with(thread + 1, View::default);
        }
        act(machine, thread)
    })
}

const fn acquires(ordering: Ordering) -> bool {
    matches!(ordering, Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst)
}

const fn releases(ordering: Ordering) -> bool {
    matches!(ordering, Ordering::Release | Ordering::AcqRel | Ordering::SeqCst)
}

/// A word of the machine's memory. Who can reach it knows its first value.
#[derive(Debug)]
pub struct Place {
    first: u64,
    /// Where the machine keeps it, from its first use on.
    kept: OnceLock<usize>,
}

impl Place {
    /// A new place.
    #[must_use]
    pub const fn new(value: u64) -> Self {
        Self { first: value, kept: OnceLock::new() }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Machine, usize, usize) -> T) -> T {
        with(|machine, thread| {
            let place = *self.kept.get_or_init(|| {
                machine.places.push(vec![Write { value: self.first, released: View::default() }]);
                machine.places.len() - 1
            });
            act(machine, thread, place)
        })
    }

    /// Whether the calling thread must see the last write, whatever it reads with.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.with(|machine, thread, place| machine.views[thread].at(place) == machine.last(place))
    }

    /// Loads.
    #[must_use]
    pub fn load(&self, ordering: Ordering) -> u64 {
        self.with(|machine, thread, place| {
            let position = machine.visible(thread, place, ordering);
            machine.read(thread, place, position, ordering)
        })
    }

    /// Stores.
    pub fn store(&self, value: u64, ordering: Ordering) {
        self.with(|machine, thread, place| machine.write(thread, place, value, ordering, View::default()));
    }

    /// Reads the last value and writes another in one step. Gives the former.
    pub fn change(&self, ordering: Ordering, change: impl FnOnce(u64) -> u64) -> u64 {
        self.with(|machine, thread, place| machine.change(thread, place, ordering, change))
    }

    /// Compares and exchanges in one step; one that fails is a load.
    ///
    /// # Errors
    /// The value that it has instead.
    pub fn exchange(&self, current: u64, new: u64, success: Ordering, failure: Ordering) -> Result<u64, u64> {
        self.with(|machine, thread, place| {
            let seen = machine.visible(thread, place, failure);
            if machine.places[place][seen as usize].value != current {
                return Err(machine.read(thread, place, seen, failure));
            }
            let last = machine.last(place);
            if machine.places[place][last as usize].value != current {
                return Err(machine.read(thread, place, last, failure));
            }
            Ok(machine.change(thread, place, success, |_| new))
        })
    }
}

impl Machine {
    fn last(&self, place: usize) -> u32 {
        u32::try_from(self.places[place].len() - 1).expect("the steps of an execution are bounded")
    }

    /// Position of a write that a load may read: often the last, else any.
    fn visible(&self, thread: usize, place: usize, ordering: Ordering) -> u32 {
        let last = self.last(place);
        if self.strength == Strength::Sequential {
            return last;
        }
        let mut oldest = self.views[thread].at(place);
        if ordering == Ordering::SeqCst {
            oldest = oldest.max(self.ordered.at(place));
        }
        let mut random = shuttle::rand::thread_rng();
        if oldest == last || random.r#gen::<bool>() { last } else { random.gen_range(oldest..=last) }
    }

    fn read(&mut self, thread: usize, place: usize, position: u32, ordering: Ordering) -> u64 {
        let write = &self.places[place][position as usize];
        let view = &mut self.views[thread];
        view.raise(place, position);
        if acquires(ordering) {
            view.join(&write.released);
        }
        write.value
    }

    /// `carried`: what the write that it follows in one step released.
    fn write(&mut self, thread: usize, place: usize, value: u64, ordering: Ordering, carried: View) {
        let position = self.last(place) + 1;
        let view = &mut self.views[thread];
        view.raise(place, position);
        let mut released = carried;
        if releases(ordering) {
            released.join(view);
        }
        if ordering == Ordering::SeqCst {
            self.ordered.raise(place, position);
        }
        self.places[place].push(Write { value, released });
    }

    fn change(&mut self, thread: usize, place: usize, ordering: Ordering, change: impl FnOnce(u64) -> u64) -> u64 {
        let last = self.last(place);
        let carried = self.places[place][last as usize].released.clone();
        let value = self.read(thread, place, last, ordering);
        self.write(thread, place, change(value), ordering, carried);
        value
    }
}
