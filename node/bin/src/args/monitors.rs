//! A guard that a node runs for itself, as it is written on the command line and in the settings.

/// A guard of this node's own, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LocalGuardArg {
    pub(crate) module: String,
    pub(crate) parameters: Vec<(String, String)>,
}

/// `NAME`, or `NAME:a=1;b=2`.
pub(crate) fn local_guard(text: &str) -> Result<LocalGuardArg, String> {
    let (module, rest) = text.split_once(':').unwrap_or((text, ""));
    let parameter = |part: &str| {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("write {part}=VALUE"))?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    let parts = rest.split(';').filter(|part| !part.trim().is_empty());
    Ok(LocalGuardArg { module: module.to_owned(), parameters: parts.map(parameter).collect::<Result<_, String>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_of_the_nodes_own_is_named_with_its_parameters() {
        let named = |text: &str| local_guard(text).map(|guard| (guard.module, guard.parameters));
        assert_eq!(named("reentrancy"), Ok(("reentrancy".to_owned(), Vec::new())));
        let parameters =
            [("tx_max", "1 ether"), ("tokens", "0x1,0x2")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(named("a.wasm:tx_max=1 ether;tokens=0x1,0x2"), Ok(("a.wasm".to_owned(), parameters.to_vec())));
        assert!(named("reentrancy:nonsense").is_err());
    }
}
