#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use parapet_guest::prelude::*;

use super::{address_in, input_mentions, mentions, word_of};

const WHO: Address = Address([0x11; 20]);

#[test]
fn a_packed_address_is_found_and_nobody_is_never() {
    let packed = (word_of(WHO) << 16) | U256::from(1);
    assert!(mentions(packed, WHO) && mentions(word_of(WHO), WHO));
    assert!(!mentions(packed, Address([0x12; 20])));
    assert!(!mentions(U256::ZERO, Address::ZERO), "an empty word names nobody");
}

#[test]
fn an_address_is_read_from_the_low_end_of_a_word() {
    assert_eq!(address_in((U256::from(1) << 160) | word_of(WHO)), WHO);
}

#[test]
fn calldata_may_be_packed() {
    let input = [&[1, 2, 3, 4, 5][..], &WHO.0, &[6]].concat();
    assert!(input_mentions(&input, WHO) && !input_mentions(&input[..24], WHO));
}
