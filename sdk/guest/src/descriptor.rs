//! Joins a descriptor at compile time. Not for authors; `#[guard(…)]` uses it.

/// A guard's own description, the JSON of `parapet_abi::descriptor`.
pub trait Described {
    /// The JSON.
    const DESCRIPTOR: &'static str;
}

/// What stands in a parameter's JSON between its type and its unit: nothing without one.
#[doc(hidden)]
#[must_use]
pub const fn before_unit(unit: &str) -> &'static str {
    if unit.is_empty() { "" } else { "\",\"unit\":\"" }
}

/// Length of the parts together, in bytes.
#[doc(hidden)]
#[must_use]
pub const fn len(parts: &[&str]) -> usize {
    let (mut sum, mut at) = (0, 0);
    while at < parts.len() {
        sum += parts[at].len();
        at += 1;
    }
    sum
}

/// The parts, one behind the other.
///
/// # Panics
/// At compile time, when they are longer than `N`.
#[doc(hidden)]
#[must_use]
pub const fn join<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut out = [0; N];
    let (mut to, mut at) = (0, 0);
    while at < parts.len() {
        let part = parts[at].as_bytes();
        let mut from = 0;
        while from < part.len() {
            out[to] = part[from];
            to += 1;
            from += 1;
        }
        at += 1;
    }
    out
}

/// The joined bytes as text.
///
/// # Panics
/// At compile time, when they are not UTF-8, which text parts always are.
#[doc(hidden)]
#[must_use]
pub const fn text(bytes: &'static [u8]) -> &'static str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("parts of a descriptor are text"),
    }
}
