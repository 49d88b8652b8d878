//! What our encoder writes: read as Samba read it once, and read back by ourselves.

use crate::describe::describe;
use crate::vectors;
use portcullis_wire::kerberos::pac::{
    self, Attributes, BufferType, ChecksumType, ClientInfo, Delegation, LogonInfo, Pac, RequesterSid, Signature,
    UpnDnsInfo,
};
use portcullis_wire::sid::Sid;

fn sid(text: &str) -> Sid {
    text.parse().unwrap()
}

fn logon_info() -> LogonInfo {
    LogonInfo {
        logon_time: 133_500_000_000_000_000,
        logoff_time: portcullis_wire::filetime::NEVER,
        kick_off_time: portcullis_wire::filetime::NEVER - 1,
        password_last_set: 1,
        password_can_change: 2,
        password_must_change: 3,
        effective_name: "zoë".into(),
        full_name: "Zoë 𝄞".into(),
        logon_script: "odd".into(),
        profile_path: String::new(),
        home_directory: r"\\files\zoë".into(),
        home_directory_drive: "Z:".into(),
        logon_count: 4,
        bad_password_count: 5,
        user_id: 1105,
        primary_group_id: 513,
        groups: vec![(513, 7), (1200, 16)],
        user_flags: LogonInfo::EXTRA_SIDS | LogonInfo::RESOURCE_GROUPS,
        user_session_key: *b"sixteen bytes!!!",
        logon_server: "DC1".into(),
        logon_domain_name: "CORP".into(),
        logon_domain_sid: Some(sid("S-1-5-21-1-2-3")),
        user_account_control: 0x210,
        sub_auth_status: 6,
        last_successful_logon: 7,
        last_failed_logon: 8,
        failed_logon_count: 9,
        extra_sids: vec![(sid("S-1-18-1"), 7), (sid("S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15"), 0x2000_0007)],
        resource_group_domain_sid: Some(sid("S-1-5-21-4-5-6")),
        resource_groups: vec![(1110, 0x2000_0007)],
    }
}

/// A PAC of everything that we can write.
fn everything() -> Vec<u8> {
    let write = |encode: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        encode(&mut out);
        out
    };
    let names = UpnDnsInfo {
        upn: "zoë@corp.example".into(),
        dns_domain: "CORP.EXAMPLE".into(),
        flags: UpnDnsInfo::UPN_MADE_UP,
        sam_name: Some("zoë".into()),
        sid: Some(sid("S-1-5-21-1-2-3-1105")),
    };
    let delegation = Delegation {
        proxy_target: "HTTP/back".into(),
        transited_services: vec!["HTTP/front@CORP".into(), String::new(), "HTTP/mid@CORP".into()],
    };
    let signature =
        |checksum_type, signature: &[u8], rodc| write(&|out| Signature { checksum_type, signature, rodc }.encode(out));
    let client = ClientInfo { client_id: 133_500_000_000_000_000, name: "zoë".into() };
    let attributes = Attributes { flags_length: 2, flags: Attributes::GIVEN_IMPLICITLY };
    let buffers = [
        (BufferType::LOGON_INFO, write(&|out| logon_info().encode(out))),
        (BufferType::CLIENT_INFO, write(&|out| client.encode(out))),
        (BufferType::UPN_DNS_INFO, write(&|out| names.encode(out))),
        (BufferType::DELEGATION, write(&|out| delegation.encode(out))),
        (BufferType::ATTRIBUTES, write(&|out| attributes.encode(out))),
        (BufferType::REQUESTER_SID, write(&|out| RequesterSid(sid("S-1-5-21-1-2-3-1105")).encode(out))),
        (BufferType::SERVER_SIGNATURE, signature(ChecksumType::HMAC_SHA1_96_AES256, &[1; 12], None)),
        (BufferType::KDC_SIGNATURE, signature(ChecksumType::HMAC_MD5, &[2; 16], Some(0x1234))),
        (BufferType::TICKET_SIGNATURE, signature(ChecksumType::HMAC_SHA256_128_AES128, &[3; 16], None)),
        (BufferType::FULL_SIGNATURE, signature(ChecksumType::HMAC_SHA384_192_AES256, &[4; 24], None)),
    ];
    let buffers: Vec<_> = buffers.iter().map(|(buffer_type, bytes)| (*buffer_type, &bytes[..])).collect();
    // A PAC's offsets count from its own start, wherever that is.
    let mut out = vec![0xff; 3];
    pac::encode(&buffers, &mut out);
    out.split_off(3)
}

/// `pac-own-everything.txt` has what this writes, and what Samba read in it.
#[test]
fn what_samba_read_is_what_is_written() {
    let vector = vectors::read("pac-own-everything.txt");
    assert_eq!(hex(&everything()), hex(&vector.pac));
    assert_eq!(describe(&everything()).unwrap().len(), vector.lines.len());
}

#[test]
fn nothing_is_lost() {
    let written = everything();
    let read = Pac::decode(&written).unwrap();
    assert_eq!(LogonInfo::decode(read.buffer(BufferType::LOGON_INFO).unwrap()), Ok(logon_info()));
    let empty = LogonInfo::default();
    let mut out = Vec::new();
    empty.encode(&mut out);
    assert_eq!(LogonInfo::decode(&out), Ok(empty));
}

/// Those of the vectors that we can write, read, written and read again.
#[test]
fn others_come_back_the_same() {
    let mut written = 0;
    for vector in vectors::all() {
        for buffer in Pac::decode(&vector.pac).unwrap().buffers() {
            let (bytes, mut out) = (buffer.bytes, Vec::new());
            match buffer.buffer_type {
                BufferType::LOGON_INFO => LogonInfo::decode(bytes).unwrap().encode(&mut out),
                BufferType::CLIENT_INFO => ClientInfo::decode(bytes).unwrap().encode(&mut out),
                BufferType::UPN_DNS_INFO => UpnDnsInfo::decode(bytes).unwrap().encode(&mut out),
                BufferType::DELEGATION => Delegation::decode(bytes).unwrap().encode(&mut out),
                BufferType::ATTRIBUTES => Attributes::decode(bytes).unwrap().encode(&mut out),
                BufferType::REQUESTER_SID => RequesterSid::decode(bytes).unwrap().encode(&mut out),
                other if other.is_signature() => Signature::decode(bytes).unwrap().encode(&mut out),
                _ => continue,
            }
            written += 1;
            // Padding and maximum lengths may differ; what is said may not.
            if buffer.buffer_type == BufferType::LOGON_INFO {
                assert_eq!(LogonInfo::decode(&out), LogonInfo::decode(bytes), "{}", vector.name);
            } else if buffer.buffer_type == BufferType::UPN_DNS_INFO {
                assert_eq!(UpnDnsInfo::decode(&out), UpnDnsInfo::decode(bytes), "{}", vector.name);
            } else if buffer.buffer_type == BufferType::DELEGATION {
                assert_eq!(Delegation::decode(&out), Delegation::decode(bytes), "{}", vector.name);
            } else {
                assert!(
                    bytes.starts_with(&out) && bytes.len() - out.len() < 8,
                    "{}: {}",
                    vector.name,
                    buffer.buffer_type
                );
            }
        }
    }
    assert!(written > 50, "{written}");
}

#[test]
fn what_cannot_be_said_is_left_out() {
    let long = "x".repeat(40_000);
    let mut out = Vec::new();
    LogonInfo { effective_name: long.clone(), ..LogonInfo::default() }.encode(&mut out);
    assert_eq!(LogonInfo::decode(&out).unwrap().effective_name.len(), 32_767);
    out.clear();
    ClientInfo { client_id: 1, name: long.clone() }.encode(&mut out);
    assert_eq!(ClientInfo::decode(&out).unwrap().name.len(), 32_767);
    out.clear();
    let names = UpnDnsInfo { upn: long, dns_domain: "d".into(), ..UpnDnsInfo::default() };
    names.encode(&mut out);
    assert_eq!(UpnDnsInfo::decode(&out), Ok(UpnDnsInfo { upn: String::new(), ..names }));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
