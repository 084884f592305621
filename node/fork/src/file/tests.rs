use super::*;

fn of() -> Of {
    let header = Header { number: 5, base_fee_per_gas: Some(7), ..Header::default() };
    Of { chain_id: 9, hash: header.hash_slow(), header, checks: Checks::Proved, by_hash: true }
}

fn answers() -> Vec<(Key, Value)> {
    let address = Address::repeat_byte(7);
    let info = AccountInfo { nonce: 3, balance: U256::from(1_000), code_hash: keccak256([1, 2, 3]) };
    let account = KnownAccount { info: Some(info), has_storage: Some(true) };
    let absent = KnownAccount { info: None, has_storage: None };
    vec![
        (Key::Account(address), Value::Account(account)),
        (Key::Account(Address::ZERO), Value::Account(absent)),
        (Key::Slot(address, U256::from(1)), Value::Slot(U256::MAX)),
        (Key::Code(info.code_hash), Value::Code(Bytes::from_static(&[1, 2, 3]))),
        (Key::BlockHash(4), Value::BlockHash(B256::repeat_byte(4))),
    ]
}

fn open(folder: &Path) -> (Cache, CacheFile) {
    let cache = Cache::new(CACHE_BYTES_MAX);
    let file = CacheFile::open(folder, &of(), &cache).expect("a folder of our own");
    (cache, file)
}

/// A folder with a file that holds all answers, and the file's path.
fn filled() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, file) = open(folder.path());
    answers().iter().for_each(|(key, value)| file.add(key, value));
    let path = file.path.clone();
    (folder, path)
}

#[test]
fn what_was_read_is_there_the_next_time() {
    let (folder, _) = filled();
    let (cache, file) = open(folder.path());
    for (key, value) in answers() {
        assert_eq!(cache.get(&key), Some(value));
    }
    let code_hash = keccak256([1, 2, 3]);
    assert_eq!(cache.get(&Key::Holder(code_hash)), Some(Value::Holder(Address::repeat_byte(7))));
    let more = (Key::BlockHash(3), Value::BlockHash(B256::repeat_byte(3)));
    file.add(&more.0, &more.1);
    drop(file);
    assert_eq!(open(folder.path()).0.get(&more.0), Some(more.1));
}

#[test]
fn damage_is_found_wherever_it_is_and_what_comes_before_it_is_kept() {
    let (folder, path) = filled();
    let whole = fs::read(&path).expect("there");
    for at in (0..whole.len()).step_by(3) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(&path, &damaged).expect("ours");
        let (cache, file) = open(folder.path());
        let known: Vec<_> = answers().into_iter().map(|(key, value)| (cache.get(&key), value)).collect();
        for (found, value) in &known {
            assert!(found.is_none() || found.as_ref() == Some(value), "byte {at}: {found:?} instead of {value:?}");
        }
        assert!(known.iter().any(|(found, _)| found.is_none()), "byte {at} goes unnoticed");
        let good = known.iter().take_while(|(found, _)| found.is_some()).count();
        assert!(known[good..].iter().all(|(found, _)| found.is_none()), "byte {at}: something after it is believed");
        answers().iter().skip(good).for_each(|(key, value)| file.add(key, value));
        drop(file);
        assert_eq!(fs::read(&path).expect("there"), whole, "byte {at}: it is mended by what is read again");
    }
}

#[test]
fn a_file_that_was_cut_is_good_up_to_there() {
    let (folder, path) = filled();
    let whole = fs::read(&path).expect("there");
    for length in (0..whole.len()).step_by(7) {
        fs::write(&path, &whole[..length]).expect("ours");
        let (cache, _) = open(folder.path());
        for (key, value) in answers() {
            assert!(cache.get(&key).is_none_or(|found| found == value), "{length} bytes");
        }
    }
}

#[test]
fn a_file_of_another_block_is_not_believed() {
    let (folder, path) = filled();
    let other = Of { hash: B256::ZERO, ..of() };
    fs::rename(&path, path_of(folder.path(), &other)).expect("ours");
    let cache = Cache::new(CACHE_BYTES_MAX);
    let _file = CacheFile::open(folder.path(), &other, &cache).expect("a folder of our own");
    assert!(answers().iter().all(|(key, _)| cache.get(key).is_none()));
}

#[test]
fn a_file_that_another_writes_is_read_and_not_written() {
    let (folder, path) = filled();
    let (_, first) = open(folder.path());
    let before = fs::read(&path).expect("there");
    let (cache, second) = open(folder.path());
    assert!(answers().iter().all(|(key, _)| cache.get(key).is_some()));
    second.add(&Key::BlockHash(3), &Value::BlockHash(B256::ZERO));
    assert_eq!(fs::read(&path).expect("there"), before);
    drop(first);
}

#[test]
fn a_block_is_found_by_its_number() {
    let (folder, _) = filled();
    assert_eq!(CacheFile::find(folder.path(), 9, 5), Some(of()));
    assert_eq!(CacheFile::find(folder.path(), 9, 50), None);
    assert_eq!(CacheFile::find(folder.path(), 8, 5), None);
}
