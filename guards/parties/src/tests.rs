use parapet_guest::{
    mock::{Enter, Scene},
    prelude::*,
};

use super::{CODE_DENIED, CODE_NEWBORN, CODE_UNLISTED, Parties};

const VAULT: Address = Address([0xaa; 20]);
const SOMEBODY: Address = Address([0x50; 20]);
const OTHER: Address = Address([0x51; 20]);
const SENDER: Address = Address([0x5e; 20]);

fn guard() -> Parties {
    Parties { deny: Vec::new(), allow: Vec::new(), newborn_bps: 1_000 }
}

fn scene(guard: &Parties) -> Scene<Parties> {
    let mut scene = Scene::new(guard, &[VAULT]);
    scene.world.pre_tx.balances.insert(VAULT.0, U256::from(100_000).to_be_bytes());
    scene
}

/// The frame calls the vault, which pays.
fn paid(scene: &mut Scene<Parties>, to: Address, amount: u64) -> Option<u16> {
    scene.enter(Enter::call(VAULT)).enter(Enter::call(to).value(U256::from(amount)));
    scene.finish().vetoed()
}

#[test]
fn vetoes_denied_callers_senders_and_recipients() {
    for denied in [SOMEBODY, SENDER, OTHER] {
        let mut scene = scene(&Parties { deny: [denied].to_vec(), ..guard() });
        scene.enter(Enter::call(SOMEBODY));
        assert_eq!(paid(&mut scene, OTHER, 1), Some(CODE_DENIED));
    }
    let mut scene = scene(&Parties { deny: [VAULT].to_vec(), ..guard() });
    scene.enter(Enter::call(SOMEBODY));
    assert_eq!(paid(&mut scene, OTHER, 1), None);
}

#[test]
fn lets_only_the_listed_call_and_everybody_look() {
    let listed = Parties { allow: [SOMEBODY].to_vec(), ..guard() };
    for (caller, expected) in [(SOMEBODY, None), (OTHER, Some(CODE_UNLISTED))] {
        let mut scene = scene(&listed);
        scene.enter(Enter::call(caller));
        assert_eq!(paid(&mut scene, SOMEBODY, 1), expected);
    }
    let mut looks = scene(&listed);
    looks.enter(Enter::call(OTHER)).enter(Enter::static_call(VAULT));
    assert_eq!(looks.finish().vetoed(), None);
}

#[test]
fn vetoes_contracts_born_to_rob() {
    let mut scene = scene(&guard());
    scene.enter(Enter::create(SOMEBODY));
    assert_eq!(paid(&mut scene, SOMEBODY, 10_000), Some(CODE_NEWBORN));
    scene.world.pre_tx.balances.insert(VAULT.0, U256::from(100_000).to_be_bytes());
    scene.enter(Enter::call(OTHER)).enter(Enter::create(SOMEBODY)).leave().enter(Enter::call(SOMEBODY));
    assert_eq!(paid(&mut scene, SENDER, 10_000), Some(CODE_NEWBORN));
}

#[test]
fn lets_new_wallets_deal_in_small_or_pay_in_and_factories_create() {
    let mut small = scene(&guard());
    small.enter(Enter::create(SOMEBODY));
    assert_eq!(paid(&mut small, SOMEBODY, 9_999), None);

    let mut pays = scene(&guard());
    pays.enter(Enter::create(SOMEBODY)).enter(Enter::call(VAULT).value(U256::from(50_000)));
    assert_eq!(pays.finish().vetoed(), None);

    let mut factory = scene(&guard());
    factory.enter(Enter::call(VAULT)).enter(Enter::create(SOMEBODY));
    assert_eq!(paid(&mut factory, SOMEBODY, 50_000), None);

    let mut old = scene(&guard());
    old.enter(Enter::call(SOMEBODY));
    assert_eq!(paid(&mut old, SOMEBODY, 100_000), None);
}
