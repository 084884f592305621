use alloy_primitives::{Address, B256, Bytes, Selector};
use parapet_monitor::{Fork, MemoryState, Mode};
use parapet_registry::{Attachment, CHUNK_BYTES_MAX, RegistryError, RegistryImage, RegistryReader, SelectedTriggers};

use crate::{attachment, reader, state};

#[test]
fn an_empty_registry_has_no_head() {
    let mut state = MemoryState::default();
    assert_eq!(reader(&mut state).head().unwrap(), B256::ZERO);
    assert_eq!(reader(&mut state).attachment_ids().unwrap(), Vec::<B256>::new());
    assert_eq!(reader(&mut state).attachment(B256::repeat_byte(1)).unwrap(), None);
    assert_eq!(reader(&mut state).module_count().unwrap(), 0);
}

#[test]
fn an_attachment_reads_back_field_by_field() {
    let plain = Attachment { id: B256::repeat_byte(4), module: B256::repeat_byte(0xaa), ..Attachment::default() };
    let shadow = Attachment { mode: Some(Mode::Shadow), ..attachment(5) };
    let attachments = vec![attachment(3), plain, shadow];
    let mut state = state(&RegistryImage { attachments: attachments.clone(), ..RegistryImage::default() });
    for expected in attachments {
        assert_eq!(reader(&mut state).attachment(expected.id).unwrap(), Some(expected));
    }
}

#[test]
fn configurations_of_every_length_around_a_word_read_back() {
    for len in [0_usize, 1, 31, 32, 33, 63, 64, 65, 4_096] {
        let configuration: Bytes = (0..len).map(|byte| (byte % 251) as u8 + 1).collect();
        let written = Attachment { configuration: configuration.clone(), ..attachment(3) };
        let mut state = state(&RegistryImage { attachments: vec![written], ..RegistryImage::default() });
        let read = reader(&mut state).attachment(B256::repeat_byte(3)).unwrap().unwrap();
        assert_eq!(read.configuration, configuration, "{len} bytes");
    }
}

#[test]
fn escapes_of_every_number_around_a_word_read_back() {
    for count in [0, 1, 7, 8, 9, 15, 16] {
        let escapes: Vec<_> = (0..count).map(|number| Selector::from([number, 2, 3, 0xf0 + number])).collect();
        let written = Attachment { escapes: escapes.clone(), ..attachment(3) };
        let mut state = state(&RegistryImage { attachments: vec![written], ..RegistryImage::default() });
        let read = reader(&mut state).attachment(B256::repeat_byte(3)).unwrap().unwrap();
        assert_eq!(read.escapes, escapes, "{count} escapes");
    }
}

#[test]
fn no_selection_selects_all_triggers_and_a_selection_those_it_names() {
    let some = SelectedTriggers(0b101);
    assert_eq!([0, 1, 2, 3].map(|index| some.selects(index)), [true, false, true, false]);
    assert_eq!([0, 31, 64].map(|index| SelectedTriggers::ALL.selects(index)), [true; 3]);
    assert!(some.fits(3) && !some.fits(2), "a guard with two triggers has no third");
    assert!(SelectedTriggers(u32::MAX).fits(32) && SelectedTriggers::ALL.fits(0));
    assert!(!SelectedTriggers(u32::MAX).selects(32));
}

#[test]
fn ids_are_listed_for_the_chain_and_by_account() {
    let other = Attachment { accounts: vec![Address::repeat_byte(2)], ..attachment(4) };
    let image = RegistryImage { attachments: vec![attachment(3), other], ..RegistryImage::default() };
    let mut state = state(&image);
    let [three, four] = [B256::repeat_byte(3), B256::repeat_byte(4)];
    assert_eq!(reader(&mut state).attachment_ids().unwrap(), [three, four]);
    assert_eq!(reader(&mut state).attachments_of(Address::repeat_byte(1)).unwrap(), [three]);
    assert_eq!(reader(&mut state).attachments_of(Address::repeat_byte(2)).unwrap(), [three, four]);
}

#[test]
fn a_module_of_several_chunks_reads_back_whole() {
    let chunk = usize::try_from(CHUNK_BYTES_MAX).unwrap();
    for len in [1, chunk - 1, chunk, chunk + 1, 3 * chunk, 524_288] {
        let bytes: Bytes = (0..len).map(|byte| (byte % 249) as u8).collect();
        let mut image = RegistryImage::default();
        let hash = image.register(bytes.clone());
        let mut state = state(&image);
        let module = reader(&mut state).module(hash).unwrap();
        assert_eq!(module.size as usize, len);
        assert_eq!(module.chunks.len(), len.div_ceil(chunk));
        assert_eq!(reader(&mut state).module_bytes(&module).unwrap(), bytes);
        assert_eq!(reader(&mut state).module_at(0).unwrap(), hash);
    }
}

#[test]
fn each_fork_is_read_by_itself() {
    let before = state(&RegistryImage::default());
    let after = state(&RegistryImage { attachments: vec![attachment(3)], ..RegistryImage::default() });
    let mut both = MemoryState { pre_tx: before.pre_tx, now: after.now, ..MemoryState::default() };
    assert_eq!(RegistryReader::new(&mut both, Fork::PreTx).attachment_count().unwrap(), 0);
    assert_eq!(RegistryReader::new(&mut both, Fork::Now).attachment_count().unwrap(), 1);
}

#[test]
fn a_module_that_nobody_registered_is_unknown() {
    let mut state = MemoryState::default();
    let error = reader(&mut state).module(B256::repeat_byte(9)).unwrap_err();
    assert!(matches!(error, RegistryError::UnknownModule(hash) if hash == B256::repeat_byte(9)));
}

#[test]
fn the_head_of_an_image_follows_its_content() {
    let one = RegistryImage { attachments: vec![attachment(3)], ..RegistryImage::default() };
    let paused = Attachment { paused: false, ..attachment(3) };
    let other = RegistryImage { attachments: vec![paused], ..RegistryImage::default() };
    assert_ne!(one.head(), other.head());
    assert_eq!(reader(&mut state(&one)).head().unwrap(), one.head());
}
