use parapet_guest::{
    abi::{AccessRecord, SlotChangeRecord},
    mock::{Enter, Scene},
    prelude::*,
};

use super::{CODE_ANSWER, CODE_SLOT, CONSTANT, LockedSlots};

const VAULT: Address = Address([0xaa; 20]);
const CALLER: Address = Address([0xee; 20]);
const SLOT: U256 = U256::from_limbs([3, 0, 0, 0]);

fn guard() -> LockedSlots {
    LockedSlots { slots: Vec::new(), questions: Vec::new(), unlockers: Vec::new() }
}

fn changed(guard: &LockedSlots) -> Scene<LockedSlots> {
    let mut scene = Scene::new(guard, &[VAULT]);
    scene.enter(Enter::call(CALLER)).enter(Enter::call(VAULT));
    let (address, slot, new) = (VAULT.into(), SLOT.to_be_bytes(), [1; 32]);
    scene.world.slot_changes.push(SlotChangeRecord { address, slot, new, ..SlotChangeRecord::default() });
    let kind = AccessKind::StorageWrite.into();
    scene.world.accesses.push(AccessRecord { seq: 3, frame: 1, kind, address, slot, ..AccessRecord::default() });
    scene
}

#[test]
fn vetoes_a_change_of_a_locked_slot_by_all_but_unlockers() {
    let locked = LockedSlots { slots: [SLOT].to_vec(), ..guard() };
    assert_eq!(changed(&locked).finish().vetoed(), Some(CODE_SLOT));
    let unlocked = LockedSlots { unlockers: [CALLER].to_vec(), ..locked };
    assert_eq!(changed(&unlocked).finish().vetoed(), None);
    assert_eq!(changed(&guard()).finish().vetoed(), None);
}

#[test]
fn vetoes_another_answer_where_there_was_one() {
    for (before, after, expected) in
        [([1; 32], [2; 32], Some(CODE_ANSWER)), ([0; 32], [2; 32], None), ([1; 32], [1; 32], None)]
    {
        let mut scene = changed(&guard());
        scene.answer(Fork::PreTx, VAULT, &CONSTANT[0].0, &before);
        scene.answer(Fork::Now, VAULT, &CONSTANT[0].0, &after);
        assert_eq!(scene.finish().vetoed(), expected);
    }
}
