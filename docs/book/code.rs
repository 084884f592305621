//! The book's code, compiled and run as it stands there: each chapter's examples are tests of the documentation.
//!
//! Invariant: what the book shows works. Its commands are run by `devnet/clients`, and by the program's
//! own tests (`node/bin/tests/it/book.rs`).

#[cfg(doctest)]
mod chapters {
    #[doc = include_str!("src/triggers.md")]
    struct Triggers;
    #[doc = include_str!("src/parameters.md")]
    struct Parameters;
    #[doc = include_str!("src/testing.md")]
    struct Testing;
    #[doc = include_str!("src/porting.md")]
    struct Porting;
}
