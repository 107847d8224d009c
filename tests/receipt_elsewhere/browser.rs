//! A real browser with a page in it, spoken to in its own protocol (Chrome DevTools over a WebSocket, RFC 6455). The page
//! stays as it is on disk, with its own Content-Security-Policy, and what is asked of it ends when the page says so: nobody
//! waits for a time to pass.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use serde_json::{Value, json};

pub struct Browser {
    child: Child,
    socket: TcpStream,
    session: Option<String>,
    sent: u64,
    /// What the browser told by itself: requests, faults, violations.
    events: Vec<Value>,
    // Removed after the browser has ended.
    _profile: tempfile::TempDir,
}

const FLAGS: [&str; 11] = [
    "--headless",
    // Tests may run as root, where the sandbox does not start. The page is ours.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--remote-debugging-port=0",
];

impl Browser {
    /// Starts the browser and opens this page.
    pub fn open(page: &Path) -> Self {
        let name = std::env::var_os("SLUIS_BROWSER").unwrap_or_else(|| "chromium".into());
        let profile = tempfile::tempdir().unwrap();
        let started = Command::new(&name)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = started.unwrap_or_else(|fault| {
            panic!(
                "`{}` cannot be started ({fault}); ./scripts/test installs Debian's chromium, and SLUIS_BROWSER names \
                 another browser of that family",
                name.display()
            )
        });
        let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut heard = Vec::new();
        let address = told.find_map(|line| {
            let address = line.strip_prefix("DevTools listening on ws://").map(ToOwned::to_owned);
            heard.push(line);
            address
        });
        let address = address.unwrap_or_else(|| panic!("the browser ended: {heard:?}"));
        // It must not stall on a full pipe.
        thread::spawn(move || told.for_each(drop));
        let (host, path) = address.split_once('/').unwrap();
        let mut socket = TcpStream::connect(host).unwrap();
        handshake(&mut socket, host, path);
        let mut browser =
            Self { child, socket, session: None, sent: 0, events: Vec::new(), _profile: profile };
        let target = browser.ask("Target.createTarget", json!({"url": "about:blank"}));
        let attached =
            browser.ask("Target.attachToTarget", json!({"targetId": target["targetId"], "flatten": true}));
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Network", "Runtime", "Log"] {
            browser.ask(&format!("{domain}.enable"), json!({}));
        }
        browser.ask("Page.navigate", json!({"url": format!("file://{}", page.display())}));
        browser.wait_for("Page.loadEventFired");
        browser
    }

    /// What this expression comes to in the page. A promise is waited for.
    #[track_caller]
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.ask("Runtime.evaluate", asked);
        assert!(answer.get("exceptionDetails").is_none(), "{answer}");
        answer["result"]["value"].clone()
    }

    /// Gives a file to a file input of the page, as its user would choose it.
    pub fn choose(&mut self, input: &str, file: &Path) {
        let found =
            self.ask("Runtime.evaluate", json!({"expression": format!("document.querySelector('{input}')")}));
        let object = &found["result"]["objectId"];
        self.ask("DOM.setFileInputFiles", json!({"files": [file], "objectId": object}));
    }

    /// What happened of this kind.
    pub fn happened(&self, method: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event["method"] == method).collect()
    }

    /// Asks the browser, and reads what it tells until the answer to this comes.
    #[track_caller]
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let mut message = json!({"id": self.sent, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.send(message.to_string().as_bytes());
        loop {
            let message = self.receive();
            if message["id"] == self.sent {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn wait_for(&mut self, method: &str) {
        while self.happened(method).is_empty() {
            let message = self.receive();
            self.events.push(message);
        }
    }

    /// One text frame. A client masks; with a mask of zeros the bytes stay what they are.
    fn send(&mut self, text: &[u8]) {
        let mut frame = vec![0x81, 0x80 | 127];
        frame.extend((text.len() as u64).to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(text);
        self.socket.write_all(&frame).unwrap();
    }

    fn receive(&mut self) -> Value {
        let mut message = Vec::new();
        loop {
            let [first, second] = self.read();
            let length = match second & 0x7f {
                126 => u16::from_be_bytes(self.read()).into(),
                127 => u64::from_be_bytes(self.read()),
                short => short.into(),
            };
            let mut part = vec![0; usize::try_from(length).unwrap()];
            self.socket.read_exact(&mut part).expect("the browser goes on");
            // Text and its continuations; pings are for those who keep a connection for long.
            if first & 0x0f <= 1 {
                message.extend(part);
                if first & 0x80 != 0 {
                    return serde_json::from_slice(&message).unwrap();
                }
            }
        }
    }

    fn read<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.socket.read_exact(&mut bytes).expect("the browser goes on");
        bytes
    }
}

/// The key may be any sixteen bytes: that the other side is a browser was told by the browser itself.
fn handshake(socket: &mut TcpStream, host: &str, path: &str) {
    write!(
        socket,
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    .unwrap();
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
