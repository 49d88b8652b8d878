use super::Case;
use crate::realm::Entry;
use crate::vector::Package;
use portcullis::{Refusal, Status};

/// Plain passwords.
pub(super) fn cases() -> Vec<Case> {
    const DENIED: Status = Status::SEC_E_LOGON_DENIED;
    let says = |name: &str, shows: &str, token: &[u8]| {
        Case::tokens(name, shows, token.to_vec(), None).set(|setup| setup.package = Package::Password)
    };
    let bad = |case: Case| case.refused(Status::SEC_E_INVALID_TOKEN, "password/malformed-token");
    vec![
        says("ok", "the right password", b"User:Password"),
        says("ok-domain", "a domain before the name", br"DOMAIN\user:Password"),
        says("ok-colon", "a password with colons", b"User:a:b:")
            .set(|setup| setup.realm.accounts = vec![Entry::new("User", "a:b:")]),
        says("wrong-password", "the wrong password", b"User:password").refused(DENIED, "account/wrong-proof"),
        says("wrong-password-prefix", "a part of the password", b"User:Passwor").refused(DENIED, "account/wrong-proof"),
        says("unknown-account", "nobody has this name", b"Nobody:Password").refused(DENIED, "account/unknown-account"),
        says("empty-password", "an empty password is no logon", b"User:").refused(DENIED, "password/empty-password"),
        says("no-password", "an account without password", b"User:x")
            .set(|setup| setup.realm.accounts = vec![Entry::new("User", "")])
            .refused(DENIED, "account/no-password"),
        says("disabled", "the right password of a disabled account", b"User:Password")
            .set(|setup| setup.realm.accounts[0].state = Some(Refusal::Disabled))
            .refused(DENIED, "account/disabled"),
        bad(says("no-colon", "no colon", b"User")),
        bad(says("not-utf8", "bytes that are not UTF-8", b"Us\xffer:Password")),
        bad(says("empty-token", "nothing", b"")),
    ]
}
