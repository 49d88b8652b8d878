use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A program that answers one line for each line.
pub(crate) struct Peer {
    pub(crate) name: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    pub(crate) fn start(name: &str, program: &str) -> Self {
        Self::start_in(name, program, &[])
    }

    pub(crate) fn start_in(name: &str, program: &str, args: &[&Path]) -> Self {
        let mut child = Command::new(program)
            .args(args)
            .env("WLOG_LEVEL", "OFF")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { name: name.to_owned(), child, input, output }
    }

    /// The figures that the peer answers, by their keys.
    pub(crate) fn ask(&mut self, command: &str) -> Vec<(String, f64)> {
        writeln!(self.input, "{command}").expect("the peer listens");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the peer answers");
        let figures = line.split_whitespace().filter_map(|word| {
            let (key, value) = word.split_once('=')?;
            Some((key.to_owned(), value.parse().ok()?))
        });
        let figures: Vec<_> = figures.collect();
        assert!(!figures.is_empty(), "{} answers `{command}` with `{}`", self.name, line.trim());
        figures
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It answers until its input ends; ending the process by its id spares the wait.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
