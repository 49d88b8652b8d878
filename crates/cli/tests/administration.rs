//! The administration, run as people and scripts run it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A data folder of its own, and the program.
struct Site(tempfile::TempDir);

#[derive(Debug)]
struct Run {
    code: i32,
    out: String,
    err: String,
}

impl Site {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with_ann() -> Self {
        let site = Self::new();
        site.ok_with(&["account", "add", "ann", "--password-stdin"], "first password\n");
        site
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn file(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.args(args).arg("--data").arg(self.data());
        command.env_remove("PORTCULLIS_DATA").env_remove("PORTCULLIS_MASTER_KEY");
        command
    }

    fn run(&self, args: &[&str], stdin: &str) -> Run {
        run(self.command(args), stdin)
    }

    fn ok_with(&self, args: &[&str], stdin: &str) -> String {
        let run = self.run(args, stdin);
        assert_eq!(run.code, 0, "{args:?}: {run:?}");
        run.out
    }

    fn ok(&self, args: &[&str]) -> String {
        self.ok_with(args, "")
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[args, &["--json"]].concat())).unwrap()
    }

    /// Fails with this code, and words on standard error that hold `words`.
    fn fails(&self, args: &[&str], stdin: &str, code: i32, words: &str) {
        let run = self.run(args, stdin);
        assert_eq!(run.code, code, "{args:?}: {run:?}");
        assert!(run.err.contains(words), "{args:?}: {run:?}");
        assert!(run.out.is_empty(), "{run:?}");
    }

    fn names(&self) -> Vec<String> {
        let accounts = self.json(&["account", "list"]);
        accounts.as_array().unwrap().iter().map(|account| account["name"].as_str().unwrap().to_owned()).collect()
    }
}

fn run(mut command: Command, stdin: &str) -> Run {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that fails before it reads closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn the_first_account_makes_everything() {
    let site = Site::new();
    site.fails(&["account", "list"], "", 1, "is not there");
    let out = site.ok_with(&["account", "add", "ann", "--password-stdin"], "first password\r\n");
    assert!(out.starts_with("account ann made: S-1-5-21-"), "{out}");
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&site.data()), 0o700);
    assert_eq!(mode(&site.data().join("master.key")), 0o600);
    assert_eq!(mode(&site.data().join("portcullis.db")), 0o600);
    let ann = site.json(&["account", "show", "ANN"]);
    assert!(ann["sid"].as_str().unwrap().ends_with("-1000"));
    assert_eq!((&ann["state"][0], &ann["groups"][0]), (&"ok".into(), &"Domain Users".into()));
    // The folder may also come from the environment.
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.args(["account", "list"]).env("PORTCULLIS_DATA", site.data());
    assert!(run(command, "").out.contains("ann"));
}

#[test]
fn passwords_come_from_safe_places() {
    let site = Site::with_ann();
    let add = |name| ["account", "add", name, "--password-stdin"];
    site.fails(&add("ann"), "another one\n", 1, "exists already");
    site.fails(&add("bob"), "\n", 1, "the password is empty");
    site.fails(&add("bob"), "", 1, "the password is empty");
    site.ok(&["policy", "set", "--min-password-length", "8"]);
    site.fails(&add("bob"), "short\n", 1, "shorter than the 8 characters");
    site.fails(&add("bob"), "two\nlines of text\n", 1, "line end");
    site.fails(&["account", "add", "bob"], "", 2, "--password-stdin");
    site.fails(&["account", "add", "bob", "--password", "on-the-command-line"], "", 2, "unexpected argument");
    site.fails(&["account", "add", "bob", "--password-stdin", "--random"], "", 2, "cannot be used with");
    site.fails(&["account", "passwd", "nobody", "--random"], "", 1, "there is no account `nobody`");
    assert_eq!(site.names(), ["ann"]);

    fs::write(site.file("pw"), "from a file, safely").unwrap();
    site.ok(&["account", "passwd", "ann", "--password-file", &site.file("pw")]);
    let random = site.json(&["account", "passwd", "ann", "--random", "--must-change"]);
    assert_eq!(random["password"].as_str().unwrap().len(), 23);
    assert_eq!(site.json(&["account", "show", "ann"])["must_change"], true);
    let made = site.json(&["account", "add", "bob", "--random"]);
    assert!(made["password"].is_string());
    let quiet = site.ok_with(&["account", "passwd", "bob", "--password-stdin", "--json"], "given by hand\n");
    assert!(!quiet.contains("given by hand") && !quiet.contains("\"password\""), "{quiet}");
    site.ok(&["account", "add", "later", "--no-password"]);
    assert_eq!(site.json(&["account", "show", "later"])["state"][0], "no password");
}

#[test]
fn accounts_change() {
    let site = Site::with_ann();
    site.ok(&[
        "account",
        "set",
        "ann",
        "--upn",
        "ann@corp.example",
        "--display-name",
        "Ann Smith",
        "--mail",
        "ann@example.com",
        "--expires",
        "2030-12-31",
        "--logon-hours",
        "mon-fri 08:00-18:00",
        "--workstations",
        "PC1,PC2",
        "--password-never-expires",
    ]);
    let ann = site.json(&["account", "show", "ann@corp.example"]);
    assert_eq!(ann["display_name"], "Ann Smith");
    assert_eq!(ann["expires"], "2031-01-01T00:00:00Z");
    assert_eq!(ann["logon_hours"], "mon-fri 08:00-18:00");
    assert_eq!(ann["workstations"], serde_json::json!(["PC1", "PC2"]));
    assert_eq!(ann["password_never_expires"], true);
    let words = site.ok(&[
        "account",
        "set",
        "ann",
        "--upn",
        "",
        "--expires",
        "never",
        "--workstations",
        "",
        "--logon-hours",
        "all",
    ]);
    assert!(words.contains("Ann Smith"), "{words}");
    let ann = site.json(&["account", "show", "ann"]);
    assert_eq!((&ann["upn"], &ann["expires"], &ann["logon_hours"]), (&Value::Null, &Value::Null, &"all".into()));
    for (state, verb) in [("disabled", "disable"), ("ok", "enable")] {
        site.ok(&["account", verb, "ann"]);
        assert_eq!(site.json(&["account", "show", "ann"])["state"][0], state);
    }
    site.ok(&["account", "unlock", "ann"]);
    site.fails(&["account", "set", "ann"], "", 2, "nothing to change");
    site.fails(&["account", "set", "ann", "--expires", "soon"], "", 2, "is no date");
    site.fails(&["account", "set", "ann", "--logon-hours", "mornings"], "", 2, "range of logon hours");
    site.fails(&["account", "set", "ann", "--upn", "no-suffix"], "", 1, "user principal name");
    site.ok(&["account", "remove", "ann"]);
    site.fails(&["account", "remove", "ann"], "", 1, "there is no account `ann`");
}

#[test]
fn an_import_is_all_or_nothing() {
    let site = Site::with_ann();
    site.ok(&["group", "add", "Staff"]);
    site.ok(&["group", "add", "Night Shift"]);
    site.ok(&["policy", "set", "--min-password-length", "8"]);
    let bad = "name,password,nt_hash,disabled,groups\n\
        bob,bob's long password,,no,Staff\n\
        \"eve\",short,,,\n\
        jim,,0123,,\n\
        ann,a long enough one,,,\n\
        \"multi\nline\",,,,\n\
        bob,a long enough one,,,\n\
        kim,,,maybe,\n\
        lee,a long enough one,,,Nobody's\n\
        too,few\n";
    fs::write(site.file("bad.csv"), bad).unwrap();
    let run = site.run(&["account", "import", &site.file("bad.csv")], "");
    assert_eq!(run.code, 1);
    for words in [
        "line 3: the password is shorter",
        "line 4: nt_hash: not 32 hexadecimal digits",
        "line 5: an account or group named `ann` exists already",
        "line 6: `multi\nline` cannot be a name",
        "line 8: the name `bob` stands on line 2 already",
        "line 9: disabled: `maybe` is neither true nor false",
        "line 10: there is no group `Nobody's`",
        "line 11: 2 fields where the first line has 5",
        "no account was made",
    ] {
        assert!(run.err.contains(words), "{words}: {}", run.err);
    }
    assert!(!run.err.contains("bob's long password"));
    assert_eq!(site.names(), ["ann"]);
    site.fails(&["account", "import", "-"], "name,shoe_size\nbob,43\n", 1, "unknown column `shoe_size`");
    site.fails(&["account", "import", "-"], "user\nbob\n", 1, "no column `name`");
    site.fails(&["account", "import", &site.file("none.csv")], "", 1, "none.csv");

    let good = "\u{feff}Name,password,nt_hash,upn,display_name,mail,disabled,groups,expires,logon_hours,workstations\r\n\
        bob,bob's long password,,bob@corp.example,\"Smith, Bob\",b@example.com,no,Staff; Night Shift,2030-12-31,mon-fri,PC1;PC2\r\n\
        old,,8846f7eaee8fb117ad06bdd830b7586c,,,,yes,,,,\r\n\
        none,,31D6CFE0D16AE931B73C59D7E0C089C0,,,,,,,,\r\n";
    let imported: Value = serde_json::from_str(&site.ok_with(&["account", "import", "-", "--json"], good)).unwrap();
    assert_eq!(imported, serde_json::json!({ "imported": 3, "without_password": 1 }));
    let bob = site.json(&["account", "show", "bob"]);
    assert_eq!(bob["groups"], serde_json::json!(["Domain Users", "Staff", "Night Shift"]));
    assert_eq!((&bob["display_name"], &bob["workstations"][1]), (&"Smith, Bob".into(), &"PC2".into()));
    assert_eq!(site.json(&["account", "show", "old"])["disabled"], true);
}

#[test]
fn groups_nest() {
    let site = Site::with_ann();
    for group in ["Team", "Company"] {
        site.ok(&["group", "add", group, "--description", "a group"]);
    }
    site.ok(&["group", "add-member", "Team", "ann"]);
    site.ok(&["group", "add-member", "Company", "Team"]);
    site.ok(&["group", "add-member", "Team", "Company"]);
    let groups = |site: &Site| site.json(&["account", "show", "ann"])["groups"].clone();
    assert_eq!(groups(&site), serde_json::json!(["Domain Users", "Team", "Company"]));
    assert_eq!(
        site.json(&["group", "show", "team"])["members"][0],
        serde_json::json!({ "name": "ann", "kind": "account" })
    );
    site.fails(&["group", "add-member", "Team", "nobody"], "", 1, "nobody: no account and no group");
    site.fails(&["group", "add", "ANN"], "", 1, "exists already");
    site.fails(&["group", "remove", "Domain Users"], "", 1, "built in");
    site.ok(&["group", "remove-member", "Company", "Team"]);
    assert_eq!(groups(&site), serde_json::json!(["Domain Users", "Team"]));
    site.ok(&["group", "remove", "Team"]);
    assert_eq!(site.json(&["group", "list"]).as_array().unwrap().len(), 2);
    assert_eq!(groups(&site), serde_json::json!(["Domain Users"]));
}

#[test]
fn rules_and_names_change() {
    let site = Site::with_ann();
    site.ok(&[
        "policy",
        "set",
        "--lockout-threshold",
        "5",
        "--lockout-window",
        "15m",
        "--lockout-duration",
        "0",
        "--lockout-global-threshold",
        "50",
        "--address-threshold",
        "0",
        "--min-password-length",
        "20",
        "--max-password-age",
        "90d",
    ]);
    let policy = site.json(&["policy", "show"]);
    assert_eq!((&policy["lockout_threshold"], &policy["lockout_window_seconds"]), (&5.into(), &900.into()));
    assert_eq!(
        (&policy["lockout_duration_seconds"], &policy["max_password_age_seconds"]),
        (&0.into(), &7_776_000.into())
    );
    assert!(site.ok(&["policy", "show"]).contains("until unlocked"));
    site.fails(&["account", "passwd", "ann", "--password-stdin"], "nineteen characters", 1, "shorter than the 20");
    assert_eq!(site.json(&["policy", "set", "--max-password-age", "never"])["max_password_age_seconds"], Value::Null);
    site.fails(&["policy", "set"], "", 2, "required");
    site.fails(&["policy", "set", "--lockout-window", "0"], "", 2, "over some time");
    site.fails(&["policy", "set", "--lockout-window", "ten minutes"], "", 2, "no length of time");
    let before = site.json(&["domain", "show"]);
    let after = site.json(&["domain", "set", "--netbios", "corp", "--dns", "corp.example"]);
    assert_eq!(
        (&after["netbios"], &after["dns"], &after["sid"]),
        (&"CORP".into(), &"corp.example".into(), &before["sid"])
    );
    assert_eq!(site.json(&["domain", "set", "--dns", ""])["dns"], Value::Null);
    site.fails(&["domain", "set", "--netbios", "NOT A NAME"], "", 1, "no NetBIOS name");
    site.fails(&["domain", "set"], "", 2, "--netbios");
}

#[test]
fn keys_change_and_backups_come_back() {
    let site = Site::with_ann();
    let first = site.json(&["key", "show"])["active"].clone();
    let backup = site.file("backup.db");
    let made = site.json(&["backup", &backup, "--with-key"]);
    assert_eq!(made["key_id"], first);
    assert_eq!(fs::metadata(format!("{backup}.key")).unwrap().mode() & 0o777, 0o600);
    site.fails(&["backup", &backup], "", 1, "not overwritten");
    let rotated = site.json(&["key", "rotate"]);
    assert_eq!((&rotated["from"], &rotated["secrets"]), (&first, &1.into()));
    site.ok_with(&["account", "add", "bob", "--password-stdin"], "second password");
    site.fails(&["restore", &backup], "", 1, "put that key back");
    assert_eq!(site.names(), ["ann", "bob"]);
    let restored = site.json(&["restore", &backup, "--key", &format!("{backup}.key")]);
    assert_eq!(restored["accounts"], 1);
    assert_eq!(site.names(), ["ann"]);
    let kept = restored["kept"].as_str().unwrap();
    site.ok(&["restore", kept]);
    assert_eq!(site.names(), ["ann", "bob"]);
    // Into a folder that has nothing.
    let empty = Site::new();
    empty.fails(&["restore", &backup], "", 1, "is not there");
    empty.ok(&["restore", &backup, "--key", &format!("{backup}.key")]);
    assert_eq!(empty.names(), ["ann"]);
    empty.fails(&["restore", &empty.file("nothing")], "", 1, "is not there");
}

#[test]
fn the_key_may_come_from_the_environment() {
    let site = Site::new();
    let (old, new) = ("11".repeat(32), "22".repeat(32));
    let with = |key: &str, args: &[&str]| {
        let mut command = site.command(args);
        command.env("PORTCULLIS_MASTER_KEY", key);
        run(command, "a long password\n")
    };
    assert_eq!(with(&old, &["account", "add", "ann", "--password-stdin"]).code, 0);
    assert!(!site.data().join("master.key").exists());
    let refused = with(&old, &["key", "rotate"]);
    assert!(refused.code == 1 && refused.err.contains("OLD,NEW"), "{refused:?}");
    let rotated = with(&format!("{old},{new}"), &["key", "rotate"]);
    assert!(rotated.code == 0 && rotated.out.contains("out of PORTCULLIS_MASTER_KEY"), "{rotated:?}");
    assert_eq!(with(&new, &["account", "passwd", "ann", "--password-stdin"]).code, 0);
    assert!(with(&old, &["account", "list"]).err.contains("put that key back"));
    assert!(with("short", &["account", "list"]).err.contains("64 hexadecimal digits"));
}

#[test]
fn unsafe_permissions_are_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = Site::with_ann();
    let key = site.data().join("master.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    site.fails(&["account", "list"], "", 1, "chmod 600");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    site.ok(&["account", "list"]);
}

/// A store that cannot be written cannot count failures: nothing opens it. Root may write everything, so that root
/// runs the program as nobody.
#[test]
fn a_read_only_store_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = Site::with_ann();
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    set(&site.data().join("portcullis.db"), 0o444);
    let command = if fs::metadata("/proc/self").unwrap().uid() == 0 {
        set(site.0.path(), 0o755);
        set(&site.data(), 0o755);
        let mut command = Command::new("setpriv");
        let program = site.0.path().join("portcullis");
        fs::copy(env!("CARGO_BIN_EXE_portcullis"), &program).unwrap();
        set(&program, 0o755);
        command.args(["--reuid=65534", "--clear-groups"]).arg(program);
        command.args(["account", "list", "--data"]).arg(site.data());
        command
    } else {
        site.command(&["account", "list"])
    };
    let run = run(command, "");
    assert_eq!(run.code, 1);
    assert!(run.err.contains("cannot be written") || run.err.contains("readonly"), "{run:?}");
}

#[test]
fn every_command_has_help_with_an_example() {
    let site = Site::new();
    let commands: [(&str, &[&str]); 5] = [
        (
            "account",
            &[
                "add",
                "passwd",
                "list",
                "show",
                "set",
                "disable",
                "enable",
                "unlock",
                "remove",
                "import",
                "map-cert",
                "unmap-cert",
            ],
        ),
        ("group", &["add", "remove", "list", "show", "add-member", "remove-member"]),
        ("policy", &["show", "set"]),
        ("domain", &["show", "set"]),
        ("key", &["rotate", "show"]),
    ];
    let leaves = commands.iter().flat_map(|(command, subs)| subs.iter().map(move |sub| vec![*command, *sub]));
    for mut args in leaves.chain([vec!["backup"], vec!["restore"]]) {
        let example = format!("portcullis {}", args.join(" "));
        args.push("--help");
        let help = site.ok(&args);
        let (_, after) = help.split_once("Example").unwrap_or_else(|| panic!("no example: {help}"));
        assert!(after.contains(&example), "{help}");
    }
    assert!(!site.data().exists());
}
