use super::Case;
use crate::initiator::Initiator;
use crate::realm::Entry;
use portcullis::{ContextFlags, Refusal, Status};

/// Right proofs of accounts that may not log on, authorities that cannot judge, and calls that cannot be carried out.
pub(super) fn cases() -> Vec<Case> {
    const DENIED: Status = Status::SEC_E_LOGON_DENIED;
    const NOBODY: Status = Status::SEC_E_NO_AUTHENTICATING_AUTHORITY;
    let user = Initiator::user;
    let states = [
        (Refusal::Disabled, "account/disabled"),
        (Refusal::LockedOut, "account/locked"),
        (Refusal::AccountExpired, "account/account-expired"),
        (Refusal::PasswordExpired, "account/password-expired"),
        (Refusal::MustChange, "account/must-change"),
        (Refusal::LogonHours, "account/logon-hours"),
        (Refusal::Workstation, "account/workstation-not-allowed"),
    ];
    let mut cases: Vec<_> = states
        .iter()
        .flat_map(|&(state, cause)| {
            let name = cause.trim_start_matches("account/");
            let set = |case: Case| case.set(|setup| setup.realm.accounts[0].state = Some(state));
            let wrong = Initiator { password: "other".into(), ..user() };
            [
                set(Case::new(&format!("state-{name}"), "the right proof of an account in this state", user()))
                    .refused(DENIED, cause),
                set(Case::new(
                    &format!("state-{name}-wrong-password"),
                    "a wrong proof does not learn the state",
                    wrong,
                ))
                .refused(DENIED, "account/wrong-proof"),
            ]
        })
        .collect();
    let outage = |name: &str, shows: &str, why, expect, cause| {
        Case::new(name, shows, user()).set(|setup| setup.realm.outage = Some(why)).refused(expect, cause)
    };
    cases.extend([
        Case::new("unknown-account", "nobody has this name", Initiator { user: "Nobody".into(), ..user() })
            .refused(DENIED, "account/unknown-account"),
        Case::new("unknown-domain", "a domain that is not ours", Initiator { domain: "ELSEWHERE".into(), ..user() })
            .refused(NOBODY, "account/unknown-domain"),
        Case::new("upn-elsewhere", "a user principal name of another domain", {
            Initiator { user: "user@elsewhere.example".into(), domain: String::new(), ..user() }
        })
        .refused(NOBODY, "account/unknown-domain"),
        Case::new("no-password", "an account without password, and a client that proves the empty one", {
            Initiator { password: String::new(), ..user() }
        })
        .set(|setup| setup.realm.accounts = vec![Entry::new("User", "")])
        .refused(DENIED, "account/no-password"),
        outage("throttled", "too many wrong proofs from here", Refusal::Throttled, DENIED, "account/throttled"),
        outage(
            "authority-unreachable",
            "the process that holds the accounts cannot be reached",
            Refusal::AuthorityUnreachable,
            NOBODY,
            "account/authority-unreachable",
        ),
        outage(
            "store-unreachable",
            "the store cannot be read",
            Refusal::Unreachable,
            NOBODY,
            "account/store-unreachable",
        ),
        outage("not-answered", "nobody answers such questions", Refusal::NotAnswered, NOBODY, "account/not-answered"),
        Case::tokens("no-room", "the caller's buffer is too small for CHALLENGE", user().negotiate(), None)
            .set(|setup| setup.settings.room = Some(55))
            .refused(Status::SEC_E_BUFFER_TOO_SMALL, "call/no-room"),
        Case::tokens("contradictory-flags", "flags that exclude each other", user().negotiate(), None)
            .set(|setup| {
                setup.settings.want.flags = ContextFlags::ALLOW_MISSING_BINDINGS | ContextFlags::PROXY_BINDINGS;
            })
            .refused(Status::SEC_E_SECURITY_QOS_FAILED, "call/contradictory-flags"),
        Case::new("requirement-not-met", "the host requires sealing, the client cannot", user().curl_like())
            .set(|setup| setup.settings.want.required = ContextFlags::CONFIDENTIALITY)
            .refused(Status::SEC_E_SECURITY_QOS_FAILED, "call/requirement-not-met"),
    ]);
    cases
}
