use super::{edit, next_token};
use crate::tls::{self, Ca, Client, Judge, Leaf, Server, VERSIONS};
use portcullis::schannel::{
    AcceptorSettings, ClientAuth, Initiator, InitiatorSettings, Mapping, TicketKey, TicketKeys,
};
use portcullis::{Cause, Credential, Record, Secret, TlsVersion, schannel};
use rustls::{ClientConfig, ServerConfig, ServerConnection};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An acceptor of TLS. The first byte chooses who speaks, the second the setting: calls as they stand, each behind its
/// length in two bytes, or a good client of rustls' and somebody on the way who edits, four bytes an edit.
pub fn schannel_acceptor(bytes: &[u8]) {
    let Some((&[speaker, setting], rest)) = bytes.split_first_chunk::<2>() else { return };
    let judge = Judge::accepts(Judge::ann());
    let mut server = Server::new(&world().acceptors[usize::from(setting & 7)], &judge);
    server.now = now();
    if speaker & 1 == 0 {
        let mut script = rest;
        while let Some(piece) = next_token(&mut script) {
            server.hear(piece);
        }
        assert!(server.context.is_none(), "nobody has keys who has not seen ours");
    } else {
        client_with_edits(&mut server, speaker, rest);
    }
    ours_is_no_fault(server.failure.as_ref());
}

/// Whatever somebody on the way does: who is established shares its keys with the client, and opens what it sent.
fn client_with_edits(server: &mut Server<'_>, speaker: u8, edits: &[u8]) {
    let mut client = tls::connect(&world().clients[usize::from(speaker >> 1 & 3)], "localhost");
    // How the flights are cut into calls.
    let cut = usize::from(speaker >> 3).max(1) * 40;
    for number in 0..4 {
        let mut flight = tls::sends(&mut client);
        edit(edits, number, &mut flight);
        flight.chunks(cut).for_each(|piece| server.hear(piece));
        let reply = std::mem::take(&mut server.out);
        if server.failure.is_some()
            || (flight.is_empty() && reply.is_empty())
            || tls::hears(&mut client, &reply).is_err()
        {
            break;
        }
    }
    if server.context.is_none() {
        return;
    }
    let mut theirs = [0; 32];
    let exported = client.export_keying_material(&mut theirs, b"EXPORTER-Channel-Binding", Some(&[]));
    assert!(exported.is_ok(), "established with a client that is not");
    let ours = server.channel().exporter_bindings().unwrap();
    assert_eq!(ours, portcullis::ChannelBindings::tls_exporter(&theirs), "keys that are not shared");
    let mut sent = tls::writes(&mut client, b"data");
    edit(edits, 3, &mut sent);
    server.hear(&sent);
    opens(4, || server.receive());
}

/// Opens records until there are none, or one is bad.
fn opens(most: usize, mut receive: impl FnMut() -> Result<(Record, Vec<u8>), portcullis::Failure>) {
    for _ in 0..most {
        match receive() {
            Ok((Record::Incomplete { missing }, _)) => return assert!(missing > 0),
            Ok((Record::Data { len, .. }, data)) => assert!(len == 0 || data == b"data", "{data:?} was never sent"),
            Ok(_) => {}
            Err(failure) => {
                ours_is_no_fault(Some(&failure));
                assert_eq!(receive().unwrap_err(), failure, "a stream that failed stays so");
                return;
            }
        }
    }
}

/// An initiator of TLS; bytes as for [`schannel_acceptor`], of a server.
pub fn schannel_initiator(bytes: &[u8]) {
    let Some((&[speaker, setting], rest)) = bytes.split_first_chunk::<2>() else { return };
    let mut client = Client::new(&world().initiators[usize::from(setting & 3)], "localhost");
    client.now = now();
    let first = client.hear(b"");
    assert!(!first.is_empty(), "an initiator begins");
    if speaker & 1 == 0 {
        let mut script = rest;
        while let Some(piece) = next_token(&mut script) {
            client.hear(piece);
        }
        assert!(client.context.is_none(), "nobody has keys who has not seen ours");
    } else {
        server_with_edits(&mut client, first, speaker, rest);
    }
    ours_is_no_fault(client.failure.as_ref());
}

fn server_with_edits(client: &mut Client, mut said: Vec<u8>, speaker: u8, edits: &[u8]) {
    let mut server = ServerConnection::new(Arc::clone(&world().servers[usize::from(speaker >> 1 & 1)])).unwrap();
    let cut = usize::from(speaker >> 2).max(1) * 40;
    for number in 0..4 {
        let mut bytes = &said[..];
        let mut taken = Ok(());
        while !bytes.is_empty() && taken.is_ok() {
            taken = server.read_tls(&mut bytes).map_err(drop).and_then(|_| match server.process_new_packets() {
                Ok(_) => Ok(()),
                Err(_) => Err(()),
            });
        }
        let mut flight = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut flight).unwrap();
        }
        edit(edits, number, &mut flight);
        said = flight.chunks(cut).flat_map(|piece| feed(client, piece)).collect();
        if client.failure.is_some() || taken.is_err() || (said.is_empty() && flight.is_empty()) {
            break;
        }
    }
    if client.context.is_none() {
        return;
    }
    let mut theirs = [0; 32];
    let exported = server.export_keying_material(&mut theirs, b"EXPORTER-Channel-Binding", Some(&[]));
    let channel = client.context().facts().channel.clone().unwrap();
    assert!(channel.verified && !channel.peer_certificates.is_empty());
    if exported.is_ok() {
        let ours = channel.exporter_bindings().unwrap();
        assert_eq!(ours, portcullis::ChannelBindings::tls_exporter(&theirs), "keys that are not shared");
    } else {
        assert_eq!(channel.version, TlsVersion::Tls13, "the server is through before its client");
    }
    opens(8, || client.receive());
}

/// Bytes belong to the handshake as long as there is one, and then to the context.
fn feed(client: &mut Client, piece: &[u8]) -> Vec<u8> {
    if client.context.is_none() {
        return client.hear(piece);
    }
    client.pending.extend_from_slice(piece);
    Vec::new()
}

fn ours_is_no_fault(failure: Option<&portcullis::Failure>) {
    if let Some(failure) = failure {
        assert_ne!(failure.cause, Cause::Schannel(schannel::Cause::Internal), "{failure}");
        assert_ne!(failure.status, portcullis::Status::SEC_E_INTERNAL_ERROR, "{failure}");
    }
}

/// Keys are made once a process, and nothing that is asserted depends on them.
struct World {
    acceptors: Vec<Credential>,
    initiators: Vec<Credential>,
    clients: Vec<Arc<ClientConfig>>,
    servers: Vec<Arc<ServerConfig>>,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let ca = Ca::new("Root");
        let (leaf, ann) = (ca.server(&["localhost"]), ca.client("Ann", 7));
        World {
            acceptors: (0..8).map(|setting| leaf.acceptor(acceptor(setting, &ca))).collect(),
            initiators: (0..4).map(|setting| initiator(setting, &ca, &ann)).collect(),
            clients: [None, Some(&ann)]
                .into_iter()
                .flat_map(|leaf| VERSIONS.map(|version| tls::client_of(version, &ca, leaf, |_| ())))
                .collect(),
            servers: VERSIONS.map(|version| tls::server(version, &leaf, None, |_| ())).to_vec(),
        }
    })
}

fn acceptor(setting: u8, ca: &Ca) -> AcceptorSettings {
    let key = TicketKey::new([1; 16], &Secret::new([1; 32]), UNIX_EPOCH, now() + Duration::from_secs(86400));
    AcceptorSettings {
        client_auth: [ClientAuth::None, ClientAuth::Request, ClientAuth::Require, ClientAuth::Request]
            [usize::from(setting & 3)],
        clients: Some(ca.trust()),
        mapping: if setting & 4 == 0 { Mapping::Optional } else { Mapping::Required },
        application_protocols: if setting & 4 == 0 { Vec::new() } else { vec![b"h2".to_vec()] },
        tickets: (setting & 4 == 0).then(|| TicketKeys::new(key.into_iter().collect(), Duration::from_secs(3600))),
        ..AcceptorSettings::default()
    }
}

fn initiator(setting: u8, ca: &Ca, ann: &Leaf) -> Credential {
    let settings = InitiatorSettings {
        servers: Some(ca.trust()),
        identity: (setting & 1 != 0).then(|| ann.identity()),
        resumes: setting & 2 != 0,
        ..InitiatorSettings::default()
    };
    Credential::initiator(Initiator::new(settings).unwrap())
}

/// A moment that every certificate here lives in, the same in every run.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_305_600)
}
