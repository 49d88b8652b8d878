use crate::failure::causes;
use portcullis_wire as wire;

causes! {
    /// Why the Negotiate package refuses. What its mechanism refuses is the mechanism's cause.
    pub enum Cause in "negotiate" {
        /// A token cannot be read.
        Malformed(wire::Error) = "malformed-token", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the token is not the SPNEGO message that was due; the offset and field say where it goes wrong. A proxy that re-encodes headers, or a token cut short, are the usual reasons";
        /// The first token is of no known kind.
        UnknownToken = "unknown-token", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the first token is neither SPNEGO nor NTLM nor Kerberos: the client speaks another protocol, or a token of a later leg came first, as behind a balancer that spreads one client over several servers";
        /// No mechanism of the client's list is offered.
        NoCommonMechanism = "no-common-mechanism", SEC_E_INVALID_TOKEN, NOT_SUPPORTED,
            "none of the mechanisms that the client offers is offered here; the log names them. See `negotiate.packages`, and whether the client may use NTLM";
        /// A mechanism's own token, without SPNEGO, and the mechanism is not offered.
        MechanismNotOffered = "mechanism-not-offered", SEC_E_INVALID_TOKEN, NOT_SUPPORTED,
            "the client sent a token of a mechanism that is not offered here, without negotiating; the log names it. See `negotiate.packages`";
        /// A message that is not due in this state.
        UnexpectedMove = "unexpected-move", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the peer sent an SPNEGO message that is not due here: a second offer, another mechanism than the one agreed on, a signature before there are keys, or a token after the last";
        /// The mechanism waits for a token and there is none.
        TokenMissing = "token-missing", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the SPNEGO message brings no token for the mechanism, which waits for one";
        /// The peer gave up.
        RejectedByPeer = "rejected-by-peer", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the peer ended the negotiation: it does not accept the mechanism, the account or the channel; its own log says why";
        /// The mechanism list must be signed and is not.
        ListMicMissing = "list-mic-missing", SEC_E_MESSAGE_ALTERED, LOGON_FAILURE,
            "the mechanism list must be signed here (RFC 4178 §5) and the peer did not sign it: the signature was stripped on the way, or the peer's SPNEGO is incomplete";
        /// The signature does not fit the mechanism list.
        ListMicWrong = "list-mic-wrong", SEC_E_MESSAGE_ALTERED, LOGON_FAILURE,
            "the signature does not fit the mechanism list that arrived: somebody on the way changed the list so that a weaker mechanism is used, or the peer signs other bytes than it sent";
    }
}

impl Cause {
    /// A decoder's error as a cause of this package.
    pub(super) fn malformed(error: wire::Error) -> Self {
        Self::Malformed(error)
    }
}
