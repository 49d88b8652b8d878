use crate::Error;
use crate::der::{Der, Oid, enclose, tag, tlv};

/// Takes the frame of a first GSS token off (RFC 2743 §3.1): the mechanism that it names, and what is inside. The
/// inside is the mechanism's and need not be DER.
///
/// # Errors
/// With the offset and the field: not DER, no OID, bytes behind the frame.
pub fn unframe<'a>(der: &Der<'a>) -> Result<(Oid<'a>, Der<'a>), Error> {
    let mut der = der.clone();
    let mut frame = der.take(tag::APPLICATION_0, "InitialContextToken")?;
    der.finish("InitialContextToken")?;
    let oid = frame.oid("thisMech")?;
    Ok((oid, frame))
}

/// Appends `inner` in the frame of a first GSS token.
pub fn frame(mechanism: Oid<'_>, inner: &[u8], out: &mut Vec<u8>) {
    frame_parts(mechanism, &[inner], out);
}

/// The same of an inside in parts.
pub(crate) fn frame_parts(mechanism: Oid<'_>, inner: &[&[u8]], out: &mut Vec<u8>) {
    let start = out.len();
    tlv(tag::OID, mechanism.0, out);
    inner.iter().for_each(|part| out.extend_from_slice(part));
    enclose(tag::APPLICATION_0, start, out);
}
