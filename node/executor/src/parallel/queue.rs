//! Transactions that are claimed out of turn. Invariant: the count is the number in the heap whenever its lock is free.

use std::collections::BinaryHeap;

use crossbeam_utils::CachePadded;

use crate::sync::{AtomicUsize, Mutex, Ordering};

/// A heap that is looked into far more often than anything is in it.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    heap: CachePadded<Mutex<BinaryHeap<T>>>,
    count: AtomicUsize,
}

impl<T: Ord> Queue<T> {
    pub(crate) fn new() -> Self {
        Self { heap: Mutex::new(BinaryHeap::new()).into(), count: AtomicUsize::new(0) }
    }

    pub(crate) fn push(&self, item: T) {
        let mut heap = self.heap.lock();
        heap.push(item);
        // Under the lock: counted beside it, two who claim before the count is right would take it below zero, and
        // everybody would run in circles after transactions that are not there.
        self.count.store(heap.len(), Ordering::SeqCst);
    }

    /// The greatest.
    pub(crate) fn pop(&self) -> Option<T> {
        self.pop_if(|_| true)
    }

    /// The greatest, if it is wanted.
    pub(crate) fn pop_if(&self, is_wanted: impl FnOnce(&T) -> bool) -> Option<T> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut heap = self.heap.lock();
        if !is_wanted(heap.peek()?) {
            return None;
        }
        let item = heap.pop()?;
        self.count.store(heap.len(), Ordering::SeqCst);
        Some(item)
    }

    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}
