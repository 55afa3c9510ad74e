//! What a fake issuer says on the wire.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{Answer, Behaviour, Shared};

/// Accepts until aborted, and takes the open connections along.
pub(super) async fn serve(listener: TcpListener, port: u16, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        connections.spawn(talk(stream, port, Arc::clone(&shared)));
    }
}

/// One request, one answer. What the client does to the connection is no concern of ours.
async fn talk(mut stream: TcpStream, port: u16, shared: Arc<Shared>) -> io::Result<()> {
    if shared.behaviour().answer == Answer::Down {
        shared.count();
        return Ok(());
    }
    let Some(target) = read_target(&mut stream).await? else { return Ok(()) };
    let (document, answer) = {
        let mut behaviour = shared.behaviour();
        let told = behaviour.told(&target, port);
        behaviour.targets.push(target);
        told
    };
    shared.count();
    match answer {
        Answer::Keys => respond(&mut stream, 200, &[JSON], document.as_bytes()).await,
        Answer::CacheControl(value) => {
            respond(&mut stream, 200, &[JSON, ("cache-control", &value)], document.as_bytes()).await
        }
        Answer::Delay(delay) => {
            tokio::time::sleep(delay).await;
            respond(&mut stream, 200, &[JSON], document.as_bytes()).await
        }
        Answer::Body { status, content_type, body, headers } => {
            let mut fields = vec![("content-type", content_type.as_str())];
            fields.extend(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            respond(&mut stream, status, &fields, &body).await
        }
        Answer::Oversized(length) => {
            // Without a length the body ends with the connection.
            stream.write_all(head(200, &[JSON], None).as_bytes()).await?;
            let mut body = document.into_bytes();
            body.resize(length.max(body.len()), b' ');
            stream.write_all(&body).await?;
            stream.shutdown().await
        }
        Answer::CutOff => {
            stream.write_all(head(200, &[JSON], Some(document.len())).as_bytes()).await?;
            stream.write_all(&document.as_bytes()[..document.len() / 2]).await?;
            stream.shutdown().await
        }
        Answer::GzipBomb => {
            let zeros = include_bytes!("../../testdata/zeros.gz");
            respond(&mut stream, 200, &[JSON, ("content-encoding", "gzip")], zeros).await
        }
        Answer::Drip => {
            stream.write_all(head(200, &[JSON], Some(document.len())).as_bytes()).await?;
            for byte in document.as_bytes() {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Ok(())
        }
        Answer::Redirect(location) => respond(&mut stream, 302, &[("location", &location)], b"").await,
        // Until the client gives up.
        Answer::Hang => stream.read(&mut [0]).await.map(drop),
        Answer::Down => Ok(()),
    }
}

impl Behaviour {
    /// The document behind a target, and how to answer with it.
    fn told(&self, target: &str, port: u16) -> (String, Answer) {
        let Some(path) = issuer_path(target) else { return (self.keys.clone(), self.answer.clone()) };
        let host = format!("http://127.0.0.1:{port}");
        let right = || {
            format!(r#"{{"issuer":"{host}{path}","jwks_uri":"{host}/api/auth/jwks","response_types_supported":[]}}"#)
        };
        (self.metadata.clone().unwrap_or_else(right), self.metadata_answer.clone())
    }
}

/// The path of the issuer whose metadata a well-known target asks for.
fn issuer_path(target: &str) -> Option<&str> {
    let oauth = target.strip_prefix("/.well-known/oauth-authorization-server");
    target.strip_suffix("/.well-known/openid-configuration").or(oauth)
}

const JSON: (&str, &str) = ("content-type", "application/json");

/// Longest request head that is read.
const MAX_HEAD: usize = 64 * 1024;

/// Reads a request head, whose second word is the target; `None` when the client went away before it was whole.
async fn read_target(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 || head.len() > MAX_HEAD {
            return Ok(None);
        }
    }
    let line = String::from_utf8_lossy(&head);
    Ok(Some(line.split(' ').nth(1).unwrap_or_default().to_owned()))
}

async fn respond(stream: &mut TcpStream, status: u16, fields: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
    stream.write_all(head(status, fields, Some(body.len())).as_bytes()).await?;
    stream.write_all(body).await?;
    stream.shutdown().await
}

fn head(status: u16, fields: &[(&str, &str)], length: Option<usize>) -> String {
    let mut lines = vec![format!("HTTP/1.1 {status} "), "connection: close".to_owned()];
    // RFC 9110 §8.6: none with 204.
    lines.extend(length.filter(|_| status != 204).map(|length| format!("content-length: {length}")));
    lines.extend(fields.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.join("\r\n") + "\r\n\r\n"
}
