use crate::failure::causes;
use portcullis_wire as wire;
use portcullis_wire::kerberos::error_code;

causes! {
    /// Why the Kerberos package refuses. The values that a refusal rests on come as [`crate::Event::Because`].
    pub enum Cause in "kerberos" {
        /// A message cannot be read.
        Malformed(wire::Error) = "malformed-token", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the token is not the Kerberos message that was due; the offset and field say where it goes wrong. A token cut short by a proxy, or one of another package, are the usual reasons";
        /// A message of the protocol that is not due now.
        UnexpectedMessage = "unexpected-message", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the token is a Kerberos message, but not the one that is due here: a reply where a request belongs, or a token of a later leg";
        /// No key is held at all.
        NoKeytab = "no-keytab", SEC_E_NO_CREDENTIALS, NO_SUCH_USER,
            "no Kerberos key is held here: give a keytab with `--keytab`, and look at it with `portcullis keytab list`";
        /// No key of the ticket's enctype is held.
        NoKey = "no-key", SEC_E_NO_KERB_KEY, NO_SUCH_USER,
            "no key of the ticket's enctype is held; the log says what the ticket wants and what the keytab has. Export the account's key of that enctype into the keytab";
        /// The ticket's service is held, its key version is not.
        NoKeyVersion = "no-key-version", SEC_E_NO_KERB_KEY, NO_SUCH_USER,
            "the service is in the keytab, but with another key version (kvno) than the ticket's: its password was changed after the keytab was made. Export it anew, and keep the old keys for a ticket's life";
        /// No key that is held opens the ticket.
        WrongKey = "ticket-not-decryptable", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "no key here opens the ticket (KRB_AP_ERR_MODIFIED): the service's name belongs to another account than the keytab's, the keytab is of another password, or the ticket was altered";
        /// The ticket is for another service than the configured ones.
        ServiceNotOurs = "service-not-ours", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the ticket is for a service whose key is held, but which this server is not to be (KRB_AP_ERR_NOT_US); see `kerberos.services`";
        /// A ticket-granting ticket, or one for the KDC itself.
        TicketGranting = "ticket-granting", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the client sent a ticket-granting ticket, or one under a krbtgt key: such a ticket is never a service's (CVE-2022-2031)";
        /// RC4, which is switched off.
        Rc4Refused = "rc4-refused", SEC_E_LOGON_DENIED, NOT_SUPPORTED,
            "the ticket or its session key is RC4, which is switched off; give the service's account AES keys (msDS-SupportedEncryptionTypes 0x18) and export them";
        /// An enctype that this library does not have.
        UnknownEnctype = "unknown-enctype", SEC_E_LOGON_DENIED, NOT_SUPPORTED,
            "the ticket or its session key is of an encryption type that is not supported (DES, 3DES, or a new one); the log names it";
        /// The session key does not open the authenticator.
        AuthenticatorWrong = "authenticator-altered", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the ticket is good, but its session key does not open the authenticator: the client does not hold the key, or the token was altered or put together from two";
        /// Ticket and authenticator name different clients.
        ClientDiffers = "client-differs", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "ticket and authenticator name different clients (KRB_AP_ERR_BADMATCH): the token was put together from two";
        /// The ticket is of nobody in particular.
        AnonymousRefused = "anonymous-refused", SEC_E_LOGON_DENIED, ACCOUNT_RESTRICTION,
            "the ticket is an anonymous one (RFC 8062): it names nobody, and nobody is let in by it";
        /// The ticket is flagged INVALID.
        TicketInvalid = "ticket-invalid", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the ticket is postdated and was not validated by its KDC (flag INVALID)";
        /// The ticket's time has not begun.
        TicketNotYetValid = "ticket-not-yet-valid", SEC_E_TIME_SKEW, TIME_DIFFERENCE_AT_DC,
            "the ticket's time has not begun: the clock of this server is behind the KDC's, or the ticket is postdated";
        /// The ticket's time is over.
        TicketExpired = "ticket-expired", SEC_E_CONTEXT_EXPIRED, LOGON_FAILURE,
            "the ticket's time is over: the client must get a new one (`klist purge`), or the clock of this server is ahead";
        /// The clocks differ too much.
        ClockSkew = "clock-skew", SEC_E_TIME_SKEW, TIME_DIFFERENCE_AT_DC,
            "the clocks of client and server differ by more than `kerberos.skew_seconds`; the log says by how much. Set both by NTP";
        /// The ticket is not good from this address.
        AddressNotAllowed = "address-not-allowed", SEC_E_LOGON_DENIED, INVALID_WORKSTATION,
            "the ticket is good from certain addresses alone, and the client's is none of them: address translation, or a stolen ticket; see `kerberos.check_addresses`";
        /// The client is of another realm, and nobody checked the way.
        TransitedUnchecked = "transited-unchecked", SEC_E_LOGON_DENIED, TRUSTED_DOMAIN_FAILURE,
            "the client is of another realm, and the KDC does not say that it checked the realms between; see `kerberos.transited`";
        /// The authenticator's checksum does not fit, or is of a kind that proves nothing.
        ChecksumWrong = "checksum-wrong", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the authenticator's checksum is neither the one of GSS-API (0x8003) nor a keyed one that fits: the client is no GSS client, or the token was altered";
        /// The client is bound to no channel.
        BindingsMissing = "bindings-missing", SEC_E_BAD_BINDINGS, BAD_BINDINGS,
            "the policy demands channel bindings and the client sent none: it does not know of them, it spoke through a TLS-ending proxy, or the connection has no TLS";
        /// The client is bound to another channel.
        BindingsWrong = "bindings-wrong", SEC_E_BAD_BINDINGS, BAD_BINDINGS,
            "the client is bound to another TLS channel than this one: a relay, or a TLS-ending proxy whose certificate is not declared";
        /// The same authenticator came before.
        Replayed = "replayed", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the same token came before (KRB_AP_ERR_REPEAT): recorded and sent again, or verified twice by two filters of one request. Verify each token once, and keep a session afterwards";
        /// The replay cache is full.
        ReplayCacheFull = "replay-cache-full", SEC_E_INSUFFICIENT_MEMORY, INSUFFICIENT_RESOURCES,
            "the replay cache holds as many tokens as it may, none of which is out of date: nobody is let in until some are. Raise `kerberos.replay_entries`, and look who logs on so often";
        /// There is no PAC, and there must be one.
        PacMissing = "pac-missing", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the policy demands a PAC that names a Windows account, and the ticket has none: its KDC is not of Active Directory, or the account has `do not require authorization data`";
        /// The PAC cannot be read.
        PacMalformed(wire::Error) = "pac-malformed", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the PAC in the ticket cannot be read; the offset and field say where it goes wrong";
        /// The PAC is not signed for this service.
        PacUnsigned = "pac-unsigned", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the PAC in the ticket lacks its server signature or its KDC's";
        /// The PAC's signature is of a type that does not fit the key.
        PacSignatureType = "pac-signature-type", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the PAC's server signature is of another checksum type than that of the service's key: weaker than the ticket itself, or unkeyed (CVE-2022-37967)";
        /// The PAC's signature does not fit.
        PacSignatureWrong = "pac-signature-wrong", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the PAC's server signature does not fit: the PAC was altered, or made by someone without the service's key";
        /// Nobody asked the KDC about its signature, and somebody must.
        PacUnconfirmed = "pac-unconfirmed", SEC_E_NO_AUTHENTICATING_AUTHORITY, NO_LOGON_SERVERS,
            "the policy demands that a KDC confirms its signature in the PAC, and the authority has none to ask; see `kerberos.kdc_signature`";
        /// The PAC is of another client or ticket.
        PacClientDiffers = "pac-client-differs", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the PAC was made for another client, or for another logon of it, than the ticket says (CLIENT_INFO)";
        /// Parts of the PAC contradict each other.
        PacContradicts = "pac-contradicts", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the parts of the PAC name different accounts: it was put together from several";
        /// The forwarded credentials cannot be read.
        DelegationUnreadable = "delegation-unreadable", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the ticket that the client forwards cannot be deciphered or read";
        /// The forwarded credentials are another client's.
        DelegatedClientDiffers = "delegated-client-differs", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the client forwards a ticket of somebody else: what was forwarded would let this server act as another than the one who logged on";
        /// The third message of DCE style does not fit.
        ThirdLegWrong = "third-leg-wrong", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the client's last message of a DCE-style exchange does not fit: it was altered, or the client does not hold the session key";
        /// User-to-user is asked for, and there is no ticket for it.
        NoUserToUser = "user-to-user-not-configured", SEC_E_NO_CREDENTIALS, NOT_SUPPORTED,
            "the client wants user-to-user authentication, and no ticket-granting ticket is held for it; give the service a name (`setspn -S`) that the client can ask a ticket for";
        /// To an initiator: the credential cache has no ticket for the target.
        NoTicket = "no-ticket", SEC_E_NO_CREDENTIALS, NO_LOGON_SERVERS,
            "the credential cache holds no ticket for the service that is meant, and this initiator asks no KDC; get one first: `kvno HTTP/web.example`";
        /// To an initiator: no target was named.
        NoTarget = "no-target", SEC_E_INVALID_PARAMETER, INVALID_PARAMETER,
            "a Kerberos initiator needs to know which service it talks to: name the target, as `HTTP/web.example`";
        /// To an initiator: the ticket's time is over.
        OwnTicketExpired = "own-ticket-expired", SEC_E_CONTEXT_EXPIRED, LOGON_FAILURE,
            "the ticket in the credential cache is over, or not yet valid; get a new one";
        /// To an initiator: the server did not prove itself.
        ServerNotProved = "server-not-proved", SEC_E_WRONG_PRINCIPAL, LOGON_FAILURE,
            "the server's reply does not fit the request: it does not hold the service's key, or the reply is of another exchange";
        /// To an initiator: the server refused.
        ServerRefused(i32) = "server-refused", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "the server answered with a Kerberos error; its number and meaning stand in the message, and its own log says more";
    }
}

impl Cause {
    /// The number that a KRB-ERROR tells the client (RFC 4120 §7.5.9); `None` where Windows tells nothing either.
    pub const fn error_code(&self) -> Option<i32> {
        Some(match self {
            Self::NoKeytab | Self::NoKey => error_code::KRB_AP_ERR_NOKEY,
            Self::NoKeyVersion => error_code::KRB_AP_ERR_BADKEYVER,
            Self::WrongKey | Self::TicketGranting | Self::AuthenticatorWrong => error_code::KRB_AP_ERR_MODIFIED,
            Self::ServiceNotOurs => error_code::KRB_AP_ERR_NOT_US,
            Self::Rc4Refused | Self::UnknownEnctype => error_code::KDC_ERR_ETYPE_NOSUPP,
            Self::ClientDiffers | Self::DelegatedClientDiffers => error_code::KRB_AP_ERR_BADMATCH,
            Self::TicketInvalid | Self::TicketNotYetValid => error_code::KRB_AP_ERR_TKT_NYV,
            Self::TicketExpired => error_code::KRB_AP_ERR_TKT_EXPIRED,
            Self::ClockSkew => error_code::KRB_AP_ERR_SKEW,
            Self::AddressNotAllowed => error_code::KRB_AP_ERR_BADADDR,
            Self::TransitedUnchecked => error_code::KRB_AP_PATH_NOT_ACCEPTED,
            Self::ChecksumWrong => error_code::KRB_AP_ERR_INAPP_CKSUM,
            Self::BindingsMissing | Self::BindingsWrong => error_code::KRB_AP_ERR_BADMATCH,
            Self::Replayed => error_code::KRB_AP_ERR_REPEAT,
            Self::PacMissing
            | Self::PacMalformed(_)
            | Self::PacUnsigned
            | Self::PacSignatureType
            | Self::PacSignatureWrong
            | Self::PacUnconfirmed
            | Self::PacClientDiffers
            | Self::PacContradicts => error_code::KRB_AP_ERR_MODIFIED,
            Self::ReplayCacheFull | Self::DelegationUnreadable | Self::AnonymousRefused => error_code::KRB_ERR_GENERIC,
            Self::NoUserToUser => error_code::KRB_AP_ERR_NO_TGT,
            Self::Malformed(_)
            | Self::UnexpectedMessage
            | Self::ThirdLegWrong
            | Self::NoTicket
            | Self::NoTarget
            | Self::OwnTicketExpired
            | Self::ServerNotProved
            | Self::ServerRefused(_) => return None,
        })
    }

    /// The cause with this stable name that an authority can answer with; `None` where none has it.
    pub fn of_an_authority(name: &str) -> Option<Self> {
        [
            Self::NoKeytab,
            Self::NoKey,
            Self::NoKeyVersion,
            Self::WrongKey,
            Self::ServiceNotOurs,
            Self::TicketGranting,
            Self::Rc4Refused,
            Self::UnknownEnctype,
            Self::PacMissing,
            Self::PacUnsigned,
            Self::PacSignatureType,
            Self::PacSignatureWrong,
            Self::PacUnconfirmed,
            Self::PacClientDiffers,
            Self::PacContradicts,
            Self::Replayed,
            Self::ReplayCacheFull,
        ]
        .into_iter()
        .find(|cause| cause.row().name == name)
    }
}
