//! The realms themselves: what their tests rest on.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use portcullis_testkit::kdc::{Enctype, MitRealm, SambaDomain};
use std::collections::BTreeSet;

#[test]
fn mit_gives_tickets_of_each_enctype_and_keytabs_of_each_version() {
    let realm = MitRealm::start();
    for enctype in Enctype::ALL {
        let service = format!("HTTP/{}.mit.example", enctype.name());
        realm.service(&service, &[enctype]);
        realm.session_keys(&service, &[enctype]);
        let client = realm.client();
        client.log_on(MitRealm::ALICE, MitRealm::PASSWORD).unwrap();
        client.ticket(&service).unwrap();
        let tickets = client.tickets();
        let name = enctype.name();
        let both = [format!("{name}, {name}"), format!("DEPRECATED:{name}, DEPRECATED:{name}")];
        assert!(both.iter().any(|both| tickets.contains(both)), "{tickets}");
    }
    realm.service("HTTP/localhost", &[Enctype::Aes256Sha1]);
    let old = realm.keytab("old.keytab", &["HTTP/localhost"]);
    realm.rotate("HTTP/localhost", &[Enctype::Aes128Sha1]);
    let both = realm.keytab("both.keytab", &["HTTP/localhost"]);
    let size = |path| std::fs::metadata(path).unwrap().len();
    assert!(size(&both) > size(&old), "the old key is not kept");
}

#[test]
fn mit_knows_its_users_and_refuses_others() {
    let realm = MitRealm::start();
    realm.service("HTTP/localhost", &[Enctype::Aes256Sha2]);
    for user in [MitRealm::ALICE, MitRealm::BOB, MitRealm::THREE] {
        let client = realm.client();
        client.log_on(user, MitRealm::PASSWORD).unwrap();
        client.ticket("HTTP/localhost").unwrap();
        assert!(client.tickets().contains(&format!("Default principal: {user}@{}", MitRealm::REALM)));
    }
    let client = realm.client();
    let wrong = client.log_on(MitRealm::ALICE, "wrong").unwrap_err();
    assert!(wrong.contains("Password incorrect"), "{wrong}");
    assert!(client.log_on("nobody", "wrong").unwrap_err().contains("not found"));
    realm.modify(MitRealm::BOB, "-allow_tix");
    assert!(client.log_on(MitRealm::BOB, MitRealm::PASSWORD).unwrap_err().contains("revoked"));
    let weak = realm.client_with(&[Enctype::Aes128Sha1]);
    weak.log_on(MitRealm::ALICE, MitRealm::PASSWORD).unwrap();
    assert!(weak.ticket("HTTP/localhost").unwrap_err().contains("no support for encryption type"));
    realm.session_keys("HTTP/localhost", &[Enctype::Aes128Sha1]);
    weak.ticket("HTTP/localhost").unwrap();
    assert!(weak.tickets().contains("aes128-cts-hmac-sha1-96, aes256-cts-hmac-sha384-192"), "{}", weak.tickets());
}

#[test]
fn the_sids_in_a_pac_of_sambas_are_those_of_its_directory() {
    let domain = SambaDomain::start();
    let keytab = domain.keytab("svc-web");
    for user in ["nested", "plain", "jürgen", "crowded", "WS1$"] {
        let client = domain.client();
        client.log_on(user, SambaDomain::PASSWORD).unwrap();
        let pac = domain.pac(&client, "HTTP/localhost", &keytab);
        let all = |name: &str| {
            pac.iter().filter(|(what, _)| what == name).map(|(_, value)| value.clone()).collect::<BTreeSet<_>>()
        };
        assert_eq!(all("user"), BTreeSet::from([user.to_owned()]));
        assert_eq!(all("domain"), BTreeSet::from([SambaDomain::DOMAIN.to_owned()]));
        let directory = domain.token_groups(user);
        let of_domain = |sids: &BTreeSet<String>| {
            sids.iter().filter(|sid| sid.starts_with("S-1-5-21-")).cloned().collect::<BTreeSet<_>>()
        };
        assert_eq!(of_domain(&all("sid")), of_domain(&directory), "{user}");
        let least = [("nested", 7), ("crowded", 122)].iter().find(|(name, _)| *name == user).map_or(2, |(_, n)| *n);
        assert_eq!(of_domain(&directory).len(), least, "{user}: {directory:?}");
        // S-1-18-1: the KDC itself saw the client's key (MS-KILE 3.3.5.6.4.6).
        assert!(all("sid").contains("S-1-18-1"), "{pac:?}");
    }
    let client = domain.client();
    assert!(client.log_on("disabled", SambaDomain::PASSWORD).unwrap_err().contains("revoked"));
}

#[test]
fn samba_lets_one_service_act_as_a_user_towards_another() {
    let domain = SambaDomain::start();
    let (own, client) = (domain.keytab("svc-deleg"), domain.client());
    client.log_on_by_keytab("svc-deleg", &own).unwrap();
    client.ticket_for_another("nested", "HTTP/localhost", &own).unwrap();
    assert!(client.tickets().contains("for client nested@AD.EXAMPLE"), "{}", client.tickets());
    let refused = client.ticket_for_another("nested", "HTTP/rc4.ad.example", &own);
    assert!(refused.is_err(), "{}", client.tickets());
    assert!(domain.administer(&["user", "list"]).contains("svc-deleg"));
}
