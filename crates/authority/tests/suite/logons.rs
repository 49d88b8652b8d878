//! Names, passwords, and the states of an account, at a logon.

use super::{PASSWORD, Site, client::Client, local_names, minutes};
use portcullis::{Refusal, Secret};
use portcullis_authority::*;

pub fn names_in_all_spellings<S: Store>(site: Site<S>) {
    let upn = AccountEdit { upn: Some(Some("Ann.Smith@people.example".into())), ..AccountEdit::default() };
    site.add_with("Ann", NewSecret::Password(Secret::new(PASSWORD.into())), upn);
    site.add("Jörg.Straße");
    for (user, domain) in [
        ("Ann", "CORP"),
        ("ANN", "corp"),
        ("ann", ""),
        ("ann", "."),
        ("ann", "corp.example"),
        ("ann", "web1"),
        ("ann", "oldcorp"),
        ("corp\\ann", ""),
        (".\\ann", ""),
        ("ann@corp.example", ""),
        ("ANN@CORP", ""),
        ("ann.smith@PEOPLE.example", ""),
    ] {
        let account = Client::new(user, PASSWORD).domain(domain).ntlm(&site.directory).unwrap();
        assert_eq!(account.qualified_name(), "CORP\\Ann", "{domain} {user}");
        assert_eq!(
            (account.sid.unwrap().to_string().as_str(), account.dns_domain.as_str()),
            ("S-1-5-21-1-2-3-1000", "corp.example")
        );
        let plain = Client::new(user, PASSWORD).domain("").plain(&site.directory);
        assert!(!domain.is_empty() || plain.is_ok(), "{user}");
    }
    assert_eq!(Client::new("JÖRG.STRAßE", PASSWORD).ntlm(&site.directory).unwrap().name, "Jörg.Straße");
    // Windows does not know that ß is SS.
    let refused = Client::new("JÖRG.STRASSE", PASSWORD).ntlm(&site.directory);
    assert_eq!(refused.unwrap_err(), Refusal::UnknownAccount);
}

pub fn names_of_others<S: Store>(site: Site<S>) {
    let upn = AccountEdit { upn: Some(Some("ann@people.example".into())), ..AccountEdit::default() };
    site.add_with("ann", NewSecret::Password(Secret::new(PASSWORD.into())), upn);
    let refusal = |user: &str, domain: &str| {
        Client::new(user, PASSWORD).domain(domain).ntlm(&site.directory).map(|account| account.name.clone())
    };
    assert_eq!(refusal("ann", "OTHER"), Err(Refusal::UnknownDomain));
    assert_eq!(refusal("ann@other.example", ""), Err(Refusal::UnknownDomain));
    // A suffix that somebody has is served: who has it is not told.
    assert_eq!(refusal("bob@people.example", ""), Err(Refusal::UnknownAccount));
    site.directory.set_names(LocalNames { foreign: Foreign::Local, ..local_names() });
    assert_eq!(refusal("ann", "OTHER"), Ok("ann".into()));
    assert_eq!(refusal("ann@other.example", ""), Ok("ann".into()));
    assert_eq!(refusal("bob", "OTHER"), Err(Refusal::UnknownAccount));
}

pub fn right_and_wrong<S: Store>(site: Site<S>) {
    site.add("ann");
    site.add_with("bob", NewSecret::Password(Secret::new("another password".into())), AccountEdit::default());
    let upper = PASSWORD.to_uppercase();
    for log_on in [Client::ntlm, Client::plain] {
        let try_it = |user, password| log_on(&Client::new(user, password), &site.directory).map(|a| a.name.clone());
        assert_eq!(try_it("ann", PASSWORD), Ok("ann".into()));
        assert_eq!(try_it("bob", "another password"), Ok("bob".into()));
        assert_eq!(try_it("ann", "another password"), Err(Refusal::WrongProof));
        assert_eq!(try_it("bob", PASSWORD), Err(Refusal::WrongProof));
        assert_eq!(try_it("ann", &upper), Err(Refusal::WrongProof));
        assert_eq!(try_it("eve", PASSWORD), Err(Refusal::UnknownAccount));
    }
    let account = Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap();
    assert_eq!((account.groups.len(), account.groups[0].name.as_str()), (1, "Domain Users"));
    assert_eq!(account.groups[0].sid.to_string(), "S-1-5-21-1-2-3-513");
    assert_eq!((account.logoff_at, account.password_expires_at), (None, None));
}

pub fn empty_stores_deny<S: Store>(site: Site<S>) {
    for (user, password) in [("ann", PASSWORD), ("guest", ""), ("Administrator", ""), ("", "x")] {
        let refused = Client::new(user, password).ntlm(&site.directory);
        assert_eq!(refused.unwrap_err(), Refusal::UnknownAccount, "{user}");
    }
    assert_eq!(Client::new("ann", PASSWORD).plain(&site.directory).unwrap_err(), Refusal::UnknownAccount);
}

pub fn states_show_after_the_proof_only<S: Store>(site: Site<S>) {
    let fresh = AccountEdit {
        disabled: Some(false),
        must_change: Some(false),
        expires: Some(None),
        hours: Some(LogonHours::ALL),
        workstations: Some(vec![]),
        ..AccountEdit::default()
    };
    let edit = AccountEdit::default;
    let states = [
        (AccountEdit { disabled: Some(true), ..edit() }, Refusal::Disabled),
        (AccountEdit { expires: Some(Some(site.now())), ..edit() }, Refusal::AccountExpired),
        (AccountEdit { hours: Some("mon-sat".parse().unwrap()), ..edit() }, Refusal::LogonHours),
        (AccountEdit { hours: Some(LogonHours::NONE), ..edit() }, Refusal::LogonHours),
        (AccountEdit { workstations: Some(vec!["PC2".into(), "PC3".into()]), ..edit() }, Refusal::Workstation),
        (AccountEdit { must_change: Some(true), ..edit() }, Refusal::MustChange),
    ];
    site.add("ann");
    for (state, refusal) in &states {
        site.edit("ann", fresh.clone());
        assert!(Client::new("ann", PASSWORD).ntlm(&site.directory).is_ok());
        site.edit("ann", state.clone());
        for log_on in [Client::ntlm, Client::plain] {
            assert_eq!(log_on(&Client::new("ann", PASSWORD), &site.directory).unwrap_err(), *refusal);
            let wrong = log_on(&Client::new("ann", "wrong"), &site.directory);
            assert_eq!(wrong.unwrap_err(), Refusal::WrongProof, "{refusal:?}");
        }
        // Each state wins over those behind it.
        for (later, _) in states.iter().skip_while(|(_, other)| other != refusal).filter(|(_, other)| other != refusal)
        {
            site.edit("ann", later.clone());
            let both = Client::new("ann", PASSWORD).ntlm(&site.directory);
            assert_eq!(both.unwrap_err(), *refusal);
        }
        site.directory.store().unlock(AccountKey::of("ann")).unwrap();
    }
    // What allows, and until when.
    site.edit("ann", fresh.clone());
    let pc2 = AccountEdit {
        workstations: Some(vec!["pc2".into()]),
        hours: Some("sun 08:00-18:00".parse().unwrap()),
        ..edit()
    };
    site.edit("ann", pc2);
    for workstation in ["PC2", "pc2.corp.example"] {
        let account = Client::new("ann", PASSWORD).workstation(workstation).ntlm(&site.directory).unwrap();
        assert_eq!(account.logoff_at, Some(site.now() + minutes(6 * 60)));
    }
    let end = site.now() + minutes(90);
    site.edit("ann", AccountEdit { expires: Some(Some(end)), ..fresh });
    assert_eq!(Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap().logoff_at, Some(end));
    site.wait(minutes(90));
    assert_eq!(Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap_err(), Refusal::AccountExpired);
}

pub fn passwords_grow_old<S: Store>(site: Site<S>) {
    site.add("ann");
    let mut policy = site.directory.store().policy().unwrap();
    policy.password.max_age = Some(minutes(60));
    site.directory.store().set_policy(&policy).unwrap();
    let end = Some(site.now() + minutes(60));
    site.wait(minutes(59));
    assert_eq!(Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap().password_expires_at, end);
    site.wait(minutes(1));
    assert_eq!(Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap_err(), Refusal::PasswordExpired);
    assert_eq!(Client::new("ann", "wrong").ntlm(&site.directory).unwrap_err(), Refusal::WrongProof);
    site.edit("ann", AccountEdit { password_never_expires: Some(true), ..AccountEdit::default() });
    assert_eq!(Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap().password_expires_at, None);
    site.edit("ann", AccountEdit { password_never_expires: Some(false), ..AccountEdit::default() });
    site.directory.set_password("ann", &Secret::new("a new password".into()), false).unwrap();
    assert!(Client::new("ann", "a new password").ntlm(&site.directory).is_ok());
    site.directory.set_password("ann", &Secret::new("yet another one".into()), true).unwrap();
    assert_eq!(Client::new("ann", "yet another one").plain(&site.directory).unwrap_err(), Refusal::MustChange);
}

pub fn accounts_without_password<S: Store>(site: Site<S>) {
    site.add_with("none", NewSecret::None, AccountEdit::default());
    let empty = portcullis::ntlm::keys::nt_hash("");
    site.add_with("empty", NewSecret::NtHash(empty), AccountEdit::default());
    for user in ["none", "empty"] {
        for password in ["", "x", PASSWORD] {
            assert_eq!(Client::new(user, password).ntlm(&site.directory).unwrap_err(), Refusal::NoPassword, "{user}");
        }
        assert_eq!(Client::new(user, "x").plain(&site.directory).unwrap_err(), Refusal::NoPassword, "{user}");
    }
    let new = NewAccount {
        name: "x".into(),
        secret: NewSecret::Password(Secret::new(String::new())),
        edit: AccountEdit::default(),
        groups: vec![],
    };
    let error = site.directory.add_account(new).unwrap_err();
    assert!(matches!(error, AdminError::Password(PasswordRefused::Empty)));
}

pub fn imported_hashes<S: Store>(site: Site<S>) {
    let hash = portcullis::ntlm::keys::nt_hash("from elsewhere");
    site.add_with("ann", NewSecret::NtHash(hash), AccountEdit::default());
    for log_on in [Client::ntlm, Client::plain] {
        assert!(log_on(&Client::new("ann", "from elsewhere"), &site.directory).is_ok());
        assert_eq!(log_on(&Client::new("ann", "wrong"), &site.directory).unwrap_err(), Refusal::WrongProof);
    }
}
