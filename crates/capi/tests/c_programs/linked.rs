//! The static library by the flags of its pkg-config file, as `cargo xtask install-c` lays them out.

use crate::compile::{COMPILERS, compile_with, root, success};
use crate::harness;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

#[test]
fn the_static_library_by_pkg_config() {
    // It is built together with the shared one, which `library` says is not of yesterday.
    harness::library();
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().unwrap().parent().unwrap();
    let prefix = tempfile::tempdir().unwrap();
    let (libraries, headers) = (prefix.path().join("lib"), prefix.path().join("include/portcullis"));
    fs::create_dir_all(libraries.join("pkgconfig")).unwrap();
    fs::create_dir_all(&headers).unwrap();
    symlink(profile.join("libportcullis.a"), libraries.join("libportcullis.a")).unwrap();
    for header in ["sspi.h", "wincrypt.h"] {
        fs::copy(root().join("include/portcullis").join(header), headers.join(header)).unwrap();
    }
    let template = fs::read_to_string(root().join("portcullis.pc.in")).unwrap();
    let filled = template.replace("@prefix@", prefix.path().to_str().unwrap()).replace("@version@", "0.1.0");
    assert!(!filled.contains('@'), "{filled}");
    fs::write(libraries.join("pkgconfig/portcullis.pc"), filled).unwrap();

    let mut pkg_config = Command::new("pkg-config");
    pkg_config.args(["--static", "--cflags", "--libs", "portcullis"]);
    let flags = success(pkg_config.env("PKG_CONFIG_PATH", libraries.join("pkgconfig")));
    let flags: Vec<&str> = flags.split_whitespace().collect();
    assert!(flags.contains(&"-lportcullis"), "{flags:?}");
    for compiler in COMPILERS {
        let program = compile_with(compiler, &["linked.c", "talk.c", "check.c"], &flags);
        let said = success(program.command().env_remove("LD_LIBRARY_PATH"));
        assert!(said.ends_with(" 0 failed\n"), "{said}");
    }
}
