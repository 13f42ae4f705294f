//! Requests over connections of their own.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

/// How long a response may take before it counts as missing.
const PATIENCE: Duration = Duration::from_secs(60);

/// A statement that runs until its time limit.
pub const ENDLESS_SQL: &str = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) \
                               SELECT count(*) FROM c";

/// A visitor: the address that requests claim to come from. Loopback is a trusted proxy.
#[derive(Clone, Debug)]
pub struct Client {
    pub server: SocketAddr,
    forwarded_for: String,
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Response {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a header, whose name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
    }

    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }
}

impl Client {
    /// A visitor whose address no other one of this process has.
    pub fn new(server: SocketAddr) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        // 198.18.0.0/15 is for tests of networks.
        let [_, b, c, d] = n.to_be_bytes();
        Self { server, forwarded_for: format!("198.{}.{c}.{d}", 18 + b % 2) }
    }

    /// A request's head, to the empty line.
    fn head(&self, method: &str, path: &str, headers: &str, length: usize) -> String {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {}\r\n\
             Connection: close\r\nContent-Length: {length}\r\n{headers}\r\n",
            self.forwarded_for
        )
    }

    /// Sends a request and leaves its response to the caller.
    pub fn begin(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.server)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(self.head(method, path, headers, body.len()).as_bytes())?;
        stream.write_all(body)?;
        Ok(stream)
    }

    /// The same for JSON.
    pub fn begin_json(&self, method: &str, path: &str, body: &Value) -> io::Result<TcpStream> {
        let headers = "Content-Type: application/json\r\n";
        self.begin(method, path, headers, body.to_string().as_bytes())
    }

    pub fn get(&self, path: &str) -> io::Result<Response> {
        read(self.begin("GET", path, "", b"")?)
    }

    pub fn post(&self, path: &str, body: &Value) -> io::Result<Response> {
        read(self.begin_json("POST", path, body)?)
    }

    pub fn put(&self, path: &str, body: &Value) -> io::Result<Response> {
        read(self.begin_json("PUT", path, body)?)
    }

    /// A new session's id.
    pub fn create(&self) -> io::Result<Result<String, Response>> {
        let response = self.post("/api/sessions/create", &json!({}))?;
        if response.status != 201 {
            return Ok(Err(response));
        }
        Ok(Ok(response.json()["sessionId"].as_str().unwrap().to_owned()))
    }

    /// The same, from a server that must not refuse it.
    #[track_caller]
    pub fn session(&self) -> String {
        self.create().unwrap().unwrap()
    }

    pub fn ask(&self, session: &str, message: &str) -> io::Result<Response> {
        self.post("/api/chat/message", &json!({"sessionId": session, "message": message}))
    }

    /// The same with a key, by which the question may be repeated.
    pub fn ask_once(&self, session: &str, message: &str, key: &str) -> io::Result<Response> {
        let headers = format!("Content-Type: application/json\r\nIdempotency-Key: {key}\r\n");
        let body = json!({"sessionId": session, "message": message}).to_string();
        read(self.begin("POST", "/api/chat/message", &headers, body.as_bytes())?)
    }

    pub fn history(&self, session: &str) -> io::Result<Response> {
        self.get(&format!("/api/chat/history/{session}"))
    }

    pub fn sql(&self, session: &str, sql: &str) -> io::Result<Response> {
        self.post(&format!("/api/files/query/{session}"), &json!({ "sql": sql }))
    }

    pub fn upload(&self, session: &str, csv: &str) -> io::Result<Response> {
        let body = form(session, csv);
        read(self.begin("POST", "/api/files/upload", FORM, &body)?)
    }

    /// Sends all of an upload but its last byte.
    pub fn begin_upload(&self, body: &[u8]) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.server)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let head = self.head("POST", "/api/files/upload", FORM, body.len());
        stream.write_all(head.as_bytes())?;
        // The server may have refused it by then; the response says so.
        let _ = stream.write_all(&body[..body.len() - 1]);
        Ok(stream)
    }

    /// A session with a file of one column and `rows` rows.
    #[track_caller]
    pub fn session_with_file(&self, rows: usize) -> String {
        let session = self.session();
        self.upload(&session, &csv(rows)).unwrap().expect(200);
        session
    }
}

const FORM: &str = "Content-Type: multipart/form-data; boundary=XX\r\n";

/// A file of one column and `rows` rows.
pub fn csv(rows: usize) -> String {
    let mut csv = "a\n".to_owned();
    (0..rows).for_each(|row| csv.push_str(&format!("{row}\n")));
    csv
}

/// The body of an upload.
pub fn form(session: &str, csv: &str) -> Vec<u8> {
    format!(
        "--XX\r\nContent-Disposition: form-data; name=\"sessionId\"\r\n\r\n{session}\r\n\
         --XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\
         Content-Type: text/csv\r\n\r\n{csv}\r\n--XX--\r\n"
    )
    .into_bytes()
}

/// Reads a response to the end of its connection.
pub fn read(mut stream: TcpStream) -> io::Result<Response> {
    let mut bytes = Vec::new();
    let ended = stream.read_to_end(&mut bytes);
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let Some(split) = split else {
        ended?;
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    let body = bytes.split_off(split + 4);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let response = Response { status, head, body };
    let declared = response.header("content-length").and_then(|length| length.parse().ok());
    if declared.is_some_and(|length: usize| length > response.body.len()) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(response)
}
