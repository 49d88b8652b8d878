use std::fs;
use std::process::Command;

/// The machine and the day, in a line.
pub(crate) fn describe() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let run = |program, args: &[&str]| {
        let output = Command::new(program).args(args).output().map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&output).trim().to_owned()
    };
    format!(
        "{} · {} × {} · Linux {} · {} · load {}{}",
        run("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        cores,
        model.trim_start_matches([':', ' ', '\t']),
        run("uname", &["-r"]),
        run("rustc", &["--version"]),
        load(),
        priority()
    )
}

/// Whether this ran before others on a busy machine, or behind them.
fn priority() -> String {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold blanks; the seventeenth field behind it is the niceness.
    let nice = stat.rsplit_once(')').and_then(|(_, fields)| fields.split_whitespace().nth(16));
    nice.filter(|nice| *nice != "0").map_or_else(String::new, |nice| format!(" · nice {nice}"))
}

/// How many processes wanted to run, over one, five and fifteen minutes.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
