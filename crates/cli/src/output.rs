use crate::data::Failed;
use serde::Serialize;
use std::io::Write as _;
use std::time::SystemTime;

/// How results are printed: for people, or as JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// Prints `value` as JSON, or what `words` makes of it.
    pub(crate) fn print<T: Serialize>(self, value: &T, words: impl FnOnce(&T) -> String) -> Result<(), Failed> {
        let mut text = if self.json {
            serde_json::to_string_pretty(value).map_err(|error| Failed::Failed(error.to_string()))?
        } else {
            words(value)
        };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
    }

    /// Says that something was done.
    pub(crate) fn done(self, words: &str) -> Result<(), Failed> {
        #[derive(Serialize)]
        struct Done<'a> {
            done: &'a str,
        }
        self.print(&Done { done: words }, |done| done.done.to_owned())
    }
}

/// A table with its columns lined up. Control characters in a cell are shown, not sent to the terminal.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut lines: Vec<[String; N]> = vec![head.map(str::to_owned)];
    lines.extend(rows.into_iter().map(|row| row.map(|cell| visible(&cell))));
    let widths: [usize; N] = std::array::from_fn(|column| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    });
    let line = |cells: &[String; N]| {
        let cells = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Text with its control characters escaped.
pub(crate) fn visible(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// A point in time as people and programs read it: RFC 3339 in UTC, to the second.
pub(crate) fn time(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time)
        .map_or_else(|_| "out of range".to_owned(), |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_line_up_and_hide_no_control_characters() {
        let rows = [["ann".to_owned(), "x".to_owned()], ["\u{1b}[2Jb".to_owned(), "yy".to_owned()]];
        assert_eq!(table(["NAME", "V"], rows), "NAME        V\nann         x\n\\u{1b}[2Jb  yy");
    }
}
