//! From where the node may be asked: by which names it is called, and by pages of which origins.
//!
//! A page in somebody's browser can ask whatever that browser can reach. Browsers ask the node first whether it allows the
//! page's origin (CORS), except for WebSockets, where the node itself must look; and a name that an attacker controls may come
//! to mean the node's address (DNS rebinding), so that the browser takes the node for the attacker's own: the name that was
//! called tells.

use std::net::IpAddr;

use hyper::StatusCode;
use jsonrpsee::server::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use crate::front::{TEXT_TYPE, answer};

/// What allows everything.
const ANY: &str = "*";

/// Names or origins that are allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub enum Allowed {
    /// Whatever there is: `["*"]`.
    Any,
    /// These, in lower case.
    These(Vec<String>),
}

impl From<Vec<String>> for Allowed {
    fn from(texts: Vec<String>) -> Self {
        if texts.iter().any(|text| text == ANY) {
            return Self::Any;
        }
        Self::These(texts.into_iter().map(|text| text.to_ascii_lowercase()).collect())
    }
}

impl From<Allowed> for Vec<String> {
    fn from(allowed: Allowed) -> Self {
        match allowed {
            Allowed::Any => vec![ANY.to_owned()],
            Allowed::These(texts) => texts,
        }
    }
}

impl Allowed {
    fn has(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(texts) => texts.iter().any(|allowed| allowed.eq_ignore_ascii_case(text)),
        }
    }
}

/// From where the node may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Names by which the node may be called, without ports. Addresses are always allowed: nobody rebinds those.
    pub hosts: Allowed,
    /// Origins whose pages may ask, as `https://example.org`. Who is no page has none, and is not concerned.
    pub origins: Allowed,
}

impl Access {
    /// For a development node: any page, by any name.
    pub const ANYWHERE: Self = Self { hosts: Allowed::Any, origins: Allowed::Any };

    /// What browsers are told.
    pub(crate) fn cors(&self) -> CorsLayer {
        match &self.origins {
            Allowed::Any => CorsLayer::permissive(),
            Allowed::These(origins) => {
                let origins = origins.iter().filter_map(|origin| origin.parse().ok());
                CorsLayer::new().allow_origin(AllowOrigin::list(origins)).allow_methods(Any).allow_headers(Any)
            }
        }
    }

    /// The answer to a request that may not be made.
    pub(crate) fn refuse<B>(&self, request: &HttpRequest<B>) -> Option<HttpResponse> {
        self.refusal(request).map(|refusal| answer(StatusCode::FORBIDDEN, TEXT_TYPE, refusal))
    }

    /// Why a request is refused, if it is.
    fn refusal<B>(&self, request: &HttpRequest<B>) -> Option<String> {
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
        let authority = request.uri().authority().map(hyper::http::uri::Authority::as_str);
        let called = name_of(authority.or_else(|| header("host")).unwrap_or_default());
        if called.parse::<IpAddr>().is_err() && !self.hosts.has(called) {
            return Some(format!(
                "the node may not be called by the name {called:?}; add it to the allowed hosts (rpc.hosts), or call the \
                 node by its address\n"
            ));
        }
        match header("origin") {
            Some(origin) if header("upgrade").is_some() && !self.origins.has(origin) => Some(format!(
                "pages of {origin:?} may not ask this node; add the origin to the allowed ones (rpc.origins)\n"
            )),
            Some(_) | None => None,
        }
    }
}

/// The name of `name:port`; of an address of version 6, which stands in brackets, the address.
fn name_of(authority: &str) -> &str {
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.split_once(':').map_or(authority, |(name, _)| name),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    fn refused(access: &Access, headers: &[(&str, &str)]) -> bool {
        let mut request = HttpRequest::<()>::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        access.refusal(&request.body(()).unwrap()).is_some()
    }

    fn access(hosts: &[&str], origins: &[&str]) -> Access {
        let allowed = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>().into();
        Access { hosts: allowed(hosts), origins: allowed(origins) }
    }

    #[test]
    fn names_are_allowed_whatever_their_port_and_addresses_always() {
        let access = access(&["localhost", "Node.example"], &[]);
        for host in ["localhost", "localhost:8545", "LOCALHOST:1", "node.example:8545", "127.0.0.1:8545", "[::1]:8545"]
        {
            assert!(!refused(&access, &[("host", host)]), "{host}");
        }
        for host in ["evil.example", "evil.example:8545", "localhost.evil.example", "", "127.0.0.1.evil.example"] {
            assert!(refused(&access, &[("host", host)]), "{host}");
        }
        assert!(refused(&access, &[]), "no name at all");
        assert!(!refused(&Access::ANYWHERE, &[("host", "evil.example")]));
    }

    #[test]
    fn pages_of_other_origins_open_no_websocket() {
        let access = access(&["localhost"], &["https://wallet.example"]);
        let socket = |origin| [("host", "localhost"), ("upgrade", "websocket"), ("origin", origin)];
        assert!(!refused(&access, &socket("https://wallet.example")));
        assert!(refused(&access, &socket("https://evil.example")));
        assert!(!refused(&access, &[("host", "localhost"), ("upgrade", "websocket")]), "a program has no origin");
        // Browsers look after these by themselves, by what they are told.
        assert!(!refused(&access, &[("host", "localhost"), ("origin", "https://evil.example")]));
    }
}
