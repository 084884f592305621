//! What a guard says about itself, as data in a custom section: read by hosts and tools without running anything.
//!
//! The section [`SECTION`] holds one JSON object, at most [`DESCRIPTOR_BYTES_MAX`] bytes:
//!
//! ```json
//! {"abi": 1, "name": "outflow_cap", "version": "0.1.0", "summary": "…",
//!  "triggers": ["frame", "flow"], "subscribes": ["accesses"],
//!  "parameters": [{"name": "tx_max", "type": "uint256", "default": "1000", "doc": "…"}]}
//! ```
//!
//! A trigger is a name or an object, `{"on": "call", "selector": "transfer(address,uint256)", "role": "target"}`, whose
//! values may be parameters, `{"on": "slot", "mapping": 3, "key": "$owner"}`: section 6 of the
//! specification, `SPECIFICATION.md`, has all of them.
//!
//! A parameter without `default` must be given at attachment. Types are Solidity ABI types; the configuration bytes of
//! an attachment are the ABI encoding of the parameters, in order, as Solidity's `abi.encode` gives it. A parameter, or the
//! items of one, may have a `unit`, one of [`UNIT_WEI`], [`UNIT_BPS`] and [`UNIT_SECONDS`]: tools read and show it in it.

/// Unit of a parameter: wei. Its type is `uint256`.
pub const UNIT_WEI: &str = "wei";
/// Unit of a parameter: basis points, at most 10,000.
pub const UNIT_BPS: &str = "bps";
/// Unit of a parameter: seconds.
pub const UNIT_SECONDS: &str = "seconds";

/// Name of the custom section.
pub const SECTION: &str = "parapet.guard";
/// Longest descriptor, in bytes.
pub const DESCRIPTOR_BYTES_MAX: usize = 16 * 1_024;

/// Trigger: a frame runs an attached account's code, has it as target, or moves ether from or to it.
pub const TRIGGER_FRAME: &str = "frame";
/// Trigger: ether or a token leaves or reaches an attached account, even when no frame enters it.
pub const TRIGGER_FLOW: &str = "flow";

/// Subscription: ordered storage accesses, transient ones included.
pub const SUBSCRIBE_ACCESSES: &str = "accesses";
/// Subscription: logs and the ether and token flows.
pub const SUBSCRIBE_FLOWS: &str = "flows";
/// Subscription: what is hashed to find entries of mappings.
pub const SUBSCRIBE_PREIMAGES: &str = "preimages";
/// Subscription: fees among the flows; includes [`SUBSCRIBE_FLOWS`].
pub const SUBSCRIBE_FEES: &str = "fees";
