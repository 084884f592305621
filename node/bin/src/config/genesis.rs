//! `parapet config genesis`: what a chain of one's own begins with, as geth's genesis files have it.

use std::{collections::BTreeMap, fs::OpenOptions, path::PathBuf};

use alloy_primitives::{Address, U256, utils::parse_ether};
use parapet_builder::{Clock as _, SystemClock};
use parapet_genesis::{ACCOUNTS, BLOCK_GAS_LIMIT, GenesisSettings, StateFile, dev_accounts};
use parapet_monitor::Fuel;
use parapet_types::{BLOCK_FUEL_MAX, ChainParams, ExecutionLimits, FuelPerGas, GuardParams, Hardfork};

use crate::failure::Failure;

/// Printed below the options.
const HELP: &str = "\
Example:
  parapet config genesis genesis.json --chain-id 4242 --guardian 0x… --governance 0x… --fund 0x…=1000

The guardian may pause any attachment at once and add none; governance may attach guards to the whole chain. Both should be
contracts that several people hold, or keys that nobody has on a machine. Neither can be changed by this file later: it is
needed once, to begin.";

/// Write what a chain of one's own begins with.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct GenesisArgs {
    /// The file, which must not be there yet.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Chain id: one that no other chain has.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(u64).range(1..))]
    chain_id: u64,
    /// Who may pause any attachment at once.
    #[arg(long, value_name = "ADDRESS")]
    guardian: Address,
    /// Who may attach guards to the whole chain.
    #[arg(long, value_name = "ADDRESS")]
    governance: Address,
    /// An account that has something from the beginning, and how much, in ether.
    #[arg(long = "fund", value_name = "ADDRESS=ETHER", value_parser = fund)]
    funded: Vec<(Address, U256)>,
    /// Rules to follow: paris, shanghai, cancun, prague, osaka, bpo1 or bpo2.
    #[arg(long, default_value_t = Hardfork::default(), value_name = "FORK")]
    hardfork: Hardfork,
    /// Gas limit of every block.
    #[arg(long, default_value_t = BLOCK_GAS_LIMIT, value_name = "GAS")]
    gas_limit: u64,
    /// Guard fuel that one gas pays for.
    #[arg(long, default_value_t = FuelPerGas::DEFAULT, value_name = "FUEL")]
    fuel_per_gas: FuelPerGas,
    /// Most fuel that the guards of one block may spend.
    #[arg(long, default_value_t = BLOCK_FUEL_MAX.0, value_name = "FUEL")]
    block_fuel: u64,
}

/// `ADDRESS=ETHER`.
fn fund(text: &str) -> Result<(Address, U256), String> {
    let (address, ether) = text.split_once('=').ok_or("write ADDRESS=ETHER, as in 0x…=1000")?;
    let address = address.trim().parse().map_err(|error| format!("{address:?} is no address: {error}"))?;
    Ok((address, parse_ether(ether.trim()).map_err(|error| format!("{ether:?} is no amount: {error}"))?))
}

/// Writes the file, and says what is in it.
pub(super) fn run(args: &GenesisArgs) -> Result<String, Failure> {
    // Everybody has the keys of development chains.
    let public: Vec<_> = dev_accounts(ACCOUNTS)?.into_iter().map(|account| account.address).collect();
    for (role, address) in [("guardian", args.guardian), ("governance", args.governance)] {
        if public.contains(&address) || address == Address::ZERO {
            return Err(Failure::PublicKey { role, address });
        }
    }
    let settings = GenesisSettings {
        params: ChainParams {
            chain_id: args.chain_id,
            hardfork: args.hardfork,
            block_gas_limit: args.gas_limit,
            guards: GuardParams { fuel_per_gas: args.fuel_per_gas, block_fuel_max: Fuel(args.block_fuel) },
            deposit_contract: ChainParams::MAINNET_DEPOSITS,
            limits: ExecutionLimits::ETHEREUM,
        },
        guardian: args.guardian,
        governance: args.governance,
        funded: args.funded.iter().copied().collect::<BTreeMap<_, _>>(),
        timestamp: SystemClock.now(),
    };
    let begun = settings.build();
    let json = StateFile::read(&begun.world, || ())?.to_geth(&begun.header, &begun.spec);
    let refused = |source| Failure::File { path: args.file.clone(), source };
    let file = OpenOptions::new().write(true).create_new(true).open(&args.file).map_err(refused)?;
    serde_json::to_writer_pretty(file, &json)?;
    Ok(format!(
        "{} is written: chain {}, block {}; begin with: parapet node --datadir chain --genesis {0}\n",
        args.file.display(),
        args.chain_id,
        begun.header.hash_slow()
    ))
}
