//! Work that an attacker makes for guards is paid by the attacker, and never lets a transaction pass unguarded.

use alloy_primitives::{Address, Bytes};
use parapet_abi::{
    Kind,
    import::{CODE_OUT_OF_FUEL, CODE_OUT_OF_GAS, CODE_OVERLOAD},
};
use parapet_monitor::{Fuel, Mode, Outcome};
use parapet_registry::Failure;
use parapet_threats::{
    ATTACKER, Call, Chain, GAS_MAX, VAULT,
    code::{self, POP, STOP, join},
    guard, veto_code,
};
use parapet_types::Destiny;

/// What the attacker calls.
const TOOL: Address = Address::repeat_byte(0xb0);

fn attack(gas_limit: u64) -> Call {
    Call { from: ATTACKER, gas_limit, ..Call::to(TOOL) }
}

/// Whoever floods the trace of a guarded account pays what the guard needs to read it; with less gas nothing passes.
fn assert_the_flooder_pays(chain: &Chain, kind: Kind, subscribes: &[&str], records: u32) {
    let mut chain = chain.fresh();
    let record_bytes = u32::try_from(kind.record_bytes()).unwrap();
    let reader = guard::counts(subscribes, kind as u32, record_bytes, 1_000_000);
    chain.attach(&reader, &[VAULT]).fuel_max = Fuel(100_000_000);
    chain.settle_attachments();
    let mut before = chain.fresh();

    let judged = chain.send(&attack(GAS_MAX));
    assert_eq!(judged.destiny, Destiny::Succeeded, "an honest guard concludes");
    assert_eq!(judged.verdicts[0].outcome, Outcome::Allow);
    let per_record = judged.guard_fuel.0 / u64::from(records);
    assert!(per_record >= u64::from(record_bytes / 8), "every record was read and paid for: {per_record} fuel each");
    assert_eq!(judged.guard_gas_used, chain.params.guards.fuel_per_gas.gas(judged.guard_fuel));

    // Fuel is looked at in every loop and call, so a guard may finish on a little less than it would have spent.
    let too_little = judged.gas_used - 500;
    let refused = before.send(&attack(too_little));
    assert_eq!(veto_code(&refused), Some(CODE_OUT_OF_GAS));
    assert_eq!(refused.gas_used, too_little, "and the attempt costs all of its gas");
}

#[test]
fn ten_thousand_frames_are_paid_by_whoever_makes_them() {
    let mut chain = Chain::new();
    let nothing = Address::repeat_byte(0xb1);
    let body = join(&[&code::call(code::Kind::Call, nothing), &POP]);
    let code = join(&[&code::repeat(10_000, &body), &code::call(code::Kind::Call, VAULT), &POP, &STOP]);
    chain.put(TOOL, &code, []);
    chain.put(nothing, &STOP, []);
    chain.put(VAULT, &STOP, []);
    assert_the_flooder_pays(&chain, Kind::Frame, &[], 10_000);
}

#[test]
fn ten_thousand_logs_are_paid_by_whoever_makes_them() {
    let mut chain = Chain::new();
    // LOG0 of nothing.
    let code = join(&[&code::repeat(10_000, &[0x5f, 0x5f, 0xa0]), &code::call(code::Kind::Call, VAULT), &POP, &STOP]);
    chain.put(TOOL, &code, []);
    chain.put(VAULT, &STOP, []);
    assert_the_flooder_pays(&chain, Kind::Log, &["flows"], 10_000);
}

#[test]
fn ten_thousand_writes_are_paid_by_whoever_makes_them() {
    let mut chain = Chain::new();
    let writes = code::repeat(10_000, &code::store(1, 1));
    chain.put(TOOL, &join(&[&code::call(code::Kind::Call, VAULT), &POP, &STOP]), []);
    chain.put(VAULT, &join(&[&writes, &STOP]), []);
    assert_the_flooder_pays(&chain, Kind::Access, &["accesses"], 10_000);
}

#[test]
fn a_guard_that_gives_up_on_a_flood_does_what_its_attachment_says() {
    let mut chain = Chain::new();
    let nothing = Address::repeat_byte(0xb1);
    let body = join(&[&code::call(code::Kind::Call, nothing), &POP]);
    let flood = join(&[&code::repeat(10_000, &body), &code::call(code::Kind::Call, VAULT), &POP, &STOP]);
    chain.put(TOOL, &flood, []);
    chain.put(nothing, &STOP, []);
    chain.put(VAULT, &STOP, []);
    for (failure, expected) in [(Failure::Closed, Some(CODE_OUT_OF_FUEL)), (Failure::Open, None)] {
        let mut chain = chain.fresh();
        let attachment = chain.attach(&guard::counts(&[], Kind::Frame as u32, 192, 1_000_000), &[VAULT]);
        (attachment.fuel_max, attachment.failure) = (Fuel(50_000), failure);
        chain.settle_attachments();
        let judged = chain.send(&attack(GAS_MAX));
        assert_eq!(veto_code(&judged), expected);
        assert_eq!(judged.verdicts[0].code, CODE_OUT_OF_FUEL, "never silently");
        // Little gas is no way around it: then it is not the guard that failed.
        let needed = judged.gas_used;
        assert_eq!(veto_code(&chain.send(&attack(needed - 5_000))), Some(CODE_OUT_OF_GAS));
    }
}

#[test]
fn a_contract_reads_a_flood_at_the_flooders_cost_and_one_that_cannot_be_shown_it_lets_nothing_pass() {
    const READS_RECORDS: &[u8] = include_bytes!("../../../../guards/artifacts/light_cosmwasm.wasm");
    const IS_SHOWN_ALL: &[u8] = include_bytes!("../../../../guards/artifacts/whole_message_cosmwasm.wasm");
    let mut chain = Chain::new();
    let nothing = Address::repeat_byte(0xb1);
    let body = join(&[&code::call(code::Kind::Call, nothing), &POP]);
    let flood = join(&[&code::repeat(10_000, &body), &code::call(code::Kind::Call, VAULT), &POP, &STOP]);
    chain.put(TOOL, &flood, []);
    chain.put(nothing, &STOP, []);
    chain.put(VAULT, &STOP, []);
    for (contract, failure, veto, said) in [
        (READS_RECORDS, Failure::Closed, None, 0),
        (IS_SHOWN_ALL, Failure::Closed, Some(CODE_OVERLOAD), CODE_OVERLOAD),
        (IS_SHOWN_ALL, Failure::Open, Some(CODE_OVERLOAD), CODE_OVERLOAD),
    ] {
        let mut chain = chain.fresh();
        let attachment = chain.attach(&Bytes::from_static(contract), &[VAULT]);
        (attachment.fuel_max, attachment.failure) = (Fuel(100_000_000), failure);
        attachment.configuration = Bytes::from_static(b"{}");
        chain.settle_attachments();
        let judged = chain.send(&attack(GAS_MAX));
        assert_eq!((veto_code(&judged), judged.verdicts[0].code), (veto, said));
        if said == 0 {
            let record_bytes = Kind::Frame.record_bytes() as u64;
            let per_record = judged.guard_fuel.0 / 10_000;
            assert!(per_record >= record_bytes / 8, "every record was read and paid for: {per_record} fuel each");
        }
    }
}

#[test]
fn a_transaction_that_wakes_more_attachments_than_there_may_be_is_refused() {
    let mut chain = Chain::new();
    let protocols: Vec<_> = (0..5).map(|number| Address::repeat_byte(0xc0 + number)).collect();
    let mut code = Vec::new();
    for protocol in &protocols {
        chain.put(*protocol, &STOP, []);
        code.extend(join(&[&code::call(code::Kind::Call, *protocol), &POP]));
    }
    chain.put(TOOL, &join(&[&code, &STOP]), []);
    for protocol in &protocols[..4] {
        for _ in 0..16 {
            // The attacker's own, on its own contracts: they only watch, and let everything pass.
            let own = chain.attach(&guard::allows_everything(), &[*protocol]);
            (own.mode, own.failure, own.fuel_max) = (Some(Mode::Shadow), Failure::Open, Fuel(10_000));
        }
    }
    chain.settle_attachments();
    assert_eq!(chain.send(&attack(GAS_MAX)).destiny, Destiny::Succeeded, "64 may wake");

    // The victim's guard would be the sixty-fifth.
    chain.attach(&guard::allows_everything(), &[protocols[4]]).failure = Failure::Open;
    chain.settle_attachments();
    let judged = chain.send(&attack(GAS_MAX));
    assert_eq!(veto_code(&judged), Some(CODE_OVERLOAD), "refused, never unguarded");
}

#[test]
fn guards_that_spend_the_blocks_fuel_keep_only_each_other_out() {
    let mut chain = Chain::new();
    chain.put(VAULT, &STOP, []);
    let other = Address::repeat_byte(0xb2);
    chain.put(other, &STOP, []);
    let endless = chain.attach(&guard::loops_always(), &[VAULT]);
    (endless.failure, endless.fuel_max) = (Failure::Open, Fuel(1_000_000));
    chain.settle_attachments();
    chain.params.guards.block_fuel_max = Fuel(2_500_000);
    let calls = [
        Call::to(VAULT),
        Call { from: ATTACKER, ..Call::to(VAULT) },
        Call { from: parapet_threats::OWNER, ..Call::to(VAULT) },
        Call { from: parapet_threats::GUARDIAN, ..Call::to(other) },
    ];
    let block = chain.block(&calls);
    let included: Vec<_> = block.included.iter().map(|included| included.candidate).collect();
    assert_eq!(included, [0, 1, 3]);
    assert_eq!(block.left_out[0].candidate, 2);
    assert!(block.left_out[0].reason.to_string().contains("500000 are left in the block"));
}
