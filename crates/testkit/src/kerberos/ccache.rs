use super::{Name, Ticket};
use portcullis_wire::kerberos::{Ccache, CcachePrincipal, Credential, CredentialTimes, KerberosTime, Tagged};

/// A ticket as a client's cache holds it.
#[derive(Debug, Clone)]
pub struct Cached {
    /// The ticket and its key.
    pub ticket: Ticket,
    /// Its bytes, where they are not what [`Ticket::encode`] gives.
    pub raw: Option<Vec<u8>>,
    /// The key that the cache says.
    pub key: super::RawKey,
    /// The service that the cache says.
    pub server: Name,
}

impl Cached {
    /// A ticket as it is.
    pub fn of(ticket: Ticket) -> Self {
        Self { key: ticket.session.clone(), server: ticket.service.clone(), ticket, raw: None }
    }
}

/// The bytes of a credential cache of version 4 with these tickets; its owner is the first one's client.
///
/// # Panics
/// For no ticket, and for names and times that no cache can hold.
pub fn ccache(tickets: &[Cached]) -> Vec<u8> {
    let principal = |name: &Name| CcachePrincipal::of(name.kind, &name.realm, &name.parts()).unwrap();
    let names: Vec<_> =
        tickets.iter().map(|cached| (principal(&cached.ticket.client), principal(&cached.server))).collect();
    let raw: Vec<_> =
        tickets.iter().map(|cached| cached.raw.clone().unwrap_or_else(|| cached.ticket.encode())).collect();
    let none = Tagged::of(&[]).unwrap();
    let credentials: Vec<_> = tickets
        .iter()
        .zip(&names)
        .zip(&raw)
        .map(|((cached, (client, server)), raw)| {
            let ticket = &cached.ticket;
            Credential {
                client: CcachePrincipal::from_encoded(client).unwrap(),
                server: CcachePrincipal::from_encoded(server).unwrap(),
                key: cached.key.encryption_key(),
                times: CredentialTimes {
                    authtime: KerberosTime(ticket.auth_time),
                    starttime: KerberosTime(ticket.start_time.unwrap_or(0)),
                    endtime: KerberosTime(ticket.end_time),
                    renew_till: KerberosTime(ticket.renew_till.unwrap_or(0)),
                },
                is_skey: false,
                flags: ticket.flags,
                addresses: Tagged::from_encoded(&none).unwrap(),
                authdata: Tagged::from_encoded(&none).unwrap(),
                ticket: raw,
                second_ticket: &[],
            }
        })
        .collect();
    let owner = CcachePrincipal::from_encoded(&names[0].0).unwrap();
    Ccache::encode(None, &owner, &credentials).unwrap()
}
