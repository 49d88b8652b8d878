use super::{edit, next_token};
use crate::chance::Foretold;
use crate::converse::{Host, Settings};
use crate::meeting::meet;
use crate::realm::Realm;
use crate::server_names;
use portcullis::negotiate::{self, Negotiate};
use portcullis::ntlm::{self, KeyStrength, Ntlm};
use portcullis::{ChannelBindings, ContextFlags, Credential, Handshake, Secret, Status};
use portcullis_wire::ntlm::{Authenticate, Charset, Flags};

fn client(setting: u8) -> ntlm::Initiator {
    let mut client = match setting & 1 {
        0 => ntlm::Initiator::with_password("User", "DOMAIN", &Secret::new("Password".to_owned())),
        _ => ntlm::Initiator::anonymous(),
    };
    client.minimum_key = if setting & 2 == 0 { KeyStrength::Bits128 } else { KeyStrength::Bits40 };
    client
}

fn settings(setting: u8) -> Settings {
    let mut settings = Settings { target: Some("HTTP/web".into()), ..Settings::default() };
    if setting & 4 != 0 {
        settings.want.flags |= ContextFlags::CONFIDENTIALITY;
    }
    if setting & 8 != 0 {
        settings.want.required |= ContextFlags::CONFIDENTIALITY;
    }
    settings.bindings = (setting & 16 != 0).then(|| ChannelBindings::tls_server_end_point(&[9; 32]));
    settings
}

/// An NTLM initiator and a CHALLENGE; the first byte is the setting.
pub fn ntlm_initiator(bytes: &[u8]) {
    let Some((&setting, challenge)) = bytes.split_first() else { return };
    let settings = settings(setting);
    let mut host = Host::new(&settings, Foretold::seeded(1));
    let begun = Credential::initiator(client(setting)).begin();
    let Some(Handshake::NeedsToken(waiting)) = host.call(|call| begun.token(b"", call)) else {
        panic!("an initiator begins")
    };
    let asked = portcullis_wire::ntlm::Negotiate::decode(&host.take_output()).unwrap().flags;
    let at = host.call(|call| waiting.token(challenge, call));
    let said = host.take_output();
    let outcome = host.finish();
    assert_ne!(outcome.statuses.last(), Some(&Status::SEC_E_INTERNAL_ERROR), "{:?}", outcome.cause);
    let Some(Handshake::Established(context)) = at else {
        assert!(said.is_empty(), "nothing is said to a server that is refused");
        return;
    };
    let message = Authenticate::decode(&said, Charset::Unicode).expect("our own message can be read");
    let kept = message.flags.0 & !Flags::ANONYMOUS.0 & !Flags::VERSION.0;
    assert_eq!(kept & !asked.0, 0, "flags that were never asked for: {:?}", message.flags);
    let granted = context.facts().granted;
    assert!(granted.contains(settings.want.required));
    assert!(!granted.contains(ContextFlags::MUTUAL_AUTH), "NTLM proves nothing of the server");
    if setting & 1 != 0 {
        assert!(message.is_anonymous() && context.facts().session_key.is_none());
        return;
    }
    assert!(message.mic().is_some_and(|mic| mic != &[0; 16]));
    if granted.contains(ContextFlags::INTEGRITY) && setting & 2 == 0 {
        assert!(message.flags.contains(Flags::EXTENDED_SESSION_SECURITY | Flags::KEY_128));
    }
}

/// A Negotiate initiator. The first byte chooses who answers, the second the setting: replies as they stand, each behind
/// its length in two bytes, or a good acceptor and somebody on the way who edits, four bytes an edit.
pub fn negotiate_initiator(bytes: &[u8]) {
    let Some((&[speaker, setting], rest)) = bytes.split_first_chunk::<2>() else { return };
    let credential = Credential::initiator(negotiate::Initiator::trying([client(setting).into()]));
    let settings = settings(setting);
    if speaker & 1 == 0 {
        replies(&credential, &settings, setting, rest);
    } else {
        edits(&credential, &settings, setting, rest);
    }
}

/// A server that does not know the password never has a sealed context with this client.
fn replies(credential: &Credential, settings: &Settings, setting: u8, mut bytes: &[u8]) {
    let mut host = Host::new(settings, Foretold::seeded(1));
    let (mut waiting, mut token) = (credential.begin(), Vec::new());
    for _ in 0..16 {
        match host.call(|call| waiting.token(&token, call)) {
            Some(Handshake::NeedsToken(next)) => waiting = next,
            Some(Handshake::Established(context)) => {
                let granted = context.facts().granted;
                assert!(setting & 1 != 0 || !granted.contains(ContextFlags::INTEGRITY), "nobody signed the list");
                assert!(granted.contains(settings.want.required));
                break;
            }
            Some(Handshake::NeedsAnswer(_)) => panic!("an initiator asks nothing"),
            _ => break,
        }
        host.take_output();
        let Some(reply) = next_token(&mut bytes) else { break };
        token = reply.to_vec();
    }
    assert_ne!(host.finish().statuses.last(), Some(&Status::SEC_E_INTERNAL_ERROR));
}

/// Whatever somebody on the way does, a client with keys is established only with a server that is, and has its key.
fn edits(credential: &Credential, settings: &Settings, setting: u8, edits: &[u8]) {
    let mut ntlm = Ntlm::new(server_names());
    ntlm.allow_anonymous = true;
    ntlm.minimum_key = KeyStrength::Bits40;
    let acceptor = Credential::acceptor(Negotiate::offering([ntlm.into()]));
    let theirs = Settings { bindings: settings.bindings.clone(), ..Settings::default() };
    let theirs = theirs.wanting(ContextFlags::NULL_SESSION);
    let meeting = meet((credential, settings), (&acceptor, &theirs), &Realm::of_user(), |number, message| {
        edit(edits, u8::try_from(number).unwrap_or(u8::MAX), message);
    });
    let server = meeting.acceptor.context.as_ref().map(portcullis::Context::facts);
    if let Some(server) = server {
        let is_user = server.account.as_ref().is_some_and(|account| account.name == "User");
        assert!(is_user || (server.account.is_none() && setting & 1 != 0), "somebody else came in");
    }
    if let Some(client) = meeting.initiator.context.as_ref().map(portcullis::Context::facts)
        && client.granted.contains(ContextFlags::INTEGRITY)
    {
        let key = |facts: &portcullis::Facts| facts.session_key.as_ref().map(|key| key.expose().clone());
        assert_eq!(server.map(key), Some(key(client)), "the client was told that it is in, and it is not");
    }
}
