//! Escapes: calls that an attachment declared it would not veto, and what an attacker makes of them.

use alloy_primitives::{Address, B256, Selector};
use parapet_monitor::{Fuel, Mode, Outcome};
use parapet_threats::{
    ATTACKER, Call, Chain, USER, VAULT,
    code::{self, Kind, POP, STOP, join},
    guard, veto_code,
};
use parapet_types::{Destiny, Executed};

const ESCAPE: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
const TOOL: Address = Address::repeat_byte(0xb0);
const TWIN: Address = Address::repeat_byte(0x12);

/// A vault and its twin, whose guard vetoes all but one function.
fn chain() -> Chain {
    let mut chain = Chain::new();
    chain.put(VAULT, &join(&[&code::store(0, 1), &STOP]), []);
    chain.put(TWIN, &STOP, []);
    let attachment = chain.attach(&guard::vetoes_everything(), &[TWIN, VAULT]);
    attachment.escapes = vec![Selector::from([0xaa; 4]), Selector::from(ESCAPE)];
    chain
}

fn call(to: Address, input: &[u8]) -> Call {
    Call { from: ATTACKER, input: input.to_vec().into(), ..Call::to(to) }
}

fn outcomes(executed: &Executed) -> Vec<Outcome> {
    executed.verdicts.iter().map(|verdict| verdict.outcome).collect()
}

#[test]
fn an_escape_is_judged_and_recorded_and_passes() {
    let mut chain = chain();
    chain.settle_attachments();
    for account in [VAULT, TWIN] {
        for input in [&ESCAPE[..], &[0x12, 0x34, 0x56, 0x78, 0xff]] {
            let escaped = chain.send(&call(account, input));
            assert_eq!(escaped.destiny, Destiny::Succeeded);
            assert_eq!(outcomes(&escaped), [Outcome::WouldVeto]);
        }
        assert_eq!(veto_code(&chain.send(&call(account, &[0x12, 0x34, 0x56, 0x79]))), Some(7));
    }
}

#[test]
fn short_calldata_is_no_selector() {
    let mut chain = chain();
    chain.attach(&guard::vetoes_everything(), &[VAULT]).escapes = vec![Selector::from([0x12, 0, 0, 0])];
    chain.settle_attachments();
    for input in [&[][..], &[0x12], &[0x12, 0, 0]] {
        assert_eq!(veto_code(&chain.send(&call(VAULT, input))), Some(7), "{input:?}");
    }
}

#[test]
fn an_escape_on_the_way_covers_no_theft() {
    // The tool calls the vault by the escape, and then otherwise: by CALL, and by the other ways to run its code.
    for kind in Kind::ALL {
        let mut chain = chain();
        let escape = code::hand_on(VAULT);
        let theft = code::call(kind, VAULT);
        chain.put(TOOL, &join(&[&escape, &POP, &theft, &POP, &STOP]), []);
        chain.settle_attachments();
        assert_eq!(veto_code(&chain.send(&call(TOOL, &ESCAPE))), Some(7), "{kind:?}");
    }
}

#[test]
fn the_same_selector_of_another_account_is_no_escape() {
    let mut chain = chain();
    chain.put(TOOL, &join(&[&code::call(Kind::Call, VAULT), &POP, &STOP]), []);
    chain.settle_attachments();
    assert_eq!(veto_code(&chain.send(&call(TOOL, &ESCAPE))), Some(7));
    // Nor of an account that is created: its init code is no calldata.
    let creation = join(&[&ESCAPE, &STOP]);
    let mut call = call(VAULT, &creation);
    call.to = alloy_primitives::TxKind::Create;
    assert_ne!(chain.send(&call).verdicts.first().map(|verdict| verdict.outcome), Some(Outcome::WouldVeto));
}

#[test]
fn an_escape_of_one_attachment_is_none_of_another() {
    let mut chain = chain();
    let strict = chain.attach(&guard::vetoes_everything(), &[VAULT]).id;
    chain.settle_attachments();
    let vetoed = chain.send(&call(VAULT, &ESCAPE));
    assert_eq!(veto_code(&vetoed), Some(7));
    assert_eq!(outcomes(&vetoed), [Outcome::WouldVeto, Outcome::Veto]);
    assert_eq!(vetoed.verdicts[1].attachment, strict);
}

#[test]
fn a_guard_of_the_whole_chain_has_no_escapes() {
    let mut chain = Chain::new();
    chain.put(VAULT, &STOP, []);
    chain.attach(&guard::vetoes_everything(), &[]).escapes = vec![Selector::from(ESCAPE)];
    chain.settle_attachments();
    assert_eq!(veto_code(&chain.send(&call(VAULT, &ESCAPE))), Some(7), "it would be everybody's");
}

#[test]
fn a_guard_that_cannot_finish_does_not_make_an_escape_dear() {
    for module in [guard::loops_always(), guard::spends_everything(), guard::traps_always()] {
        let mut chain = Chain::new();
        chain.put(VAULT, &join(&[&code::store(0, 1), &STOP]), []);
        let attachment = chain.attach(&module, &[VAULT]);
        (attachment.escapes, attachment.fuel_max) = (vec![Selector::from(ESCAPE)], Fuel(100_000_000));
        chain.settle_attachments();
        let escaped = chain.send(&Call { from: USER, gas_limit: 60_000, ..call(VAULT, &ESCAPE) });
        assert_eq!(escaped.destiny, Destiny::Succeeded);
    }
}

#[test]
fn counts_tell_what_was_vetoed_and_what_would_have_been() {
    let mut chain = chain();
    let shadow = chain.attach(&guard::vetoes_calls_marked(0xff), &[VAULT]);
    shadow.mode = Some(Mode::Shadow);
    chain.settle_attachments();
    let calls: Vec<_> =
        [&ESCAPE[..], &ESCAPE, &[0xff; 4], &[0xfe; 4], &[0xff; 5]].map(|input| call(VAULT, input)).into();
    let block = chain.block(&calls);
    let fuel = |attachment: usize| -> u64 {
        let id = B256::from(alloy_primitives::U256::from(attachment));
        let said = block.included.iter().flat_map(|included| &included.executed.verdicts);
        said.filter(|verdict| verdict.attachment == id).map(|verdict| verdict.fuel.0).sum()
    };
    let strict = chain.counts(B256::with_last_byte(1));
    assert_eq!((strict.judged, strict.vetoed, strict.would_veto, strict.fuel), (5, 3, 2, Fuel(fuel(1))));
    // Whoever is vetoed before the other is asked is not judged by it.
    let shadow = chain.counts(B256::with_last_byte(2));
    assert_eq!((shadow.judged, shadow.vetoed, shadow.would_veto, shadow.fuel), (2, 0, 0, Fuel(fuel(2))));
    assert!(strict.fuel.0 > 0 && shadow.fuel.0 > 0);
}
