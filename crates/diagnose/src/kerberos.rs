use crate::tree::Decoded;
use portcullis_wire::der::{Der, Oid};
use portcullis_wire::spnego::{name, unframe};

/// A token in a GSS frame that names Kerberos or another mechanism. What is inside is named, not read.
pub(crate) fn decode(token: &[u8], oid: Oid<'_>) -> Decoded {
    if let Some(bare) = bare(token) {
        return bare;
    }
    let known = name(oid);
    let mechanism = known.map_or_else(|| oid.to_string(), |name| format!("{name} ({oid})"));
    let kind = match known {
        Some(name) if name.starts_with("Kerberos") || name == "IAKERB" => "Kerberos token",
        Some(_) | None => "GSS token",
    };
    let inner = match unframe(&Der::new(token)) {
        Ok((_, inner)) => inner,
        Err(error) => return Decoded::unreadable(kind, token, error),
    };
    Decoded::new(kind, token)
        .with("thisMech", mechanism)
        .with_some("TOK_ID", inner.rest().first_chunk::<2>().map(|id| token_id(*id)))
}

/// A Kerberos message without a frame, as DCE style has it: known by its application tag (RFC 4120 §5.10).
pub(crate) fn bare(token: &[u8]) -> Option<Decoded> {
    let kind = match token.first()? {
        0x6e => "Kerberos AP-REQ without a frame",
        0x6f => "Kerberos AP-REP without a frame",
        0x7e => "Kerberos KRB-ERROR without a frame",
        _ => return None,
    };
    Some(Decoded::new(kind, token))
}

/// The two bytes that say which message it is (RFC 4121 §4.1; user-to-user and the Windows forms besides).
fn token_id(id: [u8; 2]) -> String {
    let name = match id {
        [0x01, 0x00] => "AP-REQ",
        [0x02, 0x00] => "AP-REP",
        [0x03, 0x00] => "KRB-ERROR",
        [0x04, 0x00] => "TGT-REQ",
        [0x04, 0x01] => "TGT-REP",
        [0x04, 0x04] => "MIC token",
        [0x05, 0x04] => "Wrap token",
        _ => "unknown",
    };
    let [first, second] = id;
    format!("{name} ({first:02x} {second:02x})")
}
