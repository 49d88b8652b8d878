//! Certificates, keys and stores: the files are made by openssl when the test runs, and what it says of them is expected.

use crate::compile::{COMPILERS, Program, compile, success};
use crate::semantics::VALGRIND;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

pub const SOURCES: [&str; 2] = ["semantics_crypt.c", "check.c"];

/// A folder of files, and the program's arguments.
pub struct Files {
    folder: TempDir,
    arguments: Vec<String>,
}

impl Files {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        authorities_and_leaf(at);
        keys(at);
        for (name, how) in [
            ("legacy", "-legacy -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1"),
            ("rc2", "-legacy"),
            ("modern", "-certpbe AES-256-CBC -keypbe AES-256-CBC -macalg sha256"),
            ("sha512", "-certpbe AES-128-CBC -keypbe AES-256-CBC -macalg sha512"),
        ] {
            let export = format!("pkcs12 -export -inkey leaf.key -in chain.pem -out {name}.pfx {how}");
            openssl_and(at, &export, &["-name", "my server", "-passout", "pass:Geheim-ß 7"]);
        }
        success(Command::new("mkfifo").arg(at.join("fifo")));
        let fingerprint = |hash: &str| {
            let said = openssl(at, &format!("x509 -in leaf.der -inform DER -noout -fingerprint -{hash}"));
            said.trim().split_once('=').unwrap().1.replace(':', "").to_lowercase()
        };
        let of = |what: &str| {
            let said = openssl(at, &format!("x509 -in leaf.der -inform DER -noout -{what}"));
            said.trim().split_once('=').unwrap().1.to_owned()
        };
        let seconds = |what: &str| success(Command::new("date").args(["-u", "+%s", "-d", &of(what)])).trim().to_owned();
        let arguments = vec![
            at.to_str().unwrap().to_owned(),
            fingerprint("sha1"),
            fingerprint("sha256"),
            fingerprint("md5"),
            of("serial").to_lowercase(),
            seconds("startdate"),
            seconds("enddate"),
        ];
        Self { folder, arguments }
    }

    pub fn run(&self, program: &Program, front: &[&str], environment: &[(&str, &str)]) {
        let mut command = program.under(front);
        command.args(&self.arguments).args((!front.is_empty()).then_some("short"));
        let said = success(command.envs(environment.iter().copied()));
        assert!(said.ends_with(" 0 failed\n"), "{}: {said}", self.folder.path().display());
    }
}

/// A root, who stands below it, and a server's certificate.
fn authorities_and_leaf(at: &Path) {
    let authority = "basicConstraints=critical,CA:TRUE";
    fs::write(at.join("authority.ext"), authority).unwrap();
    let leaf = "basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:www.server.example,email:post@server.example";
    fs::write(at.join("leaf.ext"), leaf).unwrap();
    for name in ["root", "middle", "leaf"] {
        openssl(at, &format!("genrsa -out {name}.key 2048"));
    }
    openssl(at, &format!("req -x509 -new -key root.key -out root.pem -subj /CN=Root -days 30 -addext {authority}"));
    let sign = |name: &str, subject: &str, issuer: &str, extensions: &str, serial: &str| {
        openssl_and(at, &format!("req -new -key {name}.key -out {name}.csr"), &["-subj", subject]);
        openssl(
            at,
            &format!(
                "x509 -req -in {name}.csr -CA {issuer}.pem -CAkey {issuer}.key -out {name}.pem -days 20 \
                 -extfile {extensions}.ext -set_serial {serial} -sha256"
            ),
        );
        openssl(at, &format!("x509 -in {name}.pem -outform DER -out {name}.der"));
    };
    sign("middle", "/CN=Middle", "root", "authority", "7");
    sign("leaf", "/C=DE/O=Portcullis, Test/CN=server.example", "middle", "leaf", "0x1122334455667788");
    gather(at, &["leaf.pem", "middle.pem", "root.pem"], "chain.pem");
    gather(at, &["leaf.der", "middle.der"], "bundle.der");
    gather(at, &["leaf.key", "leaf.pem"], "both.pem");
}

/// The leaf's key in every form, and one of elliptic curves.
fn keys(at: &Path) {
    openssl(at, "rsa -in leaf.key -traditional -out leaf.pkcs1.key");
    openssl(at, "pkey -in leaf.key -outform DER -out leaf.key.der");
    openssl(at, "rsa -in leaf.key -outform MSBLOB -out leaf.blob");
    openssl(at, "pkcs8 -topk8 -in leaf.key -out leaf.enc.key -passout pass:secret");
    openssl(at, "pkcs8 -topk8 -in leaf.key -out leaf.enc.der -outform DER -passout pass:secret");
    openssl(at, "rsa -in leaf.key -traditional -aes128 -out leaf.old.key -passout pass:secret");
    openssl(at, "ecparam -name prime256v1 -genkey -out ec.key");
    openssl(at, "req -x509 -new -key ec.key -out ec.pem -subj /CN=curve -days 30");
}

fn gather(at: &Path, parts: &[&str], whole: &str) {
    let bytes: Vec<_> = parts.iter().map(|part| fs::read(at.join(part)).unwrap()).collect();
    fs::write(at.join(whole), bytes.concat()).unwrap();
}

fn openssl(at: &Path, arguments: &str) -> String {
    openssl_and(at, arguments, &[])
}

/// With arguments that have blanks.
fn openssl_and(at: &Path, arguments: &str, more: &[&str]) -> String {
    success(Command::new("openssl").args(arguments.split_whitespace()).args(more).current_dir(at))
}

#[test]
fn certificates_keys_and_stores() {
    let files = Files::new();
    for compiler in COMPILERS {
        files.run(&compile(compiler, &SOURCES, &["-O2"]), &[], &[]);
    }
}

#[test]
fn certificates_under_valgrind() {
    Files::new().run(&compile("gcc", &SOURCES, &[]), &VALGRIND, &[]);
}

#[test]
fn certificates_with_address_sanitizer() {
    let program = compile("gcc", &SOURCES, &["-fsanitize=address", "-fno-omit-frame-pointer"]);
    Files::new().run(&program, &[], &[("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0")]);
}
