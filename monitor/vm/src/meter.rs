//! The fuel of one attachment in one transaction.

use parapet_monitor::Fuel;

/// What a session may spend, what it has spent, and what it would have if more were granted.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    /// The attachment's own limit.
    own: u64,
    left: u64,
    /// Of its own, but not granted.
    withheld: u64,
}

impl Meter {
    /// With all of the attachment's limit.
    #[must_use]
    pub const fn new(own: Fuel) -> Self {
        Self { own: own.0, left: own.0, withheld: 0 }
    }

    /// What it may spend now.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.left
    }

    /// Fuel spent so far.
    #[must_use]
    pub const fn spent(&self) -> Fuel {
        Fuel(self.own - self.left - self.withheld)
    }

    /// Bounds what may be spent from here on, besides the attachment's own limit.
    pub fn grant(&mut self, fuel: Fuel) {
        let own = self.left + self.withheld;
        self.left = own.min(fuel.0);
        self.withheld = own - self.left;
    }

    /// Whether there would be more, had more been granted.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.withheld > 0
    }

    /// Takes fuel. Where there is less, all of it is spent, and the answer is `None`.
    #[must_use]
    pub const fn pay(&mut self, fuel: u64) -> Option<()> {
        let left = self.left.checked_sub(fuel);
        self.left = match left {
            Some(left) => left,
            None => 0,
        };
        if left.is_some() { Some(()) } else { None }
    }

    /// Says what is left after something that counted for itself.
    pub const fn set_left(&mut self, left: u64) {
        debug_assert!(left + self.withheld <= self.own, "no fuel comes of anything");
        self.left = left;
    }
}
