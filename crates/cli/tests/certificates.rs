//! Certificates mapped to accounts by the command line, and who may log on with them then.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::{Authority as _, Claim, FindAccount, Question, Refusal};
use portcullis_authority::{Directory, LocalNames};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A data folder with the accounts `ann` and `bob`.
struct Site(tempfile::TempDir);

impl Site {
    fn new() -> Self {
        let site = Self(tempfile::tempdir().unwrap());
        for name in ["ann", "bob"] {
            site.ok(&["account", "add", name, "--no-password"]);
        }
        site
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.args(args).arg("--data").arg(self.file("data"));
        command.env_remove("PORTCULLIS_DATA").env_remove("PORTCULLIS_MASTER_KEY").output().unwrap()
    }

    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[args, &["--json"]].concat())).unwrap()
    }

    fn fails(&self, args: &[&str], code: i32, words: &str) {
        let output = self.run(args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
        assert!(output.stdout.is_empty());
    }

    fn mapped(&self, name: &str) -> Vec<String> {
        let shown = self.json(&["account", "show", name]);
        let certificates = shown["certificates"].as_array().unwrap().iter();
        certificates.map(|certificate| certificate["identity"].as_str().unwrap().to_owned()).collect()
    }

    /// Whom a client with Ann's certificate is.
    fn ask(&self) -> Result<String, portcullis::Cause> {
        let directory = Directory::open_sqlite(&self.file("data"), LocalNames::default()).unwrap();
        let certificate = std::fs::read(certificate("ann.der")).unwrap();
        let question = Question::FindAccount(FindAccount::new(Claim::default(), None, certificate, false));
        let answer = directory.answer(&question);
        let verdict = answer.verdict().map_err(|denied| denied.cause)?;
        Ok(verdict.account().unwrap().name.clone())
    }
}

fn certificate(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/tests/certificates");
    folder.join(name).display().to_string()
}

const SERIAL: &str = "X509:<I>DC=com,DC=contoso,CN=CONTOSO-DC-CA<SR>1200000000AC11000000002B";

#[test]
fn certificates_are_mapped_and_unmapped() {
    let (site, pem, der) = (Site::new(), certificate("ann.pem"), certificate("ann.der"));
    assert_eq!(site.ask(), Err(Refusal::UnmappedCertificate.into()));
    let out = site.ok(&["account", "map-cert", "ANN", "--cert", &pem]);
    assert_eq!(out, format!("{SERIAL} is mapped to account ann\n"));
    assert_eq!(site.ask(), Ok("ann".into()));
    let again = site.json(&["account", "map-cert", "ann", "--identity", SERIAL]);
    assert_eq!(again, json!({ "name": "ann", "identity": SERIAL, "form": "issuer-serial", "new": false }));
    site.fails(&["account", "map-cert", "bob", "--cert", &der], 1, "account unmap-cert ann");
    site.fails(&["account", "map-cert", "eve", "--cert", &der], 1, "there is no account `eve`");

    let ski = site.json(&["account", "map-cert", "bob", "--cert", &der, "--form", "ski"]);
    assert!(ski["identity"].as_str().unwrap().starts_with("X509:<SKI>"));
    assert_eq!(site.ask(), Err(Refusal::AmbiguousCertificate.into()));
    let key = site.json(&["account", "map-cert", "bob", "--cert", &pem, "--form", "sha1-public-key"]);
    assert!(key["identity"].as_str().unwrap().starts_with("X509:<SHA1-PUKEY>"));
    assert_eq!(site.mapped("bob"), [ski["identity"].as_str().unwrap(), key["identity"].as_str().unwrap()]);
    let words = site.ok(&["account", "show", "bob"]);
    assert!(words.contains("certificate") && words.contains("X509:<SKI>"), "{words}");
    assert_eq!(site.json(&["account", "list"])[1].get("certificates"), None);

    let removed = site.json(&["account", "unmap-cert", "bob", "--cert", &pem]);
    assert_eq!(removed["removed"].as_array().unwrap().len(), 2);
    assert_eq!((site.mapped("bob").len(), site.ask()), (0, Ok("ann".into())));
    site.fails(&["account", "unmap-cert", "bob", "--all"], 1, "account show bob");
    site.fails(&["account", "unmap-cert", "bob", "--identity", SERIAL], 1, "no such certificate is mapped");
    assert!(site.ok(&["account", "unmap-cert", "ann", "--identity", SERIAL]).contains("no longer mapped"));
    assert_eq!(site.ask(), Err(Refusal::UnmappedCertificate.into()));
    site.ok(&["account", "map-cert", "ann", "--cert", &pem]);
    site.ok(&["account", "unmap-cert", "ann", "--all"]);
    assert_eq!(site.mapped("ann"), Vec::<String>::new());
}

#[test]
fn weak_forms_need_the_policy() {
    let site = Site::new();
    let weak = "X509:<S>DC=com,DC=contoso,OU=People,CN=Ann Smith";
    let map = ["account", "map-cert", "ann", "--identity", weak];
    site.fails(&map, 1, "portcullis policy set --danger-weak-certificate-mappings true");
    assert_eq!(site.json(&["policy", "show"])["danger_weak_certificate_mappings"], false);
    let set = ["policy", "set", "--danger-weak-certificate-mappings", "true"];
    assert_eq!(site.json(&set)["danger_weak_certificate_mappings"], true);
    site.ok(&map);
    assert_eq!(site.ask(), Ok("ann".into()));
    site.ok(&["policy", "set", "--danger-weak-certificate-mappings", "false"]);
    assert_eq!(site.ask(), Err(Refusal::WeakCertificateMapping.into()));
    let words = site.ok(&["account", "show", "ann"]);
    assert!(words.contains("the policy does not let it count"), "{words}");
    site.fails(&["account", "map-cert", "ann", "--identity", "X509:<PN>ann@corp.example"], 1, "account set NAME --upn");
}

#[test]
fn what_cannot_be_mapped() {
    let site = Site::new();
    let map = |rest: &[&str], code, words: &str| {
        site.fails(&[&["account", "map-cert", "ann"], rest].concat(), code, words);
    };
    let without_ski = certificate("version1.der");
    map(&["--cert", &without_ski, "--form", "ski"], 1, "has no subject key identifier; try --form sha1-public-key");
    map(&["--cert", &certificate("negative.der")], 1, "negative");
    map(&["--cert", &certificate("none.der")], 1, "none.der: No such file");
    map(&["--cert", &certificate("make.sh")], 1, "no X.509 certificate in PEM or DER");
    let text = std::fs::read_to_string(certificate("ann.pem")).unwrap();
    std::fs::write(site.file("two.pem"), text.repeat(2)).unwrap();
    map(&["--cert", site.file("two.pem").to_str().unwrap()], 1, "give the client's own alone");
    std::fs::write(site.file("key.pem"), text.replace("CERTIFICATE", "PRIVATE KEY")).unwrap();
    map(&["--cert", site.file("key.pem").to_str().unwrap()], 1, "not its key");
    map(&["--identity", "CN=Ann"], 2, "not of the form X509:");
    map(&["--identity", "X509:<I>CN=Smith, Ann<SR>01"], 2, r"a comma inside a value is written \,");
    map(&["--identity", "X509:<SHA1-PUKEY>00"], 2, "SHA1-PUKEY");
    map(&[], 2, "required");
    map(&["--identity", SERIAL, "--cert", &without_ski], 2, "cannot be used with");
    map(&["--identity", SERIAL, "--form", "ski"], 2, "cannot be used with");
    map(&["--cert", &without_ski, "--form", "subject"], 2, "invalid value");
    site.fails(&["account", "unmap-cert", "ann"], 2, "required");
    assert!(site.mapped("ann").is_empty());
}
