//! What a client's authenticator says: that it holds the session key, and what it wants of the context.

use super::Cause;
use super::crypto::{Enctype, Key};
use super::open::usable;
use crate::call::Leg;
use crate::{ClientBindings, Event, Failure, Secret};
use portcullis_wire::kerberos::{
    AD_ETYPE_NEGOTIATION, ApOptions, Authenticator, EncryptedData, EtypeList, GssChecksum, KERB_AP_OPTIONS,
    KERB_AUTH_DATA_CLIENT_TARGET, client_target, gss_flag,
};
use portcullis_wire::{Error, Kind};

/// RFC 4120 §7.5.1: the authenticator of an AP-REQ, and its checksum.
pub(super) const USAGE_AUTHENTICATOR: u32 = 11;
const USAGE_CHECKSUM: u32 = 10;

/// The checksum type of GSS-API (RFC 4121 §4.1.1).
pub(super) const GSS_CHECKSUM: i32 = 0x8003;

/// Deciphers the authenticator.
pub(super) fn open_authenticator(
    data: &EncryptedData<'_>,
    session: &Key,
    leg: &mut Leg<'_>,
) -> Result<Secret<Vec<u8>>, Failure> {
    if data.etype != session.enctype().number() {
        let (theirs, ours) = (Enctype::name_of(data.etype), session.enctype().name());
        leg.event(&Event::Because { detail: &format!("the authenticator is {theirs}, the session key {ours}") });
        return Err(Cause::AuthenticatorWrong.into());
    }
    let mut buffer = Secret::new(data.cipher.to_vec());
    match session.cipher(USAGE_AUTHENTICATOR).open(buffer.expose_mut()) {
        Ok(()) => Ok(buffer),
        Err(_) => Err(Cause::AuthenticatorWrong.into()),
    }
}

/// What an authenticator proves and asks for.
pub(super) struct Proof<'a> {
    /// Whether the checksum is the one of GSS-API.
    pub(super) is_gss: bool,
    /// The initiator's GSS flags.
    pub(super) flags: u32,
    pub(super) bindings: ClientBindings<'a>,
    /// The forwarded credentials, a KRB-CRED.
    pub(super) delegation: Option<&'a [u8]>,
    pub(super) subkey: Option<Key>,
    pub(super) seq: u32,
    /// The enctypes that the client would rather use, the most wanted first (RFC 4537).
    pub(super) enctypes: Vec<Enctype>,
    /// The service that the client's user asked for (KERB_AUTH_DATA_CLIENT_TARGET).
    pub(super) client_target: Option<String>,
    pub(super) target_unverified: bool,
}

impl<'a> Proof<'a> {
    pub(super) fn read(authenticator: &Authenticator<'a>, session: &Key, accept_rc4: bool) -> Result<Self, Cause> {
        let subkey = match authenticator.subkey {
            None => None,
            Some(key) => {
                let wrong = Error::new(0, "Authenticator.subkey", Kind::WrongLength);
                let enctype = usable(key.etype, accept_rc4)?;
                Some(Key::new(enctype, key.value).ok_or(Cause::Malformed(wrong))?)
            }
        };
        let mut proof = Self {
            is_gss: false,
            flags: 0,
            bindings: ClientBindings::Unaware,
            delegation: None,
            subkey,
            seq: authenticator.seq_number.unwrap_or(0),
            enctypes: Vec::new(),
            client_target: None,
            target_unverified: false,
        };
        let options = proof.read_authorization(authenticator, accept_rc4)?;
        proof.read_checksum(authenticator, session, options)?;
        Ok(proof)
    }

    /// The authenticator's authorization data; gives KERB_AP_OPTIONS. What is unknown is passed over (MS-KILE 3.4.5).
    fn read_authorization(&mut self, authenticator: &Authenticator<'a>, accept_rc4: bool) -> Result<ApOptions, Cause> {
        let mut options = ApOptions::default();
        for element in authenticator.authorization_data.iter().flat_map(|data| data.flatten()) {
            let element = element.map_err(Cause::Malformed)?;
            match element.ad_type {
                KERB_AP_OPTIONS => {
                    options = ApOptions::decode(element.data).map_err(Cause::Malformed)?;
                    self.target_unverified = options.contains(ApOptions::UNVERIFIED_TARGET_NAME);
                }
                KERB_AUTH_DATA_CLIENT_TARGET => {
                    self.client_target = client_target(element.data).ok().filter(|target| !target.is_empty());
                }
                AD_ETYPE_NEGOTIATION => {
                    let wanted = EtypeList::decode(element.data).map_err(Cause::Malformed)?;
                    self.enctypes = wanted.iter().filter_map(|number| usable(number, accept_rc4).ok()).collect();
                }
                _ => {}
            }
        }
        if self.target_unverified {
            self.client_target = None; // a name that nobody verified is not handed out (MS-KILE 3.4.5)
        }
        Ok(options)
    }

    /// The checksum (RFC 4121 §4.1.1). Without one there are no flags and no bindings. Another one than GSS-API's must
    /// be keyed and fit, over nothing, as some SMB clients make it.
    fn read_checksum(
        &mut self,
        authenticator: &Authenticator<'a>,
        session: &Key,
        options: ApOptions,
    ) -> Result<(), Cause> {
        let Some(checksum) = authenticator.cksum else { return Ok(()) };
        if checksum.cksumtype != GSS_CHECKSUM {
            let keyed = checksum.cksumtype == session.enctype().checksum_type();
            let fits = keyed && session.checksum(USAGE_CHECKSUM).verify([&[][..]], checksum.checksum);
            return if fits { Ok(()) } else { Err(Cause::ChecksumWrong) };
        }
        let gss = GssChecksum::decode(checksum.checksum).map_err(Cause::Malformed)?;
        self.is_gss = true;
        self.flags = gss.flags;
        self.delegation = gss.delegation.filter(|_| gss.flags & gss_flag::DELEG != 0);
        self.bindings = match (gss.bindings, options.contains(ApOptions::CBT)) {
            ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], true) => ClientBindings::None,
            ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], false) => ClientBindings::Unaware,
            (hash, _) => ClientBindings::Hash(hash),
        };
        Ok(())
    }
}
