//! An HTTP/1.1 client that tidies nothing: one connection per request, bytes out as they were written down.
//!
//! A client library normalises targets, joins field lines and refuses bytes that a hostile caller would send.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use serde_json::Value;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest body read, in bytes: answers are far shorter.
const MAX_BODY: u64 = 4 * 1024 * 1024;

/// A request, written to the socket exactly as it is put together here.
#[derive(Clone, Debug)]
#[must_use]
pub struct Request {
    method: String,
    target: String,
    fields: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
    chunked: bool,
}

impl Request {
    /// A request for this target: a path with its query, or whatever a hostile client would put there.
    pub fn new(method: &str, target: impl Into<String>) -> Self {
        Self { method: method.to_owned(), target: target.into(), fields: Vec::new(), body: None, chunked: false }
    }

    /// A header field line. A name may come twice.
    pub fn field(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    /// `Authorization: Bearer <token>`.
    pub fn bearer(self, token: &str) -> Self {
        self.field("Authorization", format!("Bearer {token}"))
    }

    /// A body of `application/json`.
    pub fn json(self, body: impl ToString) -> Self {
        self.field("Content-Type", "application/json").bytes(body.to_string())
    }

    /// A body without a `Content-Type`.
    pub fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends the body in chunks, without telling its length.
    pub fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// The method as it is sent.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The target as it is sent.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The words of its credentials that are long enough to be recognised in an answer.
    pub fn secrets(&self) -> impl Iterator<Item = String> {
        let credentials = self.fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let words = credentials.flat_map(|(_, value)| value.split(|byte| !byte.is_ascii_graphic()));
        words.filter(|word| word.len() >= 24).map(|word| String::from_utf8_lossy(word).into_owned())
    }

    /// Sends the request on a connection of its own to `host:port`, and reads the one answer.
    ///
    /// # Errors
    ///
    /// When nobody listens, or what comes back within ten seconds is not an HTTP/1.1 answer.
    pub fn send_to(&self, authority: &str) -> io::Result<Answer> {
        self.send_within(PATIENCE, authority)
    }

    /// As [`Self::send_to`], with more or less patience for each read and write.
    ///
    /// # Errors
    ///
    /// When nobody listens, or what comes back in time is not an HTTP/1.1 answer.
    pub fn send_within(&self, patience: Duration, authority: &str) -> io::Result<Answer> {
        let mut stream = connect_with(patience, authority)?;
        // A server may answer and close before it has read everything; the answer is there to be read all the same.
        let written = stream.write_all(&self.to_bytes(authority));
        let answer = Answer::read(&mut BufReader::new(stream), &self.method);
        match (answer, written) {
            (Err(_), Err(error)) => Err(error),
            (answer, _) => answer,
        }
    }

    /// The bytes that go to the socket.
    #[must_use]
    pub fn to_bytes(&self, authority: &str) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        let mut line = |name: &str, value: &[u8]| {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        };
        line("Host", authority.as_bytes());
        line("Connection", b"close");
        for (name, value) in &self.fields {
            line(name, value);
        }
        match &self.body {
            Some(_) if self.chunked => line("Transfer-Encoding", b"chunked"),
            Some(body) => line("Content-Length", body.len().to_string().as_bytes()),
            None if matches!(&*self.method, "POST" | "PUT" | "PATCH") => line("Content-Length", b"0"),
            None => {}
        }
        bytes.extend_from_slice(b"\r\n");
        let body = self.body.as_deref().unwrap_or_default();
        if self.chunked {
            for chunk in body.chunks(8 * 1024) {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            bytes.extend_from_slice(body);
        }
        bytes
    }
}

impl fmt::Display for Request {
    /// Method and target, cut where they are long. Never a field: one of them holds the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target: String = self.target.chars().take(80).collect();
        let rest = if target.len() < self.target.len() { "…" } else { "" };
        write!(f, "{} {target}{rest}", self.method)
    }
}

/// Opens a connection whose reads and writes give up after ten seconds.
///
/// # Errors
///
/// When the name does not resolve or nobody listens there.
pub fn connect(authority: &str) -> io::Result<TcpStream> {
    connect_with(PATIENCE, authority)
}

fn connect_with(patience: Duration, authority: &str) -> io::Result<TcpStream> {
    let address = authority.to_socket_addrs()?.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
    let stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// An answer, read whole.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status code; 0 where no answer came.
    pub status: u16,
    fields: Vec<(String, Vec<u8>)>,
    /// The body, with any chunking undone.
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads one answer to a request of this method, passing over interim ones (RFC 9110 §15.2).
    ///
    /// # Errors
    ///
    /// When the connection fails or what comes is not HTTP/1.1.
    pub fn read(stream: &mut impl BufRead, method: &str) -> io::Result<Self> {
        let mut answer = Self::read_head(stream)?;
        while (100..200).contains(&answer.status) {
            answer = Self::read_head(stream)?;
        }
        let has_body = method != "HEAD" && !matches!(answer.status, 204 | 304);
        let length = answer.field("content-length").and_then(|length| length.parse::<u64>().ok());
        let chunked = answer.field("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
        answer.body = match length {
            _ if has_body && chunked => read_chunks(stream)?,
            Some(length) if has_body => read_exactly(stream, length)?,
            // Up to the end of the connection; where there may be no body, any byte found is the check's to blame.
            _ => read_rest(stream)?,
        };
        Ok(answer)
    }

    /// Reads a status line and the fields after it.
    ///
    /// # Errors
    ///
    /// When the connection fails or what comes is not HTTP/1.1.
    pub fn read_head(stream: &mut impl BufRead) -> io::Result<Self> {
        let status_line = read_line(stream)?;
        let status_line = String::from_utf8_lossy(&status_line);
        let status = status_line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let status = status.ok_or_else(|| invalid("no HTTP/1.1 status line"))?;
        let mut fields = Vec::new();
        loop {
            let line = read_line(stream)?;
            if line.is_empty() {
                return Ok(Self { status, fields, body: Vec::new() });
            }
            let colon = line.iter().position(|byte| *byte == b':').ok_or_else(|| invalid("a field without a colon"))?;
            let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
            fields.push((name, line[colon + 1..].trim_ascii().to_vec()));
        }
    }

    /// The value of a field, its lines joined by commas (RFC 9110 §5.3).
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let lines = self.fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let lines: Vec<_> = lines.map(|(_, value)| String::from_utf8_lossy(value)).collect();
        (!lines.is_empty()).then(|| lines.join(", "))
    }

    /// Every field line, names in lower case, but for these.
    #[must_use]
    pub fn fields_without(&self, left_out: &[&str]) -> Vec<(String, String)> {
        let lines = self.fields.iter().filter(|(name, _)| !left_out.contains(&&**name));
        lines.map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned())).collect()
    }

    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as text, for people.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn read_line(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    stream.take(64 * 1024).read_until(b'\n', &mut line)?;
    match line.strip_suffix(b"\r\n") {
        Some(text) => Ok(text.to_vec()),
        None if line.is_empty() => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed without an answer")),
        None => Err(invalid("a line without its end")),
    }
}

fn read_exactly(stream: &mut impl BufRead, length: u64) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    stream.take(length.min(MAX_BODY)).read_to_end(&mut body)?;
    let whole = u64::try_from(body.len()).is_ok_and(|read| read == length);
    if whole { Ok(body) } else { Err(invalid("the body ends before its length")) }
}

fn read_rest(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    match stream.take(MAX_BODY).read_to_end(&mut body) {
        // The connection of an answer that is already whole may end any way it likes.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(body),
        Err(error) => Err(error),
        Ok(_) => Ok(body),
    }
}

fn read_chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(stream)?;
        let size = std::str::from_utf8(&line).ok().and_then(|text| u64::from_str_radix(text.trim(), 16).ok());
        match size.ok_or_else(|| invalid("a chunk without its size"))? {
            0 => return Ok(body),
            size => body.extend(read_exactly(stream, size)?),
        }
        read_line(stream)?;
    }
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_out_as_it_was_written_down() {
        let request = Request::new("GET", "/a/../b%zz").field("Authorization", b"Bearer\t\xff".to_vec());
        let sent = b"GET /a/../b%zz HTTP/1.1\r\nHost: h:1\r\nConnection: close\r\nAuthorization: Bearer\t\xff\r\n\r\n";
        assert_eq!(request.to_bytes("h:1"), sent);
    }

    #[test]
    fn chunks_and_interim_answers_are_undone() {
        let wire = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nVary: A\r\nvary: B\r\n\
                    Transfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n";
        let answer = Answer::read(&mut wire.as_bytes(), "GET").expect("a good answer");
        assert_eq!((answer.status, answer.json()), (200, serde_json::json!([1, 2])));
        assert_eq!(answer.field("Vary").as_deref(), Some("A, B"));
    }

    #[test]
    fn a_body_shorter_than_its_length_is_no_answer() {
        let wire = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour";
        assert!(Answer::read(&mut wire.as_bytes(), "GET").is_err());
    }
}
