//! The trie against alloy-trie's builder, over keys that are not hashed: long paths in common, extensions of every
//! length, and nodes so short that they are part of their parents.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

use alloy_primitives::{B256, Bytes, U256, keccak256};
use alloy_trie::{
    HashBuilder, Nibbles,
    proof::{ProofRetainer, verify_proof},
};
use parapet_random::Random;

use super::{Kept, NodeRecord, Place, Rebuild, Source, Trie, Unsaved};
use crate::{StoreError, world::Slot};

type Model = BTreeMap<B256, Slot>;

/// The source of tries that are wholly in memory.
struct Nowhere;

impl Source<Slot> for Nowhere {
    fn record(&self, _: Place) -> Result<NodeRecord, StoreError> {
        unreachable!("the whole trie is in memory")
    }

    fn value(&self, _: &B256) -> Result<Option<Slot>, StoreError> {
        unreachable!("the whole trie is in memory")
    }

    fn leaf(&self, _: &B256) -> Result<Slot, StoreError> {
        unreachable!("the whole trie is in memory")
    }

    fn store(&self) -> Kept {
        Kept::nowhere()
    }

    fn damaged(&self, _: Place) -> StoreError {
        unreachable!("the whole trie is in memory")
    }
}

/// A store of one version of a trie.
#[derive(Default)]
struct Shelf {
    nodes: BTreeMap<Vec<u8>, Vec<u8>>,
    leaves: Model,
    /// Nodes and leaves that the last save wrote.
    written: usize,
}

/// The name of the shelf, as nodes know it.
const SHELF: u64 = 7;

impl Shelf {
    fn save(&mut self, trie: &Trie<Slot>, model: &Model) {
        trie.root();
        self.written = 0;
        trie.save(SHELF, self);
        self.leaves.retain(|key, _| model.contains_key(key));
    }

    fn bytes_of(place: Place) -> Vec<u8> {
        let mut bytes = Vec::new();
        place.write(&mut bytes);
        bytes
    }
}

impl Unsaved<Slot> for Shelf {
    fn leaf(&mut self, key: &B256, value: &Slot) {
        self.leaves.insert(*key, *value);
        self.written += 1;
    }

    fn node(&mut self, place: Place, record: &NodeRecord) {
        let mut bytes = Vec::new();
        record.write(&mut bytes);
        let mut again = Vec::new();
        NodeRecord::read(&bytes).expect("what is written can be read").write(&mut again);
        assert_eq!(again, bytes);
        self.nodes.insert(Self::bytes_of(place), bytes);
        self.written += 1;
    }

    fn bytes(&mut self, _: usize) {}
}

impl Source<Slot> for &Shelf {
    fn record(&self, place: Place) -> Result<NodeRecord, StoreError> {
        Ok(NodeRecord::read(&self.nodes[&Shelf::bytes_of(place)]).expect("it was written so"))
    }

    fn value(&self, key: &B256) -> Result<Option<Slot>, StoreError> {
        Ok(self.leaves.get(key).copied())
    }

    fn leaf(&self, key: &B256) -> Result<Slot, StoreError> {
        Ok(self.leaves[key])
    }

    fn store(&self) -> Kept {
        Kept::by(SHELF)
    }

    fn damaged(&self, place: Place) -> StoreError {
        panic!("the node at {place:?} is not what its parent calls it")
    }
}

/// Everything in it.
fn contents(trie: &Trie<Slot>, source: impl Source<Slot>) -> Model {
    trie.entries(source).collect::<Result<_, _>>().expect("nothing fails")
}

fn prove(trie: &Trie<Slot>, key: &B256) -> Vec<Bytes> {
    trie.prove(key, &Nowhere).expect("nothing is read").0
}

fn rebuilt(trie: &Trie<Slot>) -> B256 {
    Rebuild::root_of(trie.entries(Nowhere)).expect("nothing is read")
}

/// What tries are drawn of.
trait Draw {
    /// A key with up to three bits set, anywhere: any two part at any nibble.
    fn near_key(&mut self) -> B256;
    /// One of so many keys as the store has them.
    fn hashed_key(&mut self, of: usize) -> B256;
    /// One that takes a byte, or 33.
    fn value(&mut self) -> Slot;
}

impl Draw for Random {
    fn near_key(&mut self) -> B256 {
        (0..self.below(4)).fold(B256::ZERO, |mut key, _| {
            key[self.index(32)] |= 1 << self.below(8);
            key
        })
    }

    fn hashed_key(&mut self, of: usize) -> B256 {
        keccak256(self.index(of).to_be_bytes())
    }

    fn value(&mut self) -> Slot {
        let value = U256::from(1 + self.below(100));
        (U256::ZERO, if self.below(2) == 0 { value } else { U256::MAX - value })
    }
}

fn write(trie: &mut Trie<Slot>, model: &mut Model, key: B256, value: Option<Slot>) {
    write_on(trie, &Nowhere, model, key, value);
}

fn write_on(trie: &mut Trie<Slot>, source: &impl Source<Slot>, model: &mut Model, key: B256, value: Option<Slot>) {
    if let Some(value) = value {
        trie.insert(key, value, source).expect("nothing fails");
        model.insert(key, value);
    } else {
        trie.remove(&key, source).expect("nothing fails");
        model.remove(&key);
    }
}

fn encoded(value: &Slot) -> Vec<u8> {
    alloy_rlp::encode(value.1)
}

fn built_root(model: &Model) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, value) in model {
        builder.add_leaf(Nibbles::unpack(key), &encoded(value));
    }
    builder.root()
}

/// The distinct nodes on the ways to some keys, by the builder.
fn nodes_on_the_way(model: &Model, keys: &BTreeSet<B256>) -> usize {
    let retainer = ProofRetainer::new(keys.iter().map(Nibbles::unpack).collect());
    let mut builder = HashBuilder::default().with_proof_retainer(retainer);
    for (key, value) in model {
        builder.add_leaf(Nibbles::unpack(key), &encoded(value));
    }
    builder.root();
    builder.take_proof_nodes().into_nodes_sorted().len()
}

#[test]
fn roots_and_contents_are_those_of_the_builder_whatever_is_put_and_taken() {
    for seed in 0..60 {
        let (mut random, mut trie, mut model) = (Random(seed), Trie::new(), Model::new());
        for step in 0..200 {
            // Phases that mostly put and phases that mostly take, down to nothing.
            let takes = if step / 50 % 2 == 0 { 1 } else { 5 };
            for _ in 0..=random.below(4) {
                let there = model.keys().nth(random.index(model.len().max(1))).copied();
                match there.filter(|_| random.below(6) < takes) {
                    Some(key) => write(&mut trie, &mut model, key, None),
                    None => {
                        let (key, value) = (random.near_key(), random.value());
                        write(&mut trie, &mut model, key, (random.below(6) >= takes).then_some(value));
                    }
                }
            }
            assert_eq!(contents(&trie, Nowhere), model, "seed {seed}, step {step}");
            // Sometimes not asked for: then what several steps changed is hashed at once.
            if random.below(3) > 0 {
                assert_eq!(trie.root(), built_root(&model), "seed {seed}, step {step}");
                assert_eq!(trie.root(), rebuilt(&trie), "seed {seed}, step {step}");
                assert_eq!(trie.unhashed(), 0, "seed {seed}, step {step}");
            }
        }
        for key in model.clone().keys() {
            write(&mut trie, &mut model, *key, None);
            assert_eq!(trie.root(), built_root(&model), "seed {seed}, {} left", model.len());
        }
        assert!(trie.is_empty());
    }
}

#[test]
fn earlier_versions_keep_their_contents_and_roots() {
    for seed in 0..20 {
        let (mut random, mut trie, mut model) = (Random(seed), Trie::new(), Model::new());
        let mut versions = Vec::new();
        for _ in 0..80 {
            for _ in 0..3 {
                let (key, value) = (random.near_key(), random.value());
                write(&mut trie, &mut model, key, (random.below(3) > 0).then_some(value));
            }
            if random.below(2) == 0 {
                trie.root();
            }
            versions.push((trie.clone(), model.clone()));
        }
        for (version, (trie, model)) in versions.iter().enumerate() {
            assert_eq!(contents(trie, Nowhere), *model, "seed {seed}, version {version}");
            assert_eq!(trie.root(), built_root(model), "seed {seed}, version {version}");
        }
    }
}

#[test]
fn removing_what_is_not_there_forgets_no_hash() {
    let mut random = Random(1);
    let mut trie = Trie::new();
    for _ in 0..100 {
        trie.insert(random.near_key(), random.value(), &Nowhere).expect("nothing is read");
    }
    let root = trie.root();
    trie.remove(&B256::repeat_byte(0xff), &Nowhere).expect("nothing is read");
    assert_eq!((trie.unhashed(), trie.root()), (0, root));
}

#[test]
fn overwriting_hashes_each_node_on_the_way_once_and_no_other() {
    for seed in 0..10 {
        let (mut random, mut trie, mut model) = (Random(seed), Trie::new(), Model::new());
        for index in 0..2_000usize {
            write(&mut trie, &mut model, keccak256(index.to_be_bytes()), Some(random.value()));
        }
        trie.root();
        let mut touched = BTreeSet::new();
        for _ in 0..1 + random.below(100) {
            let key = random.hashed_key(2_000);
            touched.insert(key);
            write(&mut trie, &mut model, key, Some((U256::ZERO, U256::MAX - U256::from(random.below(1_000)))));
        }
        assert_eq!(trie.unhashed(), nodes_on_the_way(&model, &touched), "seed {seed}");
        assert_eq!(trie.root(), built_root(&model), "seed {seed}");
    }
}

#[test]
fn a_key_that_comes_or_goes_costs_at_most_two_nodes_beside_its_way() {
    for seed in 0..20 {
        let (mut random, mut trie, mut model) = (Random(seed), Trie::new(), Model::new());
        for _ in 0..1_000 {
            write(&mut trie, &mut model, random.hashed_key(3_000), Some((U256::ZERO, U256::MAX)));
        }
        trie.root();
        let (mut touched, keys_before) = (BTreeSet::new(), model.keys().copied().collect::<BTreeSet<_>>());
        for _ in 0..1 + random.below(60) {
            let key = random.hashed_key(3_000);
            touched.insert(key);
            write(&mut trie, &mut model, key, (random.below(2) == 0).then_some((U256::ZERO, U256::MAX)));
        }
        let moved = touched.iter().filter(|key| keys_before.contains(*key) != model.contains_key(*key)).count();
        let bound = nodes_on_the_way(&model, &touched) + 2 * moved;
        assert!(trie.unhashed() <= bound, "seed {seed}: {} nodes, at most {bound}", trie.unhashed());
    }
}

#[test]
fn proofs_verify_where_nodes_are_part_of_their_parents_and_for_no_other_value() {
    for seed in 0..40 {
        let (mut random, mut trie, mut model) = (Random(seed), Trie::new(), Model::new());
        for _ in 0..=random.below(60) {
            write(&mut trie, &mut model, random.near_key(), Some(random.value()));
        }
        for _ in 0..60 {
            let key = random.near_key();
            let (path, nodes) = (Nibbles::unpack(key), prove(&trie, &key));
            let value = model.get(&key).map(encoded);
            verify_proof(trie.root(), path, value, &nodes).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let other = encoded(&(U256::ZERO, U256::from(1_000)));
            assert!(verify_proof(trie.root(), path, Some(other), &nodes).is_err(), "seed {seed}, {key}");
        }
    }
}

#[test]
fn proofs_of_hashed_keys_are_those_of_the_builder() {
    let (mut random, mut trie, mut model) = (Random(3), Trie::new(), Model::new());
    for _ in 0..500 {
        write(&mut trie, &mut model, random.hashed_key(2_000), Some((U256::ZERO, U256::MAX)));
    }
    for index in 0..200usize {
        let key = keccak256(index.to_be_bytes());
        let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(vec![Nibbles::unpack(key)]));
        for (key, value) in &model {
            builder.add_leaf(Nibbles::unpack(key), &encoded(value));
        }
        builder.root();
        let nodes: Vec<Bytes> =
            builder.take_proof_nodes().into_nodes_sorted().into_iter().map(|(_, node)| node).collect();
        assert_eq!(prove(&trie, &key), nodes, "key {index}");
    }
}

#[test]
fn threads_that_ask_at_once_for_versions_that_share_nodes_get_the_roots_of_each() {
    for round in 0..6 {
        let (mut random, mut trie, mut model) = (Random(round), Trie::new(), Model::new());
        let mut versions = Vec::new();
        for index in 0..4_000 {
            write(&mut trie, &mut model, random.hashed_key(1 << 20), Some(random.value()));
            if index % 500 == 499 {
                versions.push((trie.clone(), model.clone()));
            }
        }
        thread::scope(|scope| {
            let ask = |(trie, _): &(Trie<Slot>, Model)| trie.root();
            let asked: Vec<_> =
                versions.iter().chain(versions.iter().rev()).map(|version| scope.spawn(move || ask(version))).collect();
            let roots = asked.into_iter().map(|thread| thread.join().expect("asking does not panic"));
            let expected = versions.iter().chain(versions.iter().rev()).map(|(_, model)| built_root(model));
            assert!(roots.eq(expected), "round {round}");
        });
    }
}

/// Changes tries that lie on a shelf, by near keys or by hashed ones.
fn change_what_is_stored(seed: u64, draw: fn(&mut Random) -> B256) {
    let (mut random, mut model, mut shelf) = (Random(seed), Model::new(), Shelf::default());
    let mut trie = Trie::new();
    for step in 0..60 {
        let before = model.clone();
        for _ in 0..=random.below(6) {
            let there = model.keys().nth(random.index(model.len().max(1))).copied();
            let takes = if step / 20 % 2 == 0 { 1 } else { 4 };
            let (key, value) = match there.filter(|_| random.below(6) < takes) {
                Some(key) => (key, None),
                None => (draw(&mut random), Some(random.value())),
            };
            write_on(&mut trie, &&shelf, &mut model, key, value);
        }
        assert_eq!(trie.root(), built_root(&model), "seed {seed}, step {step}");
        assert_eq!(contents(&trie, &shelf), model, "seed {seed}, step {step}");
        for key in before.keys().chain(model.keys()).copied().chain([draw(&mut random)]) {
            let (nodes, value) = trie.prove(&key, &&shelf).expect("nothing fails");
            assert_eq!(value, model.get(&key).copied(), "seed {seed}, step {step}, {key}");
            verify_proof(trie.root(), Nibbles::unpack(key), value.as_ref().map(encoded), &nodes)
                .unwrap_or_else(|error| panic!("seed {seed}, step {step}: {error}"));
        }
        shelf.save(&trie, &model);
        // Sometimes some of it stays in memory, sometimes nothing does.
        if random.below(2) == 0 {
            trie = Trie::stored(built_root(&model));
            trie.check(&&shelf, super::Depth::Whole, &mut |_| Ok(())).expect("nothing fails");
        }
    }
}

#[test]
fn tries_that_lie_in_a_store_change_as_those_in_memory_do() {
    for seed in 0..24 {
        change_what_is_stored(seed, Random::near_key);
        change_what_is_stored(seed, |random| random.hashed_key(60));
    }
}

#[test]
fn what_was_saved_is_not_saved_again() {
    let (mut random, mut trie, mut model) = (Random(5), Trie::new(), Model::new());
    for _ in 0..1_000 {
        write(&mut trie, &mut model, random.hashed_key(2_000), Some(random.value()));
    }
    let mut shelf = Shelf::default();
    shelf.save(&trie, &model);
    assert_eq!(shelf.written, shelf.nodes.len() + shelf.leaves.len());
    shelf.save(&trie, &model);
    assert_eq!(shelf.written, 0);
    let mut stored = Trie::stored(trie.root());
    let key = *model.keys().next().expect("there are some");
    write_on(&mut stored, &&shelf, &mut model, key, Some((U256::ZERO, U256::from(9))));
    let on_the_way = nodes_on_the_way(&model, &[key].into());
    shelf.save(&stored, &model);
    assert_eq!(shelf.written, on_the_way);
    let mut another = Shelf::default();
    trie.save(SHELF + 1, &mut another);
    assert_eq!(another.leaves.len(), model.len(), "another store has nothing of it yet");
}
