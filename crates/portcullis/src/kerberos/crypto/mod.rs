//! Encryption types: encryption, checksums and key derivation (RFC 3961).
