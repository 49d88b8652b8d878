//! error-code of a KRB-ERROR (RFC 4120 §7.5.9): those that an acceptor sends, and those that it or its clients meet.

macro_rules! codes {
    ($($name:ident = $code:literal, $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $name: i32 = $code;)*
        /// Every code that has a name here: the code, its name, what it means. In rising order.
        pub const TABLE: &[(i32, &str, &str)] = &[$(($name, stringify!($name), $meaning),)*];
    };
}

codes! {
    KDC_ERR_NONE = 0, "No error.";
    KDC_ERR_NAME_EXP = 1, "The client's entry has expired.";
    KDC_ERR_SERVICE_EXP = 2, "The service's entry has expired.";
    KDC_ERR_BAD_PVNO = 3, "The protocol's version is not spoken.";
    KDC_ERR_C_OLD_MAST_KVNO = 4, "The client's key is under an old master key.";
    KDC_ERR_S_OLD_MAST_KVNO = 5, "The service's key is under an old master key.";
    KDC_ERR_C_PRINCIPAL_UNKNOWN = 6, "There is no such client.";
    KDC_ERR_S_PRINCIPAL_UNKNOWN = 7, "There is no such service.";
    KDC_ERR_PRINCIPAL_NOT_UNIQUE = 8, "Several entries have the name.";
    KDC_ERR_NULL_KEY = 9, "The client or the service has no key.";
    KDC_ERR_CANNOT_POSTDATE = 10, "The ticket may not be postdated.";
    KDC_ERR_NEVER_VALID = 11, "The ticket would end before it begins.";
    KDC_ERR_POLICY = 12, "Policy forbids it.";
    KDC_ERR_BADOPTION = 13, "An option cannot be granted.";
    KDC_ERR_ETYPE_NOSUPP = 14, "No encryption type is common.";
    KDC_ERR_SUMTYPE_NOSUPP = 15, "The checksum type is not supported.";
    KDC_ERR_PADATA_TYPE_NOSUPP = 16, "The pre-authentication type is not supported.";
    KDC_ERR_TRTYPE_NOSUPP = 17, "The form of the transited realms is not supported.";
    KDC_ERR_CLIENT_REVOKED = 18, "The client is disabled, locked, or may not log on now.";
    KDC_ERR_SERVICE_REVOKED = 19, "The service is disabled.";
    KDC_ERR_TGT_REVOKED = 20, "The ticket-granting ticket was revoked.";
    KDC_ERR_CLIENT_NOTYET = 21, "The client is not valid yet.";
    KDC_ERR_SERVICE_NOTYET = 22, "The service is not valid yet.";
    KDC_ERR_KEY_EXPIRED = 23, "The password has expired.";
    KDC_ERR_PREAUTH_FAILED = 24, "The client's proof is wrong: most often the password.";
    KDC_ERR_PREAUTH_REQUIRED = 25, "The client must prove itself first.";
    KDC_ERR_SERVER_NOMATCH = 26, "Ticket and request name different services.";
    KDC_ERR_MUST_USE_USER2USER = 27, "The service can be reached by user-to-user only.";
    KDC_ERR_PATH_NOT_ACCEPTED = 28, "The realms in between are not accepted.";
    KDC_ERR_SVC_UNAVAILABLE = 29, "A service that is needed cannot be reached.";
    KRB_AP_ERR_BAD_INTEGRITY = 31, "Something decrypted does not prove whole.";
    KRB_AP_ERR_TKT_EXPIRED = 32, "The ticket has expired.";
    KRB_AP_ERR_TKT_NYV = 33, "The ticket is not valid yet.";
    KRB_AP_ERR_REPEAT = 34, "The request was seen before.";
    KRB_AP_ERR_NOT_US = 35, "The ticket is for another service.";
    KRB_AP_ERR_BADMATCH = 36, "Ticket and authenticator name different clients.";
    KRB_AP_ERR_SKEW = 37, "The clocks differ too much.";
    KRB_AP_ERR_BADADDR = 38, "The ticket is for another address.";
    KRB_AP_ERR_BADVERSION = 39, "The protocol's version does not fit.";
    KRB_AP_ERR_MSG_TYPE = 40, "The message is of another type.";
    KRB_AP_ERR_MODIFIED = 41, "The message was changed, or the ticket is under another key than the service's.";
    KRB_AP_ERR_BADORDER = 42, "The message is out of order.";
    KRB_AP_ERR_BADKEYVER = 44, "The service has no key of this version.";
    KRB_AP_ERR_NOKEY = 45, "The service has no key.";
    KRB_AP_ERR_MUT_FAIL = 46, "The service did not prove itself.";
    KRB_AP_ERR_BADDIRECTION = 47, "The message goes the wrong way.";
    KRB_AP_ERR_METHOD = 48, "Another method of authentication is required.";
    KRB_AP_ERR_BADSEQ = 49, "The sequence number is wrong.";
    KRB_AP_ERR_INAPP_CKSUM = 50, "The checksum is of a type that does not fit.";
    KRB_AP_PATH_NOT_ACCEPTED = 51, "The realms in between are not accepted.";
    KRB_ERR_RESPONSE_TOO_BIG = 52, "The answer is too long for UDP.";
    KRB_ERR_GENERIC = 60, "Something else; the text may say.";
    KRB_ERR_FIELD_TOOLONG = 61, "A field is too long.";
    KDC_ERR_CLIENT_NOT_TRUSTED = 62, "The client's certificate is not trusted.";
    KDC_ERR_KDC_NOT_TRUSTED = 63, "The issuer's certificate is not trusted.";
    KDC_ERR_INVALID_SIG = 64, "The signature is wrong.";
    KDC_ERR_KEY_TOO_WEAK = 65, "The key is too weak.";
    KRB_AP_ERR_USER_TO_USER_REQUIRED = 66, "User-to-user is required.";
    KRB_AP_ERR_NO_TGT = 67, "No ticket-granting ticket was presented.";
    KDC_ERR_WRONG_REALM = 68, "The name belongs to another realm.";
}

/// Name and meaning of a code; `None` for one that has none here.
pub fn lookup(code: i32) -> Option<(&'static str, &'static str)> {
    TABLE.iter().find(|(number, ..)| *number == code).map(|(_, name, meaning)| (*name, *meaning))
}
