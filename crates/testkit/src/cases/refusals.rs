use super::Case;
use crate::initiator::{Bindings, Initiator, Layout, Mic, Responses, Slot};
use crate::realm::Realm;
use portcullis::ntlm::{KeyStrength, TargetPolicy};
use portcullis::{BindingPolicy, ChannelBindings, ContextFlags, Status};
use portcullis_wire::ntlm::Flags;

const DENIED: Status = Status::SEC_E_LOGON_DENIED;

/// Clients that must not get in, by the package's own rules.
pub(super) fn cases() -> Vec<Case> {
    [proofs(), version_1(), mic(), bindings(), targets(), strengths(), anonymous()].concat()
}

fn proofs() -> Vec<Case> {
    let wrong = |initiator: Initiator| Initiator { password: "Passw0rd".into(), ..initiator };
    let user = Initiator::user;
    let cases = [
        ("wrong-password", "the wrong password, with MIC", wrong(user())),
        ("wrong-password-no-mic", "the wrong password, without MIC", wrong(user().without_mic())),
        ("wrong-password-curl", "the wrong password from a client like curl", wrong(user().curl_like())),
        ("wrong-proof-right-mic", "the proof is wrong and the MIC right: who cannot prove the password is out", {
            Initiator { spoils_proof: true, ..user() }
        }),
        (
            "wrong-proof-right-lmv2",
            "a right LMv2 response does not rescue a wrong NT proof",
            Initiator { spoils_proof: true, responses: Responses::V2WithLmV2, ..user().without_mic() },
        ),
        ("empty-password", "the empty password", Initiator { password: String::new(), ..user() }),
        (
            "hashed-another-user",
            "the name that is sent is not the one that is hashed",
            Initiator { hashed: Some(("Other".into(), "DOMAIN".into())), ..user() },
        ),
        (
            "hashed-another-domain",
            "the domain that is sent is not the one that is hashed",
            Initiator { hashed: Some(("User".into(), "domain".into())), ..user() },
        ),
        ("two-fields-overlap", "two fields share their bytes: nothing forbids it, and nothing is proved by it", {
            Initiator { password: "other".into(), ..user() }
        }),
    ];
    cases
        .into_iter()
        .map(|(name, shows, initiator)| {
            let mut case = Case::new(name, shows, initiator.clone()).refused(DENIED, "account/wrong-proof");
            if name == "two-fields-overlap" {
                case.says = super::Says::Edited(Box::new(initiator), |message| message.copy_within(28..36, 44));
            }
            case
        })
        .collect()
}

fn version_1() -> Vec<Case> {
    let with = |responses| Initiator { responses, ..Initiator::user().without_mic() };
    let no_ess = |initiator: Initiator| Initiator {
        asks: Flags(Initiator::WINDOWS.0 & !Flags::EXTENDED_SESSION_SECURITY.0),
        ..initiator
    };
    let refused = |case: Case| case.refused(DENIED, "ntlm/ntlmv1-refused");
    let no_nt = |case: Case| case.refused(DENIED, "ntlm/no-nt-response");
    let danger = |case: Case| case.set(|setup| setup.ntlm.danger_accept_ntlmv1 = true);
    let wrong = |initiator: Initiator| Initiator { spoils_proof: true, ..initiator };
    let proof = |case: Case| danger(case).refused(DENIED, "account/wrong-proof");
    vec![
        refused(Case::new("ntlmv1", "NTLMv1 is off by default", no_ess(with(Responses::V1)))),
        refused(Case::new("ntlmv1-ess", "so is NTLMv1 with extended session security", with(Responses::V1Ess))),
        no_nt(Case::new("lm-only", "an LM response alone proves nothing", no_ess(with(Responses::LmOnly)))),
        danger(no_nt(Case::new("lm-only-v1-on", "nor where NTLMv1 is on", no_ess(with(Responses::LmOnly))))),
        no_nt(Case::new("lmv2-only", "an LMv2 response alone proves nothing", with(Responses::LmV2Only))),
        proof(Case::new("ntlmv1-wrong", "NTLMv1 on, response wrong", wrong(no_ess(with(Responses::V1WithLm))))),
        proof(Case::new("ntlmv1-ess-wrong", "NTLMv1 with ESS on, response wrong", wrong(with(Responses::V1Ess)))),
        danger(Case::new(
            "ntlmv1-bindings",
            "NTLMv1 has no place for bindings that are required",
            with(Responses::V1Ess),
        ))
        .set(|setup| setup.settings.bindings = Some(ChannelBindings::tls_server_end_point(&[7; 32])))
        .refused(Status::SEC_E_BAD_BINDINGS, "ntlm/bindings-missing"),
    ]
}

fn mic() -> Vec<Case> {
    const ALTERED: Status = Status::SEC_E_MESSAGE_ALTERED;
    let user = Initiator::user;
    let with = |mic| Initiator { mic, ..user() };
    let missing = |case: Case| case.refused(ALTERED, "ntlm/mic-missing");
    let wrong = |case: Case| case.refused(ALTERED, "ntlm/mic-wrong");
    vec![
        wrong(Case::new("mic-wrong", "a bit of the MIC is off", with(Mic::Wrong))),
        missing(Case::new("mic-zero", "the MIC is announced and zero", with(Mic::Zero))),
        Case::new(
            "mic-stripped",
            "the MIC is announced and the payload begins where it should stand",
            with(Mic::NoField),
        )
        .refused(Status::SEC_E_INVALID_TOKEN, "ntlm/malformed-token"),
        missing(
            Case::new("mic-required", "the policy demands a MIC and the client announces none", user().without_mic())
                .set(|setup| setup.ntlm.require_mic = true),
        ),
        wrong(edited("mic-glued", "bytes glued to AUTHENTICATE", user(), |message| message.push(0))),
        wrong(edited("mic-flag-cleared", "SIGN is cleared on the way", user(), |message| message[60] ^= 0x10)),
        wrong(edited("mic-version", "the version is altered on the way", user(), |message| message[64] ^= 1)),
        wrong(edited("mic-workstation", "the workstation is altered on the way", user(), |message| {
            let at = usize::from(message[48]);
            message[at] ^= 0x20;
        })),
        wrong(edited(
            "mic-user-case",
            "the user's case is altered on the way: the proof still fits",
            user(),
            |message| {
                let at = usize::from(message[40]);
                message[at] ^= 0x20;
            },
        )),
        edited(
            "mic-announcement-cleared",
            "the announcement is cleared in the blob: the proof covers it",
            user(),
            |m| {
                let at = m.windows(5).position(|w| w == [6, 0, 4, 0, 2]).unwrap();
                m[at + 4] = 0;
            },
        )
        .refused(DENIED, "account/wrong-proof"),
    ]
}

fn edited(name: &str, shows: &str, initiator: Initiator, edit: super::Edit) -> Case {
    Case { says: super::Says::Edited(Box::new(initiator.clone()), edit), ..Case::new(name, shows, initiator) }
}

fn bindings() -> Vec<Case> {
    let channel = || ChannelBindings::tls_server_end_point(&[0x11; 32]);
    let other = ChannelBindings::tls_server_end_point(&[0x22; 32]);
    let with = |bindings| Initiator { bindings, ..Initiator::user() };
    let given = |case: Case| case.set(|setup| setup.settings.bindings = Some(channel()));
    let missing = |case: Case| case.refused(Status::SEC_E_BAD_BINDINGS, "ntlm/bindings-missing");
    let wrong = |case: Case| case.refused(Status::SEC_E_BAD_BINDINGS, "ntlm/bindings-wrong");
    let policy = |case: Case, policy| case.set(|setup| setup.ntlm.bindings = policy);
    vec![
        missing(given(Case::new(
            "bindings-absent",
            "the channel has bindings, the client none",
            with(Bindings::Absent),
        ))),
        missing(given(Case::new("bindings-zero", "all zero is no binding", with(Bindings::Zero)))),
        wrong(given(Case::new(
            "bindings-other",
            "the client is bound to another channel",
            with(Bindings::Of(other.clone())),
        ))),
        missing(
            given(Case::new(
                "bindings-zero-allowed-missing",
                "who knows of bindings must have some",
                with(Bindings::Zero),
            ))
            .set(|setup| setup.settings.want.flags = ContextFlags::ALLOW_MISSING_BINDINGS),
        ),
        missing(
            Case::new(
                "bindings-proxied-zero",
                "behind a proxy the client must be bound to something",
                with(Bindings::Zero),
            )
            .set(|setup| setup.settings.want.flags = ContextFlags::PROXY_BINDINGS),
        ),
        wrong(policy(
            Case::new("bindings-required-none-given", "required, and the host gives none", with(Bindings::Of(other))),
            BindingPolicy::Require,
        )),
        Case::new("bindings-short", "a binding that is no MD5", with(Bindings::Raw(vec![1; 15])))
            .refused(Status::SEC_E_INVALID_TOKEN, "ntlm/malformed-token"),
    ]
}

fn targets() -> Vec<Case> {
    let with = |target: Option<&str>| Initiator { target: target.map(str::to_owned), ..Initiator::user() };
    let ours = || vec!["HTTP/server.domain.example".to_owned()];
    let policy = |case: Case, policy| case.set(|setup| setup.ntlm.targets = policy);
    let not_ours = |case: Case| case.refused(DENIED, "ntlm/target-not-ours");
    let missing = |case: Case| case.refused(DENIED, "ntlm/target-missing");
    let marshalled = "HTTP/server1UWhRCAAAAAAAAAAAAAAAAAAAAAAAAAAAAwbEAYBAAAA";
    vec![
        not_ours(policy(
            Case::new("target-other", "the client means another service", with(Some("CIFS/files.domain.example"))),
            TargetPolicy::WhenPresent(ours()),
        )),
        missing(policy(
            Case::new("target-missing", "the client names no service", with(None)),
            TargetPolicy::Require(ours()),
        )),
        missing(policy(
            Case::new(
                "target-unverified",
                "a name from an unverified source counts as none",
                Initiator { av_flags: Some(6), ..with(Some("HTTP/server.domain.example")) },
            ),
            TargetPolicy::Require(ours()),
        )),
        not_ours(Case::new(
            "target-marshalled",
            "a marshalled target is refused by every policy",
            with(Some(marshalled)),
        )),
    ]
}

fn strengths() -> Vec<Case> {
    let weak = |case: Case| case.refused(Status::SEC_E_UNSUPPORTED_FUNCTION, "ntlm/weak-key");
    let asks = |clear: Flags| Initiator { asks: Flags(Initiator::WINDOWS.0 & !clear.0), ..Initiator::user() };
    vec![
        weak(Case::new("weak-key-56", "56 bits where 128 are demanded", asks(Flags::KEY_128))),
        weak(
            Case::new("weak-key-40", "40 bits where 56 are demanded", asks(Flags::KEY_128 | Flags::KEY_56))
                .set(|setup| setup.ntlm.minimum_key = KeyStrength::Bits56),
        ),
        Case {
            regression: true, // the demanded strength was looked at in NEGOTIATE alone
            ..weak(Case::new(
                "weak-key-dropped-later",
                "128 bits are asked for and dropped in AUTHENTICATE",
                Initiator { clears: Flags::KEY_128, ..Initiator::user() },
            ))
        },
    ]
}

fn anonymous() -> Vec<Case> {
    let with = |responses| Initiator { responses, ..Initiator::user().without_mic() };
    let refused = |case: Case| case.refused(DENIED, "ntlm/anonymous-refused");
    let order = [Slot::User, Slot::Domain, Slot::Workstation, Slot::Lm, Slot::Nt, Slot::Key];
    vec![
        refused(Case::new("anonymous", "no name, no proof", with(Responses::Anonymous))),
        refused(Case::new("anonymous-zero", "no name, and one zero byte for LM", with(Responses::AnonymousZero))),
        refused(
            Case::new(
                "anonymous-call-does-not",
                "the credential allows it, the call does not",
                with(Responses::Anonymous),
            )
            .set(|setup| setup.ntlm.allow_anonymous = true),
        ),
        refused(
            Case::new("anonymous-credential-does-not", "the call allows it, the credential does not", {
                Initiator { layout: Layout { order, ..Layout::default() }, ..with(Responses::Anonymous) }
            })
            .set(|setup| setup.settings.want.flags = ContextFlags::NULL_SESSION),
        ),
        Case::new("empty-user", "no name, but a proof", Initiator { user: String::new(), ..Initiator::user() })
            .refused(DENIED, "account/unknown-account"),
        Case::new(
            "guest",
            "a guest is an account like any other, or none",
            Initiator { user: "Guest".into(), password: String::new(), ..Initiator::user() },
        )
        .refused(DENIED, "account/unknown-account"),
        Case::new("empty-store", "a store without accounts lets nobody in", Initiator::user())
            .set(|setup| setup.realm = Realm::new("DOMAIN", "domain.example", &[]))
            .refused(DENIED, "account/unknown-account"),
    ]
}
