use crate::tree::Decoded;
use portcullis_wire::der::{Der, Oid};
use portcullis_wire::kerberos::{
    ApRep, ApReq, EncryptedData, InnerToken, KerbErrorData, KerbExtError, KerberosTime, KrbError, MicHeader,
    PrincipalName, PrincipalText, Rc4Mic, Rc4Wrap, TgtReply, TgtRequest, Ticket, WrapHeader, error_code, etype,
    token_flag,
};
use portcullis_wire::spnego::{name, unframe};

/// A token in a GSS frame that names Kerberos or another mechanism. Of Kerberos what is not encrypted is read.
pub(crate) fn decode(token: &[u8], oid: Oid<'_>) -> Decoded {
    if let Some(bare) = bare(token) {
        return bare;
    }
    let known = name(oid);
    let mechanism = known.map_or_else(|| oid.to_string(), |name| format!("{name} ({oid})"));
    let is_kerberos = known.is_some_and(|name| name.starts_with("Kerberos"));
    let kind = match known {
        Some(name) if is_kerberos || name == "IAKERB" => "Kerberos token",
        Some(_) | None => "GSS token",
    };
    let inner = match unframe(&Der::new(token)) {
        Ok((_, inner)) => inner,
        Err(error) => return Decoded::unreadable(kind, token, error),
    };
    let shown = Decoded::new(kind, token).with("thisMech", mechanism);
    let Some((id, body)) = inner.rest().split_first_chunk::<2>() else { return shown };
    let shown = shown.with("TOK_ID", token_id(*id));
    match (InnerToken::from_token_id(*id), id) {
        (Some(message), _) if is_kerberos => shown.with("message", message_of(message, body)),
        (None, [1 | 2, 1]) if is_kerberos => old_per_message(shown, token),
        _ => shown,
    }
}

/// A token without a frame: a message of DCE style, known by its application tag (RFC 4120 §5.10), or a per-message
/// token of RFC 4121.
pub(crate) fn bare(token: &[u8]) -> Option<Decoded> {
    Some(match token {
        [0x6e, ..] => Decoded { kind: "Kerberos AP-REQ without a frame", ..message_of(InnerToken::ApReq, token) },
        [0x6f, ..] => Decoded { kind: "Kerberos AP-REP without a frame", ..message_of(InnerToken::ApRep, token) },
        [0x7e, ..] => Decoded { kind: "Kerberos KRB-ERROR without a frame", ..message_of(InnerToken::KrbError, token) },
        [4, 4, ..] => mic(token, MicHeader::decode(token).ok()?),
        [5, 4, ..] => wrap(token, WrapHeader::decode(token).ok()?),
        _ => return None,
    })
}

/// The two bytes that say which message it is (RFC 4121 §4.1, RFC 1964 §1.2; user-to-user besides).
fn token_id(id: [u8; 2]) -> String {
    let name = match id {
        [0x01, 0x00] => "AP-REQ",
        [0x02, 0x00] => "AP-REP",
        [0x03, 0x00] => "KRB-ERROR",
        [0x04, 0x00] => "TGT-REQ",
        [0x04, 0x01] => "TGT-REP",
        [0x01, 0x01] => "MIC token of RFC 1964",
        [0x02, 0x01] => "Wrap token of RFC 1964",
        [0x04, 0x04] => "MIC token",
        [0x05, 0x04] => "Wrap token",
        _ => "unknown",
    };
    let [first, second] = id;
    format!("{name} ({first:02x} {second:02x})")
}

fn message_of(kind: InnerToken, body: &[u8]) -> Decoded {
    let (name, read) = match kind {
        InnerToken::ApReq => ("AP-REQ", ApReq::decode(body).map(|message| ap_req(body, &message))),
        InnerToken::ApRep => ("AP-REP", ApRep::decode(body).map(|message| ap_rep(body, &message))),
        InnerToken::KrbError => ("KRB-ERROR", KrbError::decode(body).map(|message| krb_error(body, &message))),
        InnerToken::TgtReq => ("TGT-REQ", TgtRequest::decode(body).map(|message| tgt_request(body, &message))),
        InnerToken::TgtRep => ("TGT-REP", TgtReply::decode(body).map(|message| tgt_reply(body, &message))),
    };
    read.unwrap_or_else(|error| Decoded::unreadable(name, body, error))
}

fn ap_req(body: &[u8], message: &ApReq<'_>) -> Decoded {
    let names = [(ApReq::USE_SESSION_KEY, " use-session-key"), (ApReq::MUTUAL_REQUIRED, " mutual-required")];
    let set: String = names.iter().filter(|(bit, _)| message.options & bit != 0).map(|(_, name)| *name).collect();
    Decoded::new("AP-REQ", body)
        .with("ap-options", format!("{:#010x}{set}", message.options))
        .with("ticket", ticket(&message.ticket))
        .with("authenticator", encrypted(&message.authenticator))
}

fn ap_rep(body: &[u8], message: &ApRep<'_>) -> Decoded {
    Decoded::new("AP-REP", body).with("enc-part", encrypted(&message.enc_part))
}

fn krb_error(body: &[u8], message: &KrbError<'_>) -> Decoded {
    let code = match error_code::lookup(message.error_code) {
        Some((name, meaning)) => format!("{} {name}: {meaning}", message.error_code),
        None => message.error_code.to_string(),
    };
    let client = |name: PrincipalName<'_>| principal(name, message.crealm.unwrap_or_default());
    Decoded::new("KRB-ERROR", body)
        .with("error-code", code)
        .with_some("ctime", message.ctime.map(|time| moment(time, message.cusec.unwrap_or(0))))
        .with("stime", moment(message.stime, message.susec))
        .with_some("crealm", message.crealm.map(text))
        .with_some("cname", message.cname.map(client))
        .with("realm", text(message.realm))
        .with("sname", principal(message.sname, message.realm))
        .with_some("e-text", message.e_text.map(text))
        .with_some("e-data", message.e_data.map(error_data))
}

fn tgt_request(body: &[u8], message: &TgtRequest<'_>) -> Decoded {
    let server = |name: PrincipalName<'_>| principal(name, message.realm.unwrap_or_default());
    Decoded::new("TGT-REQ", body)
        .with_some("server-name", message.server_name.map(server))
        .with_some("realm", message.realm.map(text))
}

fn tgt_reply(body: &[u8], message: &TgtReply<'_>) -> Decoded {
    Decoded::new("TGT-REP", body).with("ticket", ticket(&message.ticket))
}

fn ticket(ticket: &Ticket<'_>) -> Decoded {
    Decoded::new("Ticket", ticket.raw)
        .with("realm", text(ticket.realm))
        .with("sname", principal(ticket.sname, ticket.realm))
        .with("enc-part", encrypted(&ticket.enc_part))
}

/// What Windows puts into e-data (MS-KILE 2.2.2); anything else is told by its length.
fn error_data(data: &[u8]) -> String {
    let Ok(read) = KerbErrorData::decode(data) else { return format!("{} bytes", data.len()) };
    match (read.data_type, read.data_value) {
        (KerbErrorData::SKEW_RECOVERY, _) => "KERB-ERROR-DATA: the client may correct its clock and try again".into(),
        (KerbErrorData::EXTENDED, Some(value)) => match KerbExtError::decode(value) {
            Ok(reason) => format!("KERB_EXT_ERROR: NTSTATUS {:#010x}, flags {}", reason.status, reason.flags),
            Err(_) => format!("KERB-ERROR-DATA of type 3, {} bytes", value.len()),
        },
        (kind, value) => format!("KERB-ERROR-DATA of type {kind}, {} bytes", value.unwrap_or_default().len()),
    }
}

fn mic(token: &[u8], header: MicHeader) -> Decoded {
    Decoded::new("Kerberos MIC token", token)
        .with("Flags", flags(header.flags))
        .with("SND_SEQ", header.seq.to_string())
        .with("SGN_CKSUM", format!("{} bytes", token.len().saturating_sub(MicHeader::LEN)))
}

fn wrap(token: &[u8], header: WrapHeader) -> Decoded {
    Decoded::new("Kerberos Wrap token", token)
        .with("Flags", flags(header.flags))
        .with("EC", header.ec.to_string())
        .with("RRC", header.rrc.to_string())
        .with("SND_SEQ", header.seq.to_string())
        .with("data", format!("{} bytes", token.len().saturating_sub(WrapHeader::LEN)))
}

/// The tokens of RFC 1964, which RC4 has kept (RFC 4757 §7).
fn old_per_message(shown: Decoded, token: &[u8]) -> Decoded {
    let sgn_alg = |number: u16| match number {
        Rc4Mic::HMAC => "0x0011 HMAC-MD5".to_owned(),
        other => format!("{other:#06x}"),
    };
    let seal_alg = |number: u16| match number {
        Rc4Wrap::RC4 => "0x0010 RC4".to_owned(),
        Rc4Wrap::NONE => "0xffff none".to_owned(),
        other => format!("{other:#06x}"),
    };
    let read = Rc4Mic::decode(token).map(|mic| shown.clone().with("SGN_ALG", sgn_alg(mic.sgn_alg)));
    let read = read.or_else(|error| match Rc4Wrap::decode(token) {
        Ok(wrap) => Ok(shown
            .clone()
            .with("SGN_ALG", sgn_alg(wrap.sgn_alg))
            .with("SEAL_ALG", seal_alg(wrap.seal_alg))
            .with("data", format!("{} bytes", wrap.payload.len()))),
        // A Wrap token's error is of interest only where it begins like one.
        Err(other) if other.field != "TOK_ID" => Err(other),
        Err(_) => Err(error),
    });
    read.unwrap_or_else(|error| Decoded { unreadable: Some(error.to_string()), ..shown })
}

fn flags(flags: u8) -> String {
    let names = [
        (token_flag::SENT_BY_ACCEPTOR, " sent-by-acceptor"),
        (token_flag::SEALED, " sealed"),
        (token_flag::ACCEPTOR_SUBKEY, " acceptor-subkey"),
    ];
    let set: String = names.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect();
    format!("{flags:#04x}{set}")
}

fn encrypted(data: &EncryptedData<'_>) -> String {
    let number = data.etype;
    let kind = etype::name(number).map_or_else(|| format!("type {number}"), |name| format!("{name} ({number})"));
    let kvno = data.kvno.map(|kvno| format!(", key version {kvno}")).unwrap_or_default();
    format!("{kind}{kvno}, {} bytes", data.cipher.len())
}

fn principal(name: PrincipalName<'_>, realm: &[u8]) -> String {
    format!("{} (type {})", PrincipalText { name, realm }, name.name_type)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn moment(time: KerberosTime, microseconds: u32) -> String {
    let nanoseconds = i32::try_from(microseconds).unwrap_or(0).saturating_mul(1000);
    match jiff::Timestamp::new(time.0, nanoseconds) {
        Ok(moment) => moment.to_string(),
        Err(_) => text(&time.to_text()),
    }
}
