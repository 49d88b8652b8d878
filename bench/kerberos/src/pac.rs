use crate::{CLIENT, REALM};
use portcullis::kerberos::crypto::Key;
use portcullis_wire::filetime;
use portcullis_wire::kerberos::KerberosTime;
use portcullis_wire::kerberos::pac::{
    BufferType, ChecksumType, ClientInfo, LogonInfo, Pac, Signature, UpnDnsInfo, encode,
};
use portcullis_wire::sid::Sid;

/// MS-PAC 2.8: KERB_NON_KERB_CKSUM_SALT.
const USAGE: u32 = 17;
/// The length of a signature of `hmac-sha1-96-aes256`.
const SIGNATURE: usize = 12;

/// The PAC of a service's ticket, with the buffers that a domain controller makes today (MS-PAC 2.4): who logs on, with
/// ten groups of the domain, two of another, and where it stands; signed by `service` and, in three ways, by `granting`.
///
/// `ticket_signature` is the KDC's over the ticket without its PAC.
pub(crate) fn make(auth_time: KerberosTime, service: &Key, granting: &Key, ticket_signature: &[u8]) -> Vec<u8> {
    let (logon, client, upn) = contents(auth_time);
    let pac = |server: &[u8], kdc: &[u8], full: &[u8]| {
        let signatures = [server, kdc, ticket_signature, full].map(|bytes| {
            let (checksum_type, mut out) = (ChecksumType::HMAC_SHA1_96_AES256, Vec::new());
            Signature { checksum_type, signature: bytes, rodc: None }.encode(&mut out);
            out
        });
        let [server, kdc, ticket, full] = &signatures;
        let mut out = Vec::new();
        let buffers = [
            (BufferType::LOGON_INFO, logon.as_slice()),
            (BufferType::CLIENT_INFO, &client),
            (BufferType::UPN_DNS_INFO, &upn),
            (BufferType::SERVER_SIGNATURE, server),
            (BufferType::KDC_SIGNATURE, kdc),
            (BufferType::TICKET_SIGNATURE, ticket),
            (BufferType::FULL_SIGNATURE, full),
        ];
        encode(&buffers, &mut out);
        out
    };
    let none = [0; SIGNATURE];
    let full = granting.checksum(USAGE).compute([pac(&none, &none, &none).as_slice()]);
    let unsigned = pac(&none, &none, &full);
    let parts = Pac::decode(&unsigned).and_then(|pac| pac.signed_parts()).expect("it is a PAC");
    let server = service.checksum(USAGE).compute(parts);
    let kdc = granting.checksum(USAGE).compute([&*server]);
    pac(&server, &kdc, &full)
}

/// The KDC's signature over a ticket's part in which the PAC is one zero byte (MS-PAC 2.8.3).
pub(crate) fn ticket_signature(part: &[u8], granting: &Key) -> Vec<u8> {
    granting.checksum(USAGE).compute([part]).to_vec()
}

/// LOGON_INFO, CLIENT_INFO, UPN_DNS_INFO.
fn contents(auth_time: KerberosTime) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let domain = Sid::well_known(5, [21, 1_004_336_348, 1_177_238_915, 682_003_330]);
    let resources = Sid::well_known(5, [21, 2_876_014_932, 315_042_110, 1_640_013_577]);
    let sam_name = CLIENT.to_owned();
    let at = filetime::from_system(auth_time.to_system().expect("a time of today"));
    let never = 0x7fff_ffff_ffff_ffff;
    let enabled = 7; // SE_GROUP_MANDATORY, _ENABLED_BY_DEFAULT, _ENABLED
    let groups = [513, 1105, 1106, 1108, 1112, 1117, 1121, 1130, 1144, 1187];
    let logon = LogonInfo {
        logon_time: at,
        logoff_time: never,
        kick_off_time: never,
        password_last_set: at - 86_400 * 10_000_000,
        password_can_change: at,
        password_must_change: never,
        effective_name: sam_name.clone(),
        full_name: "Ann Example".to_owned(),
        logon_script: "logon.cmd".to_owned(),
        profile_path: String::new(),
        home_directory: String::new(),
        home_directory_drive: String::new(),
        logon_count: 211,
        bad_password_count: 0,
        user_id: 1104,
        primary_group_id: 513,
        groups: groups.map(|rid| (rid, enabled)).to_vec(),
        user_flags: LogonInfo::EXTRA_SIDS | LogonInfo::RESOURCE_GROUPS,
        user_session_key: [0; 16],
        logon_server: "DC1".to_owned(),
        logon_domain_name: "CORP".to_owned(),
        logon_domain_sid: Some(domain),
        user_account_control: 0x210,
        sub_auth_status: 0,
        last_successful_logon: 0,
        last_failed_logon: 0,
        failed_logon_count: 0,
        extra_sids: vec![(Sid::well_known(18, [1]), enabled)],
        resource_group_domain_sid: Some(resources),
        resource_groups: vec![(1201, enabled | 0x2000_0000), (1202, enabled | 0x2000_0000)],
    };
    let info = UpnDnsInfo {
        upn: "ann@corp.example".to_owned(),
        dns_domain: REALM.to_owned(),
        flags: 0,
        sam_name: Some(sam_name.clone()),
        sid: domain.child(1104),
    };
    let mut out = (Vec::new(), Vec::new(), Vec::new());
    logon.encode(&mut out.0);
    ClientInfo { client_id: at, name: sam_name }.encode(&mut out.1);
    info.encode(&mut out.2);
    out
}
