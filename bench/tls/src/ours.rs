use crate::Identity;
use crate::measure::{Connection, HEADER, Message, Server, TRAILER};
use portcullis::schannel::{Acceptor, AcceptorSettings, Identities, TicketKey, TicketKeys};
use portcullis::{
    Call, Context, Credential, Handshake, Inbound, NeedsToken, NoRandomness, Record, Secret, Segment, schannel,
};
use std::time::{Duration, SystemTime};

/// Portcullis, as a server uses it.
pub(crate) struct Schannel(Credential);

/// A connection.
pub(crate) enum Stream {
    Waiting(NeedsToken),
    Through(Context),
    Gone,
}

impl Schannel {
    pub(crate) fn new(identity: &Identity) -> Self {
        let certificate = vec![identity.certificate.to_vec()];
        let identity = schannel::Identity::from_der(certificate, identity.key()).expect("an identity");
        let (now, day) = (SystemTime::now(), Duration::from_secs(24 * 3600));
        let key = TicketKey::new([1; 16], &Secret::new([7; 32]), now - day, now + day).expect("a key");
        let settings =
            AcceptorSettings { tickets: Some(TicketKeys::new(vec![key], day / 2)), ..AcceptorSettings::default() };
        Self(Credential::acceptor(Acceptor::new(Identities::new(identity), settings).expect("an acceptor")))
    }
}

impl Server for Schannel {
    type Connection = Stream;

    fn name(&self) -> &'static str {
        "portcullis"
    }

    fn begin(&self) -> Stream {
        Stream::Waiting(self.0.begin())
    }
}

impl Connection for Stream {
    fn hear(&mut self, flight: &[u8], out: &mut Vec<u8>) {
        let Self::Waiting(waiting) = std::mem::replace(self, Self::Gone) else { panic!("nothing is expected") };
        let mut random = |bytes: &mut [u8]| getrandom::fill(bytes).map_err(|_| NoRandomness);
        let mut inbound = Inbound::new(flight);
        let at = waiting.stream(&mut inbound, Call::new(SystemTime::now(), &mut random, &mut (), out));
        assert!(inbound.extra().is_empty());
        *self = match at {
            Ok(Handshake::NeedsToken(waiting)) => Self::Waiting(waiting),
            Ok(Handshake::Established(context)) => Self::Through(context),
            other => panic!("a token or a context was expected: {other:?}"),
        };
    }

    fn is_through(&self) -> bool {
        matches!(self, Self::Through(_))
    }

    fn seal(&mut self, message: &mut Message) {
        let (header, rest) = message.room.split_at_mut(HEADER);
        let (data, trailer) = rest.split_at_mut(rest.len() - TRAILER);
        let segments = &mut [Segment::Header(header), Segment::Data(data), Segment::Trailer(trailer)];
        assert_eq!(self.context().seal(segments).expect("sealed"), TRAILER);
    }

    fn unseal<'m>(&mut self, record: &'m mut [u8], _: &'m mut [u8]) -> &'m [u8] {
        match self.context().unseal_record(record) {
            Ok(Record::Data { start, len, .. }) => &record[start..start + len],
            other => panic!("data was expected: {other:?}"),
        }
    }
}

impl Stream {
    fn context(&mut self) -> &mut Context {
        let Self::Through(context) = self else { panic!("the handshake is not through") };
        context
    }
}
