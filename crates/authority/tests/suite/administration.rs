//! Accounts and keys as their administrator changes them.

use super::{PASSWORD, Site, client::Client, minutes};
use portcullis_authority::*;

pub fn accounts_are_administered<S: Store>(site: Site<S>) {
    let ann = site.add("Ann");
    let bob = site.add("bob");
    assert_eq!((ann.rid, bob.rid), (1000, 1001));
    let d = &site.directory;
    let taken =
        NewAccount { name: "ANN".into(), secret: NewSecret::None, edit: AccountEdit::default(), groups: vec![] };
    assert!(matches!(d.add_account(taken), Err(AdminError::Store(StoreError::NameTaken(name))) if name == "ANN"));
    let edit = AccountEdit {
        upn: Some(Some("ann@corp.example".into())),
        display_name: Some(Some("Ann Smith".into())),
        mail: Some(Some("ann@example.com".into())),
        workstations: Some(vec!["PC1".into(), "PC2".into()]),
        hours: Some("mon-fri 08:00-18:00".parse().unwrap()),
        expires: Some(Some(site.now() + minutes(1))),
        ..AccountEdit::default()
    };
    let changed = d.edit_account("ann", edit.clone()).unwrap();
    assert_eq!(d.account("ann@corp.example").unwrap(), changed);
    assert_eq!((changed.display_name.as_deref(), changed.workstations.len()), (Some("Ann Smith"), 2));
    assert_eq!(changed.expires, Some(site.now() + minutes(1)));
    let upn = AccountEdit { upn: edit.upn, ..AccountEdit::default() };
    assert!(matches!(d.edit_account("bob", upn), Err(AdminError::Store(StoreError::UpnTaken(_)))));
    let nothing = AccountEdit { upn: Some(None), mail: Some(None), ..AccountEdit::default() };
    assert_eq!(d.edit_account("ann", nothing).unwrap().upn, None);
    assert!(matches!(d.account("ann@corp.example"), Err(AdminError::NoSuchAccount(_))));
    for bad in ["", "a/b", "a@b", "...", "a\n", " a", "a ", &"x".repeat(65)] {
        let new =
            NewAccount { name: bad.into(), secret: NewSecret::None, edit: AccountEdit::default(), groups: vec![] };
        assert!(matches!(d.add_account(new), Err(AdminError::BadName(_))), "{bad:?}");
    }
    d.store().remove_account(bob.rid).unwrap();
    assert!(matches!(d.store().remove_account(bob.rid), Err(StoreError::NoSuchAccount)));
    // Its relative id is never given again.
    assert!(site.add("bob").rid > bob.rid);
    let names: Vec<_> = d.store().accounts().unwrap().into_iter().map(|account| account.name).collect();
    assert_eq!(names, ["Ann", "bob"]);
    let renamed = DomainNames::new("NEWCORP", "new.example").unwrap();
    d.store().rename_domain(&renamed).unwrap();
    assert_eq!(d.domain().unwrap().names, renamed);
    assert_eq!(Client::new("bob", PASSWORD).domain("newcorp").ntlm(d).unwrap().domain, "NEWCORP");
}

pub fn all_or_none<S: Store>(site: Site<S>) {
    let d = &site.directory;
    d.add_group("Staff", "").unwrap();
    let account = |name: &str, groups: &[&str]| NewAccount {
        name: name.into(),
        secret: NewSecret::None,
        edit: AccountEdit::default(),
        groups: groups.iter().map(|name| (*name).to_owned()).collect(),
    };
    let batch = [account("a", &["staff"]), account("b", &[]), account("A", &[])];
    let error = d.add_accounts(&batch, &|_| {}).unwrap_err();
    assert_eq!((error.at, error.to_string()), (Some(2), "an account or group named `A` exists already".into()));
    let error = d.add_accounts(&[account("a", &[]), account("b", &["Nobody's"])], &|_| {}).unwrap_err();
    assert_eq!(error.at, Some(1));
    assert!(d.store().accounts().unwrap().is_empty());
    assert!(d.store().members(d.group("staff").unwrap().rid).unwrap().is_empty());
    assert_eq!(d.add_accounts(&batch[..2], &|_| {}).unwrap().len(), 2);
    assert_eq!(d.store().members(d.group("staff").unwrap().rid).unwrap().len(), 1);
}

pub fn keys_change<S: Store>(site: Site<S>) {
    site.add("ann");
    site.add_with("none", NewSecret::None, AccountEdit::default());
    let d = &site.directory;
    let before = d.store().key_id().unwrap();
    let sealed = |name| d.store().find(Lookup::Name(name)).unwrap().unwrap().sealed;
    let old = sealed("ann").unwrap();
    let rotated = d.rotate_key().unwrap();
    assert_eq!((rotated.from, rotated.secrets), (before, 1));
    assert_eq!(d.store().key_id().unwrap(), rotated.to);
    assert_eq!(sealed("ann").unwrap().key, rotated.to);
    assert_eq!(d.keys().current().unwrap().ids().collect::<Vec<_>>(), [rotated.to]);
    assert!(Client::new("ann", PASSWORD).ntlm(d).is_ok());
    // What was sealed before the change is no longer taken.
    let rid = d.account("ann").unwrap().rid;
    assert!(matches!(d.store().set_secret(rid, &old, site.now(), false), Err(StoreError::StaleKey)));
    assert_ne!(d.rotate_key().unwrap().to, rotated.to);
    site.add("bob");
    assert!(Client::new("ann", PASSWORD).plain(d).is_ok() && Client::new("bob", PASSWORD).ntlm(d).is_ok());
}

/// A power failure at each step of a change of keys.
pub fn interrupted_changes_of_keys<S: Store>(site: Site<S>) {
    struct Interrupted<'a>(&'a KeySource);
    impl Rotation for Interrupted<'_> {
        fn choose(&mut self, _: KeyId) -> Result<KeyId, StoreError> {
            let key = MasterKey::generate()?;
            let id = key.id();
            self.0.replace(&self.0.load()?.with(key))?;
            Ok(id)
        }
        fn reseal(&mut self, _: &portcullis::Sid, _: &Sealed) -> Result<Sealed, StoreError> {
            Err(StoreError::Damaged("the power failed".into()))
        }
    }
    site.add("ann");
    let d = &site.directory;
    let before = d.store().key_id().unwrap();
    d.store().reseal(&mut Interrupted(d.keys().source())).unwrap_err();
    let both: Vec<_> = d.keys().current().unwrap().ids().collect();
    assert_eq!((both.len(), d.store().key_id().unwrap()), (2, before));
    assert!(Client::new("ann", PASSWORD).ntlm(d).is_ok());
    site.add("bob");
    // Running it again finishes with the key that was begun with.
    let rotated = d.rotate_key().unwrap();
    assert_eq!((rotated.from, rotated.to, rotated.secrets), (both[0], both[1], 2));
    // Interrupted before the old key was dropped: the next change drops it.
    let (old, new) = (MasterKey::generate().unwrap(), d.keys().current().unwrap());
    let file = d.keys().source();
    let text = format!("key {}\n{}", old.to_hex().expose(), std::fs::read_to_string(path(file)).unwrap());
    std::fs::write(path(file), text).unwrap();
    assert_eq!(d.keys().current().unwrap().ids().count(), 2);
    let rotated = d.rotate_key().unwrap();
    assert_eq!(new.ids().collect::<Vec<_>>(), [rotated.from]);
    assert_eq!(d.keys().current().unwrap().ids().collect::<Vec<_>>(), [rotated.to]);
    for user in ["ann", "bob"] {
        assert!(Client::new(user, PASSWORD).ntlm(d).is_ok());
    }
}

fn path(source: &KeySource) -> &std::path::Path {
    match source {
        KeySource::File(path) => path,
        KeySource::Environment => panic!("a file"),
    }
}

pub fn logons_are_noted_coarsely<S: Store>(site: Site<S>) {
    site.add("ann");
    let last = || site.directory.account("ann").unwrap().last_logon;
    assert_eq!(last(), None);
    Client::new("ann", "wrong").ntlm(&site.directory).unwrap_err();
    assert_eq!(last(), None);
    Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap();
    let first = site.now();
    assert_eq!(last(), Some(first));
    site.wait(minutes(59));
    Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap();
    assert_eq!(last(), Some(first));
    site.wait(minutes(1));
    Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap();
    assert_eq!(last(), Some(first + minutes(60)));
}
