//! Kerberos 5 (RFC 4120), and its GSS mechanism (RFC 4121, RFC 1964, RFC 4757).

pub mod pac;
