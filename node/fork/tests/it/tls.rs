//! Endpoints behind TLS, whose certificate somebody vouches for, or nobody.

use std::{
    io::BufReader,
    net::{TcpListener, TcpStream},
    path::PathBuf,
    sync::Arc,
    thread,
};

use parapet_fork::{Checks, Fork, ForkError, ForkSettings, Verify};
use parapet_types::StateReader as _;
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivateKeyDer};

use crate::{
    chain::{Chain, Skill, nth, settings},
    server::{request, respond},
};

/// An honest endpoint behind TLS: its URL, and its certificate as PEM.
fn endpoint() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let (config, chain) = (Arc::new(config), Chain::new(Skill::Proofs));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let (config, chain) = (Arc::clone(&config), Arc::clone(&chain));
            thread::spawn(move || serve(connection.unwrap(), config, &chain));
        }
    });
    (url, made.cert.pem())
}

fn serve(connection: TcpStream, config: Arc<ServerConfig>, chain: &Chain) {
    let mut reader = BufReader::new(StreamOwned::new(ServerConnection::new(config).unwrap(), connection));
    while let Some(body) = request(&mut reader) {
        respond(reader.get_mut(), 200, "x-nothing: 1", &chain.answer(&body));
    }
}

fn trusting(url: &str, ca: Option<PathBuf>) -> Result<Fork, ForkError> {
    Fork::begin(ForkSettings { ca, retries: 0, ..settings(url, Verify::Always) })
}

#[test]
fn an_endpoint_is_asked_if_its_certificate_is_vouched_for_and_else_the_error_says_how() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let (url, certificate) = endpoint();
    std::fs::write(&ca, certificate).unwrap();
    let fork = trusting(&url, Some(ca.clone())).unwrap();
    assert_eq!(fork.checks(), Checks::Proved);
    assert!(fork.account(&nth(6)).unwrap().is_some());

    let unknown = trusting(&url, None).unwrap_err();
    assert!(unknown.to_string().contains("--fork-ca"), "{unknown}");
    let (another, _) = endpoint();
    assert!(trusting(&another, Some(ca.clone())).is_err(), "one certificate vouches for one endpoint");

    for (content, reason) in [("", "it holds no certificate"), ("-----BEGIN CERTIFICATE-----", "")] {
        std::fs::write(&ca, content).unwrap();
        let error = trusting(&url, Some(ca.clone())).unwrap_err();
        assert!(matches!(error, ForkError::Authorities { .. }) && error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn a_wrong_scheme_is_told() {
    let plain = Chain::new(Skill::Proofs).honest().url;
    let error = trusting(&plain.replace("http:", "https:"), None).unwrap_err();
    assert!(error.to_string().contains("try http://"), "{error}");
    let (url, _) = endpoint();
    let error = trusting(&url.replace("https:", "http:"), None).unwrap_err();
    assert!(error.to_string().contains("try https://"), "{error}");
    let error = trusting("wss://127.0.0.1:1/v2/s3cr3t", None).unwrap_err();
    assert!(error.to_string().contains("WebSocket") && !error.to_string().contains("s3cr3t"), "{error}");
}
