use super::entries::Contents;
use super::findings::{self, Finding, Severity};
use super::ticket;
use crate::data::Failed;
use crate::output::{Output, visible};
use serde::Serialize;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

#[derive(Serialize)]
struct View {
    file: String,
    keys: usize,
    ticket: Option<ticket::View>,
    findings: Vec<Finding>,
}

pub(super) fn run(file: &Path, token: Option<&str>, output: Output) -> Result<(), Failed> {
    let contents = Contents::read(file)?;
    let mut found = Vec::new();
    found.extend(findings::of_mode(std::fs::metadata(file)?.mode()));
    found.extend(findings::of_entries(&contents));
    let ticket = match token {
        Some(token) => {
            let (ticket, wrong) = ticket::judge(&ticket::text_of(token)?, &contents)?;
            found.extend(wrong);
            Some(ticket)
        }
        None => None,
    };
    found.sort_by_key(|finding| finding.severity);
    let errors = found.iter().filter(|finding| finding.severity == Severity::Error).count();
    let view = View { file: file.display().to_string(), keys: contents.entries.len(), ticket, findings: found };
    output.print(&view, words)?;
    match errors {
        0 => Ok(()),
        1 => Err(Failed::Failed(format!("{}: one thing is wrong", view.file))),
        many => Err(Failed::Failed(format!("{}: {many} things are wrong", view.file))),
    }
}

fn words(view: &View) -> String {
    let mut lines = vec![format!("{}: {} keys", view.file, view.keys)];
    lines.extend(view.ticket.iter().map(|ticket| visible_lines(&ticket.words())));
    for finding in &view.findings {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        lines.push(format!("{severity}: {}\n  {}", visible(&finding.what), finding.advice));
    }
    if view.findings.is_empty() {
        lines.push("nothing is wrong".to_owned());
    }
    lines.join("\n")
}

fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}
