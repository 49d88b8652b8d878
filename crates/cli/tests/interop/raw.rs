//! HTTP by hand: what no client would send, and ten thousand connections at a time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// NEGOTIATE as curl sends it.
pub const NEGOTIATE: &str = "TlRMTVNTUAABAAAABoIIAAAAAAAAAAAAAAAAAAAAAAA=";

/// One connection.
pub struct Connection(BufReader<TcpStream>);

/// What the server said.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    /// The values of `WWW-Authenticate`.
    pub offers: Vec<String>,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends a GET with these header lines and reads the answer.
    pub fn get(&mut self, headers: &[&str]) -> Reply {
        self.send(headers);
        self.reply()
    }

    pub fn send(&mut self, headers: &[&str]) {
        let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n{lines}\r\n");
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
    }

    pub fn reply(&mut self) -> Reply {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{line:?}"));
        let mut headers = Vec::new();
        loop {
            line.clear();
            self.0.read_line(&mut line).unwrap();
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
                None => break,
            }
        }
        let all = |name: &str| headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.clone()).collect::<Vec<_>>();
        let length = all("content-length").first().map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        Reply { status, offers: all("www-authenticate"), body: String::from_utf8_lossy(&body).into_owned(), headers }
    }
}

impl Reply {
    /// The server's NTLM token, in base64.
    pub fn challenge(&self) -> Option<&str> {
        self.offers.iter().find_map(|offer| offer.strip_prefix("NTLM "))
    }

    /// A refusal: 401 with every offer made anew, and nothing of the cause.
    pub fn expect_refused(&self, cause: &str) {
        assert_eq!(self.status, 401, "{self:?}");
        assert!(self.offers.iter().any(|offer| offer == "NTLM"), "{self:?}");
        let (part, reason) = cause.split_once('/').unwrap();
        let told = format!("{:?}{}", self.headers, self.body);
        assert!(!told.contains(&format!("{part}/{reason}")) && !told.contains(reason), "{self:?}");
    }
}
