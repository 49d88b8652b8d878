//! What each function answers: for every export, package and state of its handle. docs/c-functions.md is what comes of it,
//! read by people; that every status is documented and every named test exists is asserted here.
//!
//! - `world` makes credentials and contexts in every state;
//! - `contexts` and `credentials`: what is called with them; `attributes`: every attribute;
//! - `legs`, `messages`, `afterwards`, `process`: what functions are called with beside a handle, or without (`cases`);
//! - `streams`: the same of Schannel, whose states and buffers are others; `tickets`: of Kerberos;
//! - `tables`: the function tables and their slots;
//! - `document` prints, compares, and looks for what is missing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a test"
)]

mod afterwards;
mod attributes;
mod cases;
mod contexts;
mod credentials;
mod document;
#[path = "../harness/mod.rs"]
mod harness;
mod legs;
mod messages;
mod process;
#[path = "../sspi/mod.rs"]
#[allow(dead_code, reason = "other tests have use for the rest")]
mod sspi;
mod streams;
mod tables;
mod tickets;
mod world;

use document::Section;
use std::collections::BTreeSet;
use std::fs;
use world::World;

/// The test that shows every row.
const HERE: &str = "behaviour::every_state";

fn world() -> World {
    World::new(&harness::library(), "")
}

#[test]
fn every_state() {
    let world = world();
    let pretends = World::new(&harness::library(), "danger_pretend_impersonation = true");
    let realm = tickets::Realm::new(&harness::library());
    let mut sections = vec![tables::section(&world)];
    sections.extend(tickets::sections(&realm));
    sections.extend(credentials::sections(&world));
    sections.extend(contexts::sections(&world));
    for more in [legs::sections, messages::sections, afterwards::sections, process::sections, streams::sections] {
        sections.extend(more(&world));
    }
    sections.push(afterwards::PRETENDED.section(&pretends));
    // What is said of one function stands together; attributes, which fill pages, at the end.
    sections.sort_by_key(|section| sections_order(section.exports[0]));
    sections.extend(attributes::sections(&world, &realm));

    let names = document::names();
    let findings: Vec<_> = sections.iter().flat_map(|section| section.findings(&names)).collect();
    assert!(findings.is_empty(), "statuses that are not documented:\n{}", findings.join("\n"));
    let silly = ["SEC_E_INTERNAL_ERROR", "a status without a name"];
    assert!(sections.iter().all(|section| section.documented.iter().all(|name| !silly.contains(name))));
    let missing = document::missing_tests(&sections);
    assert!(missing.is_empty(), "no such tests: {missing:?}");
    every_export(&sections);
    document::compare(&document::print(&sections, &names));
}

/// Where a function stands in the header.
fn sections_order(export: &str) -> usize {
    let header = fs::read_to_string(document::folder().join("include/portcullis/sspi.h")).unwrap();
    header.find(&format!(" {export}(")).unwrap_or_else(|| panic!("the header does not declare {export}"))
}

/// Nothing is exported that is not in the document, and the other way round.
fn every_export(sections: &[Section]) {
    let kept = fs::read_to_string(document::folder().join("tests/abi/core-exports.txt")).unwrap();
    let exported: BTreeSet<_> = kept.lines().collect();
    let told: BTreeSet<_> = sections.iter().flat_map(|section| &section.exports).copied().collect();
    assert_eq!(told, exported);
}

#[test]
fn the_tables_are_complete() {
    tables::check(&world());
}

#[test]
fn a_life_through_each_table() {
    let world = world();
    for (name, wide) in tables::TABLES {
        tables::life(&world, world.library.table(name), wide);
    }
}
