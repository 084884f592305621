//! Guards that are tried out see what they would see on the chain, keep their state, and change nothing.

use std::sync::Mutex;

use parapet_monitor::{Fork, Fuel, Mode, Outcome, StateOp, StateUpdate, Tryout, Verdict};
use parapet_simulate::{Judged, Opinion, Tried, backtest_block, call_beside, transaction_beside};
use parapet_types::REGISTRY;

use crate::*;

/// Where the counting guard keeps its count.
const COUNT: U256 = U256::from_limbs([0xc0, 0, 0, 0]);

/// Counts transactions in its own state, tells the count and the frames that it saw, and costs `fuel`.
struct Counting {
    fuel: u64,
}

struct Counted<'a> {
    guard: &'a Counting,
    count: U256,
    frames: usize,
    done: bool,
}

impl Monitor for Counting {
    fn open(&self, _: &ContextRecord, _: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        Ok(Some(Box::new(Counted { guard: self, count: U256::ZERO, frames: 0, done: false })))
    }

    fn admit(&self, _: &ContextRecord, _: Allowance, _: &mut dyn StateView) -> Result<Examination, Fault> {
        Ok(Decision::Veto(veto()).into())
    }
}

impl Judging for Counted<'_> {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::ACCESSES
    }

    fn on_call(&mut self, _: &Trace, _: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.count = view.storage(Fork::PreTx, REGISTRY, COUNT)?;
        self.frames += 1;
        // It would veto, and has no say.
        Ok(Decision::Veto(veto()))
    }

    fn on_call_end(&mut self, _: &Trace, _: u32, _: &mut dyn StateView) -> Result<Decision, Fault> {
        Ok(Decision::Proceed)
    }

    fn on_tx(&mut self, _: &Trace, _: &mut dyn StateView) -> Result<Decision, Fault> {
        self.done = true;
        Ok(Decision::Veto(veto()))
    }

    fn close(self: Box<Self>) -> Judgement {
        let said = format!("{} before, {} frames, done {}", self.count, self.frames, self.done);
        let verdict = Verdict {
            attachment: B256::ZERO,
            module: B256::ZERO,
            guard: "counting".to_owned(),
            mode: Mode::Shadow,
            outcome: Outcome::WouldVeto,
            hook: None,
            frame: None,
            code: 1,
            detail: said.into_bytes().into(),
            fuel: Fuel(self.guard.fuel),
            elapsed_ns: 0,
            origin: Default::default(),
        };
        let op = StateOp::Add { amount: U256::ONE, cap: U256::MAX };
        let updates = vec![StateUpdate { slot: COUNT, ops: vec![op] }];
        Judgement { verdicts: vec![verdict], updates, tallies: Vec::new() }
    }
}

fn tried(fuel: u64) -> Tried {
    let monitor = Box::new(Counting { fuel });
    let (guard, version) = ("counting".to_owned(), "1.0.0".to_owned());
    Tried::new(Tryout { monitor, attachment: B256::ZERO, module: B256::ZERO, guard, version })
}

fn block() -> Vec<Transaction> {
    let transaction = |nonce| {
        let tx = TxEip1559 {
            chain_id: 31_337,
            nonce,
            gas_limit: 200_000,
            max_fee_per_gas: 2_000_000_000,
            to: TxKind::Call(OUTER),
            ..TxEip1559::default()
        };
        Recovered::new_unchecked(TxEnvelope::Eip1559(tx.into_signed(Signature::test_signature())), SENDER)
    };
    (0..3).map(transaction).collect()
}

fn said(judged: &Judged) -> Vec<String> {
    let text = |opinion: &Opinion| match opinion {
        Opinion::Said(verdicts) => verdicts[0].detail_text(),
        Opinion::BlockFull => "block full".to_owned(),
    };
    judged.opinions.iter().map(text).collect()
}

#[test]
fn a_guard_has_in_each_transaction_what_it_kept_of_those_before_it_and_changes_nothing() {
    at(|point| {
        let mut alone = [];
        let expected = backtest_block(point, &block(), &NoMonitor, &mut alone).unwrap();
        let mut two = [tried(1), tried(2)];
        for block_number in 0..2 {
            let judged = backtest_block(point, &block(), &NoMonitor, &mut two).unwrap();
            for (index, (judged, expected)) in judged.iter().zip(&expected).enumerate() {
                let count = 3 * block_number + index;
                let words = format!("{count} before, 2 frames, done true");
                assert_eq!(said(judged), [words.clone(), words]);
                assert_eq!(judged.executed, expected.executed);
                assert!(judged.executed.succeeded());
            }
        }
    });
}

#[test]
fn a_veto_of_the_chain_ends_what_a_guard_beside_it_sees_and_takes_its_state_back() {
    at(|point| {
        let mut one = [tried(1)];
        for judged in backtest_block(point, &block(), &NoInner, &mut one).unwrap() {
            assert_eq!(judged.executed.destiny, Destiny::from(&veto()));
            assert_eq!(said(&judged), ["0 before, 2 frames, done false"], "it is vetoed as its second frame starts");
        }
    });
}

#[test]
fn a_transaction_is_judged_in_its_place_and_a_call_on_its_own() {
    at(|point| {
        let block = block();
        let judged = transaction_beside(point, &block[..2], &block[2], &NoMonitor, &mut [tried(1)]).unwrap();
        assert_eq!(said(&judged), ["0 before, 2 frames, done true"], "who begins now has kept nothing");
        assert!(judged.executed.succeeded());
        let called = call_beside(point, &request(), &NoInner, &mut [tried(1)]).unwrap();
        assert_eq!(called.executed, call(point, &request(), &NoInner).unwrap());
        assert_eq!(said(&called), ["0 before, 2 frames, done false"]);
    });
}

#[test]
fn a_guard_that_spends_more_than_a_block_has_is_asked_no_more_in_it() {
    at(|point| {
        let all = point.params.guards.block_fuel_max.0;
        let mut one = [tried(all / 2)];
        for _ in 0..2 {
            let judged = backtest_block(point, &block(), &NoMonitor, &mut one).unwrap();
            let full: Vec<_> = judged.iter().map(|judged| said(judged)[0] == "block full").collect();
            assert_eq!(full, [false, false, true]);
        }
    });
}

#[test]
fn the_chains_guards_see_the_same_trace_whatever_others_have_recorded() {
    /// Keeps the numbers of the last event of each transaction.
    struct Numbers(Mutex<Vec<u32>>);
    impl Monitor for Numbers {
        fn open(&self, _: &ContextRecord, _: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
            Ok(Some(Box::new(Numbering(&self.0))))
        }
        fn admit(&self, _: &ContextRecord, _: Allowance, _: &mut dyn StateView) -> Result<Examination, Fault> {
            Ok(Decision::Proceed.into())
        }
    }
    struct Numbering<'a>(&'a Mutex<Vec<u32>>);
    impl Judging for Numbering<'_> {
        fn subscriptions(&self) -> Subscriptions {
            Subscriptions::NONE
        }
        fn on_call(&mut self, _: &Trace, _: u32, _: &mut dyn StateView) -> Result<Decision, Fault> {
            Ok(Decision::Proceed)
        }
        fn on_call_end(&mut self, _: &Trace, _: u32, _: &mut dyn StateView) -> Result<Decision, Fault> {
            Ok(Decision::Proceed)
        }
        fn on_tx(&mut self, trace: &Trace, _: &mut dyn StateView) -> Result<Decision, Fault> {
            self.0.lock().unwrap().push(trace.frames[0].end_seq);
            Ok(Decision::Proceed)
        }
        fn close(self: Box<Self>) -> Judgement {
            Judgement::default()
        }
    }
    at(|point| {
        let seen = |tried: &mut [Tried]| {
            let numbers = Numbers(Mutex::default());
            backtest_block(point, &block(), &numbers, tried).unwrap();
            numbers.0.into_inner().unwrap()
        };
        assert_eq!(seen(&mut []), seen(&mut [tried(1)]));
    });
}
