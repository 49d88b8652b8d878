//! Replays the fuzzers' corpora: whatever they ever found stays found.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis_testkit::{Foretold, oracle};
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

type Oracle = fn(&[u8]);

const TARGETS: [(&str, Oracle); 22] = [
    ("negotiate", oracle::negotiate),
    ("challenge", oracle::challenge),
    ("authenticate", oracle::authenticate),
    ("nt_response", oracle::nt_response),
    ("sid", oracle::sid),
    ("utf16", oracle::utf_16),
    ("acceptor", oracle::acceptor),
    ("spnego", oracle::spnego),
    ("negoex", oracle::negoex),
    ("negotiate_acceptor", oracle::negotiate_acceptor),
    ("ntlm_initiator", oracle::ntlm_initiator),
    ("negotiate_initiator", oracle::negotiate_initiator),
    ("remote", oracle::remote),
    ("x509", oracle::x509),
    ("tls_records", oracle::tls_records),
    ("schannel_acceptor", oracle::schannel_acceptor),
    ("schannel_initiator", oracle::schannel_initiator),
    ("kerberos_pac", oracle::kerberos_pac),
    ("kerberos_acceptor", oracle::kerberos_acceptor),
    ("kerberos_messages", oracle::kerberos_messages),
    ("kerberos_keytab", oracle::kerberos_keytab),
    ("kerberos_ccache", oracle::kerberos_ccache),
];

#[test]
fn every_corpus_holds() {
    for (target, oracle) in TARGETS {
        let mut files = 0;
        for entry in fs::read_dir(fuzz().join("corpus").join(target)).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            assert!(bytes.len() <= 4096, "{}: a corpus is of small files", path.display());
            catch_unwind(|| oracle(&bytes)).unwrap_or_else(|_| panic!("{}", path.display()));
            files += 1;
        }
        assert!(files >= 10, "{target}: {files} files");
    }
}

/// Each target of the fuzzer is one that is replayed here, and the other way round.
#[test]
fn targets_and_corpora_are_the_same() {
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let mut declared: Vec<_> =
        manifest.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).skip(1).collect();
    declared.sort_unstable();
    let mut replayed = TARGETS.map(|(name, _)| name).to_vec();
    replayed.sort_unstable();
    assert_eq!(declared, replayed);
}

/// What a fuzzer would do in its first second, by a seed: many edits of good conversations.
#[test]
fn many_edits() {
    let mut chance = Foretold::seeded(0x5eed);
    for turn in 0..4000 {
        let script = oracle::random_script(&mut chance, turn % 7);
        for talk in [oracle::acceptor, oracle::negotiate_acceptor, oracle::negotiate_initiator] {
            catch_unwind(|| talk(&script)).unwrap_or_else(|_| panic!("{script:02x?}"));
        }
    }
}

/// The same of Kerberos, whose edits reach what is sealed as well.
#[test]
fn many_edits_of_kerberos() {
    let mut chance = Foretold::seeded(0x6b72_6235);
    for turn in 0..4000 {
        let script = oracle::random_kerberos_script(&mut chance, turn % 7);
        catch_unwind(|| oracle::kerberos_acceptor(&script)).unwrap_or_else(|_| panic!("{script:02x?}"));
    }
}

/// Random bytes, and random bytes behind a right beginning.
#[test]
fn many_random_messages() {
    let mut chance = Foretold::seeded(7);
    for turn in 0..3000_usize {
        let mut bytes: Vec<u8> = (0..turn % 200).map(|_| chance.number() as u8).collect();
        for (target, oracle) in TARGETS {
            catch_unwind(|| oracle(&bytes)).unwrap_or_else(|_| panic!("{target}: {bytes:02x?}"));
        }
        for number in 1..=3_u8 {
            bytes.splice(..bytes.len().min(12), [b"NTLMSSP\0".as_slice(), &[number, 0, 0, 0]].concat());
            for (target, oracle) in &TARGETS[..3] {
                catch_unwind(|| oracle(&bytes)).unwrap_or_else(|_| panic!("{target}: {bytes:02x?}"));
            }
        }
    }
}
