//! The invariants of ARCHITECTURE.md that a machine can assert. Each finding says which, where, and what to do.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Runs every check and lists all findings.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .exec()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let mut findings = Vec::new();
    layers(&metadata, &mut findings);
    tokio_walls(&metadata, &mut findings);
    linked_packages(root, &metadata, &mut findings)?;
    dependency_reasons(root, &metadata, &mut findings)?;
    for file in rust_files(root) {
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        source_rules(&name, &text, &mut findings);
    }
    contract_tests(root, &mut findings)?;
    if findings.is_empty() {
        println!("check: layers, walls, licences, sources and contract hold");
        return Ok(());
    }
    Err(format!("{} finding(s):\n  {}", findings.len(), findings.join("\n  ")))
}

/// Which of our crates each may depend on: never upwards.
const LAYERS: &[(&str, &[&str])] = &[
    ("portcullis-wire", &[]),
    ("portcullis", &["portcullis-wire"]),
    ("portcullis-diagnose", &["portcullis-wire"]),
    ("portcullis-authority", &["portcullis", "portcullis-wire"]),
    ("portcullis-capi", &["portcullis-authority", "portcullis", "portcullis-wire"]),
    ("portcullis-server", &["portcullis-authority", "portcullis", "portcullis-wire"]),
    ("portcullis-testkit", &["portcullis-authority", "portcullis", "portcullis-wire"]),
    (
        "portcullis-cli",
        &["portcullis-server", "portcullis-authority", "portcullis-diagnose", "portcullis", "portcullis-wire"],
    ),
    ("xtask", &[]),
];

fn layers(metadata: &Metadata, findings: &mut Vec<String>) {
    for package in metadata.workspace_packages() {
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| package.name.as_str() == *name) else {
            findings.push(format!("layers: {} has no row in xtask/src/check.rs LAYERS", package.name));
            continue;
        };
        for dependency in normal_dependencies(package) {
            if dependency.starts_with("portcullis") && !allowed.contains(&dependency) {
                findings.push(format!("layers: {} must not depend on {dependency}", package.name));
            }
        }
        if package.name.as_str() == "portcullis-wire" && !package.dependencies.is_empty() {
            findings.push("layers: portcullis-wire depends on nothing, not even for tests".into());
        }
    }
}

fn normal_dependencies(package: &Package) -> impl Iterator<Item = &str> {
    package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal).map(|d| d.name.as_str())
}

/// tokio is the server's: no crate below it may reach it, by whatever path.
fn tokio_walls(metadata: &Metadata, findings: &mut Vec<String>) {
    let Some(resolve) = &metadata.resolve else { return };
    let package = |id| metadata.packages.iter().find(|p| p.id == id);
    for below in ["portcullis-wire", "portcullis", "portcullis-diagnose", "portcullis-authority", "portcullis-capi"] {
        let Some(start) = metadata.packages.iter().find(|p| p.name.as_str() == below) else { continue };
        let (mut todo, mut seen) = (vec![start.id.clone()], BTreeSet::new());
        while let Some(id) = todo.pop() {
            if !seen.insert(id.clone()) {
                continue;
            }
            if package(id.clone()).is_some_and(|p| p.name.as_str() == "tokio") {
                findings.push(format!("walls: {below} reaches tokio"));
            }
            let node = resolve.nodes.iter().find(|node| node.id == id);
            let normal = node
                .into_iter()
                .flat_map(|node| &node.deps)
                .filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal));
            todo.extend(normal.map(|dep| dep.pkg.clone()));
        }
    }
}

/// Every package that we link has a licence of deny.toml's list, is not banned there, and comes from crates.io.
fn linked_packages(root: &Path, metadata: &Metadata, findings: &mut Vec<String>) -> Result<(), String> {
    let deny = fs::read_to_string(root.join("deny.toml")).map_err(|error| format!("deny.toml: {error}"))?;
    let deny: toml::Table = deny.parse().map_err(|error| format!("deny.toml: {error}"))?;
    let allowed: BTreeSet<&str> = deny
        .get("licenses")
        .and_then(|table| table.get("allow")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str)
        .collect();
    let banned: BTreeSet<&str> = deny
        .get("bans")
        .and_then(|table| table.get("deny")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(|ban| ban.get("name")?.as_str())
        .collect();
    for package in &metadata.packages {
        let licence = package.license.as_deref().unwrap_or_default().replace('/', " OR ");
        let fits = spdx::Expression::parse(&licence).is_ok_and(|expression| {
            expression.evaluate(|required| {
                let id = required.license.id().map(|id| id.name).unwrap_or_default();
                let exception = required.addition.as_ref().map(|addition| format!("{id} WITH {addition}"));
                allowed.contains(exception.as_deref().unwrap_or(id))
            })
        });
        if !fits {
            findings.push(format!("licences: {} {} is under `{licence}`", package.name, package.version));
        }
        if banned.contains(package.name.as_str()) {
            findings.push(format!("bans: {} {} is linked", package.name, package.version));
        }
        if package.source.as_ref().is_some_and(|source| !source.is_crates_io()) {
            findings.push(format!("sources: {} {} does not come from crates.io", package.name, package.version));
        }
    }
    Ok(())
}

/// Every outside dependency of ours has its reason in docs/decisions/dependencies.md.
fn dependency_reasons(root: &Path, metadata: &Metadata, findings: &mut Vec<String>) -> Result<(), String> {
    let path = root.join("docs/decisions/dependencies.md");
    let reasons = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let ours: BTreeSet<String> = metadata
        .workspace_packages()
        .into_iter()
        .flat_map(|package| package.dependencies.iter().map(|dependency| dependency.name.clone()))
        .filter(|name| !name.starts_with("portcullis"))
        .collect();
    for name in ours.iter().filter(|name| !reasons.contains(&format!("`{name}`"))) {
        findings.push(format!("dependencies: {name} has no reason in docs/decisions/dependencies.md"));
    }
    Ok(())
}

/// What a library without I/O must not name.
const OUTSIDE: &[&str] =
    &["SystemTime::now", "Instant::now", "std::fs", "std::env", "TcpStream", "UdpSocket", "getrandom", "OsRng"];

/// The most lines that a source file of ours may have, its tests not counted.
const MAX_LINES: usize = 500;

/// Where `unsafe` is needed: the border to C.
const UNSAFE: &[&str] = &["crates/capi/src/lib.rs"];

fn source_rules(name: &str, text: &str, findings: &mut Vec<String>) {
    let product = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    let is_source = name.contains("/src/") && !name.ends_with("tests.rs");
    if is_source && product.lines().count() > MAX_LINES {
        findings.push(format!("{name}: more than {MAX_LINES} lines; split it by what it holds"));
    }
    let is_root = name.ends_with("src/lib.rs") || name.ends_with("src/main.rs");
    if is_root && !text.contains("#![forbid(unsafe_code)]") && !UNSAFE.contains(&name) {
        findings.push(format!("{name}: `#![forbid(unsafe_code)]` is missing; only {UNSAFE:?} may go without"));
    }
    if is_source && (name.starts_with("crates/portcullis/") || name.starts_with("crates/wire/")) {
        for (number, line) in product.lines().enumerate() {
            let code = line.trim_start();
            if !code.starts_with("//") && OUTSIDE.iter().any(|word| code.contains(word)) {
                findings.push(format!("{name}:{}: reads the outside world: {code}", number + 1));
            }
        }
    }
}

/// docs/contract.md names a test for each promise; each named test exists.
fn contract_tests(root: &Path, findings: &mut Vec<String>) -> Result<(), String> {
    let path = root.join("docs/contract.md");
    let contract = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let sources: String = rust_files(root).iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    let mut named = 0;
    for word in contract.split('`').skip(1).step_by(2).filter(|word| word.contains("::")) {
        named += 1;
        let function = word.rsplit("::").next().unwrap_or(word);
        if !sources.contains(&format!("fn {function}(")) {
            findings.push(format!("docs/contract.md: no test `{word}`"));
        }
    }
    if named == 0 {
        findings.push("docs/contract.md names no test".into());
    }
    Ok(())
}

fn rust_files(root: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![root.join("crates"), root.join("xtask")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
