use super::ccache_parts::{be16, be32, counted, write_counted};
use super::{CcachePrincipal, EncryptionKey, KerberosTime, Tagged, TicketFlags};
use crate::{Error, Kind, Reader};
use core::fmt;

/// A credential cache: the file in which a client keeps its tickets, of version 3 or 4.
#[derive(Clone, Copy)]
pub struct Ccache<'a> {
    /// The clock of the issuer less that of this machine, in seconds and microseconds; version 4 may have it.
    pub time_offset: Option<(i32, i32)>,
    /// Whose tickets they are.
    pub default_principal: CcachePrincipal<'a>,
    version: u8,
    credentials: &'a [u8],
    /// Where `credentials` begins in the file.
    at: usize,
}

/// A ticket with its key.
#[derive(Debug, Clone, Copy)]
pub struct Credential<'a> {
    /// The client.
    pub client: CcachePrincipal<'a>,
    /// The service.
    pub server: CcachePrincipal<'a>,
    /// The session key.
    pub key: EncryptionKey<'a>,
    /// Since when and until when it is valid.
    pub times: CredentialTimes,
    /// Whether the ticket is under a session key: user-to-user.
    pub is_skey: bool,
    /// The ticket's flags.
    pub flags: TicketFlags,
    /// The addresses that may use it; types as in [`HostAddress`](super::HostAddress).
    pub addresses: Tagged<'a>,
    /// Authorization data.
    pub authdata: Tagged<'a>,
    /// A [`Ticket`](super::Ticket).
    pub ticket: &'a [u8],
    /// For user-to-user the ticket-granting ticket of the service; else empty.
    pub second_ticket: &'a [u8],
}

/// The times of a [`Credential`]; zero for one that was not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CredentialTimes {
    /// When the client first proved itself.
    pub authtime: KerberosTime,
    /// From when it is valid.
    pub starttime: KerberosTime,
    /// Until when it is valid.
    pub endtime: KerberosTime,
    /// Until when it may be renewed.
    pub renew_till: KerberosTime,
}

/// The credentials of a [`Ccache`], one after another.
#[derive(Clone)]
pub struct Credentials<'a> {
    version: u8,
    reader: Reader<'a>,
    /// Where the first one begins in the file.
    at: usize,
}

impl<'a> Ccache<'a> {
    /// Decodes the file up to the default principal; the credentials are decoded one by one.
    ///
    /// # Errors
    /// [`Kind::Unexpected`] in `file_format_version` for another version than 3 and 4: 1 and 2 are in the byte order of
    /// the machine that wrote them, and no longer written. Else with the offset and the field that is cut short.
    pub fn decode(file: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(file);
        let version = match reader.array("file_format_version")? {
            [5, version @ 3..=4] => version,
            _ => return Err(Error::new(0, "file_format_version", Kind::Unexpected)),
        };
        let time_offset = if version == 4 { header(&mut reader)? } else { None };
        let default_principal = CcachePrincipal::read(&mut reader)?;
        Ok(Self { time_offset, default_principal, version, credentials: reader.rest(), at: reader.offset() })
    }

    /// The credentials in their order, the configuration among them: [`Credential::configuration`] tells it apart. One
    /// that cannot be read is an error, behind which nothing follows.
    pub const fn credentials(&self) -> Credentials<'a> {
        Credentials { version: self.version, reader: Reader::new(self.credentials), at: self.at }
    }

    /// A whole file of version 4.
    ///
    /// # Errors
    /// [`Kind::TooLarge`] with the field that the file has no room for; [`Kind::Unexpected`] for an encryption type of
    /// more than 16 bits, or a time before 1970 or after 2106.
    pub fn encode(
        time_offset: Option<(i32, i32)>,
        default_principal: &CcachePrincipal<'_>,
        credentials: &[Credential<'_>],
    ) -> Result<Vec<u8>, Error> {
        let mut out = vec![5, 4];
        match time_offset {
            None => out.extend_from_slice(&[0, 0]),
            Some((seconds, microseconds)) => {
                out.extend_from_slice(&[0, 12, 0, DELTA_TIME, 0, 8]);
                out.extend_from_slice(&seconds.to_be_bytes());
                out.extend_from_slice(&microseconds.to_be_bytes());
            }
        }
        default_principal.write(&mut out)?;
        credentials.iter().try_for_each(|credential| credential.write(&mut out))?;
        Ok(out)
    }
}

impl fmt::Debug for Ccache<'_> {
    /// Without the credentials, in which keys stand.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time_offset, default_principal, version, credentials, .. } = self;
        write!(f, "Ccache {{ version: {version}, time_offset: {time_offset:?}, default_principal: ")?;
        write!(f, "{default_principal:?}, credentials: [{} bytes] }}", credentials.len())
    }
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials {{ version: {}, [{} bytes] }}", self.version, self.reader.rest().len())
    }
}

/// The one tag of a header that has a meaning.
const DELTA_TIME: u8 = 1;

/// The header of version 4: its length, then values with a tag and a length each.
fn header(reader: &mut Reader<'_>) -> Result<Option<(i32, i32)>, Error> {
    let len = usize::from(be16(reader, "headerlen")?);
    let at = reader.offset();
    let mut fields = Reader::new(reader.take(len, "header")?);
    let mut time_offset = None;
    while !fields.rest().is_empty() {
        let behind = |error: Error| Error { offset: error.offset.saturating_add(at), ..error };
        let tag = be16(&mut fields, "tag").map_err(behind)?;
        let len = usize::from(be16(&mut fields, "taglen").map_err(behind)?);
        let value = fields.take(len, "tagdata").map_err(behind)?;
        if let ([a, b, c, d, e, f, g, h], true) = (value, tag == DELTA_TIME.into()) {
            time_offset = Some((i32::from_be_bytes([*a, *b, *c, *d]), i32::from_be_bytes([*e, *f, *g, *h])));
        }
    }
    Ok(time_offset)
}

impl<'a> Iterator for Credentials<'a> {
    type Item = Result<Credential<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.rest().is_empty() {
            return None;
        }
        let next = Credential::read(&mut self.reader, self.version);
        Some(next.map_err(|error| {
            self.reader = Reader::new(&[]);
            Error { offset: error.offset.saturating_add(self.at), ..error }
        }))
    }
}

/// The realm of what is no credential but configuration.
const CONFIGURATION_REALM: &[u8] = b"X-CACHECONF:";
const CONFIGURATION_NAME: &[u8] = b"krb5_ccache_conf_data";

impl<'a> Credential<'a> {
    /// For an entry that is configuration, kept in `ticket`: its key, and the principal that it is about.
    pub fn configuration(&self) -> Option<(&'a [u8], Option<&'a [u8]>)> {
        let mut components = self.server.components();
        if self.server.realm != CONFIGURATION_REALM || components.next() != Some(CONFIGURATION_NAME) {
            return None;
        }
        components.next().map(|key| (key, components.next()))
    }

    fn read(reader: &mut Reader<'a>, version: u8) -> Result<Self, Error> {
        let (client, server) = (CcachePrincipal::read(reader)?, CcachePrincipal::read(reader)?);
        let mut etype = be16(reader, "keytype")?;
        if version == 3 {
            // Version 3 has it twice.
            etype = be16(reader, "etype")?;
        }
        let key = EncryptionKey { etype: etype.cast_signed().into(), value: counted(reader, "keyvalue")? };
        Ok(Self {
            client,
            server,
            key,
            times: CredentialTimes {
                authtime: time(reader, "authtime")?,
                starttime: time(reader, "starttime")?,
                endtime: time(reader, "endtime")?,
                renew_till: time(reader, "renew_till")?,
            },
            is_skey: reader.u8("is_skey")? != 0,
            flags: TicketFlags(be32(reader, "ticket_flags")?),
            addresses: Tagged::read(reader, "num_address")?,
            authdata: Tagged::read(reader, "num_authdata")?,
            ticket: counted(reader, "ticket")?,
            second_ticket: counted(reader, "second_ticket")?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.client.write(out)?;
        self.server.write(out)?;
        let etype = i16::try_from(self.key.etype).map_err(|_| Error::new(out.len(), "keytype", Kind::Unexpected))?;
        out.extend_from_slice(&etype.to_be_bytes());
        write_counted(self.key.value, "keyvalue", out)?;
        let CredentialTimes { authtime, starttime, endtime, renew_till } = self.times;
        let times =
            [(authtime, "authtime"), (starttime, "starttime"), (endtime, "endtime"), (renew_till, "renew_till")];
        for (time, field) in times {
            let time = u32::try_from(time.0).map_err(|_| Error::new(out.len(), field, Kind::Unexpected))?;
            out.extend_from_slice(&time.to_be_bytes());
        }
        out.push(self.is_skey.into());
        out.extend_from_slice(&self.flags.0.to_be_bytes());
        self.addresses.write(out);
        self.authdata.write(out);
        write_counted(self.ticket, "ticket", out)?;
        write_counted(self.second_ticket, "second_ticket", out)
    }
}

/// Seconds since 1970, without a sign: until 2106.
fn time(reader: &mut Reader<'_>, field: &'static str) -> Result<KerberosTime, Error> {
    be32(reader, field).map(|seconds| KerberosTime(seconds.into()))
}
