//! What is in a PAC, in the words of `vectors/pac-samba.py`.

use portcullis_wire::kerberos::pac::{
    Attributes, Buffer, BufferType, ClaimValues, ClaimsMetadata, ClientInfo, Delegation, DeviceInfo, LogonInfo, Pac,
    RequesterSid, Signature, UpnDnsInfo,
};
use portcullis_wire::sid::Sid;
use portcullis_wire::{Error, Kind};

/// Each value, a line each.
///
/// # Errors
/// That of the first buffer that cannot be read.
pub(crate) fn describe(pac: &[u8]) -> Result<Vec<String>, Error> {
    let pac = Pac::decode(pac)?;
    let mut lines: Vec<String> = pac
        .buffers()
        .map(|Buffer { buffer_type, bytes, .. }| format!("buffer: {:#x} {}", buffer_type.0, bytes.len()))
        .collect();
    for buffer in pac.buffers() {
        lines.extend(content(buffer)?);
    }
    Ok(lines)
}

fn content(Buffer { buffer_type, bytes, .. }: Buffer<'_>) -> Result<Vec<String>, Error> {
    Ok(match buffer_type {
        BufferType::LOGON_INFO => logon_info(&LogonInfo::decode(bytes)?),
        BufferType::SERVER_SIGNATURE => signature("server", bytes)?,
        BufferType::KDC_SIGNATURE => signature("kdc", bytes)?,
        BufferType::TICKET_SIGNATURE => signature("ticket", bytes)?,
        BufferType::FULL_SIGNATURE => signature("full", bytes)?,
        BufferType::CLIENT_INFO => {
            let ClientInfo { client_id, name } = ClientInfo::decode(bytes)?;
            vec![format!("client-id: {client_id}"), format!("client-name: {name}")]
        }
        BufferType::DELEGATION => {
            let read = Delegation::decode(bytes)?;
            let transited = read.transited_services.iter().map(|service| format!("transited: {service}"));
            [format!("proxy-target: {}", read.proxy_target)].into_iter().chain(transited).collect()
        }
        BufferType::UPN_DNS_INFO => {
            let UpnDnsInfo { upn, dns_domain, flags, sam_name, sid } = UpnDnsInfo::decode(bytes)?;
            let mut lines =
                vec![format!("upn: {upn}"), format!("dns-domain: {dns_domain}"), format!("upn-flags: {flags}")];
            lines.extend(sam_name.map(|name| format!("sam-name: {name}")));
            lines.extend(sid.map(|sid| format!("upn-sid: {sid}")));
            lines
        }
        BufferType::CLIENT_CLAIMS => claims("client", bytes)?,
        BufferType::DEVICE_CLAIMS => claims("device", bytes)?,
        BufferType::DEVICE_INFO => device(&DeviceInfo::decode(bytes)?),
        BufferType::ATTRIBUTES => {
            let Attributes { flags_length, flags } = Attributes::decode(bytes)?;
            vec![format!("attributes: {flags_length} {flags}")]
        }
        BufferType::REQUESTER_SID => vec![format!("requester: {}", RequesterSid::decode(bytes)?.0)],
        _ => return Err(Error::new(0, "ulType", Kind::Unexpected)),
    })
}

fn signature(whose: &str, bytes: &[u8]) -> Result<Vec<String>, Error> {
    let Signature { checksum_type, signature, rodc } = Signature::decode(bytes)?;
    // Samba takes the identifier for a part of the signature.
    let all: Vec<u8> = signature.iter().copied().chain(rodc.into_iter().flat_map(u16::to_le_bytes)).collect();
    Ok(vec![format!("{whose}-signature: {} {}", checksum_type.0, hex(&all))])
}

fn logon_info(read: &LogonInfo) -> Vec<String> {
    let mut lines = Vec::new();
    for (key, time) in [
        ("logon-time", read.logon_time),
        ("logoff-time", read.logoff_time),
        ("kick-off-time", read.kick_off_time),
        ("password-last-set", read.password_last_set),
        ("password-can-change", read.password_can_change),
        ("password-must-change", read.password_must_change),
    ] {
        lines.push(format!("{key}: {time}"));
    }
    for (key, text) in [
        ("effective-name", &read.effective_name),
        ("full-name", &read.full_name),
        ("logon-script", &read.logon_script),
        ("profile-path", &read.profile_path),
        ("home-directory", &read.home_directory),
        ("home-directory-drive", &read.home_directory_drive),
    ] {
        lines.push(format!("{key}: {text}"));
    }
    lines.push(format!("counts: {} {}", read.logon_count, read.bad_password_count));
    lines.push(format!("user-id: {}", read.user_id));
    lines.push(format!("primary-group-id: {}", read.primary_group_id));
    lines.extend(pairs("group", &read.groups));
    lines.push(format!("user-flags: {}", read.user_flags));
    lines.push(format!("user-session-key: {}", hex(&read.user_session_key)));
    lines.push(format!("logon-server: {}", read.logon_server));
    lines.push(format!("logon-domain-name: {}", read.logon_domain_name));
    lines.push(format!("logon-domain-sid: {}", or_none(read.logon_domain_sid)));
    lines.push(format!("user-account-control: {}", read.user_account_control));
    lines.push(format!("sub-auth-status: {}", read.sub_auth_status));
    let LogonInfo { last_successful_logon, last_failed_logon, failed_logon_count, .. } = read;
    lines.push(format!("last-logons: {last_successful_logon} {last_failed_logon} {failed_logon_count}"));
    lines.extend(pairs("extra-sid", &read.extra_sids));
    lines.push(format!("resource-group-domain-sid: {}", or_none(read.resource_group_domain_sid)));
    lines.extend(pairs("resource-group", &read.resource_groups));
    lines
}

fn device(read: &DeviceInfo) -> Vec<String> {
    let domain = or_none(read.account_domain_sid);
    let mut lines = vec![format!("device: {} {} {domain}", read.user_id, read.primary_group_id)];
    lines.extend(pairs("device-group", &read.account_groups));
    lines.extend(pairs("device-extra-sid", &read.extra_sids));
    for domain in &read.domain_groups {
        lines.push(format!("device-domain: {}", or_none(domain.domain_sid)));
        lines.extend(pairs("device-domain-group", &domain.groups));
    }
    lines
}

fn claims(whose: &str, bytes: &[u8]) -> Result<Vec<String>, Error> {
    let read = ClaimsMetadata::decode(bytes)?;
    let (len, whole) = (read.claims_set.len(), read.uncompressed_len);
    let mut lines = vec![format!("{whose}-claims: {len} {} {whole}", read.compression.0)];
    for array in read.claims()?.into_iter().flatten() {
        for claim in array.claims {
            let (kind, values) = match claim.values {
                ClaimValues::Int64(values) => (1, words(values)),
                ClaimValues::Uint64(values) => (2, words(values)),
                ClaimValues::Text(values) => (3, values),
                ClaimValues::Boolean(values) => (6, words(values.into_iter().map(u8::from).collect())),
            };
            lines.push(format!("{whose}-claim: {} {} {kind}", array.source, claim.id));
            lines.extend(values.iter().map(|value| format!("{whose}-claim-value: {value}")));
        }
    }
    Ok(lines)
}

fn words<T: ToString>(values: Vec<T>) -> Vec<String> {
    values.iter().map(T::to_string).collect()
}

fn pairs<T: ToString>(key: &str, pairs: &[(T, u32)]) -> Vec<String> {
    pairs.iter().map(|(of, attributes)| format!("{key}: {} {attributes}", of.to_string())).collect()
}

fn or_none(sid: Option<Sid>) -> String {
    sid.map_or("None".into(), |sid| sid.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
