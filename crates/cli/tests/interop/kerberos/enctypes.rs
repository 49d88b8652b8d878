//! Keys and session keys of each kind, and keytabs whose keys were changed.

use crate::kerberos::clients::{self, Ask, Way, expect_alice};
use crate::kerberos::services::{HTTP, Target, World, serve};
use portcullis_testkit::kdc::{Enctype, MitRealm};

const LIBRARIES: [Ask; 4] = [clients::gssapi, clients::heimdal, clients::pyspnego, clients::java];
const RC4: &str = "[kerberos]\ndanger_accept_rc4 = true\n";

/// Heimdal 7 knows neither Camellia nor, as Java, anything that MIT's library alone has.
fn knows(library: usize, enctype: Enctype) -> bool {
    let mit = [0, 2].contains(&library);
    mit || !matches!(enctype, Enctype::Camellia128 | Enctype::Camellia256)
}

#[test]
fn tickets_and_session_keys_of_each_enctype() {
    for enctype in Enctype::ALL {
        let world = World::with(&[enctype]);
        world.realm.session_keys(HTTP, &[enctype]);
        let settings = if enctype == Enctype::Rc4 { RC4 } else { "" };
        let server = serve(&world.keytab, settings);
        for (number, ask) in LIBRARIES.iter().enumerate().filter(|(number, _)| knows(*number, enctype)) {
            for bare in [false, true] {
                // The JDK is told by the server.
                if bare && number == 3 {
                    continue;
                }
                let outcome = ask(&Target::of(&server), &world.alice, &Way { bare, ..Way::default() });
                expect_alice(&outcome, 1);
            }
        }
        assert!(server.causes().iter().all(|cause| cause == "ok"), "{enctype:?}: {:?}", server.causes());
    }
}

/// The service's key and the session's need not be of one kind, and the client may want a third for its messages.
#[test]
fn a_session_key_of_another_enctype_than_the_services() {
    for (key, session) in [
        (Enctype::Aes256Sha1, Enctype::Aes128Sha1),
        (Enctype::Aes128Sha2, Enctype::Aes256Sha1),
        (Enctype::Camellia256, Enctype::Aes256Sha1),
    ] {
        let world = World::with(&[key]);
        world.realm.session_keys(HTTP, &[session]);
        let server = world.serve();
        for ask in [clients::gssapi as Ask, clients::heimdal, clients::java] {
            expect_alice(&ask(&Target::of(&server), &world.alice, &Way::default()), 1);
        }
    }
}

#[test]
fn rc4_is_refused_by_default_as_a_key_and_as_a_session_key() {
    for (key, session) in
        [(Enctype::Rc4, Enctype::Rc4), (Enctype::Aes256Sha1, Enctype::Rc4), (Enctype::Rc4, Enctype::Aes256Sha1)]
    {
        let world = World::with(&[key]);
        world.realm.session_keys(HTTP, &[session]);
        let server = world.serve();
        clients::gssapi(&Target::of(&server), &world.alice, &Way::default()).expect_refused();
        server.expect_last_cause("kerberos/rc4-refused");
        let server = serve(&world.keytab, RC4);
        expect_alice(&clients::gssapi(&Target::of(&server), &world.alice, &Way::default()), 1);
    }
}

#[test]
fn old_and_new_keys_of_a_changed_password() {
    let world = World::new();
    // Alice's ticket is of the first version.
    world.alice.ticket(HTTP).unwrap();
    let before = world.realm.keytab("before.keytab", &[HTTP]);
    world.realm.rotate(HTTP, &[Enctype::Aes256Sha1]);
    let both = world.realm.keytab("both.keytab", &[HTTP]);
    let later = world.realm.client();
    later.log_on(MitRealm::ALICE, MitRealm::PASSWORD).unwrap();

    let server = serve(&both, "");
    expect_alice(&clients::curl(&Target::of(&server), &world.alice, &Way::default()), 1);
    expect_alice(&clients::curl(&Target::of(&server), &later, &Way::default()), 1);

    let server = serve(&before, "");
    expect_alice(&clients::curl(&Target::of(&server), &world.alice, &Way::default()), 1);
    clients::curl(&Target::of(&server), &later, &Way::default()).expect_refused();
    server.expect_last_cause("kerberos/no-key-version");
}

/// Whoever changes the password writes a new keytab in the old one's place, and sends SIGHUP.
#[test]
fn a_keytab_is_read_anew() {
    let world = World::new();
    let server = world.serve();
    expect_alice(&clients::curl(&Target::of(&server), &world.alice, &Way::default()), 1);
    world.realm.rotate(HTTP, &[Enctype::Aes256Sha2]);
    let later = world.realm.client();
    later.log_on(MitRealm::ALICE, MitRealm::PASSWORD).unwrap();
    clients::curl(&Target::of(&server), &later, &Way::default()).expect_refused();
    let new = world.realm.keytab("new.keytab", &[HTTP]);
    std::fs::rename(new, &world.keytab).unwrap();
    server.reload();
    expect_alice(&clients::curl(&Target::of(&server), &later, &Way::default()), 1);
    // Both versions are in it.
    expect_alice(&clients::curl(&Target::of(&server), &world.alice, &Way::default()), 1);
}

#[test]
fn a_key_of_another_enctype_than_the_tickets_is_none() {
    let world = World::with(&[Enctype::Aes128Sha1]);
    let (other, service) = (World::with(&[Enctype::Aes256Sha2]), serve);
    let server = service(&other.keytab, "");
    clients::curl(&Target::of(&server), &world.alice, &Way::default()).expect_refused();
    server.expect_last_cause("kerberos/no-key");
}
