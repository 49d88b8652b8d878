use std::collections::BTreeMap;
use std::fmt::Write;

/// The figures of all rounds, by peer and key.
#[derive(Default)]
pub(crate) struct Series(BTreeMap<(String, String), Vec<f64>>);

/// A row's yardstick.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    AtMost(f64),
    AtLeast(f64),
    None,
}

/// Median and range of a list.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    min: f64,
    max: f64,
}

/// The table as it grows.
pub(crate) struct Report {
    title: &'static str,
    head: String,
    rows: Vec<[String; 6]>,
    notes: Vec<String>,
    caveats: &'static str,
}

impl Series {
    pub(crate) fn add(&mut self, peer: &str, figures: Vec<(String, f64)>) {
        for (key, value) in figures {
            self.0.entry((peer.to_owned(), key)).or_default().push(value);
        }
    }

    /// The peers beside `ours`, each once.
    pub(crate) fn peers_but(&self, ours: &str) -> Vec<&str> {
        let mut peers: Vec<_> = self.0.keys().map(|(peer, _)| peer.as_str()).filter(|peer| *peer != ours).collect();
        peers.dedup();
        peers
    }

    pub(crate) fn of(&self, peer: &str, key: &str) -> Option<Spread> {
        self.values(peer, key).map(Spread::of)
    }

    fn values(&self, peer: &str, key: &str) -> Option<&[f64]> {
        self.0.get(&(peer.to_owned(), key.to_owned())).map(Vec::as_slice)
    }
}

impl Spread {
    fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Self { median: sorted[sorted.len() / 2], min: sorted[0], max: sorted[sorted.len() - 1] }
    }

    pub(crate) fn show(self, unit: &str) -> String {
        let digits = if self.median.abs() >= 100.0 || self.min == self.max { 0 } else { 2 };
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        match self.min == self.max {
            true => format!("{:.digits$}{unit}", self.median),
            false => format!("{:.digits$} ({:.digits$}–{:.digits$}){unit}", self.median, self.min, self.max),
        }
    }
}

impl Goal {
    fn met(self, value: f64) -> &'static str {
        match self {
            Self::AtMost(most) => ["no", "yes"][usize::from(value <= most)],
            Self::AtLeast(least) => ["no", "yes"][usize::from(value >= least)],
            Self::None => "",
        }
    }

    fn show(self, ratio: bool) -> String {
        let times = if ratio { "×" } else { "" };
        match self {
            Self::AtMost(most) => format!("≤ {most}{times}"),
            Self::AtLeast(least) => format!("≥ {least}{times}"),
            Self::None => String::new(),
        }
    }
}

impl Report {
    pub(crate) fn new(title: &'static str, machine: String, rounds: usize, caveats: &'static str) -> Self {
        let head = format!(
            "{machine}\n{rounds} rounds, peers in turn; median (min–max); a ratio is the median of the rounds' ratios\n"
        );
        Self { title, head, rows: Vec::new(), notes: Vec::new(), caveats }
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Ours beside a peer's, as the ratio ours ÷ peer's of each round. A peer that lacks the figure has no row.
    pub(crate) fn compare(
        &mut self,
        work: &str,
        unit: &str,
        series: &Series,
        ours: (&str, &str),
        peer: (&str, &str),
        goal: Goal,
    ) {
        let (Some(mine), Some(theirs)) = (series.values(ours.0, ours.1), series.values(peer.0, peer.1)) else { return };
        let ratios: Vec<_> = mine.iter().zip(theirs).map(|(mine, theirs)| mine / theirs).collect();
        let ratio = Spread::of(&ratios);
        self.rows.push([
            work.to_owned(),
            Spread::of(mine).show(unit),
            format!("{} {}", peer.0, Spread::of(theirs).show(unit)),
            format!("{:.3}× ({:.2}–{:.2})", ratio.median, ratio.min, ratio.max),
            goal.show(true),
            goal.met(ratio.median).to_owned(),
        ]);
    }

    /// A figure of ours with a goal of its own; a peer's is shown beside it.
    pub(crate) fn absolute(
        &mut self,
        work: &str,
        unit: &str,
        series: &Series,
        ours: (&str, &str),
        peer: Option<(&str, &str)>,
        goal: Goal,
    ) {
        let Some(mine) = series.of(ours.0, ours.1) else { return };
        let theirs = peer.and_then(|(name, key)| Some(format!("{name} {}", series.of(name, key)?.show(unit))));
        self.rows.push([
            work.to_owned(),
            mine.show(unit),
            theirs.unwrap_or_default(),
            String::new(),
            goal.show(false),
            goal.met(mine.median).to_owned(),
        ]);
    }

    /// Title, machine, table, notes and caveats, as Markdown.
    pub(crate) fn text(&self) -> String {
        let heads = ["work", "ours", "peer", "ratio", "goal", "met?"].map(str::to_owned);
        let all: Vec<_> = std::iter::once(&heads).chain(&self.rows).collect();
        let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 6] = std::array::from_fn(width);
        let line = |row: &[String; 6]| {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        let mut text = format!("{}\n\n{}\n{}", self.title, self.head, line(&heads));
        let rules = widths.map(|width| "-".repeat(width));
        text += &line(&rules);
        self.rows.iter().for_each(|row| text += &line(row));
        text.push('\n');
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        text.push('\n');
        text += self.caveats;
        text
    }
}
