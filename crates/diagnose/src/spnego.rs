use crate::tree::{Decoded, Value, hex};
use portcullis_wire::der::Oid;
use portcullis_wire::spnego::{NegTokenInit, NegTokenResp, name};

/// NegTokenInit, or NegTokenInit2 where it has a hint (RFC 4178 §4.2.1, MS-SPNG 2.2.1).
pub(crate) fn offer(token: &[u8]) -> Decoded {
    let init = match NegTokenInit::decode(token) {
        Ok(init) => init,
        Err(error) => return Decoded::unreadable("SPNEGO NegTokenInit", token, error),
    };
    let kind = if init.hint_name.is_some() { "SPNEGO NegTokenInit2" } else { "SPNEGO NegTokenInit" };
    let mechanisms: Vec<_> = init.mech_types.iter().map(mechanism).collect();
    Decoded::new(kind, token)
        .with("mechTypes", mechanisms)
        .with_some("reqFlags", init.req_flags.map(hex))
        .with_some("mechToken", init.mech_token.map(crate::decode))
        .with_some("hintName", init.hint_name.map(|name| String::from_utf8_lossy(name).into_owned()))
        .with_some("mechListMIC", init.mech_list_mic.map(|mic| signature(mic, init.mech_token)))
}

/// NegTokenResp (RFC 4178 §4.2.2).
pub(crate) fn response(token: &[u8]) -> Decoded {
    const KIND: &str = "SPNEGO NegTokenResp";
    match NegTokenResp::decode(token) {
        Ok(response) => Decoded::new(KIND, token)
            .with_some("negState", response.state.map(|state| state.name()))
            .with_some("supportedMech", response.supported_mech.map(mechanism))
            .with_some("responseToken", response.response_token.map(crate::decode))
            .with_some("mechListMIC", response.mech_list_mic.map(|mic| signature(mic, response.response_token))),
        Err(error) => Decoded::unreadable(KIND, token, error),
    }
}

fn mechanism(oid: Oid<'_>) -> String {
    name(oid).map_or_else(|| oid.to_string(), |name| format!("{name} ({oid})"))
}

fn signature(mic: &[u8], token: Option<&[u8]>) -> Value {
    match Some(mic) == token {
        true => "the token once more, as Windows 2000 has it: no signature".into(),
        false => format!("present, {} bytes", mic.len()).into(),
    }
}
