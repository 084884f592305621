//! Guards in WebAssembly that run out of memory, and a host that has none for them, while a block runs on several threads.
//! What a guard does to itself is judged as its attachment declared, the same on any number of threads. What the host
//! cannot do fails the block or leaves transactions out, and leaves nothing of them behind.

use alloy_primitives::Bytes;
use parapet_abi::ContextRecord;
use parapet_equivalence::{Account, Candidate, Observed, Place, Realised, Scenario, first_difference, observe};
use parapet_executor::{Admission, BlockError, Mode};
use parapet_judge::Judge;
use parapet_monitor::{
    Allowance, Attention, Decision, Examination, Fault, FuelSpent, Judgement, Judging, Monitor, StateView,
    Subscriptions, Trace,
};
use parapet_registry::Failure;
use parapet_types::Hardfork;
use parapet_vm::{Engine, EngineSettings};

use crate::{
    crews::{Crews, Seen},
    faults::in_time,
    twins::{GUARDED, attached},
};

const PEOPLE: u8 = 24;
const RICH: u64 = 1 << 60;
/// How often each block is run.
const ROUNDS: usize = 5;

/// A guard that takes memory page by page, writes to each, and traps when it is refused one, as an allocator does that
/// finds none.
const GREEDY: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "on_tx")
        (loop $more
            (i32.store8 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)) (i32.const 7))
            (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        unreachable)
    (@custom "parapet.guard" "{\"abi\":1,\"name\":\"greedy\",\"version\":\"1\",\"triggers\":[\"frame\",\"flow\"]}"))"#;

/// A guard that needs little and objects to nothing.
const MODEST: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "on_tx"))
    (@custom "parapet.guard" "{\"abi\":1,\"name\":\"modest\",\"version\":\"1\",\"triggers\":[\"frame\",\"flow\"]}"))"#;

/// Everybody pays somebody; every third pays an account that is guarded, and who is guarded pays, too.
fn scenario(admission: Admission) -> Scenario {
    let mut scenario = Scenario { admission, ..Scenario::empty(Hardfork::Osaka) };
    scenario.accounts = (0..PEOPLE).map(|number| Account::funded(Place::Person(number), RICH)).collect();
    let pay = |number: u8| {
        let to = if number.is_multiple_of(3) { GUARDED[usize::from(number % 2)] } else { Place::Stranger(number) };
        Candidate { gas_limit: 1_000_000, ..Candidate::transfer(Place::Person(number), to, 5) }
    };
    scenario.transactions = (0..PEOPLE).map(pay).collect();
    scenario
}

fn guarded(admission: Admission, text: &str, failure: Failure) -> Realised {
    attached(&scenario(admission), &wat::parse_str(text).expect("the text is Wasm"), failure, Bytes::new())
}

fn judge(settings: EngineSettings) -> Judge {
    Judge::new(Engine::new(settings).unwrap())
}

fn sequentially(block: &Realised, monitor: &dyn Monitor) -> Seen {
    observe(&block.input(&block.state), monitor, Mode::Sequential)
}

/// How many transactions were vetoed.
fn vetoed(seen: &Observed) -> usize {
    seen.included.iter().filter(|included| !included.executed.succeeded()).count()
}

#[test]
fn guards_that_run_out_of_memory_judge_the_same_on_any_number_of_threads() {
    for (failure, admission) in [
        (Failure::Closed, Admission::Build),
        (Failure::Closed, Admission::Import),
        (Failure::Open, Admission::Build),
        (Failure::Open, Admission::Import),
    ] {
        let (expected, vetoes) = in_time(move || {
            let block = guarded(admission, GREEDY, failure);
            let judge = judge(EngineSettings::default());
            let expected = sequentially(&block, &judge);
            let crews = Crews::new();
            for _ in 0..ROUNDS {
                for workers in crews.each() {
                    let found = observe(&block.input(&block.state), &judge, Mode::Parallel(workers));
                    let part = first_difference(&expected, &found);
                    assert_eq!(part, None, "{failure:?}, {admission:?}, {} threads", workers.threads());
                }
            }
            let seen = expected.unwrap();
            let vetoes = vetoed(&seen);
            (seen, vetoes)
        });
        assert_eq!(expected.included.len(), usize::from(PEOPLE));
        // Eight are paid, and one that is guarded pays a stranger.
        assert_eq!(vetoes, if failure == Failure::Closed { 9 } else { 0 }, "{failure:?}");
        let said = expected.included.iter().flat_map(|included| &included.executed.verdicts).count();
        assert_eq!(said, 9, "each of them is judged");
    }
}

/// What was included is what it would be without the rest.
fn is_whole(block: &Realised, seen: &Observed) -> Option<String> {
    let alone = block.imported(&seen.candidates());
    let expected = sequentially(&alone, &judge(EngineSettings::default()));
    first_difference(&expected, &Ok(seen.clone().of_included_alone()))
}

#[test]
fn a_host_without_room_for_instances_leaves_transactions_out_or_fails_the_block_and_nothing_stays_of_them() {
    for admission in [Admission::Build, Admission::Import] {
        in_time(move || {
            let block = guarded(admission, MODEST, Failure::Open);
            let crews = Crews::new();
            let roomy = judge(EngineSettings::default());
            let expected = sequentially(&block, &roomy);
            for _ in 0..ROUNDS {
                for workers in crews.each() {
                    // One instance for all threads: whoever comes second is refused one.
                    let cramped = judge(EngineSettings { instances_max: 1, warm_max: 0, ..EngineSettings::default() });
                    let threads = workers.threads();
                    match observe(&block.input(&block.state), &cramped, Mode::Parallel(workers)) {
                        Ok(seen) => {
                            assert_eq!(is_whole(&block, &seen), None, "{admission:?}, {threads} threads");
                            assert!(seen.left_out.iter().all(|(_, reason)| reason.contains("guard VM")), "{seen:?}");
                        }
                        Err(BlockError::Transaction { .. }) if admission == Admission::Import => {}
                        Err(error) => panic!("{admission:?}, {threads} threads: {error}"),
                    }
                    let found = observe(&block.input(&block.state), &roomy, Mode::Parallel(workers));
                    assert_eq!(first_difference(&expected, &found), None, "{threads} threads, afterwards");
                }
            }
        });
    }
}

/// The guard VM with a bug: it panics where one transaction has been judged.
struct Breaking {
    judge: Judge,
    at: Place,
}

struct BreakingJudging<'a> {
    judging: Box<dyn Judging + 'a>,
    breaks: bool,
}

impl Monitor for Breaking {
    fn attention(&self) -> Attention {
        self.judge.attention()
    }

    fn open(&self, context: &ContextRecord, view: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        let sender = self.at.fixed_address().expect("people have addresses");
        let breaks = context.sender.bytes == sender.into_array();
        let judging = self.judge.open(context, view)?;
        Ok(judging.map(|judging| -> Box<dyn Judging + '_> { Box::new(BreakingJudging { judging, breaks }) }))
    }

    fn admit(
        &self,
        context: &ContextRecord,
        allowance: Allowance,
        view: &mut dyn StateView,
    ) -> Result<Examination, Fault> {
        self.judge.admit(context, allowance, view)
    }
}

impl Judging for BreakingJudging<'_> {
    fn allow(&mut self, allowance: Allowance) {
        self.judging.allow(allowance);
    }

    fn spent(&self) -> FuelSpent {
        self.judging.spent()
    }

    fn subscriptions(&self) -> Subscriptions {
        self.judging.subscriptions()
    }

    fn on_call(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.judging.on_call(trace, frame, view)
    }

    fn on_call_end(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.judging.on_call_end(trace, frame, view)
    }

    fn on_tx(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<Decision, Fault> {
        let decision = self.judging.on_tx(trace, view);
        assert!(!self.breaks, "the guard VM is broken");
        decision
    }

    fn close(self: Box<Self>) -> Judgement {
        self.judging.close()
    }
}

#[test]
fn a_guard_vm_that_panics_as_it_judges_fails_the_block_and_works_on_with_the_next() {
    in_time(|| {
        let block = guarded(Admission::Build, MODEST, Failure::Open);
        let monitor = Breaking { judge: judge(EngineSettings::default()), at: Place::Person(15) };
        let expected = sequentially(&block, &monitor.judge);
        let crews = Crews::new();
        for _ in 0..ROUNDS {
            for workers in crews.each() {
                let threads = workers.threads();
                let found = observe(&block.input(&block.state), &monitor, Mode::Parallel(workers));
                assert!(matches!(found, Err(BlockError::Panicked(_))), "{threads} threads: {found:?}");
                let found = observe(&block.input(&block.state), &monitor.judge, Mode::Parallel(workers));
                assert_eq!(first_difference(&expected, &found), None, "{threads} threads, after the panic");
            }
        }
    });
}
