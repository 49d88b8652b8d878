//! What the header says: sizes, offsets and constants as Windows has them, in C and C++, and what the library exports.

use crate::compile::{COMPILERS, root, success};
use crate::harness;
use std::fs;
use std::path::Path;
use std::process::Command;

fn check(compiler: &str, flags: &[&str], source: &str) {
    let mut command = Command::new(compiler);
    command.current_dir(root()).args(["-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "-I", "include"]);
    success(command.args(flags).arg(source));
}

#[test]
fn layouts_and_constants() {
    for compiler in COMPILERS {
        for source in ["tests/c/layout.c", "tests/c/constants.c"] {
            check(compiler, &["-std=c11"], source);
            check(compiler, &["-std=c11", "-DUNICODE"], source);
        }
        check(compiler, &["-std=c11"], "tests/c/layout_crypt.c");
    }
    for compiler in ["g++", "clang++"] {
        check(compiler, &["-std=c++17", "-x", "c++"], "tests/c/layout_crypt.c");
        check(compiler, &["-std=c++17"], "tests/c/layout_cpp.cpp");
        check(compiler, &["-std=c++17", "-DUNICODE"], "tests/c/layout_cpp.cpp");
    }
}

/// Nothing else has to be included before it, and including it twice is no mistake.
#[test]
fn the_header_alone() {
    let folder = tempfile::tempdir().unwrap();
    for header in ["sspi", "wincrypt"] {
        alone(folder.path(), &format!("#include <portcullis/{header}.h>\n").repeat(2));
    }
}

fn alone(folder: &Path, includes: &str) {
    for (compilers, ending, standards) in [
        (COMPILERS, "c", &["-std=c99", "-std=c11", "-std=gnu17"][..]),
        (["g++", "clang++"], "cpp", &["-std=c++11", "-std=c++17", "-std=c++20"][..]),
    ] {
        let source = folder.join("alone").with_extension(ending);
        fs::write(&source, format!("{includes}int unused;\n")).unwrap();
        for compiler in compilers {
            for standard in standards {
                for defined in [&[][..], &["-DUNICODE"], &["-DSECURITY_WIN32"], &["-DPORTCULLIS_DEFINE_GETLASTERROR"]] {
                    check(compiler, &[&[*standard], defined].concat(), source.to_str().unwrap());
                }
            }
        }
    }
}

/// The names that sspi.h declares, or wincrypt.h.
pub fn exported(list: &str) -> String {
    fs::read_to_string(root().join("tests/abi").join(list)).unwrap()
}

/// Not one name less, and not one more that could clash with a host's.
#[test]
fn exactly_these_are_exported() {
    let mut nm = Command::new("nm");
    nm.args(["-D", "--defined-only", "--format=posix"]).arg(harness::library());
    let text = success(&mut nm);
    let mut found: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    found.sort_unstable();
    let expected = exported("core-exports.txt") + &exported("crypt-exports.txt");
    let mut expected: Vec<&str> = expected.lines().filter(|line| !line.is_empty()).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// What a panic becomes is tested where that is done; here, that each function does it. The others only give tables out.
#[test]
fn every_function_catches_panics() {
    let declared = |file: &str| {
        let source = fs::read_to_string(root().join("src").join(file)).unwrap();
        source.split_once("\nexports! {\n").unwrap().1.to_owned()
    };
    let of_crypt = declared("crypt/exports.rs");
    for name in exported("crypt-exports.txt").lines() {
        assert!(of_crypt.contains(&format!("\n    {name}(")), "{name}");
    }
    let declared = declared("exports.rs");
    for name in exported("core-exports.txt")
        .lines()
        .filter(|name| !name.is_empty() && !name.starts_with("InitSecurityInterface"))
    {
        assert!(declared.contains(&format!("\n    {name} as ")), "{name}");
    }
    let profile = fs::read_to_string(root().parent().unwrap().parent().unwrap().join("Cargo.toml")).unwrap();
    assert!(!profile.contains("panic = \"abort\""), "a panic that aborts cannot be caught");
}

#[test]
fn what_the_library_needs_at_run_time() {
    let mut readelf = Command::new("readelf");
    let text = success(readelf.arg("-dW").arg(harness::library()));
    assert!(text.contains("SYMBOLIC"), "its own calls could go to a host's functions: {text}");
    assert!(text.contains("[libportcullis.so.0]"), "no SONAME: {text}");
    assert!(!text.contains("TEXTREL") && !text.contains("RUNPATH") && !text.contains("RPATH"), "{text}");
    for needed in text.lines().filter(|line| line.contains("(NEEDED)")) {
        let of_the_system = ["libgcc_s.so.1", "libc.so.6", "libm.so.6", "libpthread.so.0", "ld-linux-x86-64.so.2"];
        assert!(of_the_system.iter().any(|name| needed.contains(name)), "{needed}");
    }
}
