//! The allocator of guests: it only goes forward.
//!
//! An instance's memory lasts for one transaction and is put back then, so freeing would be work for nothing, and every
//! step of an allocator is paid for in fuel. Only the newest block can grow or be given back in place, which is what a
//! growing `Vec` needs.

#![no_std]
#![cfg(target_arch = "wasm32")]

use core::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32,
    ptr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

const PAGE_BYTES: usize = 65_536;

#[allow(unsafe_code, reason = "declares the linker's own symbol")]
// SAFETY: wasm-ld defines `__heap_base`; only its address is taken, nothing is read through it.
unsafe extern "C" {
    static __heap_base: u8;
}

/// Gives memory from the end of the module's data onward, and asks the host for more where that is all there is.
#[derive(Debug)]
pub struct Bump {
    /// First free address; 0 before the first allocation.
    next: AtomicUsize,
}

impl Bump {
    /// One that has given nothing yet. A module has at most one.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "an allocator is a static, for which `default` is of no use")]
    pub const fn new() -> Self {
        Self { next: AtomicUsize::new(0) }
    }

    fn next(&self) -> usize {
        match self.next.load(Relaxed) {
            0 => (&raw const __heap_base).addr(),
            next => next,
        }
    }

    /// Makes everything below `end` usable; false when the host gives no more memory.
    fn reach(&self, end: usize) -> bool {
        let have = wasm32::memory_size(0) * PAGE_BYTES;
        if end > have && wasm32::memory_grow(0, (end - have).div_ceil(PAGE_BYTES)) == usize::MAX {
            return false;
        }
        self.next.store(end, Relaxed);
        true
    }
}

#[allow(unsafe_code, reason = "an allocator is an unsafe trait")]
// SAFETY: blocks start at `next`, aligned, lie below the end of memory (`reach`) and above the linker's data
// (`__heap_base`), and `next` moves behind each, so no two overlap; it moves back only over the newest block, when
// that block is given back. There is one thread.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(start) = self.next().checked_next_multiple_of(layout.align()) else { return ptr::null_mut() };
        match start.checked_add(layout.size()) {
            Some(end) if self.reach(end) => ptr::with_exposed_provenance_mut(start),
            _ => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if block.addr() + layout.size() == self.next() {
            self.next.store(block.addr(), Relaxed);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let newest = block.addr() + layout.size() == self.next();
        if let (true, Some(end)) = (newest, block.addr().checked_add(size)) {
            return if self.reach(end) { block } else { ptr::null_mut() };
        }
        // SAFETY: the caller promises that `size`, rounded up to the alignment, does not overflow.
        let fresh = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !fresh.is_null() {
            // SAFETY: both blocks are this allocator's, at least that long, and do not overlap.
            unsafe { ptr::copy_nonoverlapping(block, fresh, layout.size().min(size)) };
        }
        fresh
    }
}
