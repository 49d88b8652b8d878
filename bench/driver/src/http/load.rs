use base64::{Engine, engine::general_purpose::STANDARD};
use bench_harness::{Identity, Initiator, fresh};
use std::io::{BufRead, BufReader, Error, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};

/// One account at one server.
pub(crate) struct Client<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) identity: &'a Identity,
}

/// A connection that stays open.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

/// What a client looks at in a response.
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The token behind `WWW-Authenticate: NTLM`.
    token: Option<Vec<u8>>,
    /// What else the server said, for messages to people.
    pub(crate) said: String,
}

impl Client<'_> {
    /// A new connection, logged on: two requests, NTLMv2.
    pub(crate) fn log_on(&self) -> Result<Connection> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(std::time::Duration::from_secs(10)))?;
        let mut connection = Connection { stream: BufReader::new(stream) };
        let initiator = Initiator::new(self.identity, "HTTP/127.0.0.1");
        let first = connection.get(Some(initiator.negotiate()))?;
        let challenge = first.token.filter(|_| first.status == 401);
        let challenge = challenge.ok_or_else(|| refused("NEGOTIATE", first.status, &first.said))?;
        let second = connection.get(Some(&initiator.authenticate(&challenge, fresh(challenge.len())).0))?;
        match second.status {
            200 => Ok(connection),
            status => Err(refused("AUTHENTICATE", status, &second.said)),
        }
    }
}

fn refused(message: &str, status: u16, said: &str) -> Error {
    Error::other(format!("the {message} message got {status}: {said}"))
}

impl Connection {
    /// `GET /`, with a token or on the strength of the connection.
    pub(crate) fn get(&mut self, token: Option<&[u8]>) -> Result<Response> {
        let authorization =
            token.map_or(String::new(), |token| format!("Authorization: NTLM {}\r\n", STANDARD.encode(token)));
        let request = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n{authorization}\r\n");
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.response()
    }

    fn response(&mut self) -> Result<Response> {
        let mut response = Response { status: 0, token: None, said: String::new() };
        let mut length = None;
        let mut line = String::new();
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(Error::other("the server closed the connection"));
            }
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            let Some((name, value)) = text.split_once(": ") else {
                response.status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().ok(),
                "www-authenticate" => {
                    if let Some(token) = value.strip_prefix("NTLM ") {
                        response.token = STANDARD.decode(token).ok();
                    }
                    response.said += value;
                    response.said += "; ";
                }
                _ => {}
            }
        }
        let length: usize = length.ok_or_else(|| Error::other("a response without Content-Length"))?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(response)
    }
}
