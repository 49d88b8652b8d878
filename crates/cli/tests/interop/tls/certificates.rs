//! Certificates of every kind, made by `certificates.sh` once in a while and shared by all tests.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

/// What `certificates.sh all` made.
pub fn shared() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(made)
}

/// A file of the shared folder.
pub fn file(name: &str) -> PathBuf {
    let path = shared().join(name);
    assert!(path.exists(), "{} was not made", path.display());
    path
}

/// The same, as an argument.
pub fn argument(name: &str) -> String {
    file(name).to_str().unwrap().to_owned()
}

/// The SHA-256 of a certificate, in hexadecimal digits.
pub fn sha256(path: &Path) -> String {
    let mut command = Command::new("openssl");
    command.args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]).arg(path);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let digits = text.split('=').nth(1).unwrap_or_else(|| panic!("{}: {text:?}", path.display()));
    digits.trim().replace(':', "").to_ascii_lowercase()
}

/// A folder for what belongs to one test.
pub struct Own(tempfile::TempDir);

impl Own {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A client certificate that names its holder: by `sid`, `sid-uri`, `upn` or `mail`.
    pub fn client(&self, name: &str, kind: &str, value: &str) {
        script(self.0.path(), &["client", name, kind, value]);
    }

    /// Puts a shared client certificate on a list of the issuing authority's, which is `issuing.crl` here.
    pub fn revoke(&self, name: &str) {
        script(self.0.path(), &["revoke", name]);
    }
}

fn made() -> PathBuf {
    // Beside the build's own temporary files: a test process that makes its own would leave them behind.
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut hasher = DefaultHasher::new();
    SCRIPT.hash(&mut hasher);
    let folder = parent.join(format!("certificates-{:016x}", hasher.finish()));
    if is_fresh(&folder) {
        return folder;
    }
    std::fs::create_dir_all(parent).unwrap();
    let new = tempfile::tempdir_in(parent).unwrap();
    script(new.path(), &["all"]);
    if !is_fresh(&folder) {
        let _ = std::fs::remove_dir_all(&folder);
        // Another process may have been faster, and its are as good.
        let _ = std::fs::rename(new.path(), &folder);
    }
    assert!(is_fresh(&folder), "{} cannot be put in place", folder.display());
    folder
}

/// Certificates hold for thirty days.
fn is_fresh(folder: &Path) -> bool {
    let made = std::fs::metadata(folder.join("issuing.crl")).and_then(|file| file.modified());
    made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age < Duration::from_secs(7 * 24 * 3600)))
}

fn script(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("sh");
    command.args(["-s", "--"]).args(arguments).current_dir(folder);
    if arguments != ["all"] {
        command.env("CERTIFICATES", shared());
    }
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), SCRIPT.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "certificates.sh {arguments:?}: {said}: run `cargo xtask peers`");
}

const SCRIPT: &str = include_str!("certificates.sh");
