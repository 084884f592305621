//! Parameters with a unit: a number that was meant as another unit is refused as the guard is attached, and the unit
//! stands in the descriptor, so that tools take `50%`, `1 day` and `2 ether`.
//!
//! ```
//! use parapet_guest::prelude::*;
//!
//! /// No more than a share of what the vault holds leaves in a day, whatever is less than the dust.
//! #[guard(name = "share_cap", triggers(flow))]
//! pub struct ShareCap {
//!     /// Most that may leave.
//!     #[param(default = "10%")]
//!     most: Bps,
//!     /// In this time.
//!     #[param(default = "1 day")]
//!     period: Seconds,
//!     /// Less than this is not counted.
//!     #[param(default = "0.01 ether")]
//!     dust: Wei,
//! }
//!
//! #[guard]
//! impl Guard for ShareCap {
//!     fn on_tx(&self, tx: &Tx) {
//!         for asset in moved::by_asset(tx) {
//!             let most = self.most.of(moved::held(tx, Fork::PreTx, asset.token));
//!             let counts = asset.net_out() > self.dust.get();
//!             let key = [b"out/", &asset.token.0[..]].concat();
//!             if counts && store::window_add(&key, asset.net_out(), most, self.period.get()) == store::Added::Refused {
//!                 veto!(1, "{} left within {}, at most {} may", asset.net_out(), self.period, self.most);
//!             }
//!         }
//!     }
//! }
//!
//! let guard = ShareCap { most: Bps::new(1_000), period: Seconds::new(86_400), dust: Wei::new(U256::ZERO) };
//! assert!(guard.period.get() <= parapet_guest::SECONDS_MAX);
//! assert!(guard.most.is_exceeded_by(U256::from(101), U256::from(1_000)));
//! ```

use crate::{
    U256, moved,
    speech::{Detail, Show},
};

/// Longest duration, in seconds: a hundred years. More is a number in another unit.
pub const SECONDS_MAX: u64 = 100 * 31_557_600;

/// A share in basis points, at most one whole: 1% is 100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bps(u64);

/// A duration in seconds, at most [`SECONDS_MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(u64);

/// An amount of ether, in wei.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wei(U256);

impl Bps {
    /// So many basis points; meant for constants and tests.
    ///
    /// # Panics
    /// Above [`moved::WHOLE_BPS`].
    #[must_use]
    pub const fn new(bps: u64) -> Self {
        match Self::checked(bps) {
            Some(share) => share,
            None => panic!("a share has at most 10,000 basis points"),
        }
    }

    pub(crate) const fn checked(bps: u64) -> Option<Self> {
        if bps <= moved::WHOLE_BPS { Some(Self(bps)) } else { None }
    }

    /// The number of basis points.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// This share of an amount, rounded down.
    #[must_use]
    pub fn of(self, whole: U256) -> U256 {
        moved::share(whole, self.0)
    }

    /// Whether `part` is more than this share of `whole`.
    #[must_use]
    pub fn is_exceeded_by(self, part: U256, whole: U256) -> bool {
        moved::exceeds_bps(part, whole, self.0)
    }
}

impl Seconds {
    /// So many seconds; meant for constants and tests.
    ///
    /// # Panics
    /// Above [`SECONDS_MAX`].
    #[must_use]
    pub const fn new(seconds: u64) -> Self {
        match Self::checked(seconds) {
            Some(duration) => duration,
            None => panic!("a duration has at most a hundred years"),
        }
    }

    pub(crate) const fn checked(seconds: u64) -> Option<Self> {
        if seconds <= SECONDS_MAX { Some(Self(seconds)) } else { None }
    }

    /// The number of seconds.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Wei {
    /// So many wei.
    #[must_use]
    pub const fn new(wei: U256) -> Self {
        Self(wei)
    }

    /// The number of wei.
    #[must_use]
    pub const fn get(self) -> U256 {
        self.0
    }
}

impl Show for Bps {
    fn show(&self, detail: &mut Detail) {
        detail.push(&self.0).push(" basis points");
    }
}

impl Show for Seconds {
    fn show(&self, detail: &mut Detail) {
        detail.push(&self.0).push(" seconds");
    }
}

impl Show for Wei {
    fn show(&self, detail: &mut Detail) {
        detail.push(&self.0).push(" wei");
    }
}
