//! How a list of cases becomes a section.

use crate::document::{Row, Section};
use crate::sspi::Function;
use crate::world::World;

/// One way to call a function.
pub struct Case {
    pub case: &'static str,
    /// With the function, whether its texts are wide, and the column, which is a package where there are packages.
    pub call: fn(&World, Function, bool, &str) -> u32,
    pub source: &'static str,
    pub tests: &'static [&'static str],
}

/// A function and its cases.
pub struct Family {
    pub exports: &'static [&'static str],
    pub part: &'static str,
    pub about: &'static str,
    pub columns: &'static [&'static str],
    pub documented: &'static [&'static str],
    pub cases: &'static [Case],
}

/// The one column of what has nothing to do with packages.
pub const STATUS: &[&str] = &["status"];

impl Family {
    pub fn section(&self, world: &World) -> Section {
        let rows = self.cases.iter().map(|case| Row {
            case: case.case.to_owned(),
            statuses: self.columns.iter().map(|column| self.called(world, case, column)).collect(),
            source: case.source.to_owned(),
            tests: [crate::HERE].into_iter().chain(case.tests.iter().copied()).collect(),
        });
        Section {
            exports: self.exports.to_vec(),
            part: self.part,
            about: self.about,
            by: "case",
            columns: self.columns.to_vec(),
            documented: self.documented,
            rows: rows.collect(),
        }
    }

    /// The status of all names.
    fn called(&self, world: &World, case: &Case, column: &str) -> u32 {
        let call = |name: &&str| (case.call)(world, world.function(name), name.ends_with('W'), column);
        let mut statuses = self.exports.iter().map(call);
        let first = statuses.next().unwrap();
        assert!(statuses.all(|status| status == first), "{:?} differ: {} of {column}", self.exports, case.case);
        first
    }
}
