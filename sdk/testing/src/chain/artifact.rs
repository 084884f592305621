//! Creation code in what compilers write.

use alloy_primitives::hex;
use serde_json::Value;

/// Where compilers put the creation code: forge and solc's standard JSON; hardhat and others.
const PLACES: [&str; 3] = ["/bytecode/object", "/evm/bytecode/object", "/bytecode"];

/// Why a file has no creation code.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// It is neither hex nor JSON.
    #[error("it is neither hex nor JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// There is none where compilers put it.
    #[error(
        "no creation code at bytecode.object, evm.bytecode.object or bytecode; an interface and an abstract contract have none"
    )]
    Missing,
    /// It is not hex; a library that is to be linked leaves a name in it.
    #[error("the creation code is not hex: {0}; link its libraries first")]
    NotHex(#[from] hex::FromHexError),
}

/// The creation code in an artefact of forge, hardhat or solc's standard JSON, or in plain hex.
///
/// # Errors
/// [`ArtifactError`].
pub fn creation_code(text: &str) -> Result<Vec<u8>, ArtifactError> {
    let text = text.trim();
    if !text.starts_with('{')
        && let Ok(code) = hex::decode(text)
    {
        return Ok(code);
    }
    let artifact: Value = serde_json::from_str(text)?;
    let code = PLACES.iter().filter_map(|place| artifact.pointer(place)?.as_str());
    let code = code.into_iter().find(|code| !code.trim_start_matches("0x").is_empty()).ok_or(ArtifactError::Missing)?;
    Ok(hex::decode(code)?)
}

#[cfg(test)]
mod tests {
    use super::{ArtifactError, creation_code};

    #[test]
    fn every_form_of_artefact_is_read() {
        for text in [
            r#"{"bytecode":{"object":"0x6001"}}"#,
            r#"{"evm":{"bytecode":{"object":"6001"}}}"#,
            r#"{"bytecode":"0x6001","abi":[]}"#,
            " 0x6001\n",
            "6001",
        ] {
            assert_eq!(creation_code(text).expect(text), [0x60, 0x01]);
        }
    }

    #[test]
    fn what_has_no_code_says_why() {
        assert!(matches!(creation_code(r#"{"bytecode":"0x"}"#), Err(ArtifactError::Missing)));
        assert!(matches!(creation_code(r#"{"bytecode":"60__Lib__01"}"#), Err(ArtifactError::NotHex(_))));
        assert!(matches!(creation_code("contract A {}"), Err(ArtifactError::Json(_))));
    }
}
