use super::Case;
use crate::hex;
use crate::initiator::Initiator;
use crate::printed::{AUTHENTICATE_V1, AUTHENTICATE_V1_ESS, AUTHENTICATE_V2};
use crate::realm::Realm;
use portcullis::Status;
use portcullis::ntlm::KeyStrength;
use portcullis_wire::ntlm::{Flags, Negotiate};

/// The AUTHENTICATE messages of MS-NLMP 4.2. Microsoft prints no NEGOTIATE: the one here asks for what the printed
/// messages then use.
pub(super) fn cases() -> Vec<Case> {
    let published = |name: &str, shows: &str, authenticate: &str, source: &'static str| {
        let mut negotiate = Vec::new();
        Negotiate::encode(Flags(Initiator::WINDOWS.0 & !Flags::VERSION.0), None, None, None, &mut negotiate);
        let mut case = Case::tokens(name, shows, negotiate, Some(hex::bytes(authenticate))).set(|setup| {
            setup.realm = Realm::new("Domain", "domain.example", &[("User", "Password")]);
        });
        case.source = source;
        case
    };
    let v1 = |case: Case| {
        case.set(|setup| {
            setup.ntlm.danger_accept_ntlmv1 = true;
            setup.ntlm.minimum_key = KeyStrength::Bits40;
        })
    };
    let sources = [
        "AUTHENTICATE published by Microsoft (MS-NLMP 4.2.2.3), NEGOTIATE computed here",
        "AUTHENTICATE published by Microsoft (MS-NLMP 4.2.3.3), NEGOTIATE computed here",
        "AUTHENTICATE published by Microsoft (MS-NLMP 4.2.4.3), NEGOTIATE computed here",
    ];
    let denied = |case: Case| {
        // 56 bits, which the default strength refuses before anyone looks at the response.
        case.set(|setup| setup.ntlm.minimum_key = KeyStrength::Bits40)
            .refused(Status::SEC_E_LOGON_DENIED, "ntlm/ntlmv1-refused")
    };
    vec![
        v1(published("ms-nlmp-4.2.2-v1", "NTLMv1, where it is switched on", AUTHENTICATE_V1, sources[0])),
        denied(published("ms-nlmp-4.2.2-v1-refused", "NTLMv1 is off by default", AUTHENTICATE_V1, sources[0])),
        v1(published("ms-nlmp-4.2.3-v1-ess", "NTLMv1 with extended session security", AUTHENTICATE_V1_ESS, sources[1])),
        denied(published(
            "ms-nlmp-4.2.3-v1-ess-refused",
            "and it is off by default too",
            AUTHENTICATE_V1_ESS,
            sources[1],
        )),
        published("ms-nlmp-4.2.4-v2", "NTLMv2 without MIC", AUTHENTICATE_V2, sources[2]),
        published(
            "ms-nlmp-4.2.4-v2-wrong-challenge",
            "NTLMv2 against another challenge: replayed",
            AUTHENTICATE_V2,
            sources[2],
        )
        .set(|setup| setup.settings.server_challenge = [0x42; 8])
        .refused(Status::SEC_E_LOGON_DENIED, "account/wrong-proof"),
    ]
}
