//! As much HTTP as a witness needs: one request for each connection, a body of known length, no TLS.
//!
//! **In**: bytes of peers. **Out**: a request's body, or an answer's status and body. **Trusted**: nothing; every length is bounded and
//! every wait ends. **Can fail**: with a sentence, or by a status of its own.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// Largest head of a request or an answer.
const HEAD_BYTES: usize = 16 << 10;
const HEADERS: usize = 64;
/// Largest body of an answer.
const ANSWER_BYTES: usize = 64 << 10;

/// Posts `body` to `url`, and gives the answer's status and body.
pub(super) fn post(url: &str, body: &[u8], timeout: Duration) -> Result<(u16, Vec<u8>), String> {
    let rest = url.strip_prefix("http://").ok_or(
        "its address does not begin with `http://`; for others give a program with --post, `curl` for example",
    )?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let address = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let failed = |error: std::io::Error| format!("`{address}`: {error}");
    let socket = address.to_socket_addrs().map_err(failed)?.next();
    let socket = socket.ok_or_else(|| format!("`{address}` has no address"))?;
    let mut stream = TcpStream::connect_timeout(&socket, timeout).map_err(failed)?;
    stream.set_read_timeout(Some(timeout)).map_err(failed)?;
    stream.set_write_timeout(Some(timeout)).map_err(failed)?;
    // Of version 1.0, because answers to that have no chunks (RFC 9112, section 6.1).
    let head = format!(
        "POST /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let request = [head.as_bytes(), body].concat();
    stream.write_all(&request).map_err(failed)?;
    let mut answer = Vec::new();
    let most = (HEAD_BYTES + ANSWER_BYTES) as u64;
    stream.take(most + 1).read_to_end(&mut answer).map_err(failed)?;
    if answer.len() as u64 > most {
        return Err("its answer is too long".to_owned());
    }
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    let head = match parsed.parse(&answer) {
        Ok(httparse::Status::Complete(head)) => head,
        _ => return Err("its answer is no HTTP".to_owned()),
    };
    let status = parsed.code.ok_or("its answer has no status")?;
    let body = answer.get(head..).unwrap_or_default();
    let length = content_length(parsed.headers)?.unwrap_or(body.len());
    let body = body.get(..length).ok_or("its answer was cut short")?;
    Ok((status, body.to_vec()))
}

/// Reads one request from `stream` and answers it with the status, the content type and the body that `answer` gives.
pub(super) fn answer(
    mut stream: TcpStream,
    timeout: Duration,
    most_bytes: u64,
    answer: impl FnOnce(&[u8]) -> (u16, &'static str, String),
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    let (status, content_type, body) = match request(&mut stream, most_bytes)? {
        Ok(body) => answer(&body),
        Err((status, reason)) => (status, "text/plain; charset=utf-8", format!("{reason}\n")),
    };
    let head = format!(
        "HTTP/1.1 {status} {}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        reason(status),
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes())
}

type Refusal = (u16, &'static str);

/// The body of a request, or how it is refused.
fn request(stream: &mut impl Read, most_bytes: u64) -> std::io::Result<Result<Vec<u8>, Refusal>> {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk)?;
        bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
        match parse(&bytes) {
            Ok(Some(found)) => break found,
            Ok(None) if read == 0 || bytes.len() > HEAD_BYTES => {
                return Ok(Err((400, "the request has no whole head")));
            }
            Ok(None) => {}
            Err(refusal) => return Ok(Err(refusal)),
        }
    };
    if length as u64 > most_bytes {
        return Ok(Err((413, "the request is too large")));
    }
    let mut body = bytes.split_off(head);
    let missing = length.saturating_sub(body.len()) as u64;
    stream.take(missing).read_to_end(&mut body)?;
    body.truncate(length);
    Ok(if body.len() == length {
        Ok(body)
    } else {
        Err((400, "the body was cut short"))
    })
}

/// Where the body of a request begins, and how long it is; none before the head is whole.
fn parse(bytes: &[u8]) -> Result<Option<(usize, usize)>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let head = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err((400, "the request is no HTTP")),
    };
    let path = parsed.path.unwrap_or_default();
    if path != "/add-checkpoint" && !path.ends_with("/add-checkpoint") {
        return Err((404, "a witness takes POST …/add-checkpoint"));
    }
    if parsed.method != Some("POST") {
        return Err((405, "a witness takes POST …/add-checkpoint"));
    }
    let length = content_length(parsed.headers).map_err(|_| (400, "its Content-Length is no number"))?;
    Ok(Some((head, length.ok_or((411, "the request needs a Content-Length"))?)))
}

fn content_length(headers: &[httparse::Header<'_>]) -> Result<Option<usize>, String> {
    let mut found = headers
        .iter()
        .filter(|it| it.name.eq_ignore_ascii_case("content-length"));
    let number = found.next().map(|it| {
        std::str::from_utf8(it.value)
            .ok()
            .and_then(|text| text.trim().parse().ok())
    });
    match (number, found.next()) {
        (None, _) => Ok(None),
        (Some(Some(length)), None) => Ok(Some(length)),
        _ => Err("its Content-Length is no number".to_owned()),
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const S: Duration = Duration::from_secs(60);

    /// What `request` is answered by a server that says back what it got.
    fn answered(request: &[u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let _ = answer(stream, S, 100, |body| {
                (409, "text/x.tlog.size", String::from_utf8_lossy(body).into_owned())
            });
        });
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        server.join().unwrap();
        text
    }

    #[test]
    fn a_request_with_a_body_is_answered_whatever_its_pieces() {
        let said = answered(b"POST /x/add-checkpoint HTTP/1.1\r\nHost: a\r\ncontent-length: 5\r\n\r\nold 7 and more");
        assert!(
            said.starts_with("HTTP/1.1 409 Conflict\r\nContent-Type: text/x.tlog.size\r\n"),
            "{said}"
        );
        assert!(said.ends_with("\r\n\r\nold 7"), "{said}");
    }

    #[test]
    fn what_is_no_request_of_a_log_has_a_status_of_its_own() {
        for (request, status) in [
            ("GET /add-checkpoint HTTP/1.1\r\n\r\n", 405),
            ("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 404),
            ("POST /add-checkpoint HTTP/1.1\r\n\r\n", 411),
            (
                "POST /add-checkpoint HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                411,
            ),
            ("POST /add-checkpoint HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            (
                "POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                400,
            ),
            ("POST /add-checkpoint HTTP/1.1\r\nContent-Length: 101\r\n\r\n", 413),
            ("POST /add-checkpoint HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort", 400),
            ("\x16\x03\x01 no HTTP", 400),
            ("POST /add-checkpoint HT", 400),
            ("", 400),
        ] {
            let said = answered(request.as_bytes());
            assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {said}");
        }
        let endless = format!("POST /add-checkpoint HTTP/1.1\r\nX: {}", "x".repeat(HEAD_BYTES));
        assert!(answered(endless.as_bytes()).starts_with("HTTP/1.1 400 "));
    }

    #[test]
    fn an_answer_is_read_and_anything_else_is_told() {
        let asked = |answer: &'static [u8]| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}/w/add-checkpoint", listener.local_addr().unwrap());
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 4096];
                let length = stream.read(&mut request).unwrap();
                stream.write_all(answer).unwrap();
                String::from_utf8_lossy(&request[..length]).into_owned()
            });
            let answer = post(&url, b"old 0\n", S);
            (server.join().unwrap(), answer)
        };
        let (request, answer) = asked(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi and more");
        assert_eq!(answer, Ok((200, b"hi".to_vec())));
        assert!(
            request.starts_with("POST /w/add-checkpoint HTTP/1.0\r\nHost: 127.0.0.1:"),
            "{request}"
        );
        assert_eq!(asked(b"HTTP/1.0 409 x\r\n\r\n12\n").1, Ok((409, b"12\n".to_vec())));
        assert!(
            asked(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi")
                .1
                .unwrap_err()
                .contains("cut short")
        );
        assert!(asked(b"SSH-2.0-x\r\n").1.unwrap_err().contains("no HTTP"));
        assert!(
            post("https://example.org/add-checkpoint", b"", S)
                .unwrap_err()
                .contains("--post")
        );
    }
}
