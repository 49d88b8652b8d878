//! Writes the first files of `fuzz/corpus/`, from which a fuzzer starts:
//! `cargo run -p portcullis-testkit --bin make-corpus [FOLDER]`. The same every time.
#![allow(clippy::unwrap_used, reason = "a tool of the developers, which may stop at anything")]

use portcullis_testkit::vector::Package;
use portcullis_testkit::{Foretold, Initiator, Mic, Responses, Settings, cases, converse, hex, oracle, printed};
use portcullis_wire::ntlm::{Authenticate, Charset};
use portcullis_wire::{sid::Sid, utf16};
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let root = std::env::args()
        .nth(1)
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus")), PathBuf::from);
    for case in cases::all().iter().filter(|case| case.setup.package == Package::Ntlm) {
        let vector = case.vector().unwrap();
        write(&root, "negotiate", &case.name, &vector.tokens[0])?;
        if let Some(Some(challenge)) = vector.replies.first() {
            write(&root, "challenge", &case.name, challenge)?;
        }
        if let Some(message) = vector.tokens.get(1) {
            write(&root, "authenticate", &case.name, message)?;
            if let Ok(read) = Authenticate::decode(message, Charset::Unicode) {
                write(&root, "nt_response", &case.name, read.nt_response)?;
                write(&root, "utf16", &case.name, read.user.bytes)?;
            }
        }
    }
    for (name, text) in [
        ("v1", printed::CHALLENGE_V1),
        ("v1-ess", printed::CHALLENGE_V1_ESS),
        ("v2", printed::CHALLENGE_V2),
        ("own", printed::OWN_CHALLENGE),
    ] {
        write(&root, "challenge", &format!("printed-{name}"), &hex::bytes(text))?;
    }
    acceptor(&root)?;
    for (number, text) in
        ["S-1-0", "S-1-5-32-544", "S-1-5-21-1-2-3-500", "S-1-15-2-1", "S-1-0x10000000000-1"].into_iter().enumerate()
    {
        let mut binary = Vec::new();
        text.parse::<Sid>().unwrap().encode_into(&mut binary);
        write(&root, "sid", &format!("binary-{number}"), &binary)?;
        write(&root, "sid", &format!("text-{number}"), text.as_bytes())?;
    }
    for (name, text) in [("ascii", "User"), ("german", "straße"), ("greek", "νίκος"), ("deseret", "\u{10428}a")] {
        write(&root, "utf16", name, &utf16::encode(text))?;
    }
    write(&root, "utf16", "lone-surrogate", &[0x00, 0xd8])
}

/// Good conversations in every setting that changes how they end, and edits of them.
fn acceptor(root: &Path) -> std::io::Result<()> {
    let user = Initiator::user;
    let clients = [
        ("good", user()),
        ("no-mic", user().without_mic()),
        ("curl", user().curl_like()),
        ("wrong-mic", Initiator { mic: Mic::Wrong, ..user() }),
        ("wrong-proof", Initiator { spoils_proof: true, ..user() }),
        ("v1-ess", Initiator { responses: Responses::V1Ess, ..user().without_mic() }),
        ("v1", Initiator { responses: Responses::V1, ..user().without_mic() }),
        ("anonymous", Initiator { responses: Responses::Anonymous, ..user().without_mic() }),
    ];
    for (name, client) in clients {
        for setting in [0x00, 0x1f, 0x67] {
            let setup = oracle::setting_of(setting);
            let said = converse(&setup.credential(), &setup.realm, &client, &Settings::default()).messages;
            let second = said.get(2).cloned().unwrap_or_default();
            let bytes = oracle::script(setting, &client.negotiate(), &second);
            write(root, "acceptor", &format!("{name}-{setting:02x}"), &bytes)?;
        }
    }
    let mut chance = Foretold::seeded(2);
    for number in 0..16 {
        write(root, "acceptor", &format!("edits-{number:02}"), &oracle::random_script(&mut chance, number))?;
    }
    Ok(())
}

/// Writes a file, unless another of its target's has the same bytes.
fn write(root: &Path, target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let folder = root.join(target);
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(name);
    if bytes.len() > 4096 {
        return Ok(());
    }
    for entry in std::fs::read_dir(&folder)? {
        let entry = entry?.path();
        if entry != path && std::fs::read(&entry)? == bytes {
            return Ok(());
        }
    }
    std::fs::write(path, bytes)
}
