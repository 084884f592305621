//! What was measured, as a table and as JSON.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use serde::Serialize;

use crate::{error::BenchError, reads::Reads, siege::Siege, throughput::Throughput};

/// Bytes in a mebibyte.
const MIB: f64 = 1_048_576.0;

/// All that was measured.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Transactions.
    pub throughput: Vec<Throughput>,
    /// Questions.
    pub reads: Vec<Reads>,
    /// Both at once, for a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub siege: Option<Siege>,
}

impl Report {
    /// Writes it as JSON.
    ///
    /// # Errors
    /// [`BenchError::File`].
    pub fn write(&self, path: &Path) -> Result<(), BenchError> {
        let failed = |source| BenchError::File { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        fs::write(path, serde_json::to_string_pretty(self)? + "\n").map_err(failed)
    }

    /// Prints it as tables.
    ///
    /// # Errors
    /// What writing them reports.
    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        if !self.throughput.is_empty() {
            self.print_throughput(out)?;
        }
        if !self.reads.is_empty() {
            self.print_reads(out)?;
        }
        self.siege.iter().try_for_each(|siege| siege.print(out))
    }

    fn print_throughput(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "traffic   over blocks  node      sent refused missing failed   blocks       s   tx/s  × anvil  CPU ms/tx  \
             anvil ×     MiB"
        )?;
        for run in &self.throughput {
            let Throughput { traffic, node, transactions, refused, missing, failed, height, seconds, .. } = run;
            let other = self.throughput.iter().find(|other| {
                other.node != *node
                    && (other.traffic, other.transport, other.blocks) == (run.traffic, run.transport, run.blocks)
            });
            let times = |ratio: Option<f64>| ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            let faster = other.map(|other| run.per_second() / other.per_second());
            let cheaper = other.map(|other| other.cpu_ms() / run.cpu_ms());
            writeln!(
                out,
                "{traffic:<9} {:<4} {:<7} {node:<8} {transactions:>6} {refused:>6} {missing:>7} {failed:>6} {height:>8} \
                 {seconds:>7.2} {:>6.0} {:>8} {:>10.4} {:>8} {:>7.0}",
                run.transport.name(),
                run.blocks.name(),
                run.per_second(),
                times(faster),
                run.cpu_ms(),
                times(cheaper),
                run.memory_bytes as f64 / MIB,
            )?;
        }
        writeln!(out)
    }

    fn print_reads(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "method                    over form   node     calls/s  × anvil  CPU µs/call  anvil ×  asking µs  × bare"
        )?;
        for run in &self.reads {
            let beside = |node: &str| {
                self.reads.iter().find(|other| {
                    other.node == node
                        && other.node != run.node
                        && (other.method, other.transport, other.form) == (run.method, run.transport, run.form)
                })
            };
            let times = |ratio: Option<f64>| ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            let (anvil, bare) = (beside("anvil"), beside("bare"));
            writeln!(
                out,
                "{:<25} {:<4} {:<6} {:<8} {:>7.0} {:>8} {:>12.2} {:>8} {:>10.2} {:>7}",
                run.method,
                run.transport.name(),
                run.form.name(),
                run.node,
                run.per_second(),
                times(anvil.map(|anvil| run.per_second() / anvil.per_second())),
                run.cpu_us(),
                times(anvil.map(|anvil| anvil.cpu_us() / run.cpu_us())),
                run.asking_cpu_us(),
                times(bare.map(|bare| run.per_second() / bare.per_second())),
            )?;
        }
        writeln!(out)
    }
}
