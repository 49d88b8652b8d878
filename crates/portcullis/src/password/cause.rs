use crate::failure::causes;

causes! {
    /// Why the plain-password package refuses. What an authority refuses is [`crate::Refusal`].
    pub enum Cause in "password" {
        /// The token is not `user:password` in UTF-8.
        Malformed = "malformed-token", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the credentials are not `user:password` in UTF-8 (RFC 7617 §2)";
        /// The password is empty: an unauthenticated bind, never a logon.
        Empty = "empty-password", SEC_E_LOGON_DENIED, ACCOUNT_RESTRICTION,
            "the client sent an empty password, which proves nothing";
    }
}
