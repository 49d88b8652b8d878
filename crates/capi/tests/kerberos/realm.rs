//! A realm of MIT's KDC, and what the programs need of it in a folder.

use portcullis_testkit::kdc::{Client, Enctype, MitRealm};
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The service that the programs in C mean (`TARGET` of `talk.h`).
pub const SERVICE: &str = "HTTP/web1.corp.example";
const OTHER: &str = "ldap/web1.corp.example";

pub struct Realm {
    pub realm: MitRealm,
    folder: TempDir,
    made: Instant,
}

/// How long the ticket of the cache `expired` lasts.
const SHORT: Duration = Duration::from_secs(4);

impl Realm {
    /// The realm that all tests share. Its files are only read; a program that writes gets a copy of them.
    pub fn shared() -> &'static Self {
        static REALM: OnceLock<Realm> = OnceLock::new();
        let realm = REALM.get_or_init(Self::new);
        std::thread::sleep((SHORT + Duration::from_secs(2)).saturating_sub(realm.made.elapsed()));
        realm
    }

    fn new() -> Self {
        let realm = MitRealm::start();
        let folder = tempfile::tempdir().unwrap();
        let mut this = Self { realm, folder, made: Instant::now() };
        this.keytabs();
        this.caches();
        this.made = Instant::now();
        this
    }

    fn keytabs(&self) {
        let Self { realm, .. } = self;
        for service in [SERVICE, OTHER] {
            realm.service(service, &[Enctype::Aes256Sha1]);
            realm.session_keys(service, &Enctype::ALL);
        }
        self.keep("old.keytab", &realm.keytab("old.keytab", &[SERVICE]));
        realm.rotate(SERVICE, &[Enctype::Aes256Sha1]);
        self.keep("http.keytab", &realm.keytab("http.keytab", &[SERVICE]));
        self.keep("ldap.keytab", &realm.keytab("ldap.keytab", &[OTHER]));
        self.keep("many.keytab", &realm.keytab("many.keytab", &[OTHER, SERVICE]));
        // The same names in a realm of the same name, which has other keys.
        let elsewhere = MitRealm::start();
        elsewhere.service(SERVICE, &[Enctype::Aes256Sha1]);
        elsewhere.rotate(SERVICE, &[Enctype::Aes256Sha1]);
        self.keep("wrong.keytab", &elsewhere.keytab("wrong.keytab", &[SERVICE]));
        let weaker = MitRealm::start();
        weaker.service(SERVICE, &[Enctype::Aes128Sha1]);
        self.keep("aes128.keytab", &weaker.keytab("aes128.keytab", &[SERVICE]));
    }

    fn caches(&self) {
        let of = |user: &str, enctype: Enctype| {
            let client = self.realm.client_with(&[enctype]);
            client.log_on_with(user, MitRealm::PASSWORD, &["-f"]).unwrap();
            client
        };
        let bare = of(MitRealm::ALICE, Enctype::Aes256Sha1);
        self.keep("bare", &bare.cache());
        for (name, user, enctype) in [
            ("alice", MitRealm::ALICE, Enctype::Aes256Sha1),
            ("bob", MitRealm::BOB, Enctype::Aes256Sha1),
            ("aes128", MitRealm::ALICE, Enctype::Aes128Sha1),
            ("sha384", MitRealm::ALICE, Enctype::Aes256Sha2),
            ("camellia", MitRealm::ALICE, Enctype::Camellia128),
            ("rc4", MitRealm::ALICE, Enctype::Rc4),
        ] {
            let client = of(user, enctype);
            client.ticket(SERVICE).unwrap();
            assert!(client.tickets().contains(enctype.name()), "{}", client.tickets());
            self.keep(name, &client.cache());
        }
        let client = self.realm.client();
        let short = format!("{}s", SHORT.as_secs());
        client.log_on_with(MitRealm::ALICE, MitRealm::PASSWORD, &["-l", &short]).unwrap();
        client.ticket(SERVICE).unwrap();
        self.keep("expired", &client.cache());
    }

    fn keep(&self, name: &str, file: &Path) {
        fs::copy(file, self.folder.path().join(name)).unwrap();
    }

    /// All of it in a folder of its own, which a program may write to.
    pub fn files(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        folder
    }

    /// A user with a ticket-granting ticket, for MIT's own programs.
    pub fn logged_on(&self, user: &str) -> Client {
        let client = self.realm.client_with(&[Enctype::Aes256Sha1]);
        client.log_on_with(user, MitRealm::PASSWORD, &["-f"]).unwrap();
        client
    }
}
