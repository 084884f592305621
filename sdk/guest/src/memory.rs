//! Memory of a guest: its allocator, a cell for the loaded guard, and what a panic does.

use core::{arch::wasm32, cell::OnceCell};

use parapet_bump::Bump;

#[global_allocator]
static BUMP: Bump = Bump::new();

/// A value made at its first use: the guard with its configuration.
#[doc(hidden)]
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
