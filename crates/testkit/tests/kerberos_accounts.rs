//! The account that a PAC says: names, SIDs and times, and what must not contradict what.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::{Account, Status};
use portcullis_testkit::kerberos::{Client, PacPlan, Site};
use portcullis_wire::filetime;
use portcullis_wire::kerberos::pac::{BufferType, Delegation, GroupAttributes, LogonInfo, UpnDnsInfo};
use portcullis_wire::sid::Sid;
use std::sync::Arc;

const ENABLED: u32 = GroupAttributes::MANDATORY | GroupAttributes::ENABLED_BY_DEFAULT | GroupAttributes::ENABLED;

fn planned(site: &Site, change: impl FnOnce(&mut PacPlan)) -> Client {
    let mut client = site.client();
    change(client.ticket.pac.as_mut().unwrap());
    client
}

fn with_logon(site: &Site, change: impl FnOnce(&mut LogonInfo)) -> Client {
    planned(site, |plan| change(plan.logon.as_mut().unwrap()))
}

#[track_caller]
fn account(site: &Site, client: &Client) -> Arc<Account> {
    site.accepts(client).facts().account.clone().unwrap()
}

fn sid(text: &str) -> Sid {
    text.parse().unwrap()
}

#[test]
fn parts_that_contradict_each_other() {
    let site = Site::of_web();
    let contradicts = |client: &Client| {
        site.refuses(client, "kerberos/pac-contradicts", Status::SEC_E_LOGON_DENIED, Some(41));
    };
    let other = sid("S-1-5-21-1-2-3-500");
    contradicts(&planned(&site, |plan| plan.requester = Some(other)));
    contradicts(&planned(&site, |plan| plan.requester = Some(sid("S-1-5-18"))));
    contradicts(&planned(&site, |plan| plan.upn.as_mut().unwrap().sid = Some(other)));
    contradicts(&planned(&site, |plan| plan.upn.as_mut().unwrap().sam_name = Some("administrator".into())));
    contradicts(&with_logon(&site, |logon| logon.user_id = 500));
    contradicts(&with_logon(&site, |logon| logon.logon_domain_sid = Some(sid("S-1-5-21-9-9-9"))));
    contradicts(&with_logon(&site, |logon| logon.effective_name = "administrator".into()));
    // An account without a SID is none.
    let nobody = |plan: &mut PacPlan| {
        (plan.requester, plan.upn) = (None, None);
        plan.logon.as_mut().unwrap().logon_domain_sid = None;
    };
    contradicts(&planned(&site, nobody));
    let no_rid = |plan: &mut PacPlan| {
        (plan.requester, plan.upn) = (None, None);
        plan.logon.as_mut().unwrap().user_id = 0;
    };
    contradicts(&planned(&site, no_rid));
    // The same name in other letters is the same.
    let upper = planned(&site, |plan| plan.upn.as_mut().unwrap().sam_name = Some("ANN".into()));
    assert_eq!(account(&site, &upper).name, "ann");
}

#[test]
fn groups_count_by_flags_and_attributes() {
    let site = Site::of_web();
    let groups = |client: &Client| -> Vec<String> {
        account(&site, client).groups.iter().map(|group| group.sid.to_string()).collect()
    };
    assert_eq!(groups(&site.client()), ["S-1-5-21-1-2-3-513", "S-1-5-21-1-2-3-1601"]);
    let full = |user_flags: u32| {
        with_logon(&site, |logon| {
            logon.user_flags = user_flags;
            logon.extra_sids = vec![(sid("S-1-18-1"), ENABLED), (sid("S-1-5-21-7-7-7-512"), ENABLED)];
            logon.resource_group_domain_sid = Some(sid("S-1-5-21-4-5-6"));
            logon.resource_groups = vec![(2001, ENABLED | GroupAttributes::RESOURCE)];
        })
        .again(u64::from(user_flags) + 10)
    };
    let own = ["S-1-5-21-1-2-3-513", "S-1-5-21-1-2-3-1601"];
    let extra = ["S-1-18-1", "S-1-5-21-7-7-7-512"];
    let resource = ["S-1-5-21-4-5-6-2001"];
    assert_eq!(groups(&full(0)), own, "flags that say nothing");
    assert_eq!(groups(&full(LogonInfo::EXTRA_SIDS)), [&own[..], &extra].concat());
    assert_eq!(groups(&full(LogonInfo::RESOURCE_GROUPS)), [&own[..], &resource].concat());
    let both = LogonInfo::EXTRA_SIDS | LogonInfo::RESOURCE_GROUPS;
    assert_eq!(groups(&full(both)), [&own[..], &extra, &resource].concat());
    assert_eq!(
        site.accepts(&full(both).again(7)).facts().ticket.as_ref().unwrap().pac.as_ref().unwrap().user_flags,
        both
    );
    // A group that is only for denying gives nothing, nor does one that is not enabled.
    let denying = with_logon(&site, |logon| {
        logon.groups.extend([(512, ENABLED | GroupAttributes::USE_FOR_DENY_ONLY), (519, GroupAttributes::MANDATORY)]);
    });
    assert_eq!(groups(&denying.again(8)), own);
    // An account of another authority: its SID is the first of the extra ones.
    let client = planned(&site, |plan| {
        (plan.requester, plan.upn) = (None, None);
        let logon = plan.logon.as_mut().unwrap();
        (logon.user_id, logon.user_flags) = (0, LogonInfo::EXTRA_SIDS);
        logon.extra_sids = vec![(sid("S-1-5-21-8-8-8-1234"), ENABLED), (sid("S-1-18-1"), ENABLED)];
    });
    let account = account(&site, &client.again(9));
    assert_eq!(account.sid, Some(sid("S-1-5-21-8-8-8-1234")));
    assert!(account.groups.iter().all(|group| Some(group.sid) != account.sid));
    assert!(account.groups.iter().any(|group| group.sid == sid("S-1-18-1")));
}

#[test]
fn names_come_from_the_pac() {
    let site = Site::of_web();
    // A name that the directory changed since, or that the principal spells otherwise: the PAC's is the account's.
    let renamed = planned(&site, |plan| {
        plan.logon.as_mut().unwrap().effective_name = "ann.smith".into();
        plan.upn.as_mut().unwrap().sam_name = Some("ann.smith".into());
    });
    let context = site.accepts(&renamed);
    assert_eq!(context.facts().client_name().as_deref(), Some(r"EXAMPLE\ann.smith"));
    assert_eq!(context.facts().ticket.as_ref().unwrap().client, "ann@EXAMPLE");
    // Without UPN_DNS_INFO the realm is the domain's DNS name.
    let plain = planned(&site, |plan| plan.upn = None);
    let account_of = account(&site, &plain.again(5));
    assert_eq!((account_of.dns_domain.as_str(), account_of.upn.as_deref()), ("EXAMPLE", None));
    let old = planned(&site, |plan| {
        plan.upn = Some(UpnDnsInfo { upn: "a@b".into(), dns_domain: "b".into(), ..UpnDnsInfo::default() });
    });
    let account_of = account(&site, &old.again(6));
    assert_eq!((account_of.dns_domain.as_str(), account_of.upn.as_deref()), ("b", Some("a@b")));
    let empty = with_logon(&site, |logon| (logon.full_name, logon.logon_server) = (String::new(), String::new()));
    assert_eq!(account(&site, &empty.again(7)).display_name, None);
}

#[test]
fn times_come_from_the_pac() {
    let site = Site::of_web();
    let later = 0x01dd_0000_0000_0000;
    let (sooner, never) = (later - 1000, filetime::NEVER);
    let at = filetime::to_system;
    let cases = [
        ((never, never), None),
        ((0, 0), None),
        ((later, never), at(later)),
        ((never, later), at(later)),
        ((later, sooner), at(sooner)),
        ((sooner, later), at(sooner)),
    ];
    for (seed, ((logoff, kick_off), expected)) in (1..).zip(cases) {
        let client = with_logon(&site, |logon| (logon.logoff_time, logon.kick_off_time) = (logoff, kick_off));
        assert_eq!(account(&site, &client.again(seed)).logoff_at, expected);
    }
    let expiring = with_logon(&site, |logon| logon.password_must_change = later);
    assert_eq!(account(&site, &expiring.again(20)).password_expires_at, at(later));
}

#[test]
fn who_came_by_constrained_delegation() {
    let site = Site::of_web();
    let mut bytes = Vec::new();
    let services = vec!["cifs/a@EXAMPLE".to_owned(), "HTTP/b@EXAMPLE".to_owned()];
    Delegation { proxy_target: "HTTP/web.example".into(), transited_services: services.clone() }.encode(&mut bytes);
    let others = vec![(BufferType::DELEGATION, bytes), (BufferType(0x99), b"of another time".to_vec())];
    let context = site.accepts(&planned(&site, |plan| plan.others = others));
    assert_eq!(context.facts().ticket.as_ref().unwrap().pac.as_ref().unwrap().transited_services, services);
}

/// Buffers that are well signed and cannot be read are no leave to go on without them.
#[test]
fn buffers_that_cannot_be_read() {
    let site = Site::of_web();
    for kind in [BufferType::LOGON_INFO, BufferType::UPN_DNS_INFO, BufferType::REQUESTER_SID, BufferType::DELEGATION] {
        for bytes in [vec![], vec![0], vec![0xff; 64]] {
            let client = planned(&site, |plan| {
                (plan.logon, plan.upn, plan.requester) = (None, None, None);
                plan.others = vec![(kind, bytes)];
            });
            site.refuses(&client, "kerberos/pac-malformed", Status::SEC_E_LOGON_DENIED, Some(41));
        }
    }
}
