//! Replays `vectors/`, and asks whether the catalogue of causes is covered by them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::Cause;
use portcullis_testkit::cases;
use portcullis_testkit::vector::Vector;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every vector of every folder, by its path below `vectors/`.
fn vectors() -> BTreeMap<String, Vector> {
    let mut found = BTreeMap::new();
    for folder in ["ntlm", "kerberos", "negotiate", "password", "regressions"] {
        for entry in fs::read_dir(root().join("vectors").join(folder)).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = format!("{folder}/{}", path.file_stem().unwrap().to_str().unwrap());
            let vector =
                Vector::parse(&fs::read_to_string(&path).unwrap()).unwrap_or_else(|why| panic!("{name}: {why}"));
            found.insert(name, vector);
        }
    }
    found
}

#[test]
fn every_vector_ends_as_it_says() {
    let vectors = vectors();
    let wrong: Vec<_> =
        vectors.iter().filter_map(|(name, vector)| vector.replay().err().map(|why| format!("{name}: {why}"))).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
    assert!(vectors.len() >= 350, "only {} vectors were found", vectors.len());
    let refusals = vectors.values().filter(|vector| vector.cause != "ok").count();
    assert!(refusals * 2 > vectors.len(), "most vectors are refusals: {refusals} of {}", vectors.len());
    for (name, vector) in &vectors {
        let origins = ["computed here", "AUTHENTICATE published by Microsoft", "captured from "];
        assert!(origins.iter().any(|origin| vector.source.starts_with(origin)), "{name}: who made it?");
    }
}

/// The files are what `make-vectors` writes: nobody edited one side alone.
#[test]
fn the_computed_vectors_are_fresh() {
    let mut names = BTreeSet::new();
    for case in cases::all() {
        let name = format!("{}/{}", case.folder(), case.name);
        let text = case.vector().unwrap().print();
        let path = root().join("vectors").join(format!("{name}.txt"));
        let file = fs::read_to_string(&path).unwrap_or_else(|why| panic!("{name}: {why}; run make-vectors"));
        assert!(file == text, "{name} is not what make-vectors writes; run it and look at the difference");
        assert!(names.insert(name.clone()), "two cases are called {name}");
    }
    let stale: Vec<_> =
        vectors().into_iter().filter(|(name, v)| v.source == "computed here" && !names.contains(name)).collect();
    assert!(stale.is_empty(), "files without a case: {:?}", stale.iter().map(|(name, _)| name).collect::<Vec<_>>());
}

/// A printed vector reads as itself.
#[test]
fn print_and_parse_agree() {
    for case in cases::all() {
        let text = case.vector().unwrap().print();
        assert_eq!(Vector::parse(&text).unwrap().print(), text, "{}", case.name);
    }
}

/// Causes that no conversation of tokens can show, and the tests that show them: the file, then the function.
const SHOWN_ELSEWHERE: &[(&str, &str, &str)] = &[
    ("call/bad-export", "crates/portcullis/src/export/tests.rs", "an_altered_export_is_refused"),
    ("call/not-exportable", "crates/portcullis/src/export/tests.rs", "what_cannot_be_exported"),
    ("call/foreign-answer", "crates/testkit/tests/calls.rs", "an_answer_to_another_question"),
    ("call/wrong-input", "crates/testkit/tests/calls.rs", "no_public_move_gives_a_step_the_wrong_input"),
    ("call/no-randomness", "crates/testkit/tests/calls.rs", "a_broken_source_of_randomness"),
    ("call/not-negotiated", "crates/testkit/tests/sealing.rs", "sealing_that_was_not_negotiated"),
    ("call/bad-buffers", "crates/testkit/tests/sealing.rs", "a_message_needs_exactly_one_token"),
    ("call/bad-signature", "crates/testkit/tests/sealing.rs", "an_altered_message"),
    ("call/out-of-sequence", "crates/testkit/tests/sealing.rs", "a_replayed_message"),
    ("call/malformed-message", KERBEROS_MESSAGES, "k03_tokens_of_the_other_kind"),
    ("ntlm/server-without-unicode", INITIATORS, "ntlm_refuses_a_server_that_it_should_not_answer"),
    ("ntlm/server-too-weak", INITIATORS, "ntlm_refuses_a_server_that_it_should_not_answer"),
    ("ntlm/server-nameless", INITIATORS, "ntlm_refuses_a_server_that_it_should_not_answer"),
    ("ntlm/name-too-long", INITIATORS, "names_that_no_message_can_hold"),
    ("kerberos/no-ticket", KERBEROS_INITIATOR, "who_has_no_ticket_says_nothing"),
    ("kerberos/no-target", KERBEROS_INITIATOR, "who_has_no_ticket_says_nothing"),
    ("kerberos/own-ticket-expired", KERBEROS_INITIATOR, "who_has_no_ticket_says_nothing"),
    ("kerberos/server-refused", KERBEROS_INITIATOR, "a_refusal_is_told"),
    ("kerberos/server-not-proved", "crates/testkit/tests/kerberos_proof.rs", "k28_a_server_must_prove_itself"),
    ("call/extra", RECORDS, "a_token_with_extra_bytes_is_refused"),
    ("schannel/malformed-record", RECORDS, "strangers_are_named"),
    ("schannel/http", RECORDS, "strangers_are_named"),
    ("schannel/dtls", RECORDS, "strangers_are_named"),
    ("schannel/version-too-old", RECORDS, "hellos_that_share_nothing_with_us"),
    ("schannel/too-large", RECORDS, "what_is_not_a_hello"),
    ("schannel/no-certificate", RECORDS, "hellos_that_share_nothing_with_us"),
    ("schannel/no-common-suite", RECORDS, "hellos_that_share_nothing_with_us"),
    ("schannel/protocol-violation", RECORDS, "what_is_not_a_hello"),
    ("schannel/peer-alert", RECORDS, "alerts_before_the_handshake_is_through"),
    ("schannel/unknown-server-name", NAMES, "the_name_chooses_the_identity"),
    ("schannel/no-common-protocol", NAMES, "application_protocols"),
    ("schannel/no-client-roots", CLIENT_CERTIFICATES, "a_call_that_wants_mutual_authentication"),
    ("schannel/no-client-certificate", CLIENT_CERTIFICATES, "who_is_asked"),
    ("schannel/certificate-expired", CLIENT_CERTIFICATES, "whose_certificates_are_believed"),
    ("schannel/certificate-not-yet-valid", CLIENT_CERTIFICATES, "whose_certificates_are_believed"),
    ("schannel/certificate-revoked", CLIENT_CERTIFICATES, "revocation"),
    ("schannel/revocation-unknown", CLIENT_CERTIFICATES, "revocation"),
    ("schannel/revocation-stale", CLIENT_CERTIFICATES, "revocation"),
    ("schannel/untrusted-root", CLIENT_CERTIFICATES, "whose_certificates_are_believed"),
    ("schannel/certificate-wrong-usage", CLIENT_CERTIFICATES, "whose_certificates_are_believed"),
    ("schannel/certificate-bad", CLIENT_CERTIFICATES, "whose_certificates_are_believed"),
    ("schannel/proof-wrong", CLIENT_CERTIFICATES, "a_certificate_without_its_key"),
    ("schannel/flag-not-supported", CLIENT_CERTIFICATES, "a_call_that_wants_mutual_authentication"),
    ("schannel/certificate-wrong-name", TLS_INITIATOR, "which_servers_are_believed"),
    ("schannel/bad-target", TLS_INITIATOR, "forms_of_targets"),
    ("schannel/bad-record", STREAM, "an_altered_record"),
    ("schannel/flood", STREAM, "a_flood_of_key_updates"),
    ("schannel/renegotiation", STREAM, "renegotiation"),
    ("schannel/exporter-unbound", STREAM, "nothing_is_exported_that_is_not_bound_to_the_session"),
    ("schannel/response-pending", STREAM, "forty_key_updates"),
    ("schannel/ended", STREAM, "our_own_end"),
    ("schannel/message-too-long", STREAM, "a_message_that_is_too_long"),
    ("schannel/truncated", "crates/cli/tests/interop/tls/odd.rs", "truncation_is_no_end"),
    ("schannel/internal", "crates/testkit/tests/corpus.rs", "every_corpus_holds"),
    ("account/unmapped-certificate", CERTIFICATES, "verdicts_on_certificates_cross_the_socket"),
    ("account/ambiguous-certificate", CERTIFICATES, "verdicts_on_certificates_cross_the_socket"),
    ("account/weak-certificate-mapping", CERTIFICATES, "verdicts_on_certificates_cross_the_socket"),
    ("schannel/post-handshake-authentication", "crates/capi/tests/c_programs/schannel.rs", "streams"),
    ("schannel/tls-unique", "crates/capi/tests/c_programs/schannel.rs", "streams"),
    ("kerberos/anonymous-refused", KERBEROS_REVIEW, "anonymous_tickets_are_nobodys"),
    ("host/half-open-limit", SERVER, "the_oldest_handshake_of_the_greediest_makes_room"),
    ("host/handshake-timeout", SERVER, "a_handshake_that_is_not_finished_is_refused_once_and_its_connection_ends"),
    ("host/token-too-large", SERVER, "tokens_and_headers_have_bounds"),
    ("host/token-incomplete", SERVER_NEGOTIATE, "a_token_in_pieces_is_refused"),
    ("host/bad-header", SERVER, "what_makes_no_sense_is_refused_with_its_cause"),
    ("host/scheme-not-offered", SERVER, "what_makes_no_sense_is_refused_with_its_cause"),
    ("host/plaintext-refused", SERVER, "basic_is_for_loopback_only"),
    ("host/proxied", SERVER, "two_clients_over_one_backend_connection_never_get_each_others_name"),
    ("host/audit-unwritable", SERVER, "an_audit_log_that_cannot_be_written_refuses_unless_configured"),
];
const KERBEROS_REVIEW: &str = "crates/testkit/tests/kerberos_review.rs";
const KERBEROS_INITIATOR: &str = "crates/testkit/tests/kerberos_initiator.rs";
const RECORDS: &str = "crates/testkit/tests/schannel_records.rs";
const STREAM: &str = "crates/testkit/tests/schannel_stream.rs";
const NAMES: &str = "crates/testkit/tests/schannel_names.rs";
const CLIENT_CERTIFICATES: &str = "crates/testkit/tests/schannel_certificates.rs";
const TLS_INITIATOR: &str = "crates/testkit/tests/schannel_initiator.rs";
const SERVER: &str = "crates/server/tests/http.rs";
const SERVER_NEGOTIATE: &str = "crates/server/tests/negotiate.rs";
const CERTIFICATES: &str = "crates/authority/tests/certificates.rs";
const INITIATORS: &str = "crates/testkit/tests/initiators.rs";
const KERBEROS_MESSAGES: &str = "crates/portcullis/src/kerberos/protection/tests/altered.rs";

#[test]
fn every_cause_has_a_vector_or_a_named_test() {
    let shown: BTreeSet<_> = vectors().into_values().map(|vector| vector.cause).collect();
    let is_shown = |name: &str| {
        SHOWN_ELSEWHERE.iter().filter(|(cause, ..)| *cause == name).any(|(_, file, function)| {
            let text = fs::read_to_string(root().join(file)).unwrap_or_default();
            text.contains(&format!("fn {function}("))
        })
    };
    let unshown: Vec<_> =
        Cause::catalogue().map(|row| row.name).filter(|name| !shown.contains(*name) && !is_shown(name)).collect();
    assert!(unshown.is_empty(), "no vector and no test for {unshown:?}");
    let known: BTreeSet<_> = Cause::catalogue().map(|row| row.name).chain(["ok"]).collect();
    assert!(shown.iter().all(|name| known.contains(name.as_str())), "a vector names a cause that does not exist");
}

/// A vector's status is the one that the catalogue has for its cause.
#[test]
fn statuses_follow_causes() {
    for (name, vector) in vectors() {
        if let Some(row) = Cause::catalogue().find(|row| row.name == vector.cause) {
            assert_eq!(row.status, vector.expect, "{name}");
        }
    }
}
