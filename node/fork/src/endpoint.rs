//! Endpoints: where requests go, and how that is called where others may read it.

use std::fmt;

use ureq::http::Uri;

use crate::ForkError;

/// Where requests go.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    /// The URL without what may be a key.
    pub(crate) name: String,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Endpoint").field(&self.name).finish()
    }
}

impl Endpoint {
    pub(crate) fn parse(url: &str) -> Result<Self, ForkError> {
        let refuse = |reason| ForkError::Url { endpoint: public_name(url), reason };
        let uri: Uri = url.parse().map_err(|_| refuse("it is no URL"))?;
        match uri.scheme_str() {
            Some("http" | "https") => {}
            Some("ws" | "wss") => return Err(refuse("that is a WebSocket, and most nodes answer the same by HTTP")),
            Some(_) => return Err(refuse("only HTTP is spoken there")),
            None => return Err(refuse("it has no scheme")),
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(refuse("it names no host"));
        }
        Ok(Self { url: url.to_owned(), name: public_name(url) })
    }
}

/// A URL as it may stand in logs and answers: providers' keys are part of the path, the query, or the user's name.
#[must_use]
pub fn public_name(url: &str) -> String {
    let Ok(uri) = url.parse::<Uri>() else { return "the URL that was given".to_owned() };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return "the URL that was given".to_owned();
    };
    let host = authority.as_str().rsplit('@').next().unwrap_or_default();
    let hidden = authority.as_str().contains('@') || uri.path().len() > 1 || uri.query().is_some();
    if hidden { format!("{scheme}://{host}/…") } else { url.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_part_of_a_name() {
        for (url, name) in [
            ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
            ("http://127.0.0.1:8545/", "http://127.0.0.1:8545/"),
            ("https://eth-mainnet.example.com/v2/SECRET", "https://eth-mainnet.example.com/…"),
            ("https://example.com?key=SECRET", "https://example.com/…"),
            ("https://me:SECRET@example.com:8443", "https://example.com:8443/…"),
            ("SECRET", "the URL that was given"),
        ] {
            assert_eq!(public_name(url), name);
        }
    }

    #[test]
    fn only_http_can_be_asked() {
        assert!(Endpoint::parse("https://example.com/v2/key").is_ok());
        for url in ["ws://example.com", "example.com", "/var/run/node.ipc", "http://", "not a url"] {
            assert!(matches!(Endpoint::parse(url), Err(ForkError::Url { .. })), "{url}");
        }
    }
}
