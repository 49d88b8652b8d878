use crate::client::Client;
use crate::{CLIENT, REALM, SERVICE, pac};
use portcullis::kerberos::crypto::{Enctype, Key};
use portcullis_wire::kerberos::{
    AD_IF_RELEVANT, AD_WIN2K_PAC, AuthorizationData, Ccache, CcachePrincipal, Credential, CredentialTimes,
    EncTicketPart, EncryptedData, EncryptionKey, KerberosTime, NewKeytabEntry, PrincipalName, Tagged, Ticket,
    TicketFlags, Transited, encode_keytab, encode_principal_name,
};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// RFC 4120 §7.5.1: a ticket under a service's key.
const USAGE_TICKET: u32 = 2;
/// Name types (RFC 4120 §6.2).
const PRINCIPAL: i32 = 1;
const SRV_INST: i32 = 2;
const KVNO: u32 = 2;
const LIFE: Duration = Duration::from_secs(10 * 3600);

/// The realm's keys, and a client with a ticket of it.
pub struct Realm {
    folder: PathBuf,
    client: Client,
    /// The same client with a PAC that another service's key has signed.
    forger: Client,
    pac_bytes: usize,
}

/// What a realm is made with.
struct Made {
    service: Key,
    granting: Key,
    session: Key,
    auth_time: SystemTime,
}

impl Realm {
    /// Writes the files of a new realm.
    pub fn create(folder: &Path) -> Self {
        let made = Made {
            service: random_key(),
            granting: random_key(),
            session: random_key(),
            auth_time: SystemTime::now() - Duration::from_secs(60),
        };
        let (ticket, pac_bytes) = made.ticket(&made.service);
        let cache = made.ccache(&ticket);
        let components = SERVICE.map(str::as_bytes);
        let keytab = encode_keytab(&[NewKeytabEntry {
            realm: REALM.as_bytes(),
            name_type: SRV_INST,
            components: &components,
            timestamp: u32::try_from(made.time().0).unwrap_or(0),
            kvno: KVNO,
            etype: made.service.enctype().number(),
            key: made.service.bytes(),
        }]);
        for (file, bytes) in [
            ("keytab", keytab.expect("it fits").as_slice()),
            ("ccache", &cache),
            ("krb5.conf", CONFIGURATION.as_bytes()),
        ] {
            write(&folder.join(file), bytes);
        }
        let forged = made.ccache(&made.ticket(&random_key()).0);
        let (client, forger) = (Client::from_ccache(&cache), Client::from_ccache(&forged));
        Self { folder: folder.to_owned(), client, forger, pac_bytes }
    }

    /// Writes `count` fresh AP-REQs, and one with the forged PAC; gives the length of one of them.
    pub fn write_tokens(&self, count: usize) -> usize {
        let now = SystemTime::now();
        let (mut tokens, mut length) = (Vec::new(), 0);
        for n in 0..count {
            let at = now + Duration::from_micros(u64::try_from(n).unwrap_or(0));
            length = append(&self.client.request(at).0, &mut tokens);
        }
        let mut forged = Vec::new();
        append(&self.forger.request(now).0, &mut forged);
        write(&self.folder.join("tokens"), &tokens);
        write(&self.folder.join("forged"), &forged);
        length
    }

    /// How long the PAC is.
    pub fn pac_bytes(&self) -> usize {
        self.pac_bytes
    }
}

impl Made {
    fn time(&self) -> KerberosTime {
        KerberosTime::from_system(self.auth_time)
    }

    fn end(&self) -> KerberosTime {
        KerberosTime::from_system(self.auth_time + LIFE)
    }

    /// A ticket under the service's key whose PAC `signer` has signed, and the PAC's length.
    fn ticket(&self, signer: &Key) -> (Vec<u8>, usize) {
        let unsigned = self.part(&[0]);
        let signature = pac::ticket_signature(&unsigned, &self.granting);
        let pac = pac::make(self.time(), signer, &self.granting, &signature);
        let part = self.part(&pac);
        let (mut confounder, mut cipher) = ([0; 16], Vec::new());
        getrandom::fill(&mut confounder).expect("the system has random bytes");
        self.service.cipher(USAGE_TICKET).encrypt(&confounder, &part, &mut cipher);
        let name = encode_principal_name(SRV_INST, &SERVICE.map(str::as_bytes));
        let ticket = Ticket {
            raw: &[],
            realm: REALM.as_bytes(),
            sname: PrincipalName::from_encoded(&name).expect("a name"),
            enc_part: EncryptedData { etype: self.service.enctype().number(), kvno: Some(KVNO), cipher: &cipher },
        };
        let mut out = Vec::new();
        ticket.encode(&mut out);
        (out, pac.len())
    }

    fn part(&self, pac: &[u8]) -> Vec<u8> {
        let name = encode_principal_name(PRINCIPAL, &[CLIENT.as_bytes()]);
        let inside = AuthorizationData::of(&[(AD_WIN2K_PAC, pac)]);
        let authorization = AuthorizationData::of(&[(AD_IF_RELEVANT, inside.as_slice())]);
        let part = EncTicketPart {
            raw: &[],
            flags: FLAGS,
            key: EncryptionKey { etype: self.session.enctype().number(), value: self.session.bytes() },
            crealm: REALM.as_bytes(),
            cname: PrincipalName::from_encoded(&name).expect("a name"),
            transited: Transited { tr_type: 1, contents: &[] },
            authtime: self.time(),
            starttime: Some(self.time()),
            endtime: self.end(),
            renew_till: Some(self.end()),
            caddr: None,
            authorization_data: Some(AuthorizationData::decode(&authorization).expect("a list")),
        };
        let mut out = Vec::new();
        part.encode(&mut out);
        out
    }

    fn ccache(&self, ticket: &[u8]) -> Vec<u8> {
        let realm = REALM.as_bytes();
        let client = CcachePrincipal::of(PRINCIPAL, realm, &[CLIENT.as_bytes()]).expect("it fits");
        let server = CcachePrincipal::of(SRV_INST, realm, &SERVICE.map(str::as_bytes)).expect("it fits");
        let client = CcachePrincipal::from_encoded(&client).expect("a principal");
        let none = Tagged::of(&[]).expect("it fits");
        let none = Tagged::from_encoded(&none).expect("a list");
        let credential = Credential {
            client,
            server: CcachePrincipal::from_encoded(&server).expect("a principal"),
            key: EncryptionKey { etype: self.session.enctype().number(), value: self.session.bytes() },
            times: CredentialTimes {
                authtime: self.time(),
                starttime: self.time(),
                endtime: self.end(),
                renew_till: self.end(),
            },
            is_skey: false,
            flags: FLAGS,
            addresses: none,
            authdata: none,
            ticket,
            second_ticket: &[],
        };
        Ccache::encode(None, &client, &[credential]).expect("it fits")
    }
}

/// As a domain controller sets them: FORWARDABLE, RENEWABLE, PRE-AUTHENT, OK-AS-DELEGATE.
const FLAGS: TicketFlags = TicketFlags(0x40a4_0000);

/// No name is looked up, and nobody chooses an encryption type that the others do not have.
const CONFIGURATION: &str = "[libdefaults]
 default_realm = CORP.EXAMPLE
 dns_lookup_realm = false
 dns_lookup_kdc = false
 dns_canonicalize_hostname = false
 rdns = false
 qualify_shortname = \"\"
 permitted_enctypes = aes256-cts-hmac-sha1-96
[domain_realm]
 web1.corp.example = CORP.EXAMPLE
";

/// Writes a file that its owner alone may read: Heimdal takes no other cache.
fn write(path: &Path, bytes: &[u8]) {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(bytes)).expect("the folder can be written to");
}

fn random_key() -> Key {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has random bytes");
    Key::new(Enctype::Aes256Sha1, &bytes).expect("32 bytes")
}

fn append(token: &[u8], out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&u32::try_from(token.len()).expect("a token").to_be_bytes());
    out.extend_from_slice(token);
    token.len()
}
