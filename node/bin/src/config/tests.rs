//! The commented default against the types, and what is refused.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::{collections::BTreeSet, io::Write as _, time::Duration};

use parapet_builder::Mining;
use serde::Deserialize as _;
use toml::Table;

use super::{
    Config, Override, TEMPLATE, read,
    read::{complete, known},
};

/// Reads settings as if from a file.
fn of_text(text: &str) -> Result<Config, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    read(Some(file.path()), &[]).map_err(|error| error.to_string())
}

#[test]
fn the_commented_default_says_what_holds_where_nothing_is_said() {
    assert_eq!(of_text(TEMPLATE), Ok(Config::default()));
    assert_eq!(of_text(""), Ok(Config::default()));
}

#[test]
fn its_open_settings_can_be_taken_as_they_stand() {
    let config = of_text(&complete()).unwrap();
    assert_ne!(config, Config::default());
    assert_eq!(config.chain.datadir.as_deref(), Some("chain".as_ref()));
    assert_eq!(config.health.head_age_max, Some(Duration::from_secs(30)));
}

/// Names of the settings of a section, as its type has them: it tells them to whoever gives another.
fn names_of_type(section: &str) -> BTreeSet<String> {
    let text = if section.is_empty() { "no_such = 1".to_owned() } else { format!("[{section}]\nno_such = 1") };
    let error = Config::deserialize(toml::Value::Table(text.parse::<Table>().unwrap())).unwrap_err();
    let (_, expected) = error.message().split_once("expected").unwrap_or_else(|| panic!("{error}"));
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_setting_of_every_type_stands_in_it_and_nothing_else() {
    let mut of_types = BTreeSet::new();
    let mut sections = vec![String::new()];
    while let Some(section) = sections.pop() {
        for name in names_of_type(&section) {
            let full = if section.is_empty() { name } else { format!("{section}.{name}") };
            if TEMPLATE.lines().any(|line| line == format!("[{full}]")) {
                sections.push(full);
            } else {
                of_types.insert(full);
            }
        }
    }
    assert_eq!(of_types, known());
}

#[test]
fn unknown_settings_are_refused_with_the_nearest_name() {
    for (text, expected) in [
        (
            "[rpc.limits]\nbatch_call_max = 5",
            "no setting rpc.limits.batch_call_max; did you mean rpc.limits.batch_calls_max?",
        ),
        ("[store]\nprun = 5", "did you mean store.prune?"),
        ("port = 5", "did you mean rpc.port?"),
        ("[chian]\ndatadir = 'x'", "did you mean chain.datadir?"),
        ("[zebra]\nstripes = 5", "no setting zebra.stripes; `parapet config init`"),
    ] {
        let error = of_text(text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn values_that_cannot_be_are_refused_with_their_place() {
    for (text, expected) in [
        ("[rpc]\nport = 99999", "line 2"),
        ("[rpc]\n\nport = 'x'", "line 3"),
        ("[builder]\nblock_time = '2 fortnights'", "line 2"),
        ("[builder]\nblock_time = '0s'", "builder.block_time"),
        ("[builder]\nblock_time = '9999days'", "builder.block_time"),
        ("[builder]\nmining = 'sometimes'", "`interval`, `instant`, `mixed`, `none`"),
        ("[builder]\nthreads = 5000", "1 to 256"),
        ("[builder]\nthreads = 0", "line 2"),
        ("[builder]\nextra_data = 'much more than thirty-two bytes of it'", "at most 32 bytes"),
        ("[store]\ncache_mebibytes = 1", "at least 16"),
        ("[store]\nprefetch_threads = 5000", "0 to 256"),
        ("[rpc]\nnamespaces = ['eth', 'anvil']", "\"anvil\" is no namespace"),
        ("[rpc]\norigins = ['wallet.example']", "is no origin"),
        ("[guards]\nlocal = ['reentrancy:nonsense']", "guards.local"),
        ("[rpc.limits]\nconnections_max = 0", "rpc.limits"),
        ("[rpc", "line 1"),
    ] {
        let error = of_text(text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn the_command_line_goes_before_the_file_and_its_last_word_holds() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"[rpc]\nport = 1\nhost = '0.0.0.0'\n[store]\nprune = 7").unwrap();
    let says = |text: &str| Override::parse(text).unwrap();
    let overrides =
        [says("rpc.port=2"), says("rpc.limits.logs_max = 9"), Override::new("rpc.port", 3), says("log.filter=warn")];
    let config = read(Some(file.path()), &overrides).unwrap();
    assert_eq!(config.rpc.port, 3);
    assert_eq!(config.rpc.host.to_string(), "0.0.0.0");
    assert_eq!((config.rpc.limits.logs_max, config.store.prune.map(Into::into)), (9, Some(7_u64)));
    assert_eq!(config.log.filter.as_deref(), Some("warn"));
}

#[test]
fn settings_of_the_command_line_are_refused_as_those_of_a_file_are() {
    let refused = |text: &str| read(None, &[Override::parse(text).unwrap()]).unwrap_err().to_string();
    assert!(refused("rpc.prot=5").contains("did you mean rpc.port?"));
    assert!(refused("rpc.port=many").contains("rpc.port=many: "), "{}", refused("rpc.port=many"));
    assert!(refused("rpc=5").contains("no setting rpc"));
    assert!(Override::parse("rpc.port").is_err());
}

#[test]
fn a_head_is_too_old_after_some_intervals_and_only_where_there_are_intervals() {
    let age = |text: &str| of_text(text).unwrap().head_age_max();
    assert_eq!(age(""), Some(Duration::from_secs(30)));
    assert_eq!(age("[builder]\nblock_time = '12s'"), Some(Duration::from_secs(60)));
    assert_eq!(age("[builder]\nmining = 'instant'"), None);
    assert_eq!(age("[builder]\nmining = 'none'\n[health]\nhead_age_max = '1m'"), Some(Duration::from_secs(60)));
    assert_eq!(of_text("[builder]\nmining = 'none'").unwrap().mining(), Mining::Manual);
}
