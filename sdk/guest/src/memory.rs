//! Memory of a guest: an allocator that only goes forward, a cell for the loaded guard, and what a panic does.
//!
//! An instance lives for one transaction and its memory is thrown away with it, so freeing would be work for nothing.
//! Only the newest block can grow or be given back in place, which is what a growing `Vec` needs.

use core::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32,
    cell::OnceCell,
    ptr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

const PAGE_BYTES: usize = 65_536;

#[allow(unsafe_code, reason = "declares the linker's own symbol")]
// SAFETY: wasm-ld defines `__heap_base`; only its address is taken, nothing is read through it.
unsafe extern "C" {
    static __heap_base: u8;
}

struct Bump {
    /// First free address; 0 before the first allocation.
    next: AtomicUsize,
}

#[global_allocator]
static BUMP: Bump = Bump { next: AtomicUsize::new(0) };

impl Bump {
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

/// A value made at its first use: the guard with its configuration.
#[derive(Debug)]
pub struct Once<T>(OnceCell<T>);

#[allow(unsafe_code, reason = "a static must be Sync")]
// SAFETY: a guest has one thread; vetting refuses shared memory, without which there can be no other.
unsafe impl<T> Sync for Once<T> {}

impl<T> Once<T> {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self(OnceCell::new())
    }

    /// The value, made by `make` the first time.
    pub fn get(&self, make: fn() -> T) -> &T {
        self.0.get_or_init(make)
    }
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A panic is a trap, and a trap has the outcome that the attachment declared for failures. The message stays out of
/// the module, for its size; native tests show it.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}
