use crate::tree::{Decoded, hex};
use portcullis_wire::ntlm::{
    Authenticate, AvFlags, AvId, AvPair, AvPairs, Challenge, Charset, Flags, Negotiate, NtResponse, Text, Version,
    message_type,
};
use portcullis_wire::{filetime, utf16};

/// An NTLM message (MS-NLMP 2.2.1).
pub(crate) fn decode(token: &[u8]) -> Decoded {
    match message_type(token) {
        Some(1) => negotiate(token),
        Some(2) => challenge(token),
        Some(3) => authenticate(token),
        Some(_) | None => Decoded::new("NTLM message of no known type", token),
    }
}

fn negotiate(token: &[u8]) -> Decoded {
    const KIND: &str = "NTLM NEGOTIATE";
    match Negotiate::decode(token) {
        Ok(message) => Decoded::new(KIND, token)
            .with("NegotiateFlags", flags(message.flags))
            .with_some("DomainName", message.domain.map(oem))
            .with_some("Workstation", message.workstation.map(oem))
            .with_some("Version", message.version.map(version)),
        Err(error) => Decoded::unreadable(KIND, token, error),
    }
}

fn challenge(token: &[u8]) -> Decoded {
    const KIND: &str = "NTLM CHALLENGE";
    match Challenge::decode(token) {
        Ok(message) => {
            let unicode = message.flags.contains(Flags::UNICODE);
            let name = if unicode { unicode_text(message.target_name) } else { oem(message.target_name) };
            let (pairs, broken) = av_pairs(message.av_pairs(), message.target_info.is_empty());
            let mut shown = Decoded::new(KIND, token)
                .with("TargetName", name)
                .with("NegotiateFlags", flags(message.flags))
                .with("ServerChallenge", hex(&message.server_challenge))
                .with_some("Version", message.version.map(version))
                .with("TargetInfo", pairs);
            shown.unreadable = broken;
            shown
        }
        Err(error) => Decoded::unreadable(KIND, token, error),
    }
}

fn authenticate(token: &[u8]) -> Decoded {
    const KIND: &str = "NTLM AUTHENTICATE";
    let message = match Authenticate::decode(token, Charset::Unicode) {
        Ok(message) => message,
        Err(error) => return Decoded::unreadable(KIND, token, error),
    };
    let mic = match message.mic() {
        None => "absent",
        Some([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) => "all zero",
        Some(_) => "present",
    };
    let key = match message.encrypted_session_key.len() {
        0 => "absent".to_owned(),
        length => format!("present, {length} bytes"),
    };
    let shown = Decoded::new(KIND, token)
        .with("UserName", text(&message.user))
        .with("DomainName", text(&message.domain))
        .with("Workstation", text(&message.workstation))
        .with("NegotiateFlags", flags(message.flags))
        .with_some("Version", message.version().map(version))
        .with("LmChallengeResponse", lm_form(message.lm_response));
    let mut shown = response(shown, &message).with("EncryptedRandomSessionKey", key).with("MIC", mic);
    if message.is_anonymous() {
        shown = shown.with("client", "anonymous: no name and no proof");
    }
    shown
}

/// The NT response: its form, and what stands in it besides the proof.
fn response(shown: Decoded, message: &Authenticate<'_>) -> Decoded {
    let length = message.nt_response.len();
    match NtResponse::decode(message.nt_response) {
        Ok(NtResponse::None) => shown.with("NtChallengeResponse", "absent"),
        Ok(NtResponse::V1(_)) => {
            shown.with("NtChallengeResponse", format!("NTLMv1, {length} bytes (the proof is not shown)"))
        }
        Ok(NtResponse::V2(response)) => {
            let (pairs, broken) = av_pairs(response.client_challenge.av_pairs.clone(), false);
            let mut shown = shown
                .with("NtChallengeResponse", format!("NTLMv2, {length} bytes (the proof is not shown)"))
                .with("AvPairs", pairs);
            shown.unreadable = broken;
            shown
        }
        Err(error) => {
            let mut shown = shown.with("NtChallengeResponse", format!("{length} bytes"));
            shown.unreadable = Some(error.to_string());
            shown
        }
    }
}

fn lm_form(response: &[u8]) -> String {
    match response {
        [] => "absent".to_owned(),
        zeros if zeros.iter().all(|byte| *byte == 0) => format!("{} zero bytes", zeros.len()),
        other => format!("{} bytes (not shown)", other.len()),
    }
}

fn flags(flags: Flags) -> String {
    let (hex, names) = (format!("{:#010x}", flags.0), format!("{flags:?}"));
    // The wire's own form begins with the number.
    match names.strip_prefix(&hex) {
        Some(names) if !names.is_empty() => format!("{hex}{names}"),
        _ => hex,
    }
}

fn version(version: Version) -> String {
    format!("{}.{} build {}, NTLM revision {}", version.major, version.minor, version.build, version.revision)
}

/// Each pair on a line, and why the list ends too soon where it does.
fn av_pairs(pairs: AvPairs<'_>, is_empty: bool) -> (Vec<String>, Option<String>) {
    let mut lines = Vec::new();
    if is_empty {
        return (lines, None);
    }
    for pair in pairs {
        match pair {
            Ok(pair) => lines.push(format!("{}: {}", av_name(pair.id), av_value(&pair))),
            Err(error) => return (lines, Some(error.to_string())),
        }
    }
    (lines, None)
}

/// Names of MS-NLMP 2.2.2.1.
fn av_name(id: AvId) -> String {
    match id {
        AvId::NB_COMPUTER_NAME => "MsvAvNbComputerName",
        AvId::NB_DOMAIN_NAME => "MsvAvNbDomainName",
        AvId::DNS_COMPUTER_NAME => "MsvAvDnsComputerName",
        AvId::DNS_DOMAIN_NAME => "MsvAvDnsDomainName",
        AvId::DNS_TREE_NAME => "MsvAvDnsTreeName",
        AvId::FLAGS => "MsvAvFlags",
        AvId::TIMESTAMP => "MsvAvTimestamp",
        AvId::SINGLE_HOST => "MsvAvSingleHost",
        AvId::TARGET_NAME => "MsvAvTargetName",
        AvId::CHANNEL_BINDINGS => "MsvAvChannelBindings",
        AvId(number) => return format!("AvId {number}"),
    }
    .to_owned()
}

fn av_value(pair: &AvPair<'_>) -> String {
    match (pair.id, pair.value) {
        (AvId::FLAGS, value) => match value.try_into().map(u32::from_le_bytes) {
            Ok(bits) => av_flags(bits),
            Err(_) => format!("{} bytes, not four: {}", value.len(), hex(value)),
        },
        (AvId::TIMESTAMP, value) => match value.try_into().map(u64::from_le_bytes) {
            Ok(ticks) => time(ticks),
            Err(_) => format!("{} bytes, not eight: {}", value.len(), hex(value)),
        },
        (AvId::CHANNEL_BINDINGS, value) if value.iter().all(|byte| *byte == 0) => {
            "all zero: the client knows of bindings and sees no channel".to_owned()
        }
        (AvId::CHANNEL_BINDINGS | AvId::SINGLE_HOST, value) => hex(value),
        (AvId(1..=5 | 9), value) => unicode_text(value),
        (_, value) => format!("{} bytes: {}", value.len(), hex(value.get(..32).unwrap_or(value))),
    }
}

fn av_flags(bits: u32) -> String {
    let names = [
        (AvFlags::CONSTRAINED, "constrained"),
        (AvFlags::MIC, "the message has a MIC"),
        (AvFlags::UNVERIFIED_TARGET, "the target comes from an unverified source"),
    ];
    let names: Vec<_> = names.iter().filter(|(bit, _)| AvFlags(bits).has(*bit)).map(|(_, name)| *name).collect();
    match names.is_empty() {
        true => format!("{bits:#x}"),
        false => format!("{bits:#x}: {}", names.join(", ")),
    }
}

/// A FILETIME as a date in UTC.
fn time(ticks: u64) -> String {
    let date = filetime::to_system(ticks).and_then(|time| jiff::Timestamp::try_from(time).ok());
    date.map_or_else(|| format!("{ticks} (no date)"), |date| date.to_string())
}

fn text(name: &Text<'_>) -> String {
    name.decode().unwrap_or_else(|_| format!("no text: {}", hex(name.bytes)))
}

fn unicode_text(bytes: &[u8]) -> String {
    utf16::decode(bytes, 0, "text").unwrap_or_else(|_| format!("no text: {}", hex(bytes)))
}

/// OEM text: ASCII is the same in every code page.
fn oem(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => text.to_owned(),
        _ => format!("in a code page that is not told: {}", hex(bytes)),
    }
}
