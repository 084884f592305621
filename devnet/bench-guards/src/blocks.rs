//! What guards cost in whole blocks, under the executor.

use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, Bytes, TxKind};
use cpu_time::ThreadTime;
use parapet_executor::{Mode, Workers, run_block};
use parapet_judge::Judge;
use parapet_monitor::{MemoryAccounts, Monitor, NoMonitor};
use parapet_types::{AccountChange, AccountInfo, StateChanges};
use parapet_vm::{Engine, EngineSettings};
use parapet_workloads::{Kind, Workload, generate};

use crate::{
    BenchError, guards,
    report::Row,
    scene::Attached,
    timing::{each_ns, least, medians},
};

/// Gas of a block.
const GAS: u64 = 60_000_000;
/// Rounds of each comparison.
const ROUNDS: usize = 21;
/// Rounds where a percent counts.
const UNWOKEN_ROUNDS: usize = 61;
/// Attachments on a chain whose transactions they do not concern.
const ELSEWHERE: u64 = 100;
/// Blocks in which transactions that run twice are counted, and the threads that run them.
const COUNTED_BLOCKS: usize = 21;
const COUNTING_THREADS: NonZeroUsize = NonZeroUsize::new(4).expect("it is not zero");

/// All figures of this module.
///
/// # Errors
/// [`BenchError`].
pub fn rows() -> Result<Vec<Row>, BenchError> {
    let mut rows = unwoken()?;
    rows.extend(woken()?);
    rows.push(shared_counter()?);
    Ok(rows)
}

fn judge() -> Result<Judge, BenchError> {
    Ok(Judge::new(Engine::new(EngineSettings::default())?))
}

/// A block on a chain that has these attachments, too.
fn on_chain(kind: Kind, attached: impl FnOnce(&Workload) -> Attached) -> Workload {
    let mut workload = generate(kind, GAS);
    let accounts = attached(&workload).accounts();
    workload.state.apply(&changes(accounts));
    workload
}

/// Accounts as changes of an empty state.
pub(crate) fn changes(accounts: MemoryAccounts) -> StateChanges {
    let mut changes = StateChanges::default();
    for (address, account) in accounts {
        let code_hash = alloy_primitives::keccak256(&account.code);
        let info = AccountInfo { nonce: 1, balance: account.balance, code_hash };
        changes.code.insert(code_hash, account.code);
        let change = AccountChange { info: Some(info), storage: account.storage, ..AccountChange::default() };
        changes.accounts.insert(address, change);
    }
    changes
}

fn run(workload: &Workload, monitor: &dyn Monitor, mode: Mode<'_>) -> Result<Duration, BenchError> {
    let start = Instant::now();
    let run = run_block(&workload.input(), monitor, mode)?;
    let elapsed = start.elapsed();
    drop(run);
    Ok(elapsed)
}

/// What the calling thread spends on a block. Others may use the machine meanwhile.
fn run_on_thread(workload: &Workload, monitor: &dyn Monitor, mode: Mode<'_>) -> Result<Duration, BenchError> {
    let start = ThreadTime::now();
    let run = run_block(&workload.input(), monitor, mode)?;
    let elapsed = start.elapsed();
    drop(run);
    Ok(elapsed)
}

/// Guards of others: what their presence costs those whom they do not concern (I8), in each mode.
fn unwoken() -> Result<Vec<Row>, BenchError> {
    let module = guards::light()?;
    let one = Workers::new(NonZeroUsize::MIN);
    let mut rows = Vec::new();
    let mut worst: f64 = f64::MIN;
    for (kind, counts) in [(Kind::Erc20Independent, true), (Kind::Mixed, true), (Kind::TransfersIndependent, false)] {
        let workload = on_chain(kind, |_| Attached::elsewhere(&module, ELSEWHERE));
        for (name, mode) in
            [("sequential", Mode::Sequential), ("parallel executor on one thread", Mode::Parallel(&one))]
        {
            let judge = judge()?;
            let [without, with] = least(
                UNWOKEN_ROUNDS,
                [&mut || run_on_thread(&workload, &NoMonitor, mode), &mut || run_on_thread(&workload, &judge, mode)],
            )?;
            let overhead = 100.0 * (with.as_secs_f64() / without.as_secs_f64() - 1.0);
            let count = workload.transactions.len();
            let (each, more) = (each_ns(without, count), each_ns(with, count) - each_ns(without, count));
            rows.push(
                Row::new(
                    format!("{}, {name}: {ELSEWHERE} attachments that nothing wakes", workload.name),
                    overhead,
                    "%",
                )
                .note(format!("{more:.0} ns more than {each:.0} ns each")),
            );
            if counts {
                worst = worst.max(overhead);
            }
        }
        rows.push(unwoken_on_two(&workload)?);
    }
    let all = Row::new("unwoken transactions, the worse of tokens and mixed", worst, "%");
    rows.push(all.key("unwoken_overhead_pct").at_most(1.0));
    Ok(rows)
}

/// The same on two threads, by the time that passes.
fn unwoken_on_two(workload: &Workload) -> Result<Row, BenchError> {
    let (judge, workers) = (judge()?, Workers::new(NonZeroUsize::MIN.saturating_add(1)));
    let two = Mode::Parallel(&workers);
    let [without, with] =
        least(UNWOKEN_ROUNDS, [&mut || run(workload, &NoMonitor, two), &mut || run(workload, &judge, two)])?;
    let overhead = 100.0 * (with.as_secs_f64() / without.as_secs_f64() - 1.0);
    let (each, count) = (each_ns(without, workload.transactions.len()), workload.transactions.len());
    let name = format!("{}, two threads, time that passes: the same attachments", workload.name);
    Ok(Row::new(name, overhead, "%").note(format!("{:.0} ns more than {each:.0} ns each", each_ns(with, count) - each)))
}

/// A guard of the token that all transactions of a block transfer.
fn woken() -> Result<Vec<Row>, BenchError> {
    let module = guards::light()?;
    let watched = |workload: &Workload| {
        let token = token_of(workload);
        Attached::default().with(&module, vec![token], Bytes::new())
    };
    let workload = on_chain(Kind::Erc20Independent, watched);
    let judge = judge()?;
    let workers = Workers::new(NonZeroUsize::MIN.saturating_add(1));
    let (one, two) = (Mode::Sequential, Mode::Parallel(&workers));
    let [without, with, without_two, with_two] = medians(
        ROUNDS,
        [
            &mut || run(&workload, &NoMonitor, one),
            &mut || run(&workload, &judge, one),
            &mut || run(&workload, &NoMonitor, two),
            &mut || run(&workload, &judge, two),
        ],
    )?;
    let count = workload.transactions.len();
    let alone = each_ns(with.saturating_sub(without), count) / 1_000.0;
    let beside = 2.0 * each_ns(with_two.saturating_sub(without_two), count) / 1_000.0;
    Ok(vec![
        Row::new("a light guard woken by every token transfer of a block, one thread", alone, "µs")
            .key("erc20_guard_us")
            .at_most(4.0),
        Row::new("the same, two threads, both threads' time", beside, "µs")
            .key("erc20_guard_two_threads_us")
            .at_most(4.0),
    ])
}

/// A guard whose every transaction adds to one counter: how many had to run, or to be judged, twice for it.
fn shared_counter() -> Result<Row, BenchError> {
    let module = guards::counting()?;
    let counted = |workload: &Workload| Attached::default().with(&module, vec![token_of(workload)], Bytes::new());
    let workload = on_chain(Kind::Erc20Independent, counted);
    let judge = judge()?;
    let workers = Workers::new(COUNTING_THREADS);
    let (mut again, mut judged_again, mut woken) = (0, 0, 0);
    for _ in 0..COUNTED_BLOCKS {
        let run = run_block(&workload.input(), &judge, Mode::Parallel(&workers))?;
        woken += run.executed().filter(|executed| executed.guard_fuel.0 > 0).count();
        if let Some(report) = run.report() {
            again += report.again;
            judged_again += report.judged_again;
        }
    }
    let note = format!(
        "of {woken} in {COUNTED_BLOCKS} blocks on {COUNTING_THREADS} threads; {judged_again} were only judged again"
    );
    let row = Row::new("transactions that ran again for a counter that all share", (again + judged_again) as f64, "");
    Ok(row.key("shared_counter_again").at_most(0.0).note(note))
}

/// The contract that a block of token transfers calls.
fn token_of(workload: &Workload) -> Address {
    let first = workload.transactions.first().map(|transaction| transaction.kind());
    first.and_then(TxKind::into_to).unwrap_or_default()
}
