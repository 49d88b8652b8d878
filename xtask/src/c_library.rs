//! Installs the C library: shared and static, headers, pkg-config file.

use crate::{root, run};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// Builds it and puts it below `prefix` (`/usr/local` where none is named).
pub(crate) fn install(prefix: &Path) -> Result<(), String> {
    run(Command::new("cargo").args(["build", "--release", "--locked", "-p", "portcullis-capi"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    let prefix = std::path::absolute(prefix).map_err(|why| format!("{}: {why}", prefix.display()))?;
    let (libraries, headers) = (prefix.join("lib"), prefix.join("include/portcullis"));
    let pkg_config = libraries.join("pkgconfig");
    for folder in [&libraries, &headers, &pkg_config] {
        fs::create_dir_all(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    }
    let version = env!("CARGO_PKG_VERSION");
    let shared = libraries.join(format!("libportcullis.so.{version}"));
    put(&target.join("release/libportcullis.so"), &shared)?;
    put(&target.join("release/libportcullis.a"), &libraries.join("libportcullis.a"))?;
    for header in ["sspi.h", "wincrypt.h"] {
        put(&root().join("crates/capi/include/portcullis").join(header), &headers.join(header))?;
    }
    for (link, to) in [
        ("libportcullis.so.0", format!("libportcullis.so.{version}")),
        ("libportcullis.so", "libportcullis.so.0".into()),
    ] {
        let link = libraries.join(link);
        let _ = fs::remove_file(&link);
        symlink(&to, &link).map_err(|why| format!("{}: {why}", link.display()))?;
    }
    let template = root().join("crates/capi/portcullis.pc.in");
    let template = fs::read_to_string(&template).map_err(|why| format!("{}: {why}", template.display()))?;
    let filled = template.replace("@prefix@", &prefix.display().to_string()).replace("@version@", version);
    let file = pkg_config.join("portcullis.pc");
    fs::write(&file, filled).map_err(|why| format!("{}: {why}", file.display()))?;
    println!("installed below {}; compile with `pkg-config --cflags --libs portcullis`", prefix.display());
    Ok(())
}

/// A new file: programs that have the old one open keep it.
fn put(from: &Path, to: &Path) -> Result<(), String> {
    let _ = fs::remove_file(to);
    fs::copy(from, to).map(drop).map_err(|why| format!("{} to {}: {why}", from.display(), to.display()))
}
