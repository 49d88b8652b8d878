use crate::Error;
use crate::der::{Constructed, Der, Oid, tag};

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
    Constructed::new().with(tag::OID, mechanism.0).with_encoded(inner).end(tag::APPLICATION_0, out);
}
