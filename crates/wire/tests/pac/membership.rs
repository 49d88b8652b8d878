//! Which SIDs a logon information grants.

use crate::vectors;
use portcullis_wire::kerberos::pac::{BufferType, GroupAttributes, LogonInfo, Pac};
use portcullis_wire::sid::Sid;

fn logon_info(name: &str) -> LogonInfo {
    let vector = vectors::read(name);
    let pac = Pac::decode(&vector.pac).unwrap();
    LogonInfo::decode(pac.buffer(BufferType::LOGON_INFO).unwrap()).unwrap()
}

fn texts(sids: Vec<Sid>) -> Vec<String> {
    sids.iter().map(Sid::to_string).collect()
}

const DOMAIN: &str = "S-1-5-21-1004336348-1177238915-682003330";
const RESOURCES: &str = "S-1-5-21-2105230437-1177238915-1801674531";

/// The account and its primary group first; groups for denying only (1200, S-1-2, 1111) and those that are not enabled
/// (1201) give nothing.
#[test]
fn only_groups_that_give_are_granted() {
    let read = logon_info("pac-samba-everything.txt");
    let granted = [
        format!("{DOMAIN}-1105"),
        format!("{DOMAIN}-513"),
        format!("{DOMAIN}-512"),
        format!("{DOMAIN}-1202"),
        "S-1-18-1".into(),
        "S-1-5-21-0-0-0-497".into(),
        "S-1-5-21-1-2-3-4-5-6-7-8-9-10-11-12-13-14".into(),
        format!("{RESOURCES}-1110"),
    ];
    assert_eq!(texts(read.sids()), granted);
    let denying: Vec<_> = read
        .memberships()
        .filter(|(_, attributes)| attributes.0 & GroupAttributes::USE_FOR_DENY_ONLY != 0)
        .map(|(sid, _)| sid.to_string())
        .collect();
    assert_eq!(denying, [format!("{DOMAIN}-1200"), "S-1-2".into(), format!("{RESOURCES}-1111")]);
    assert_eq!(read.memberships().count(), 5 + 4 + 2);
}

#[test]
fn flags_say_which_lists_count() {
    let read = logon_info("pac-samba-everything.txt");
    let with = |user_flags| texts(LogonInfo { user_flags, ..read.clone() }.sids());
    let is_extra = |sid: &String| !sid.starts_with(DOMAIN) && !sid.starts_with(RESOURCES);
    let is_resource = |sid: &String| sid.starts_with(RESOURCES);
    for (flags, extra, resource) in [(0, 0, 0), (0x20, 3, 0), (0x200, 0, 1), (0x220, 3, 1), (!0x220, 0, 0)] {
        let sids = with(flags);
        assert_eq!(sids.iter().filter(|sid| is_extra(sid)).count(), extra, "{flags:#x}");
        assert_eq!(sids.iter().filter(|sid| is_resource(sid)).count(), resource, "{flags:#x}");
        assert_eq!(sids.len(), 4 + extra + resource, "{flags:#x}");
    }
}

#[test]
fn groups_of_the_services_domain() {
    let sids = texts(logon_info("pac-gokrb5-trust.txt").sids());
    let (user, service) = ("S-1-5-21-2284869408-3503417140-1141177250", "S-1-5-21-3062750306-1230139592-1973306805");
    let rids = [1106, 513, 1110, 1109].map(|rid| format!("{user}-{rid}"));
    let resources = [1107, 1108].map(|rid| format!("{service}-{rid}"));
    assert_eq!(sids, [&rids[..], &["S-1-18-1".into()], &resources].concat());
}

#[test]
fn microsofts_example() {
    let read = logon_info("pac-ms-example.txt");
    let sids = texts(read.sids());
    assert_eq!(
        sids[..2],
        ["S-1-5-21-397955417-626881126-188441444-2914711", "S-1-5-21-397955417-626881126-188441444-513"]
    );
    // 26 groups, of which one is the primary one, and 13 extra SIDs.
    assert_eq!(sids.len(), 2 + 25 + 13);
}

/// MS-PAC 2.5: without a relative id the first extra SID is the account's.
#[test]
fn an_account_without_relative_id() {
    let account: Sid = "S-1-5-21-9-9-9-1000".parse().unwrap();
    let group: Sid = "S-1-5-21-9-9-9-513".parse().unwrap();
    let read = LogonInfo {
        user_flags: LogonInfo::EXTRA_SIDS,
        extra_sids: vec![(account, 7), (group, 7)],
        ..LogonInfo::default()
    };
    assert_eq!(read.user_sid(), Some(account));
    assert_eq!(read.sids(), [account, group]);
    let uncounted = LogonInfo { user_flags: 0, ..read };
    assert_eq!((uncounted.user_sid(), uncounted.sids()), (None, Vec::new()));
}

#[test]
fn a_primary_group_for_denying_only_gives_nothing() {
    let domain: Sid = "S-1-5-21-1-2-3".parse().unwrap();
    let of = |groups| LogonInfo {
        logon_domain_sid: Some(domain),
        user_id: 1000,
        primary_group_id: 513,
        groups,
        ..LogonInfo::default()
    };
    let user = domain.child(1000).unwrap();
    assert_eq!(of(vec![(513, 0x10)]).sids(), [user]);
    assert_eq!(of(vec![(513, 0x17)]).sids(), [user]);
    assert_eq!(of(vec![(513, 7)]).sids(), [user, domain.child(513).unwrap()]);
    assert_eq!(of(vec![]).sids(), [user, domain.child(513).unwrap()]);
}

/// A domain's SID that has no room for a relative id names nobody.
#[test]
fn a_full_domain_sid_grants_nothing() {
    let full = Sid::new(5, &[1; 15]);
    let read = LogonInfo {
        logon_domain_sid: full,
        user_id: 1000,
        primary_group_id: 513,
        groups: vec![(513, 7)],
        user_flags: LogonInfo::RESOURCE_GROUPS,
        resource_group_domain_sid: full,
        resource_groups: vec![(1, 7)],
        ..LogonInfo::default()
    };
    assert_eq!((read.user_sid(), read.sids()), (None, Vec::new()));
}
