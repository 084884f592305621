//! The custom section that says what a guard is, as data that is read without running anything.

/// Puts a descriptor into the module: one JSON object, as `parapet_abi::descriptor` describes it. Parameters of a
/// CosmWasm guard become the members of its `instantiate` message.
///
/// Without it the guard is named after its module's hash and wakes for frames and flows.
#[macro_export]
macro_rules! guard {
    ($descriptor:expr) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            const TEXT: &str = $descriptor;
            const fn bytes() -> [u8; TEXT.len()] {
                let mut bytes = [0; TEXT.len()];
                let mut at = 0;
                while at < bytes.len() {
                    bytes[at] = TEXT.as_bytes()[at];
                    at += 1;
                }
                bytes
            }
            #[used]
            #[unsafe(link_section = "parapet.guard")]
            static DESCRIPTOR: [u8; TEXT.len()] = bytes();
        };
    };
}
