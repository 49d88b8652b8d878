//! The C library that was built beside the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where `libportcullis.so` is, with its SONAME's link beside it. It is a copy: a build under way changes nothing for
/// programs that have it open.
pub fn library() -> PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(copied).clone()
}

fn copied() -> PathBuf {
    let built = built();
    let test = std::env::current_exe().unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test.file_name().unwrap());
    fs::create_dir_all(&folder).unwrap();
    let library = folder.join("libportcullis.so");
    // Another run may have the old one open: it is replaced, never written to.
    let new = tempfile::NamedTempFile::new_in(&folder).unwrap();
    fs::copy(&built, new.path()).unwrap();
    new.persist(&library).unwrap();
    let link = folder.join("libportcullis.so.0");
    if !link.exists() {
        let _ = std::os::unix::fs::symlink("libportcullis.so", &link);
    }
    library
}

/// Cargo builds no shared library for tests by itself: it is asked to, and has nothing to do where it is new enough.
fn built() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().unwrap().parent().unwrap();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--locked", "-p", "portcullis-capi", "--target-dir"]);
    cargo.arg(profile.parent().unwrap()).current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().unwrap().success(), "{cargo:?}");
    profile.join("libportcullis.so")
}
