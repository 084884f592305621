//! Drawn requests and drawn transactions against a node's edge, over a real port: as strangers meet it, a server with everything that
//! is not for development, or as developers do, with methods for everything.
//!
//! What is drawn is a function of a seed: requests that make sense, changed until they may not (`draw`), as bytes. Held is
//! (`edge`): each request is answered, with a status and a code that clients know, never with a fault of the node's own; and
//! the node goes on, serves others and builds blocks. Of bytes that may be a transaction (`decode`): what is decoded is
//! encoded as the same bytes, and what is admitted has the hash of its bytes.

mod decode;
mod draw;
mod edge;
mod source;

pub use decode::{DecodeFault, Decoded, decode_seed};
pub use draw::{Whose, draw};
pub use edge::{Edge, Fault, Met};
