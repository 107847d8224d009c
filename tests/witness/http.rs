//! HTTP by hand, so that a test can send what no client would.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub kind: String,
    pub body: String,
}

/// Sends these bytes and reads to the end. `None` if the other side hangs up without an answer.
pub fn send(address: &str, request: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // A witness that refuses early hangs up before all of it is written.
    drop(stream.write_all(request));
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let text = String::from_utf8(bytes.to_vec()).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
    Some(Answer { status, kind: kind.to_owned(), body: body.to_owned() })
}

pub fn post(address: &str, body: &str) -> Option<Answer> {
    let head = format!(
        "POST /add-checkpoint HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    send(address, format!("{head}{body}").as_bytes())
}

pub fn get(address: &str, path: &str) -> Option<Answer> {
    send(address, format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())
}
