//! The custom section that says what a guard is, as data that is read without running anything, and the allocator.

/// Puts a descriptor into the module: one JSON object, as `parapet_abi::descriptor` describes it. Parameters of a
/// CosmWasm guard become the members of its `instantiate` message.
///
/// The member `message` names what `sudo` is to be shown, `"message":["transaction","flows"]`; without it the message
/// holds all there is. What a guard reads by [`records`](crate::records()) its message need not hold.
///
/// The contract gets the allocator of native guards, which frees nothing: a contract's memory is put back after each
/// call. It spares the contract from growing its memory, which takes more time than all else in a light one.
///
/// Without this macro the guard is named after its module's hash and wakes for frames and flows.
#[macro_export]
macro_rules! guard {
    ($descriptor:expr) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            #[global_allocator]
            static ALLOCATOR: $crate::bump::Bump = $crate::bump::Bump::new();

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
