use super::sound;
use portcullis_wire::der::complete_len;
use portcullis_wire::spnego::{FirstToken, MechTypes, NegTokenInit, NegTokenResp};

/// The messages of SPNEGO: no panic; what was read and written again reads the same; the list's bytes are those that came.
pub fn spnego(bytes: &[u8]) {
    if let Some(init) = sound(bytes, NegTokenInit::decode(bytes)) {
        assert_eq!(FirstToken::recognise(bytes), FirstToken::Spnego);
        assert_eq!(complete_len(bytes, usize::MAX), Ok(Some(bytes.len())), "nothing stands behind a message");
        assert!(bytes.windows(init.mech_types.raw.len()).any(|window| window == init.mech_types.raw));
        let oids: Vec<_> = init.mech_types.iter().collect();
        assert!((1..=64).contains(&oids.len()));
        assert_eq!(MechTypes::encode(&oids), init.mech_types.raw, "the list is DER, so it has one form");
        let mut again = Vec::new();
        init.encode(&mut again);
        // What is written is the RFC's form, which has no hint.
        assert_eq!(NegTokenInit::decode(&again), Ok(NegTokenInit { hint_name: None, ..init }));
    }
    if let Some(response) = sound(bytes, NegTokenResp::decode(bytes)) {
        assert_eq!(FirstToken::recognise(bytes), FirstToken::Response);
        assert_eq!(complete_len(bytes, usize::MAX), Ok(Some(bytes.len())));
        let mut again = Vec::new();
        response.encode(&mut again);
        assert_eq!(NegTokenResp::decode(&again), Ok(response));
    }
    // How long a message is does not depend on how much of it came.
    let whole = complete_len(bytes, 1 << 20);
    for len in 0..bytes.len().min(8) {
        match complete_len(&bytes[..len], 1 << 20) {
            Ok(None) => {}
            known => assert_eq!(known, whole, "at {len} bytes"),
        }
    }
}
