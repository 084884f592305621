//! What is recorded can be executed again, and nothing but that.

use parapet_recording::Recording;
use parapet_simulate::{RecordError, execute_recorded, record};

use crate::*;

/// Looks at an account's storage in the end, where its static call would go.
struct Looks(Address);

impl Monitor for Looks {
    fn open(&self, _: &ContextRecord, _: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        Ok(Some(Box::new(Self(self.0))))
    }

    fn admit(&self, _: &ContextRecord, _: Allowance, _: &mut dyn StateView) -> Result<Examination, Fault> {
        Ok(Decision::Proceed.into())
    }
}

impl Judging for Looks {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::NONE
    }

    fn on_call(&mut self, _: &Trace, _: u32, _: &mut dyn StateView) -> Result<Decision, Fault> {
        Ok(Decision::Proceed)
    }

    fn on_call_end(&mut self, _: &Trace, _: u32, _: &mut dyn StateView) -> Result<Decision, Fault> {
        Ok(Decision::Proceed)
    }

    fn on_tx(&mut self, _: &Trace, view: &mut dyn StateView) -> Result<Decision, Fault> {
        view.storage(parapet_monitor::Fork::PreTx, self.0, U256::from(77))?;
        let input = Bytes::new();
        view.call(parapet_monitor::Fork::Now, &parapet_monitor::CallRequest { to: self.0, input, gas: 1_000_000 })?;
        Ok(Decision::Proceed)
    }

    fn close(self: Box<Self>) -> Judgement {
        Judgement::default()
    }
}

fn recorded(monitor: &dyn Monitor, beside: &[&dyn Monitor]) -> Recording {
    let file = at(|point| record(point, &[transaction()], &second(), monitor, beside).unwrap().write().unwrap());
    Recording::read(&file).unwrap()
}

/// The same call, once more.
fn second() -> Transaction {
    let tx = TxEip1559 {
        chain_id: 31_337,
        nonce: 1,
        gas_limit: 200_000,
        max_fee_per_gas: 2_000_000_000,
        to: TxKind::Call(OUTER),
        ..TxEip1559::default()
    };
    Recovered::new_unchecked(TxEnvelope::Eip1559(tx.into_signed(Signature::test_signature())), SENDER)
}

#[test]
fn a_recorded_transaction_runs_again_as_it_ran() {
    let recording = recorded(&NoMonitor, &[]);
    let again = execute_recorded(&recording, &NoMonitor).unwrap();
    assert_eq!((&again.destiny, again.gas_used), (&recording.destiny, recording.gas_used));
    assert!(again.succeeded());
    let trace = recording.trace().unwrap();
    assert_eq!((trace.frames.len(), trace.context.nonce), (2, 1));
    let accesses: Vec<_> = trace.accesses.iter().map(|access| (access.old, access.new)).collect();
    let word = |value: u64| U256::from(value).to_be_bytes();
    assert_eq!(accesses, [(word(1), word(1)), (word(2), word(2))], "the first transaction had written them");
    assert!(trace.fee_flows > 0, "whatever a guard may ask for is there");
}

#[test]
fn a_veto_of_the_chain_hides_nothing_from_a_recording_and_holds_for_a_guard_under_test() {
    let recording = recorded(&NoInner, &[]);
    assert_eq!(recording.destiny, Destiny::Succeeded);
    assert_eq!(recording.trace().unwrap().slot_changes.len(), 2, "the first transaction was vetoed, this one writes");
    assert_eq!(execute_recorded(&recording, &NoInner).unwrap().destiny, Destiny::from(&veto()));
}

#[test]
fn who_looks_beyond_what_was_recorded_is_told_so_until_it_is_recorded_with() {
    for account in [INNER, SENDER, Address::repeat_byte(0x77)] {
        let error = execute_recorded(&recorded(&NoMonitor, &[]), &Looks(account)).unwrap_err();
        assert!(matches!(error, RecordError::Simulate(_)));
        let words = error.to_string();
        assert!(words.contains("was not recorded") && words.contains("--with"), "{words}");
        let executed = execute_recorded(&recorded(&NoMonitor, &[&Looks(account)]), &Looks(account)).unwrap();
        assert!(executed.succeeded());
    }
}
