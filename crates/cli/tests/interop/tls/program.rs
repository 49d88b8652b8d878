//! A program that is talked with: openssl's and GnuTLS's command line clients, and our proxies.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A running program; dropped, it ends.
pub struct Program {
    shown: String,
    child: Child,
    input: Option<ChildStdin>,
    said: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Program {
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).env("LC_ALL", "C.UTF-8");
        let shown = format!("{command:?}");
        let mut child =
            command.spawn().unwrap_or_else(|why| panic!("{shown} does not start ({why}): run `cargo xtask peers`"));
        let said = Arc::new(Mutex::new(Vec::new()));
        let read = |mut from: Box<dyn Read + Send>| {
            let said = Arc::clone(&said);
            std::thread::spawn(move || {
                let mut piece = [0; 4096];
                while let Ok(count @ 1..) = from.read(&mut piece) {
                    said.lock().unwrap().extend_from_slice(&piece[..count]);
                }
            })
        };
        let readers = vec![read(Box::new(child.stdout.take().unwrap())), read(Box::new(child.stderr.take().unwrap()))];
        let input = child.stdin.take();
        Self { shown, child, input, said, readers }
    }

    /// Types something. What has ended takes nothing, and that shows in what it said.
    pub fn say(&mut self, text: &str) {
        if let Some(input) = &mut self.input {
            let _ = input.write_all(text.as_bytes()).and_then(|()| input.flush());
        }
    }

    /// Types a request and waits for the `nth` answer's first line to have this status.
    pub fn ask(&mut self, nth: usize, status: u16) {
        self.say("GET / HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n");
        self.expect(&format!("HTTP/1.1 {status}"), nth);
    }

    /// Types a request; gives the status of the answer, or `None` where the program ends without one.
    pub fn answer(&mut self) -> Option<u16> {
        let before = self.said().matches("HTTP/1.1 ").count();
        self.say("GET / HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n");
        if !self.says("HTTP/1.1 ", before + 1) {
            assert!(self.ends(), "{} hangs: {}", self.shown, self.said());
            return None;
        }
        // The line's rest may come later.
        self.says("\r\n", 1);
        let said = self.said();
        let status = said.split("HTTP/1.1 ").nth(before + 1).and_then(|rest| rest.get(..3)?.parse().ok());
        Some(status.unwrap_or_else(|| panic!("{said}")))
    }

    /// Everything it said so far, on either output.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().unwrap()).into_owned()
    }

    /// Waits until it said this so many times; whether it did. A program that ended says nothing more.
    pub fn says(&mut self, text: &str, times: usize) -> bool {
        let until = Instant::now() + PATIENCE;
        loop {
            let ended = self.readers.iter().all(JoinHandle::is_finished);
            if self.said().matches(text).count() >= times {
                return true;
            }
            if ended || Instant::now() > until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn expect(&mut self, text: &str, times: usize) {
        assert!(self.says(text, times), "{} did not say {text:?} {times} times: {}", self.shown, self.said());
    }

    /// Whether it ends by itself within the time that everything here has.
    pub fn ends(&mut self) -> bool {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if self.child.try_wait().unwrap().is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }

    /// Closes its input, lets it end, and gives all that it said.
    pub fn finish(mut self) -> String {
        drop(self.input.take());
        if !self.ends() {
            panic!("{} does not end: {}", self.shown, self.said());
        }
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        self.said()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PATIENCE: Duration = Duration::from_secs(20);
