//! Installs the programs that the tests log on with, or that call the C library: from Debian, PyPI and npm.
//!
//! What is there already costs nothing: a stamp says from which requirements it was made. What cannot be installed is
//! an error that says what to do, never a test left out.

use crate::{root, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Debian packages. Where a command or a file is named, any of that name will do, however it came.
const DEBIAN: &[(&str, Option<&str>)] = &[
    ("curl", Some("curl")),
    ("wget", Some("wget")),
    ("chromium", Some("chromium")),
    ("nodejs", Some("node")),
    ("npm", Some("npm")),
    ("openjdk-17-jdk-headless", Some("javac")),
    ("libhttpclient-java", None),  // Apache HttpClient 4
    ("libwww-perl", None),         // LWP
    ("libauthen-ntlm-perl", None), // its NTLM
    ("ruby", Some("ruby")),
    ("ruby-httpclient", None),
    ("ruby-ntlm", None),
    ("python3-venv", None),
    ("python3-samba", None),   // Samba's own NTLMSSP
    ("python3-gi", None),      // libsoup from Python
    ("gir1.2-soup-2.4", None), // libsoup as GNOME had it until 2022
    ("gir1.2-soup-3.0", None), // and since
    ("golang-go", Some("go")),
    ("golang-github-azure-go-ntlmssp-dev", None),
    ("python3-gssapi", None),       // MIT's SPNEGO from Python
    ("libgssapi-krb5-2", None),     // what curl and the above negotiate with
    ("winbind", Some("ntlm_auth")), // Samba's judge of NTLM
    ("libwbclient0", None),         // what gss-ntlmssp links
    ("util-linux", Some("prlimit")),
    ("openssl", Some("openssl")), // makes the certificates, and speaks TLS
    ("gnutls-bin", Some("gnutls-cli")),
    ("sslscan", Some("sslscan")),
    ("nghttp2-client", Some("nghttp")), // HTTP/2 with its frames shown
    ("freerdp2-x11", Some("xfreerdp")), // these two call the C library
    ("freerdp2-shadow-x11", Some("freerdp-shadow-cli")),
    ("xvfb", Some("Xvfb")), // their display
    ("libwinpr2-2", None),  // SSPI of others: the C tests' other side
    ("libwinpr2-dev", None),
    ("gcc", Some("gcc")),
    ("g++", Some("g++")),
    ("clang", Some("clang")),
    ("libc6-dev", None),
    ("pkg-config", Some("pkg-config")),
    ("valgrind", Some("valgrind")),
    ("krb5-kdc", None),           // MIT's KDC
    ("krb5-admin-server", None),  // kadmin.local
    ("krb5-user", None),          // kinit, kvno, klist
    ("samba-ad-dc", None),        // a KDC of Active Directory
    ("samba-ad-provision", None), // what a new domain is made of
    ("libsqlite3-0", None),       // what Heimdal links
    ("libkrb5-dev", None),        // the Python and npm packages for Kerberos are built here
    ("python3-dev", None),
    ("make", Some("make")),
    ("libnode-dev", Some("/usr/include/node/node_api.h")),
];

/// The services that some of these packages have. The tests start what they need themselves.
const SERVICES: &[(&str, &[&str])] = &[
    ("winbind", &["winbind"]),
    ("krb5-kdc", &["krb5-kdc"]),
    ("krb5-admin-server", &["krb5-admin-server"]),
    ("samba-ad-dc", &["samba-ad-dc", "smbd", "nmbd", "winbind"]),
];

/// Heimdal's libraries: Debian packages that are only unpacked.
const HEIMDAL: &[&str] = &[
    "libgssapi3-heimdal",
    "libasn1-8-heimdal",
    "libheimbase1-heimdal",
    "libhcrypto5-heimdal",
    "libheimntlm0-heimdal",
    "libhx509-5-heimdal",
    "libkrb5-26-heimdal",
    "libroken19-heimdal",
    "libwind0-heimdal",
];

/// Debian's own, so that one that someone put before it in PATH makes no difference.
const PYTHON: &str = "/usr/bin/python3";

/// Installs every peer that is missing.
pub(crate) fn install() -> Result<(), String> {
    debian()?;
    python("venv", "requirements.txt")?;
    python("kerberos-venv", "kerberos-requirements.txt")?;
    node()?;
    gss_ntlmssp()?;
    heimdal()?;
    go()?;
    samba()?;
    println!("peers: all there");
    Ok(())
}

fn debian() -> Result<(), String> {
    let missing: Vec<&str> = DEBIAN
        .iter()
        .filter(|(package, command)| !command.is_some_and(in_path) && !is_installed(package))
        .map(|(package, _)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("apt-get install --no-install-recommends {}", missing.join(" "));
    if !in_path("apt-get") {
        return Err(format!(
            "the tests log on with real clients, and this system has no apt-get to install them; what is missing is, \
             by Debian's names: {}. Install these, or run the tests in a Debian container",
            missing.join(" ")
        ));
    }
    if !is_root() {
        return Err(format!(
            "the tests log on with real clients, some are missing, and only root may install them; run\n  sudo {by_hand}"
        ));
    }
    // Another installation may be under way: wait for it.
    let apt = || {
        let mut command = Command::new("apt-get");
        command.args(["-o", "DPkg::Lock::Timeout=600", "-q", "-y"]).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    run(apt().arg("update"))?;
    let quiet = NoStart::ask()?;
    let done = run(apt().args(["install", "--no-install-recommends"]).args(&missing));
    drop(quiet);
    done.map_err(|why| format!("{why}; try `{by_hand}` by hand to see what apt-get does not like"))?;
    // Nor shall they start at the next boot. Without systemd nothing would.
    let services: Vec<&str> = SERVICES
        .iter()
        .filter(|(package, _)| missing.contains(package))
        .flat_map(|(_, services)| services.iter().copied())
        .collect();
    if !services.is_empty() && in_path("systemctl") {
        run(Command::new("systemctl").args(["--quiet", "disable"]).args(&services))?;
    }
    Ok(())
}

/// Tells Debian's packages not to start their services, while it lives; unless someone told them something already.
struct NoStart(Option<PathBuf>);

impl NoStart {
    fn ask() -> Result<Self, String> {
        let policy = Path::new("/usr/sbin/policy-rc.d");
        if policy.exists() {
            return Ok(Self(None));
        }
        let write = || {
            fs::write(policy, "#!/bin/sh\nexit 101\n")?;
            fs::set_permissions(policy, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        };
        let asked = Self(Some(policy.to_path_buf()));
        write().map_err(|why| format!("{}: {why}", policy.display()))?;
        Ok(asked)
    }
}

impl Drop for NoStart {
    fn drop(&mut self) {
        if let Some(policy) = &self.0 {
            let _ = fs::remove_file(policy);
        }
    }
}

/// Python packages, in an environment of their own.
fn python(name: &str, requirements: &str) -> Result<(), String> {
    let requirements = root().join("interop/python").join(requirements);
    let stamp = Stamp::of(name, &[&requirements])?;
    if stamp.holds() {
        return Ok(());
    }
    let venv = stamp.start()?;
    run(Command::new(PYTHON).args(["-m", "venv", "--clear"]).arg(&venv))?;
    let mut pip = Command::new(venv.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"]).arg(&requirements);
    run(&mut pip).map_err(|why| format!("{why}; PyPI must be reachable once, for the packages of {requirements:?}"))?;
    stamp.set()
}

/// The npm packages.
fn node() -> Result<(), String> {
    let folder = root().join("interop/node");
    let (package, lock) = (folder.join("package.json"), folder.join("package-lock.json"));
    let stamp = Stamp::of("node", &[&package, &lock])?;
    if stamp.holds() {
        return Ok(());
    }
    let node = stamp.start()?;
    for file in [&package, &lock] {
        let name = file.file_name().unwrap_or_default();
        fs::copy(file, node.join(name)).map_err(|why| format!("{}: {why}", file.display()))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"]).arg(&node);
    run(&mut npm)
        .map_err(|why| format!("{why}; the npm registry must be reachable once, for the packages of {lock:?}"))?;
    // The only one with native code: built here, by the node-gyp that npm brings, with the headers that Debian has.
    let mut build = Command::new("npm");
    build.current_dir(&node).args(["explore", "kerberos", "--", "node-gyp", "rebuild", "--nodedir=/usr"]);
    run(build.arg("--loglevel=error"))?;
    stamp.set()
}

/// NTLM for MIT's GSSAPI. Installed as usual it would offer itself to every program of the machine, so it is only
/// unpacked; the tests' programs find it by a configuration of their own.
fn gss_ntlmssp() -> Result<(), String> {
    let stamp = Stamp::wanting("gss", "gss-ntlmssp, unpacked".to_owned());
    if stamp.holds() {
        return Ok(());
    }
    let folder = unpacked(&stamp, &["gss-ntlmssp"])?;
    let mut find = Command::new("find");
    find.arg(folder.join("usr/lib")).args(["-name", "gssntlmssp.so"]);
    let found = find.output().map_err(|why| format!("find: {why}"))?;
    let library = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    let line = format!("gssntlmssp_v1\t1.3.6.1.4.1.311.2.2.10\t{library}\n");
    fs::write(folder.join("mech.conf"), line).map_err(|why| format!("mech.conf: {why}"))?;
    stamp.set()
}

/// The libraries that Heimdal's GSSAPI is made of. Its programs would take the places of MIT's, and its headers too.
fn heimdal() -> Result<(), String> {
    let stamp = Stamp::wanting("heimdal", HEIMDAL.join(" "));
    if stamp.holds() {
        return Ok(());
    }
    let folder = unpacked(&stamp, HEIMDAL)?;
    let mut find = Command::new("find");
    find.arg(folder.join("usr/lib")).args(["-name", "libgssapi.so.3"]);
    let found = find.output().map_err(|why| format!("find: {why}"))?;
    let library = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    fs::write(folder.join("library"), library).map_err(|why| format!("library: {why}"))?;
    stamp.set()
}

/// Unpacks Debian packages into the stamp's folder.
fn unpacked(stamp: &Stamp, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = stamp.start()?;
    let download = || {
        let mut command = Command::new("apt-get");
        command.args(["-q", "-o", "APT::Sandbox::User=root", "download"]).args(packages).current_dir(&folder);
        command
    };
    if run(&mut download()).is_err() {
        // The list of packages may be older than the archive.
        run(Command::new("apt-get").args(["-q", "update"]))?;
        run(&mut download())?;
    }
    let entries = fs::read_dir(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let archives = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "deb"));
    for archive in archives {
        run(Command::new("dpkg-deb").arg("-x").arg(archive).arg(&folder))?;
    }
    Ok(folder)
}

/// A domain of Active Directory, which the tests copy.
fn samba() -> Result<(), String> {
    let script = root().join("interop/samba/provision.py");
    let stamp = Stamp::of("samba", &[&script])?;
    if stamp.holds() {
        return Ok(());
    }
    let folder = stamp.start()?;
    run(Command::new(PYTHON).arg(&script).arg(&folder).stderr(Stdio::null()))
        .map_err(|why| format!("{why}; run it by hand to see what Samba does not like"))?;
    stamp.set()
}

/// The Go client, against the library that Debian packages.
fn go() -> Result<(), String> {
    let source = root().join("interop/go/main.go");
    let stamp = Stamp::of("go", &[&source])?;
    if stamp.holds() {
        return Ok(());
    }
    let folder = stamp.start()?;
    let mut build = Command::new("go");
    build.args(["build", "-o"]).arg(folder.join("go-ntlmssp")).arg(&source);
    build.envs([("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOFLAGS", "-buildvcs=false")]);
    build.env("GOCACHE", folder.join("cache"));
    run(&mut build)?;
    stamp.set()
}

/// Says from which requirements a folder below `target/interop` was made.
struct Stamp {
    folder: PathBuf,
    file: PathBuf,
    wanted: String,
}

impl Stamp {
    fn of(name: &str, requirements: &[&Path]) -> Result<Self, String> {
        let mut wanted = String::new();
        for path in requirements {
            wanted += &fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
        }
        Ok(Self::wanting(name, wanted))
    }

    fn wanting(name: &str, wanted: String) -> Self {
        let interop = root().join("target/interop");
        Self { folder: interop.join(name), file: interop.join(format!("{name}.stamp")), wanted }
    }

    fn holds(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|text| text == self.wanted)
    }

    /// The folder, empty: half an installation leaves no stamp.
    fn start(&self) -> Result<PathBuf, String> {
        let _ = fs::remove_file(&self.file);
        let _ = fs::remove_dir_all(&self.folder);
        fs::create_dir_all(&self.folder).map_err(|why| format!("{}: {why}", self.folder.display()))?;
        Ok(self.folder.clone())
    }

    fn set(&self) -> Result<(), String> {
        fs::write(&self.file, &self.wanted).map_err(|why| format!("{}: {why}", self.file.display()))
    }
}

fn in_path(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(command).is_file())
}

fn is_installed(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Status}", package]).stderr(Stdio::null());
    query.output().is_ok_and(|output| output.stdout == b"installed")
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
