//! The secret that a consensus client shares with the node: requests carry a JSON Web Token signed with it (RFC 7519,
//! HS256), not older than a minute. Invariant: the secret is in no message and no log.

use std::fmt;

use alloy_primitives::{B256, hex};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use hyper::StatusCode;
use jsonrpsee::server::{HttpRequest, HttpResponse};
use parapet_builder::{Clock as _, SystemClock};
use serde::Deserialize;
use sha2::Sha256;

use crate::front::{TEXT_TYPE, answer};

/// Most seconds between a token's time and the node's (Engine API, authentication).
const DRIFT_SECONDS_MAX: u64 = 60;
/// Longest token that is looked at, in bytes: several times what any client sends.
const TOKEN_BYTES_MAX: usize = 4_096;

/// A secret of 32 bytes.
#[derive(Clone)]
pub struct JwtSecret(B256);

/// Why text is no secret. The text is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret is 32 bytes in hexadecimal: make one with `openssl rand -hex 32`")]
pub struct SecretError;

impl std::str::FromStr for JwtSecret {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex::decode_to_array(text.trim()).map(|bytes| Self(B256::new(bytes))).map_err(|_| SecretError)
    }
}

impl fmt::Debug for JwtSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JwtSecret")
    }
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("give a token: Authorization: Bearer TOKEN")]
    Missing,
    #[error("the token is not a JSON Web Token")]
    Malformed,
    #[error("the token is not signed by HS256")]
    Algorithm,
    #[error("the token is signed with another secret")]
    Signature,
    #[error("the token's \"iat\" is not within {DRIFT_SECONDS_MAX} seconds of this node's time")]
    Time,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iat: u64,
}

impl JwtSecret {
    /// Checks a token at a time, in seconds since 1970.
    fn check(&self, token: &str, now: u64) -> Result<(), Refusal> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (head, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed);
        let head: Head = serde_json::from_slice(&decode(head)?).map_err(|_| Refusal::Malformed)?;
        if head.alg != "HS256" {
            return Err(Refusal::Algorithm);
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("a key may have any length");
        mac.update(signed.as_bytes());
        mac.verify_slice(&decode(signature)?).map_err(|_| Refusal::Signature)?;
        let Claims { iat } = serde_json::from_slice(&decode(claims)?).map_err(|_| Refusal::Malformed)?;
        if iat.abs_diff(now) > DRIFT_SECONDS_MAX { Err(Refusal::Time) } else { Ok(()) }
    }

    /// The answer to a request that carries no token which is good now.
    pub(crate) fn refuse<B>(&self, request: &HttpRequest<B>) -> Option<HttpResponse> {
        let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Refusal::Missing);
        let refusal = token.and_then(|token| self.check(token, SystemClock.now())).err()?;
        Some(answer(StatusCode::UNAUTHORIZED, TEXT_TYPE, refusal.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "7365637265747365637265747365637265747365637265747365637265747365";

    fn token(head: &str, claims: &str, secret: &JwtSecret) -> String {
        let encode = |part: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(part);
        let signed = format!("{}.{}", encode(head.as_bytes()), encode(claims.as_bytes()));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.0.as_slice()).expect("a key may have any length");
        mac.update(signed.as_bytes());
        let signature = encode(&mac.finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    fn secret() -> JwtSecret {
        SECRET.parse().expect("32 bytes")
    }

    #[test]
    fn a_token_of_the_last_minute_is_let_in_and_no_other() {
        let usual = token(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"iat":1000}"#, &secret());
        for (now, expected) in [
            (1_000, Ok(())),
            (1_060, Ok(())),
            (940, Ok(())),
            (1_061, Err(Refusal::Time)),
            (939, Err(Refusal::Time)),
            (0, Err(Refusal::Time)),
        ] {
            assert_eq!(secret().check(&usual, now), expected, "at {now}");
        }
    }

    #[test]
    fn what_is_forged_or_no_token_is_told_apart() {
        let other: JwtSecret = B256::repeat_byte(7).to_string().parse().expect("32 bytes");
        let head = r#"{"alg":"HS256"}"#;
        let check = |token: &str| secret().check(token, 1_000);
        assert_eq!(check(&token(head, r#"{"iat":1000}"#, &other)), Err(Refusal::Signature));
        assert_eq!(check(&token(r#"{"alg":"none"}"#, r#"{"iat":1000}"#, &secret())), Err(Refusal::Algorithm));
        assert_eq!(check(&token(head, r#"{"iat":"1000"}"#, &secret())), Err(Refusal::Malformed));
        assert_eq!(check(&token(head, "{}", &secret())), Err(Refusal::Malformed));
        let good = token(head, r#"{"iat":1000}"#, &secret());
        let unsigned = good.rsplit_once('.').expect("three parts").0;
        assert_eq!(check(&format!("{unsigned}.")), Err(Refusal::Signature));
        for text in ["", ".", "..", "a.b", "a.b.c", &"x".repeat(TOKEN_BYTES_MAX + 1)] {
            assert_eq!(check(text), Err(Refusal::Malformed), "{text:?}");
        }
    }

    #[test]
    fn a_secret_is_32_bytes_and_is_never_printed() {
        assert!(format!("0x{SECRET}\n").parse::<JwtSecret>().is_ok());
        for text in ["", "0x", "xyz", &SECRET[2..], &format!("{SECRET}00")] {
            assert_eq!(text.parse::<JwtSecret>().err(), Some(SecretError));
        }
        assert_eq!(format!("{:?}", secret()), "JwtSecret");
    }
}
