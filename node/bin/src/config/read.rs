//! Reads settings: defaults, then a file, then what the command line says. What nobody knows is refused, with the nearest
//! name of what there is.

use std::{
    collections::BTreeSet,
    fmt::Display,
    path::{Path, PathBuf},
};

use parapet_builder::{BLOCK_TIME_MAX, PREFETCH_THREADS_MAX};
use parapet_rpc::{Allowed, Namespaces, UnknownNamespace};
use serde::Deserialize as _;
use toml::{Table, Value};

use super::{Config, TEMPLATE};
use crate::args::{CACHE_MIB_MIN, THREADS_MAX};

/// How alike a name must be to be meant, of 1.
const LIKENESS_MIN: f64 = 0.6;
/// Longest extra data of a header, in bytes.
const EXTRA_DATA_BYTES_MAX: usize = 32;

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}, line {line}: {message}", file.display())]
    Form {
        /// The file.
        file: PathBuf,
        /// Where, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// There is no such setting.
    #[error("there is no setting {name}; did you mean {nearest}? `parapet config init` prints all of them")]
    Unknown {
        /// As it was given.
        name: String,
        /// What is nearest to it.
        nearest: String,
    },
    /// There is nothing like it.
    #[error("there is no setting {name}; `parapet config init` prints all there are")]
    Stranger {
        /// As it was given.
        name: String,
    },
    /// A setting on the command line.
    #[error("{given}: {message}")]
    Override {
        /// As it was given.
        given: String,
        /// What is wrong with it.
        message: String,
    },
    /// A value that cannot be.
    #[error("{name}: {message}")]
    Value {
        /// Of which setting.
        name: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// A namespace that is not served.
    #[error("rpc.namespaces: {0}")]
    Namespace(#[from] UnknownNamespace),
}

/// One setting of the command line: its name, as `rpc.port`, and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Override {
    name: String,
    value: Value,
    /// As it was given.
    text: String,
}

impl Override {
    pub(crate) fn new(name: &str, value: impl Into<Value> + Display) -> Self {
        Self { name: name.to_owned(), text: format!("{name}={value}"), value: value.into() }
    }

    /// `NAME=VALUE`. What is no value of TOML is text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, as in rpc.port=8545")?;
        let (name, value) = (name.trim(), value.trim());
        let parsed = format!("value = {value}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
        Ok(Self { name: name.to_owned(), text: text.to_owned(), value: parsed.unwrap_or_else(|| value.into()) })
    }
}

/// Reads settings.
pub(crate) fn read(file: Option<&Path>, overrides: &[Override]) -> Result<Config, ConfigError> {
    let mut table = match file {
        Some(file) => read_file(file)?,
        None => Table::new(),
    };
    for Override { name, value, text } in overrides {
        refuse_unknown(std::iter::once(name.clone()))?;
        let mut one = Table::new();
        put(&mut one, name, value.clone());
        if let Err(error) = Config::deserialize(Value::Table(one)) {
            return Err(ConfigError::Override { given: text.clone(), message: error.message().into() });
        }
        put(&mut table, name, value.clone());
    }
    let config = Config::deserialize(Value::Table(table)).expect("the file and each override were read before");
    check(&config)?;
    Ok(config)
}

fn read_file(file: &Path) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(file).map_err(|source| ConfigError::File { file: file.to_owned(), source })?;
    let form = |error: toml::de::Error| {
        let line = text[..error.span().map_or(0, |span| span.start)].matches('\n').count() + 1;
        ConfigError::Form { file: file.to_owned(), line, message: error.message().to_owned() }
    };
    let table: Table = text.parse().map_err(form)?;
    refuse_unknown(names(&table))?;
    toml::from_str::<Config>(&text).map_err(form)?;
    Ok(table)
}

/// Puts a value under a dotted name.
fn put(table: &mut Table, name: &str, value: Value) {
    match name.split_once('.') {
        None => {
            table.insert(name.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// Dotted names of all that a table holds, tables within it left out.
fn names(table: &Table) -> Vec<String> {
    let mut all = Vec::new();
    for (name, value) in table {
        match value {
            Value::Table(inner) => all.extend(names(inner).into_iter().map(|rest| format!("{name}.{rest}"))),
            _ => all.push(name.clone()),
        }
    }
    all
}

/// Names of all settings there are: the commented default holds them all.
pub(super) fn known() -> BTreeSet<String> {
    names(&complete().parse().expect("the commented default is TOML")).into_iter().collect()
}

/// The commented default with the settings that it leaves open set to its examples.
pub(super) fn complete() -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(open) if !open.is_empty() && !open.starts_with(' ') => format!("{open}\n"),
        _ => format!("{line}\n"),
    };
    TEMPLATE.lines().map(line).collect()
}

fn refuse_unknown(given: impl IntoIterator<Item = String>) -> Result<(), ConfigError> {
    let known = known();
    let Some(name) = given.into_iter().find(|name| !known.contains(name)) else { return Ok(()) };
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let alike = |candidate: &String| {
        let whole = strsim::normalized_damerau_levenshtein(candidate, &name);
        whole.max(strsim::normalized_damerau_levenshtein(&last(candidate), &last(&name)))
    };
    let nearest = known.iter().max_by(|one, other| alike(one).total_cmp(&alike(other)));
    Err(match nearest.filter(|nearest| alike(nearest) >= LIKENESS_MIN) {
        Some(nearest) => ConfigError::Unknown { nearest: nearest.clone(), name },
        None => ConfigError::Stranger { name },
    })
}

/// What types do not say.
fn check(config: &Config) -> Result<(), ConfigError> {
    let refuse = |name, message: String| Err(ConfigError::Value { name, message });
    let builder = &config.builder;
    if builder.block_time.is_zero() || builder.block_time > BLOCK_TIME_MAX {
        return refuse(
            "builder.block_time",
            format!("give more than nothing and at most {}s", BLOCK_TIME_MAX.as_secs()),
        );
    }
    if builder.block_deadline.is_some_and(|deadline| deadline.is_zero()) {
        return refuse("builder.block_deadline", "a block needs some time".into());
    }
    if builder.threads.is_some_and(|threads| threads.get() > THREADS_MAX) {
        return refuse("builder.threads", format!("give a number from 1 to {THREADS_MAX}"));
    }
    if builder.extra_data.len() > EXTRA_DATA_BYTES_MAX {
        return refuse("builder.extra_data", format!("a header holds at most {EXTRA_DATA_BYTES_MAX} bytes of it"));
    }
    if config.store.cache_mebibytes < CACHE_MIB_MIN {
        return refuse("store.cache_mebibytes", format!("give at least {CACHE_MIB_MIN}"));
    }
    if config.store.prefetch_threads > PREFETCH_THREADS_MAX {
        return refuse("store.prefetch_threads", format!("give a number from 0 to {PREFETCH_THREADS_MAX}"));
    }
    if config.rpc.limits.connections_max == 0 || config.rpc.limits.connection_calls_max == 0 {
        return refuse("rpc.limits", "without a connection, or a call on it, nobody is served".into());
    }
    if let Allowed::These(origins) = &config.rpc.origins
        && let Some(wrong) = origins.iter().find(|origin| !is_origin(origin))
    {
        return refuse(
            "rpc.origins",
            format!("{wrong:?} is no origin; write https://example.org, without a path, or *"),
        );
    }
    config.local_guards().or_else(|message| refuse("guards.local", message).map(|()| Vec::new()))?;
    Namespaces::of(&config.rpc.namespaces)?;
    Ok(())
}

fn is_origin(text: &str) -> bool {
    let name = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    name.is_some_and(|name| !name.is_empty() && !name.contains('/') && text.is_ascii() && !text.contains(' '))
}
