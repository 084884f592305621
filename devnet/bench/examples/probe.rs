use parapet_executor::{Mode, Workers, run_block};
use parapet_monitor::NoMonitor;
use parapet_workloads::{Kind, generate};
use std::{num::NonZeroUsize, time::Instant};
fn main() {
    let mut args = std::env::args().skip(1);
    let kind: Kind = args.next().unwrap().parse().unwrap();
    let threads: usize = args.next().unwrap().parse().unwrap();
    let rounds: usize = args.next().unwrap().parse().unwrap();
    let w = generate(kind, 200_000_000);
    let workers = Workers::new(NonZeroUsize::new(threads.max(1)).unwrap());
    let input = w.input();
    let mut best = f64::MAX;
    for round in 0..rounds {
        let start = Instant::now();
        let mode = if threads == 0 { Mode::Sequential } else { Mode::Parallel(&workers) };
        let run = run_block(&input, &NoMonitor, mode).unwrap();
        let ms = start.elapsed().as_secs_f64() * 1e3;
        best = best.min(ms);
        if round == 0 || round + 1 == rounds {
            let mut r = run.report().cloned().unwrap_or_default();
            r.conflicts.truncate(5);
            println!("{round}: {ms:.2} ms {r:?}");
        }
    }
    println!("best {best:.2} ms, {:.3} us per tx", best * 1e3 / w.transactions.len() as f64);
}
