//! The custom section that says what a guard is, as data that is read without running anything.

/// Puts a descriptor into the module: one JSON object, as `parapet_abi::descriptor` describes it. Parameters of a
/// CosmWasm guard become the members of its `instantiate` message.
///
/// Without it the guard is named after its module's hash and wakes for frames and flows.
///
/// A second argument, a JSON array, names the lists of [`Judge`](crate::Judge) that the guard reads: `frames`, `flows`,
/// `logs`, `slot_changes`, `code_changes`. Those it leaves out are not sent, which is what a message mostly costs. Without
/// it all are sent.
#[macro_export]
macro_rules! guard {
    ($descriptor:expr) => {
        $crate::section!("parapet.guard", $descriptor);
    };
    ($descriptor:expr, $lists:expr) => {
        $crate::section!("parapet.guard", $descriptor);
        $crate::section!("parapet.message", $lists);
    };
}

/// Puts text into a custom section of the module.
#[doc(hidden)]
#[macro_export]
macro_rules! section {
    ($name:literal, $text:expr) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            const TEXT: &str = $text;
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
            #[unsafe(link_section = $name)]
            static SECTION: [u8; TEXT.len()] = bytes();
        };
    };
}
