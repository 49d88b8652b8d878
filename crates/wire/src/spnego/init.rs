use super::{MechTypes, SPNEGO, frame, unframe};
use crate::der::{Constructed, Der, Oid, tag};
use crate::{Error, Kind};

/// NegTokenInit (RFC 4178 §4.2.1) and NegTokenInit2 (MS-SPNG 2.2.1): what a side offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NegTokenInit<'a> {
    /// The mechanisms, the most wanted first.
    pub mech_types: MechTypes<'a>,
    /// ContextFlags, as the bit string's content. Acceptors ignore it.
    pub req_flags: Option<&'a [u8]>,
    /// The first token of the first mechanism, ahead of the agreement.
    pub mech_token: Option<&'a [u8]>,
    /// The hint's name: Windows servers send a constant.
    pub hint_name: Option<&'a [u8]>,
    /// A signature over the list.
    pub mech_list_mic: Option<&'a [u8]>,
}

/// The hintName that Windows has sent since 2008.
pub const HINT_NAME: &[u8] = b"not_defined_in_RFC4178@please_ignore";

impl<'a> NegTokenInit<'a> {
    /// Decodes the message, in its GSS frame or without.
    ///
    /// # Errors
    /// With the offset and the field: not DER, a field out of order, an empty list, bytes behind the message.
    pub fn decode(raw: &'a [u8]) -> Result<Self, Error> {
        let mut der = Der::new(raw);
        if der.peek() == Some(tag::APPLICATION_0) {
            let (oid, inner) = unframe(&der)?;
            if oid != SPNEGO {
                return Err(Error::new(der.offset(), "thisMech", Kind::Unexpected));
            }
            der = inner;
        }
        let mut choice = der.take(tag::context(0), "negTokenInit")?;
        der.finish("NegotiationToken")?;
        let mut init = choice.take(tag::SEQUENCE, "negTokenInit")?;
        choice.finish("negTokenInit")?;
        let mech_types = MechTypes::read(&mut init.take(tag::context(0), "mechTypes")?)?;
        let req_flags = match init.optional(tag::context(1), "reqFlags")? {
            Some(mut flags) => Some(flags.bytes(tag::BIT_STRING, "reqFlags")?),
            None => None,
        };
        let mech_token = octets(&mut init, 2, "mechToken")?;
        // Field 3 is the signature in the RFC's message and the hint in Microsoft's, whose signature is field 4.
        let (mut hint_name, mut mech_list_mic) = (None, None);
        if let Some(mut third) = init.optional(tag::context(3), "mechListMIC")? {
            match third.optional(tag::SEQUENCE, "negHints")? {
                Some(hints) => hint_name = read_hint(hints)?,
                None => mech_list_mic = Some(third.bytes(tag::OCTET_STRING, "mechListMIC")?),
            }
            third.finish("mechListMIC")?;
        }
        if mech_list_mic.is_none() {
            mech_list_mic = octets(&mut init, 4, "mechListMIC")?;
        }
        ignore_unknown(&mut init, 5, "negTokenInit")?;
        Ok(Self { mech_types, req_flags, mech_token, hint_name, mech_list_mic })
    }

    /// Appends the RFC's message, in its GSS frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let fields = Constructed::new()
            .with(tag::context(0), self.mech_types.raw)
            .with_optional(tag::context(1), tag::BIT_STRING, self.req_flags)
            .with_optional(tag::context(2), tag::OCTET_STRING, self.mech_token)
            .with_optional(tag::context(3), tag::OCTET_STRING, self.mech_list_mic);
        frame_init(fields, out);
    }

    /// Appends Microsoft's message that a server sends before the client has spoken (MS-SPNG 3.2.5.2).
    pub fn encode_hint(mechanisms: &[Oid<'_>], out: &mut Vec<u8>) {
        let name = Constructed::new().with(tag::GENERAL_STRING, HINT_NAME).into_tlv(tag::context(0));
        let hints = Constructed::new().with_encoded(&name).into_tlv(tag::SEQUENCE);
        let fields =
            Constructed::new().with(tag::context(0), &MechTypes::encode(mechanisms)).with(tag::context(3), &hints);
        frame_init(fields, out);
    }
}

fn frame_init(fields: Constructed, out: &mut Vec<u8>) {
    let init = Constructed::new().with_encoded(&fields.into_tlv(tag::SEQUENCE)).into_tlv(tag::context(0));
    frame(SPNEGO, &init, out);
}

/// The hint's name, where it has one; its address means nothing (MS-SPNG 2.2.1).
fn read_hint<'a>(mut hints: Der<'a>) -> Result<Option<&'a [u8]>, Error> {
    let Some(mut name) = hints.optional(tag::context(0), "hintName")? else { return Ok(None) };
    name.bytes(tag::GENERAL_STRING, "hintName").map(Some)
}

/// The OCTET STRING in the explicit tag `number`, where there is one.
pub(super) fn octets<'a>(der: &mut Der<'a>, number: u8, field: &'static str) -> Result<Option<&'a [u8]>, Error> {
    let Some(mut explicit) = der.optional(tag::context(number), field)? else { return Ok(None) };
    let bytes = explicit.bytes(tag::OCTET_STRING, field)?;
    explicit.finish(field).map(|()| Some(bytes))
}

/// Skips fields that a later version may add: tags from `[first]` on, in rising order.
pub(super) fn ignore_unknown(der: &mut Der<'_>, first: u8, field: &'static str) -> Result<(), Error> {
    let mut least = tag::context(first);
    while der.peek().is_some() {
        let at = der.offset();
        let (found, _) = der.any(field)?;
        if found < least || found & 0xe0 != 0xa0 {
            return Err(Error::new(at, field, Kind::Unexpected));
        }
        least = found.saturating_add(1);
    }
    Ok(())
}
