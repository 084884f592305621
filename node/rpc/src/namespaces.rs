//! Which methods are served. Those that make a chain a development chain are served only where it is one.

use std::collections::BTreeSet;

use jsonrpsee::RpcModule;

/// Namespaces for anybody.
const PUBLIC: [&str; 10] = ["debug", "erigon", "eth", "guard", "net", "ots", "rpc", "trace", "txpool", "web3"];
/// Namespaces by which anybody can do anything.
const DEVELOPMENT: [&str; 6] = ["anvil", "evm", "hardhat", "personal", "tenderly", "testing"];
/// Methods of other namespaces that are for development alone.
const DEVELOPMENT_METHODS: [&str; 4] =
    ["eth_sendUnsignedTransaction", "eth_signTypedData", "eth_signTypedData_v3", "eth_signTypedData_v4"];

/// The namespace of a method: `eth` of `eth_call`, `rpc` of `rpc.discover`.
fn namespace(method: &str) -> &str {
    method.split(['_', '.']).next().unwrap_or(method)
}

/// There is no such namespace, or it is for development alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no namespace that is served; there are {}", PUBLIC.join(", "))]
pub struct UnknownNamespace {
    /// As it was given.
    pub name: String,
}

/// The namespaces that are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespaces {
    public: BTreeSet<&'static str>,
    development: bool,
}

impl Namespaces {
    /// Everything, for a chain of which everybody is the owner.
    pub const DEVELOPMENT: Self = Self { public: BTreeSet::new(), development: true };

    /// These, and nothing that is for development.
    ///
    /// # Errors
    /// [`UnknownNamespace`].
    pub fn of<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Result<Self, UnknownNamespace> {
        let known = |name: T| {
            let found = PUBLIC.into_iter().find(|known| *known == name.as_ref());
            found.ok_or_else(|| UnknownNamespace { name: name.as_ref().to_owned() })
        };
        Ok(Self { public: names.into_iter().map(known).collect::<Result<_, _>>()?, development: false })
    }

    /// Names of all namespaces that are not for development alone.
    #[must_use]
    pub const fn public() -> &'static [&'static str] {
        &PUBLIC
    }

    /// Their names, in order.
    pub(crate) fn served(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = match self.development {
            true => PUBLIC.into_iter().chain(DEVELOPMENT).collect(),
            false => self.public.iter().copied().collect(),
        };
        names.sort_unstable();
        names
    }

    fn serves(&self, method: &str) -> bool {
        self.development || (self.public.contains(namespace(method)) && !DEVELOPMENT_METHODS.contains(&method))
    }

    /// Takes out what is not served.
    pub(crate) fn keep(&self, methods: &mut RpcModule<()>) {
        let all: Vec<_> = methods.method_names().collect();
        for name in all.into_iter().filter(|name| !self.serves(name)) {
            methods.remove_method(name);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use std::sync::Arc;

    use parapet_builder::{Chain, Settings as ChainSettings, SystemClock};
    use parapet_genesis::{DevGenesis, DevSettings};
    use parapet_monitor::NoMonitor;
    use parapet_state::ChainStore;

    use super::*;
    use crate::{Settings, api, node::Node};

    #[test]
    fn what_is_for_development_cannot_be_asked_for() {
        let namespaces = Namespaces::of(["eth", "guard"]).unwrap();
        assert!(namespaces.serves("eth_call") && namespaces.serves("guard_simulate"));
        for method in ["anvil_mine", "evm_mine", "hardhat_mine", "personal_sign", "debug_traceCall", "rpc.discover"] {
            assert!(!namespaces.serves(method), "{method}");
        }
        for method in DEVELOPMENT_METHODS {
            assert!(!namespaces.serves(method), "{method}");
        }
        for name in DEVELOPMENT {
            assert_eq!(Namespaces::of([name]), Err(UnknownNamespace { name: name.to_owned() }));
        }
    }

    #[test]
    fn a_development_chain_serves_everything() {
        assert!(Namespaces::DEVELOPMENT.serves("anvil_mine") && Namespaces::DEVELOPMENT.serves("eth_call"));
        assert_eq!(Namespaces::DEVELOPMENT.served().len(), PUBLIC.len() + DEVELOPMENT.len());
    }

    #[test]
    fn every_method_is_for_anybody_or_for_development() {
        let genesis = DevGenesis::build(&DevSettings::at(0)).unwrap();
        let store = ChainStore::in_memory(genesis.block);
        let chain = Chain::new(store, ChainSettings::default(), Arc::new(NoMonitor), Arc::new(SystemClock)).unwrap();
        let methods = api::methods(&Arc::new(Node::new(chain, &[], &Settings::default()).unwrap())).unwrap();
        for method in methods.method_names() {
            let known = PUBLIC.contains(&namespace(method)) || DEVELOPMENT.contains(&namespace(method));
            assert!(known, "{method}: put its namespace into one of the lists here, and into the settings' default");
        }
        for name in PUBLIC.iter().chain(&DEVELOPMENT) {
            assert!(methods.method_names().any(|method| namespace(method) == *name), "{name} has no method");
        }
    }
}
