use crate::failure::causes;
use portcullis_wire as wire;

causes! {
    /// Why the NTLM package refuses. What an authority refuses is [`crate::Refusal`].
    pub enum Cause in "ntlm" {
        /// A message cannot be read.
        Malformed(wire::Error) = "malformed-token", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the token is not the NTLM message that was due; the offset and field say where it goes wrong. A proxy that re-encodes headers, or a token of another leg, connection or package are the usual reasons";
        /// NEGOTIATE asks for neither UNICODE nor OEM.
        NoCharset = "no-charset", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the client offers neither UNICODE nor OEM text (MS-NLMP 2.2.2.5)";
        /// Connectionless mode.
        Connectionless = "connectionless", SEC_E_UNSUPPORTED_FUNCTION, NOT_SUPPORTED,
            "connectionless NTLM is not offered: no Windows since Server 2008 has it either";
        /// The client cannot do keys of the demanded strength.
        WeakKey = "weak-key", SEC_E_UNSUPPORTED_FUNCTION, NOT_SUPPORTED,
            "the client wants to sign or seal with keys shorter than `ntlm.minimum_key` allows";
        /// The client is anonymous and may not be.
        AnonymousRefused = "anonymous-refused", SEC_E_LOGON_DENIED, ACCOUNT_RESTRICTION,
            "the client sent no name and no proof, and anonymous clients are not allowed here";
        /// The client sent an LM response alone.
        NoNtResponse = "no-nt-response", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the client sent a LAN Manager response and no NT response; an LM response proves nothing here";
        /// NTLMv1 is switched off.
        NtlmV1Refused = "ntlmv1-refused", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the client proved itself by NTLMv1, which is switched off; raise its LmCompatibilityLevel to 3 or more";
        /// The message must have a MIC and has none.
        MicMissing = "mic-missing", SEC_E_MESSAGE_ALTERED, LOGON_FAILURE,
            "the AUTHENTICATE message announces a MIC, or the policy demands one, and there is none: it was stripped on the way, or the client is older than `ntlm.require_mic` allows";
        /// The MIC does not fit the three messages.
        MicWrong = "mic-wrong", SEC_E_MESSAGE_ALTERED, LOGON_FAILURE,
            "the password is right, but the messages were altered on the way: something between client and server relays or rewrites them";
        /// The client is bound to no channel.
        BindingsMissing = "bindings-missing", SEC_E_BAD_BINDINGS, BAD_BINDINGS,
            "the policy demands channel bindings and the client sent none: it is too old, it spoke through a TLS-ending proxy, or the connection has no TLS";
        /// The client is bound to another channel.
        BindingsWrong = "bindings-wrong", SEC_E_BAD_BINDINGS, BAD_BINDINGS,
            "the client is bound to another TLS channel than this one: a relay, or a TLS-ending proxy whose certificate is not declared";
        /// The client names a service that is not ours.
        TargetNotOurs = "target-not-ours", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the client believes to talk to another service: a relay, or a name that is missing in `ntlm.targets`";
        /// The client names no service.
        TargetMissing = "target-missing", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the policy demands that clients name their target service, and this one does not, or not from a verified source";
        /// To an initiator: the server takes no Unicode.
        ServerWithoutUnicode = "server-without-unicode", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the server did not choose Unicode, which was offered alone: it is broken, or its answer was changed on the way";
        /// To an initiator: the server's keys are too weak.
        ServerTooWeak = "server-too-weak", SEC_E_UNSUPPORTED_FUNCTION, NOT_SUPPORTED,
            "signing or sealing is wanted, and the server's answer leaves shorter keys than `minimum_key`, or none of extended session security: it is too old, or its answer was changed on the way";
        /// To an initiator: the server does not say who it is.
        ServerNameless = "server-nameless", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "signing or sealing is wanted, and the server's answer lacks its computer's or domain's name, which the response must cover (MS-NLMP 3.1.5.1.2)";
        /// To an initiator: a name is longer than a message can hold.
        NameTooLong = "name-too-long", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "a user, domain, workstation or target name is longer than an NTLM message can hold";
    }
}

impl From<wire::Error> for crate::Failure {
    fn from(error: wire::Error) -> Self {
        Cause::Malformed(error).into()
    }
}
