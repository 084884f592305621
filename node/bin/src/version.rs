//! What this program is: its version, the commit it was built from, and what was built into it.

/// As Cargo has it.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The first digits of the commit's name, or why there is none.
pub(crate) const COMMIT: &str = env!("PARAPET_COMMIT");
/// What `parapet --version` prints after the name.
pub(crate) const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit   ",
    env!("PARAPET_COMMIT"),
    "\nfeatures ",
    env!("PARAPET_FEATURES"),
    "\nprofile  ",
    env!("PARAPET_PROFILE")
);
/// What `web3_clientVersion` answers.
pub(crate) const CLIENT: &str = concat!("parapet/", env!("CARGO_PKG_VERSION"), "/rust");
