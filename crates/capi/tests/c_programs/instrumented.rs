//! The library itself with AddressSanitizer: built by a nightly compiler, with the sanitizer of that in the programs. Two
//! minutes of building, so that it runs only when asked to:
//! `cargo test -p portcullis-capi --test c_programs -- --ignored`.

use crate::compile::{compile_with, root, success};
use crate::{crypt, schannel, semantics};
use std::path::PathBuf;
use std::process::Command;

/// The folder of the instrumented library.
fn built() -> PathBuf {
    let target = root().parent().unwrap().parent().unwrap().join("target/asan");
    let triple = "x86_64-unknown-linux-gnu";
    let mut cargo = Command::new("cargo");
    cargo.args(["+nightly", "build", "-p", "portcullis-capi", "--target", triple]).current_dir(root());
    // What this run of Cargo set for its own compiler is not for the other one.
    for name in ["RUSTC", "RUSTUP_TOOLCHAIN", "CARGO", "RUSTDOC"] {
        cargo.env_remove(name);
    }
    let made = cargo.env("RUSTFLAGS", "-Zsanitizer=address").env("CARGO_TARGET_DIR", &target).status().unwrap();
    assert!(made.success());
    let folder = target.join(triple).join("debug");
    let link = folder.join("libportcullis.so.0");
    if !link.exists() {
        std::os::unix::fs::symlink("libportcullis.so", link).unwrap();
    }
    folder
}

/// The compiler's own sanitizer, which is linked to programs alone.
fn runtime() -> String {
    let printed =
        success(Command::new("rustc").args(["+nightly", "--print", "target-libdir"]).env_remove("RUSTUP_TOOLCHAIN"));
    format!("{}/librustc-nightly_rt.asan.a", printed.trim())
}

#[test]
#[ignore = "two minutes of building with a nightly compiler"]
fn everything_with_the_librarys_memory_checked() {
    let (folder, runtime) = (built(), runtime());
    let beside = format!("-L{}", folder.display());
    let flags = [
        "-Wl,--whole-archive",
        &runtime,
        "-Wl,--no-whole-archive",
        "-rdynamic",
        &beside,
        "-lportcullis",
        "-lpthread",
        "-ldl",
        "-lm",
        "-lrt",
        "-lstdc++",
    ];
    let path = folder.to_str().unwrap();
    let build = |name: &str| {
        let sources = semantics::sources(name);
        compile_with("gcc", &sources.each_ref().map(String::as_str), &flags)
    };
    semantics::all(build, &[], &[("LD_LIBRARY_PATH", path)]);
    let streams = |name: &str| {
        let sources = schannel::sources(name);
        compile_with("gcc", &sources.each_ref().map(String::as_str), &flags)
    };
    schannel::Files::new().run(streams, &[], &[("LD_LIBRARY_PATH", path)]);
    crypt::Files::new().run(&compile_with("gcc", &crypt::SOURCES, &flags), &[], &[("LD_LIBRARY_PATH", path)]);
    for (sources, arguments, leaks) in [
        (&["misuse.c", "chance.c", "stream.c", "talk.c", "check.c"][..], &["20000", "1"][..], "detect_leaks=1"),
        // A child ends with what the threads that it has no copy of were holding.
        (&["misuse.c", "chance.c", "stream.c", "talk.c", "check.c"], &["20000", "2", "fork"], "detect_leaks=0"),
        (&["overlap.c", "talk.c", "check.c"], &["20000"], "detect_leaks=1"),
    ] {
        let program = compile_with("gcc", sources, &flags);
        let mut command = program.command();
        command.args(arguments).env("LD_LIBRARY_PATH", path).env("ASAN_OPTIONS", leaks);
        let said = success(&mut command);
        assert!(said.ends_with(" 0 failed\n"), "{said}");
    }
}
