//! Which forks a chain enters, as geth's genesis files tell it.

use parapet_genesis::{FileError, StateFile, genesis_of_file};
use parapet_state::GenesisBlock;
use parapet_types::{BlobSchedule, ChainSpec, Era, Hardfork};
use serde_json::{Value, json};

/// A genesis with this configuration, at a time.
fn genesis(config: &Value, timestamp: u64) -> Result<GenesisBlock, FileError> {
    let file = json!({
        "config": config,
        "timestamp": format!("{timestamp:#x}"),
        "gasLimit": "0x1c9c380",
        "difficulty": "0x20000",
        "alloc": { "0x00000000000000000000000000000000000000aa": { "balance": "0x1" } },
    });
    genesis_of_file(file.to_string().as_bytes())
}

/// From the oldest rules to the newest blob parameters.
fn every_fork() -> Value {
    json!({
        "chainId": 7,
        "homesteadBlock": 0, "eip150Block": 3, "eip155Block": 6, "eip158Block": 6, "byzantiumBlock": 9,
        "constantinopleBlock": 12, "petersburgBlock": 15, "istanbulBlock": 18, "muirGlacierBlock": 21,
        "berlinBlock": 24, "londonBlock": 27, "arrowGlacierBlock": 30, "mergeNetsplitBlock": 36,
        "terminalTotalDifficulty": 4_732_352,
        "shanghaiTime": 390, "cancunTime": 420, "pragueTime": 450, "osakaTime": 480, "bpo1Time": 510, "bpo2Time": 540,
        "depositContractAddress": "0x00000000000000000000000000000000000000dd",
        "blobSchedule": {
            "cancun": { "target": 3, "max": 6, "baseFeeUpdateFraction": 3_338_477 },
            "bpo1": { "target": 10, "max": 15, "baseFeeUpdateFraction": 8_346_193 },
            "bpo2": { "target": 14, "max": 21, "baseFeeUpdateFraction": 11_684_671 },
        },
    })
}

fn forks(spec: &ChainSpec, blocks: &[(u64, u64)]) -> Vec<&'static str> {
    blocks.iter().map(|(number, time)| spec.hardfork_at(*number, *time).name()).collect()
}

#[test]
fn a_chain_enters_each_fork_at_its_block_or_time() {
    let GenesisBlock { spec, header, .. } = genesis(&every_fork(), 0).unwrap();
    let blocks: Vec<_> = (0..=54).map(|number| (number, number * 10)).collect();
    let entered = forks(&spec, &blocks);
    assert_eq!(spec.silent_forks(), [12, 15, 21, 30], "two of them are one fork here, and two to whoever counts forks");
    let expected = [
        ("homestead", 3),
        ("tangerine", 3),
        ("spurious", 3),
        ("byzantium", 3),
        ("petersburg", 6),
        ("istanbul", 6),
        ("berlin", 3),
        ("london", 9),
        ("paris", 3),
        ("shanghai", 3),
        ("cancun", 3),
        ("prague", 3),
        ("osaka", 3),
        ("bpo1", 3),
        ("bpo2", 1),
    ];
    let expected: Vec<_> = expected.iter().flat_map(|(name, blocks)| vec![*name; *blocks]).collect();
    assert_eq!(entered, expected);
    assert_eq!((spec.hardfork_at(51, 510), spec.hardfork_at(54, 540)), (Hardfork::BPO1, Hardfork::BPO2));
    assert_eq!(header.base_fee_per_gas, None, "the first block is from before London");
    assert_eq!(spec.genesis().deposit_contract.0[19], 0xdd);
}

#[test]
fn a_chain_that_is_merged_from_its_first_block_on_has_no_older_forks() {
    let times = json!({ "chainId": 7, "terminalTotalDifficulty": 0, "shanghaiTime": 0, "cancunTime": 100 });
    for merged in [
        times.clone(),
        json!({ "chainId": 7, "terminalTotalDifficultyPassed": true, "londonBlock": 9, "shanghaiTime": 0, "cancunTime": 100 }),
        json!({ "chainId": 7, "mergeNetsplitBlock": 0, "shanghaiTime": 0, "cancunTime": 100 }),
        json!({ "chainId": 7, "shanghaiTime": 0, "cancunTime": 100 }),
    ] {
        let spec = genesis(&merged, 0).unwrap().spec;
        assert_eq!(forks(&spec, &[(0, 0), (1, 99), (2, 100)]), ["shanghai", "shanghai", "cancun"]);
    }
    assert_eq!(genesis(&times, 100).unwrap().spec.upgrades(), [], "all has come when the chain begins");
}

#[test]
fn osaka_may_have_blob_parameters_of_its_own() {
    let own = BlobSchedule { target: 1, max: 2, base_fee_update_fraction: 5_000_000 };
    let config = |fork: &str| {
        let mut config = json!({ "chainId": 7, "terminalTotalDifficulty": 0, "osakaTime": 0, "pragueTime": 0 });
        config["blobSchedule"][fork] = json!({ "target": 1, "max": 2, "baseFeeUpdateFraction": 5_000_000 });
        config
    };
    assert_eq!(genesis(&config("osaka"), 0).unwrap().spec.hardfork_at(0, 0), Hardfork::Bpo(own));
    let refused = genesis(&config("prague"), 0);
    assert!(matches!(refused, Err(FileError::Blobs(name)) if name == "prague"));
}

#[test]
fn what_is_no_schedule_is_refused_with_the_reason() {
    let refused = |change: fn(&mut Value)| {
        let mut config = every_fork();
        change(&mut config);
        genesis(&config, 0).map(|genesis| genesis.spec).unwrap_err()
    };
    assert!(matches!(refused(|config| config["homesteadBlock"] = json!(1)), FileError::Frontier));
    assert!(matches!(refused(|config| config["mergeNetsplitBlock"] = Value::Null), FileError::UnknownMerge));
    assert!(matches!(refused(|config| config["amsterdamTime"] = json!(600)), FileError::Amsterdam));
    assert!(matches!(refused(|config| config["berlinBlock"] = json!("0x1")), FileError::Fork(_)));
    assert!(matches!(refused(|config| config["londonBlock"] = json!(20)), FileError::Schedule(_)));
    assert!(matches!(refused(|config| config["blobSchedule"]["bpo2"] = Value::Null), FileError::Json(_)));
    assert!(matches!(refused(|config| config["bpo3Time"] = json!(600)), FileError::Blobs(_)));
}

#[test]
fn what_is_written_of_a_chain_begins_one_with_its_forks() {
    let GenesisBlock { spec, mut header, world } = genesis(&every_fork(), 0).unwrap();
    let state = StateFile::read(&world, || {}).unwrap();
    for (number, time) in [(0, 0), (10, 100), (24, 240), (36, 360), (43, 430), (51, 510), (54, 540)] {
        (header.number, header.timestamp) = (number, time);
        let written = state.to_geth(&header, &spec).to_string();
        let again = genesis_of_file(written.as_bytes()).unwrap().spec;
        assert_eq!(again.genesis(), &spec.at(number, time));
        if spec.hardfork_at(number, time) >= Hardfork::Paris {
            for later in [time, 419, 420, 450, 510, 540].into_iter().filter(|later| *later >= time) {
                assert_eq!(again.hardfork_at(1, later), spec.hardfork_at(100, later), "at {time}, for {later}");
            }
        } else {
            assert_eq!(again.upgrades(), []);
        }
    }
    assert_eq!(spec.hardfork_at(24, 240), Hardfork::ProofOfWork(Era::Berlin));
}
