use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};
use portcullis::ntlm::keys::Key;

/// LMOWFv1 (MS-NLMP 3.3.1) of an ASCII password: what no acceptor should ever look at.
pub fn lmowf_v1(password: &str) -> Key {
    let mut padded = [0; 14];
    for (to, from) in padded.iter_mut().zip(password.to_ascii_uppercase().bytes()) {
        *to = from;
    }
    let mut hash = [0; 16];
    for (half, out) in padded.chunks(7).zip(hash.chunks_mut(8)) {
        let bits = half.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        let key: [u8; 8] = std::array::from_fn(|n| ((bits >> (49 - 7 * n)) as u8) << 1);
        let mut block = (*b"KGS!@#$%").into();
        Des::new(&key.into()).encrypt_block(&mut block);
        out.copy_from_slice(&block);
    }
    Key::new(hash)
}

#[cfg(test)]
mod tests {
    #[test]
    fn ms_nlmp_4_2_2_1_1() {
        let expected = 0xe52c_ac67_419a_9a22_4a3b_108f_3fa6_cb6d_u128.to_be_bytes();
        assert_eq!(super::lmowf_v1("Password").expose(), &expected);
    }
}
