//! Groups: whose they are, and how they are administered.

use super::{PASSWORD, Site, client::Client};
use portcullis_authority::*;

pub fn nested_groups<S: Store>(site: Site<S>) {
    let ann = site.add("ann");
    let d = &site.directory;
    let rid = |name: &str| d.member_rid(name).unwrap();
    for name in ["Team", "Department", "Company", "Loop", "Everyone Here", "Strangers"] {
        d.add_group(name, "").unwrap();
    }
    for (group, member) in [
        ("Team", "ann"),
        ("Department", "Team"),
        ("Company", "Department"),
        ("Company", "Team"),
        ("Loop", "Company"),
        ("Team", "Loop"),
        ("Team", "Team"),
        ("Everyone Here", "Domain Users"),
    ] {
        assert!(d.store().add_member(rid(group), rid(member)).unwrap(), "{group} {member}");
        assert!(!d.store().add_member(rid(group), rid(member)).unwrap());
    }
    let names = |client: &Client<'_>| -> Vec<String> {
        client.ntlm(&site.directory).unwrap().groups.iter().map(|group| group.name.clone()).collect()
    };
    let ann_client = Client::new("ann", PASSWORD);
    assert_eq!(names(&ann_client), ["Domain Users", "Team", "Department", "Company", "Loop", "Everyone Here"]);
    d.store().remove_member(rid("Department"), rid("Team")).unwrap();
    d.store().remove_member(rid("Company"), rid("Team")).unwrap();
    assert_eq!(names(&ann_client), ["Domain Users", "Team", "Everyone Here"]);
    d.store().remove_group(rid("Team")).unwrap();
    assert_eq!(names(&ann_client), ["Domain Users", "Everyone Here"]);
    // A chain of many groups ends at the bound.
    let mut inner = ann.rid;
    for number in 0..MAX_GROUPS + 10 {
        let sid = "S-1-5-21-1-2-3".parse::<portcullis::Sid>().unwrap();
        let rid = 100_000 + u32::try_from(number).unwrap();
        let group =
            GroupEntry { rid, sid: sid.child(rid).unwrap(), name: format!("g{number}"), description: String::new() };
        d.store().add_group(&group).unwrap();
        d.store().add_member(rid, inner).unwrap();
        inner = rid;
    }
    assert_eq!(names(&ann_client).len(), MAX_GROUPS);
}

pub fn groups_are_administered<S: Store>(site: Site<S>) {
    let ann = site.add("ann");
    let d = &site.directory;
    let store = d.store();
    let staff = d.add_group("Staff", "all of us").unwrap();
    assert_eq!(store.group("STAFF").unwrap().unwrap(), staff);
    assert!(matches!(d.add_group("staff", ""), Err(AdminError::Store(StoreError::NameTaken(_)))));
    assert!(matches!(d.add_group("Ann", ""), Err(AdminError::Store(StoreError::NameTaken(_)))));
    assert!(matches!(d.add_group("a/b", ""), Err(AdminError::BadName(_))));
    assert!(matches!(store.add_member(513, ann.rid), Err(StoreError::BuiltIn)));
    assert!(matches!(store.remove_group(513), Err(StoreError::BuiltIn)));
    assert!(matches!(store.add_member(4711, ann.rid), Err(StoreError::NoSuchGroup)));
    assert!(matches!(store.add_member(staff.rid, 4711), Err(StoreError::NoSuchMember)));
    assert!(matches!(store.remove_group(4711), Err(StoreError::NoSuchGroup)));
    store.add_member(staff.rid, ann.rid).unwrap();
    store.add_member(staff.rid, 513).unwrap();
    let members = store.members(staff.rid).unwrap();
    let members: Vec<_> = members.iter().map(|member| (member.name.as_str(), member.is_group)).collect();
    assert_eq!(members, [("ann", false), ("Domain Users", true)]);
    store.remove_account(ann.rid).unwrap();
    assert_eq!(store.members(staff.rid).unwrap().len(), 1);
    let names: Vec<_> = store.groups().unwrap().into_iter().map(|group| group.name).collect();
    assert_eq!(names, ["Domain Users", "Staff"]);
}
