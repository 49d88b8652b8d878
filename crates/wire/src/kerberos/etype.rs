//! Numbers of encryption types (RFC 3961 §8 and the registry that it began).

/// des-cbc-crc.
pub const DES_CBC_CRC: i32 = 1;
/// des-cbc-md4.
pub const DES_CBC_MD4: i32 = 2;
/// des-cbc-md5.
pub const DES_CBC_MD5: i32 = 3;
/// des3-cbc-sha1.
pub const DES3_CBC_SHA1: i32 = 16;
/// aes128-cts-hmac-sha1-96 (RFC 3962).
pub const AES128_SHA1: i32 = 17;
/// aes256-cts-hmac-sha1-96 (RFC 3962).
pub const AES256_SHA1: i32 = 18;
/// aes128-cts-hmac-sha256-128 (RFC 8009).
pub const AES128_SHA256: i32 = 19;
/// aes256-cts-hmac-sha384-192 (RFC 8009).
pub const AES256_SHA384: i32 = 20;
/// rc4-hmac, also called arcfour-hmac (RFC 4757).
pub const RC4_HMAC: i32 = 23;
/// rc4-hmac-exp (RFC 4757): 40 bits.
pub const RC4_HMAC_EXP: i32 = 24;
/// camellia128-cts-cmac (RFC 6803).
pub const CAMELLIA128: i32 = 25;
/// camellia256-cts-cmac (RFC 6803).
pub const CAMELLIA256: i32 = 26;

/// The registered name of an encryption type; `None` for one that has none here.
pub const fn name(number: i32) -> Option<&'static str> {
    Some(match number {
        DES_CBC_CRC => "des-cbc-crc",
        DES_CBC_MD4 => "des-cbc-md4",
        DES_CBC_MD5 => "des-cbc-md5",
        DES3_CBC_SHA1 => "des3-cbc-sha1",
        AES128_SHA1 => "aes128-cts-hmac-sha1-96",
        AES256_SHA1 => "aes256-cts-hmac-sha1-96",
        AES128_SHA256 => "aes128-cts-hmac-sha256-128",
        AES256_SHA384 => "aes256-cts-hmac-sha384-192",
        RC4_HMAC => "rc4-hmac",
        RC4_HMAC_EXP => "rc4-hmac-exp",
        CAMELLIA128 => "camellia128-cts-cmac",
        CAMELLIA256 => "camellia256-cts-cmac",
        _ => return None,
    })
}
