//! The bytes of requests and answers: as much of HTTP/1.1 and of WebSocket (RFC 6455) as nodes answer with. Bodies have a
//! length, messages come whole; anything else is an error, so nothing is counted that was not understood.

use std::ops::Range;

use memchr::memmem;

use crate::{client::Transport, error::BenchError};

/// The head of a request over HTTP, up to the length of its body.
const HEAD: &[u8] = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ";
/// What ends a head.
const HEAD_END: &[u8] = b"\r\n\r\n";
/// Asks for a WebSocket. The key may be any 16 bytes.
pub(crate) const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
/// How the answer begins where there is one now.
const UPGRADED: &[u8] = b"HTTP/1.1 101";

/// First bytes of frames: the last of a message, and what it is.
const TEXT: u8 = 0x81;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
/// Set in the second byte of a frame that is masked, as all from clients are.
const MASKED: u8 = 0x80;
/// A mask that changes nothing: masking defends others against scripts in browsers, and there are none here.
const MASK: [u8; 4] = [0; 4];
/// Second bytes of frames whose length stands in the two or eight bytes after it.
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// What stands at the beginning of what was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Not all of it is there.
    Part,
    /// An answer, which lies there; what comes next begins where it ends.
    Answer(Range<usize>),
    /// A ping with what lies there, to which a pong is due.
    Ping(Range<usize>),
}

/// Writes a request.
pub(crate) fn write(transport: Transport, body: &[u8], out: &mut Vec<u8>) {
    match transport {
        Transport::Http => {
            out.extend_from_slice(HEAD);
            out.extend_from_slice(body.len().to_string().as_bytes());
            out.extend_from_slice(HEAD_END);
            out.extend_from_slice(body);
        }
        Transport::WebSocket => frame(TEXT, body, out),
    }
}

/// Writes the answer to a ping.
pub(crate) fn write_pong(data: &[u8], out: &mut Vec<u8>) {
    frame(PONG, data, out);
}

fn frame(first: u8, data: &[u8], out: &mut Vec<u8>) {
    out.push(first);
    match (u8::try_from(data.len()), u16::try_from(data.len())) {
        (Ok(length), _) if length < LENGTH_16 => out.push(MASKED | length),
        (_, Ok(length)) => {
            out.push(MASKED | LENGTH_16);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(MASKED | LENGTH_64);
            out.extend_from_slice(&(data.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    out.extend_from_slice(data);
}

/// Looks at what was read.
pub(crate) fn read(transport: Transport, bytes: &[u8]) -> Result<Found, BenchError> {
    match transport {
        Transport::Http => read_http(bytes),
        Transport::WebSocket => read_frame(bytes),
    }
}

/// Length of the head that opens a WebSocket, once it is there.
pub(crate) fn read_upgraded(bytes: &[u8]) -> Result<Option<usize>, BenchError> {
    let Some(end) = memmem::find(bytes, HEAD_END) else { return Ok(None) };
    if bytes.starts_with(UPGRADED) { Ok(Some(end + HEAD_END.len())) } else { Err(strange(bytes)) }
}

fn read_http(bytes: &[u8]) -> Result<Found, BenchError> {
    let Some(end) = memmem::find(bytes, HEAD_END) else { return Ok(Found::Part) };
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| strange(bytes))?;
    let mut lines = head.split("\r\n");
    if lines.next() != Some("HTTP/1.1 200 OK") {
        return Err(strange(bytes));
    }
    let length =
        lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.and_then(|(_, value)| value.trim().parse().ok()).ok_or_else(|| strange(bytes))?;
    let body = end + HEAD_END.len();
    Ok(if bytes.len() < body + length { Found::Part } else { Found::Answer(body..body + length) })
}

fn read_frame(bytes: &[u8]) -> Result<Found, BenchError> {
    let [first, second, rest @ ..] = bytes else { return Ok(Found::Part) };
    let (length, head) = match (*second, rest) {
        (LENGTH_16, [a, b, ..]) => (usize::from(u16::from_be_bytes([*a, *b])), 4),
        (LENGTH_64, [a, b, c, d, e, f, g, h, ..]) => {
            (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]) as usize, 10)
        }
        (LENGTH_16 | LENGTH_64, _) => return Ok(Found::Part),
        (length, _) if length < LENGTH_16 => (usize::from(length), 2),
        _ => return Err(BenchError::Answer("a masked frame".to_owned())),
    };
    if bytes.len() - head < length {
        return Ok(Found::Part);
    }
    match *first {
        TEXT => Ok(Found::Answer(head..head + length)),
        PING => Ok(Found::Ping(head..head + length)),
        other => Err(BenchError::Answer(format!("a frame that begins with {other:#x}"))),
    }
}

fn strange(bytes: &[u8]) -> BenchError {
    BenchError::Answer(excerpt(bytes))
}

/// The beginning of an answer, for whoever reads an error.
#[must_use]
pub fn excerpt(answer: &[u8]) -> String {
    String::from_utf8_lossy(&answer[..answer.len().min(300)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found at each length of what was read.
    fn found(transport: Transport, bytes: &[u8]) -> (usize, Found) {
        for end in 0..=bytes.len() {
            match read(transport, &bytes[..end]).expect("it is as it should be") {
                Found::Part => {}
                found => return (end, found),
            }
        }
        (bytes.len(), Found::Part)
    }

    #[test]
    fn an_answer_over_http_is_found_when_all_of_it_is_there_and_no_byte_later() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nvary: origin\r\n\r\nabcHTTP/1.1 200 OK\r\n";
        let body = 52..55;
        assert_eq!(&answer[body.clone()], b"abc");
        assert_eq!(found(Transport::Http, answer), (55, Found::Answer(body)));
    }

    #[test]
    fn an_answer_without_a_length_or_with_an_error_counts_as_none() {
        for answer in ["HTTP/1.1 200 OK\r\n\r\nabc", "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"] {
            assert!(read(Transport::Http, answer.as_bytes()).is_err(), "{answer}");
        }
    }

    #[test]
    fn a_message_of_any_length_is_found_when_all_of_it_is_there() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let mut written = Vec::new();
            write(Transport::WebSocket, &vec![b'x'; length], &mut written);
            assert!(read(Transport::WebSocket, &written).is_err(), "only clients mask");
            // A server's frame is the same without a mask.
            let head = written.len() - length - MASK.len();
            written[1] &= !MASKED;
            written.drain(head..head + MASK.len());
            written.extend_from_slice(b"more");
            assert_eq!(found(Transport::WebSocket, &written), (head + length, Found::Answer(head..head + length)));
        }
    }

    #[test]
    fn a_ping_is_told_apart_from_an_answer() {
        assert_eq!(found(Transport::WebSocket, &[PING, 1, b'x']), (3, Found::Ping(2..3)));
        assert!(read(Transport::WebSocket, &[0x88, 0]).is_err(), "a connection that was closed");
    }
}
