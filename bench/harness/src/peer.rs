use std::fmt::Display;
use std::io::{BufRead, Write};
use std::time::Duration;

/// What the driver asks for, one line each on standard input.
#[derive(Debug, Clone, Copy)]
pub enum Command {
    /// `accept N`: the server's calls for N logons, the client's work left out.
    Accept(usize),
    /// `seal BYTES N`: N messages of this size sealed, unsealed, signed and verified.
    Seal(usize, usize),
    /// `spin N`: the server's calls alone, N times over one recorded conversation. For profilers.
    Spin(usize),
    /// `tokens N`: as many fresh tokens for all peers, from the one that makes them.
    Tokens(usize),
    /// `threads N`: N tokens taken by one thread and by two.
    Threads(usize),
}

/// What a peer answers, one line on standard output: `key=number`, separated by blanks.
pub type Figures = Vec<(&'static str, f64)>;

/// Answers commands until the driver closes the pipe.
pub fn serve<K: Display>(mut work: impl FnMut(Command) -> Vec<(K, f64)>) {
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("the driver's pipe is readable");
        let words: Vec<_> = line.split(' ').collect();
        let number = |word: &str| word.parse().expect("a count");
        let command = match words[..] {
            ["accept", n] => Command::Accept(number(n)),
            ["spin", n] => Command::Spin(number(n)),
            ["tokens", n] => Command::Tokens(number(n)),
            ["threads", n] => Command::Threads(number(n)),
            ["seal", size, n] => Command::Seal(number(size), number(n)),
            _ => panic!("`{line}` is no command; say `accept N` or `seal BYTES N`"),
        };
        let figures = work(command).into_iter().map(|(key, value)| format!("{key}={value}"));
        println!("{}", figures.collect::<Vec<_>>().join(" "));
        std::io::stdout().flush().expect("the driver listens");
    }
}

/// CPU time of this thread: other load on the machine does not count, but for its effect on caches.
pub fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
