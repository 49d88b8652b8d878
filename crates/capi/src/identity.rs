//! Who a credential is for: SEC_WINNT_AUTH_IDENTITY in its forms. `Flags` says which characters a text has, not the
//! function that it comes by.

use crate::abi::{
    AuthIdentity, AuthIdentityEx, AuthIdentityEx2, IDENTITY_ANSI, IDENTITY_ENCRYPTED, IDENTITY_EXTENDED,
    IDENTITY_NULL_DOMAIN, IDENTITY_NULL_USER, IDENTITY_UNICODE, IDENTITY_VERSION, IDENTITY_VERSION_2,
    WinprKerberosSettings, WinprNtlmSettings,
};
use crate::code::Code;
use crate::packed::{self, Packed, part};
use crate::secrets::{HostSecrets, Means};
use crate::text::{Ansi, Charset, Wide};
use library::Secret;
use library::negotiate::PackageList;
use library::ntlm::keys::{self, Key};
use std::ffi::{CStr, OsStr, OsString, c_char, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// What a caller says of itself, or of the one account that it accepts.
pub(crate) struct Identity {
    pub(crate) user: String,
    pub(crate) domain: String,
    pub(crate) password: Password,
    /// The packages that Negotiate may use; `None` where nothing is said of them.
    pub(crate) packages: Option<PackageList>,
    /// What a host for WinPR says beside it.
    pub(crate) host: HostSecrets,
    /// Keys and tickets that come with it.
    pub(crate) kerberos: OfKerberos,
}

/// What an identity brings for Kerberos.
#[derive(Default)]
pub(crate) struct OfKerberos {
    /// A service's keys, as the bytes of a keytab (SEC_WINNT_AUTH_DATA_TYPE_KEYTAB).
    pub(crate) keytab: Option<Secret<Vec<u8>>>,
    /// A keytab as a host for WinPR names it.
    pub(crate) keytab_file: Option<OsString>,
    /// A credential cache as a host for WinPR names it.
    pub(crate) cache: Option<OsString>,
}

/// What the account is proved by.
pub(crate) enum Password {
    Text(Secret<String>),
    /// WinPR's clients may have the hash alone.
    NtHash(Key),
}

impl Identity {
    /// Whether it names nobody.
    pub(crate) fn is_nobody(&self) -> bool {
        let no_password = matches!(&self.password, Password::Text(text) if text.expose().is_empty());
        self.user.is_empty() && self.domain.is_empty() && no_password
    }

    /// Whether it is the one account that an acceptor lets in; with a keytab it is the service's own.
    pub(crate) fn is_of_one_client(&self) -> bool {
        !self.user.is_empty() && self.kerberos.keytab.is_none() && self.kerberos.keytab_file.is_none()
    }

    pub(crate) fn nt_hash(&self) -> Key {
        match &self.password {
            Password::Text(text) => keys::nt_hash(text.expose()),
            Password::NtHash(hash) => Secret::new(*hash.expose()),
        }
    }

    /// `DOMAIN\user`, or the user alone.
    pub(crate) fn name(&self) -> String {
        if self.domain.is_empty() { self.user.clone() } else { format!("{}\\{}", self.domain, self.user) }
    }
}

/// Reads an identity. `C` is what its texts are where its flags do not say it.
///
/// # Safety
/// `at` points to one of the forms, whose pointers and lengths hold.
pub(crate) unsafe fn read<C: Charset>(at: *const c_void) -> Result<Identity, Code> {
    // SAFETY: as the caller says.
    let identity = unsafe { form::<C>(at) }?;
    // No name holds a NUL: who reads it as C does would take it for another.
    let whole = |text: &str| !text.contains('\0');
    if whole(&identity.user) && whole(&identity.domain) { Ok(identity) } else { Err(Code::INVALID_PARAMETER) }
}

/// # Safety
/// As [`read`].
unsafe fn form<C: Charset>(at: *const c_void) -> Result<Identity, Code> {
    // SAFETY: every form is at least this long.
    match unsafe { at.cast::<u32>().read_unaligned() } {
        // SAFETY: as the caller says.
        IDENTITY_VERSION => unsafe { extended::<C>(at.cast()) },
        // SAFETY: as the caller says.
        IDENTITY_VERSION_2 => unsafe { packed::<C>(at.cast()) },
        _ => {
            // SAFETY: as the caller says.
            let plain = unsafe { at.cast::<AuthIdentity>().read_unaligned() };
            // SAFETY: as the caller says.
            unsafe { texts::<C>(&plain, std::ptr::null(), 0) }
        }
    }
}

/// SEC_WINNT_AUTH_IDENTITY_EX, and WinPR's continuation of it.
///
/// # Safety
/// As [`read`].
unsafe fn extended<C: Charset>(at: *const AuthIdentityEx) -> Result<Identity, Code> {
    // SAFETY: as the caller says.
    let length = unsafe { at.cast::<u32>().add(1).read_unaligned() } as usize;
    if length < size_of::<AuthIdentityEx>() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: it says that it is as long.
    let ex = unsafe { at.read_unaligned() };
    let plain = AuthIdentity {
        User: ex.User,
        UserLength: ex.UserLength,
        Domain: ex.Domain,
        DomainLength: ex.DomainLength,
        Password: ex.Password,
        PasswordLength: ex.PasswordLength,
        Flags: ex.Flags,
    };
    // SAFETY: as the caller says.
    let mut identity = unsafe { texts::<C>(&plain, ex.PackageList, ex.PackageListLength) }?;
    // FreeRDP 3's hosts put two pointers behind what Length counts, and say so by both flags.
    if ex.Flags & (IDENTITY_EXTENDED | IDENTITY_UNICODE) == IDENTITY_EXTENDED | IDENTITY_UNICODE {
        // SAFETY: the flags say that the pointers are there.
        let (ntlm, kerberos) = unsafe {
            let pointers = at.add(1).cast::<*const WinprNtlmSettings>();
            (pointers.read_unaligned(), pointers.add(1).cast::<*const WinprKerberosSettings>().read_unaligned())
        };
        if !ntlm.is_null() {
            // SAFETY: as the caller says.
            identity.host = unsafe { winpr(&ntlm.read_unaligned()) };
        }
        if !kerberos.is_null() {
            // SAFETY: as the caller says.
            let settings = unsafe { kerberos.read_unaligned() };
            // SAFETY: as the caller says.
            unsafe {
                identity.kerberos.keytab_file = string(settings.keytab);
                identity.kerberos.cache = string(settings.cache);
            }
        }
    }
    Ok(identity)
}

/// A string of WinPR's settings; none for an empty one.
///
/// # Safety
/// It is null or a string.
unsafe fn string(at: *const c_char) -> Option<OsString> {
    if at.is_null() {
        return None;
    }
    // SAFETY: as the caller says.
    let text = unsafe { CStr::from_ptr(at) }.to_bytes();
    (!text.is_empty()).then(|| OsStr::from_bytes(text).to_owned())
}

/// # Safety
/// The settings' pointers hold.
unsafe fn winpr(settings: &WinprNtlmSettings) -> HostSecrets {
    let mut host = HostSecrets::default();
    if !settings.samFile.is_null() {
        // SAFETY: the caller says that it is a string.
        let path = unsafe { CStr::from_ptr(settings.samFile) }.to_bytes();
        host.sam = Some(PathBuf::from(OsStr::from_bytes(path)));
    }
    host.callback = settings.hashCallback.map(|callback| (callback, Means::NegativeIsNo));
    host.argument = settings.hashCallbackArg.expose_provenance();
    host
}

/// SEC_WINNT_AUTH_IDENTITY_EX2: offsets from its own start, lengths in bytes.
///
/// # Safety
/// As [`read`].
unsafe fn packed<C: Charset>(at: *const AuthIdentityEx2) -> Result<Identity, Code> {
    // SAFETY: as the caller says.
    let head = unsafe { at.read_unaligned() };
    readable(head.Flags)?;
    let (header, whole) = (usize::from(head.cbHeaderLength), head.cbStructureLength as usize);
    if header < size_of::<AuthIdentityEx2>() || whole < header {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: it says that it is as long.
    let bytes = unsafe { std::slice::from_raw_parts(at.cast::<u8>(), whole) };
    let part = |offset: u32, len: u16| part(bytes, offset as usize, usize::from(len));
    let text = |offset, len| decode::<C>(head.Flags, part(offset, len)?);
    let packed = match part(head.PackedCredentialsOffset, head.PackedCredentialsLength)? {
        [] => None,
        credentials => Some(packed::read(credentials)?),
    };
    let (mut password, mut kerberos) = (String::new(), OfKerberos::default());
    match packed {
        Some(Packed::Password(text)) => password = Wide::decode(text)?,
        Some(Packed::Keytab(keytab)) => kerberos.keytab = Some(Secret::new(keytab.to_vec())),
        None => {}
    }
    let user = text(head.UserOffset, head.UserLength)?;
    let domain = text(head.DomainOffset, head.DomainLength)?;
    let packages = text(head.PackageListOffset, head.PackageListLength)?;
    Ok(Identity {
        user: if head.Flags & IDENTITY_NULL_USER == 0 { user } else { String::new() },
        domain: if head.Flags & IDENTITY_NULL_DOMAIN == 0 { domain } else { String::new() },
        password: Password::Text(Secret::new(password)),
        packages: packages_of(&packages)?,
        host: HostSecrets::default(),
        kerberos,
    })
}

fn decode<C: Charset>(flags: u32, bytes: &[u8]) -> Result<String, Code> {
    match charset::<C>(flags) {
        2 => Wide::decode(bytes),
        _ => Ansi::decode(bytes),
    }
}

/// Refuses what someone else encrypted: it would be taken for the password.
fn readable(flags: u32) -> Result<(), Code> {
    if flags & IDENTITY_ENCRYPTED == 0 { Ok(()) } else { Err(Code::UNKNOWN_CREDENTIALS) }
}

/// The bytes of a character.
fn charset<C: Charset>(flags: u32) -> usize {
    match flags & (IDENTITY_ANSI | IDENTITY_UNICODE) {
        IDENTITY_ANSI => Ansi::WIDTH,
        0 => C::WIDTH,
        _ => Wide::WIDTH,
    }
}

/// WinPR's clients say by a length beyond this that the password is its NT hash in hexadecimal, as long as what is left.
const HASH_BEYOND: u32 = 512;

/// # Safety
/// The texts are as long as they say.
unsafe fn texts<C: Charset>(
    plain: &AuthIdentity,
    packages: *const c_void,
    packages_len: u32,
) -> Result<Identity, Code> {
    readable(plain.Flags)?;
    let wide = charset::<C>(plain.Flags) == Wide::WIDTH;
    // SAFETY: as the caller says.
    let text = |at, len| unsafe { if wide { Wide::read_counted(at, len) } else { Ansi::read_counted(at, len) } };
    let password = match plain.PasswordLength.checked_sub(HASH_BEYOND) {
        Some(len @ 32) => Password::NtHash(crate::secrets::nt_hash_of_hex(&text(plain.Password, len)?)?),
        _ => Password::Text(Secret::new(text(plain.Password, plain.PasswordLength)?)),
    };
    let absent = |flag| plain.Flags & flag != 0;
    let user = if absent(IDENTITY_NULL_USER) { String::new() } else { text(plain.User, plain.UserLength)? };
    let domain = if absent(IDENTITY_NULL_DOMAIN) { String::new() } else { text(plain.Domain, plain.DomainLength)? };
    let packages = packages_of(&text(packages, packages_len)?)?;
    Ok(Identity { user, domain, password, packages, host: HostSecrets::default(), kerberos: OfKerberos::default() })
}

fn packages_of(text: &str) -> Result<Option<PackageList>, Code> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Code::INVALID_PARAMETER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        portcullis_wire::utf16::encode(text)
    }

    fn text(password: &Password) -> &str {
        match password {
            Password::Text(text) => text.expose(),
            Password::NtHash(_) => panic!("a hash"),
        }
    }

    /// The flags say what the characters are, whichever function is called.
    #[test]
    fn plain_identities() {
        let (user, domain, password) = (wide("ann"), wide("CORP"), wide("pass"));
        let mut plain = AuthIdentity {
            User: user.as_ptr().cast(),
            UserLength: 3,
            Domain: domain.as_ptr().cast(),
            DomainLength: 4,
            Password: password.as_ptr().cast(),
            PasswordLength: 4,
            Flags: IDENTITY_UNICODE,
        };
        // SAFETY: the texts live as long as the test.
        let read = |plain: &AuthIdentity| unsafe { read::<Ansi>((&raw const *plain).cast()) }.unwrap();
        let identity = read(&plain);
        assert_eq!((identity.name().as_str(), text(&identity.password)), ("CORP\\ann", "pass"));
        plain.Flags |= IDENTITY_NULL_DOMAIN;
        assert_eq!(read(&plain).name(), "ann");
        let (user, password) = ("jörg", "pässword");
        (plain.User, plain.UserLength) = (user.as_ptr().cast(), user.len() as u32);
        (plain.Password, plain.PasswordLength) = (password.as_ptr().cast(), password.len() as u32);
        plain.Flags = IDENTITY_ANSI | IDENTITY_NULL_DOMAIN;
        // SAFETY: as above.
        let identity = unsafe { super::read::<Wide>((&raw const plain).cast()) }.unwrap();
        assert_eq!((identity.name().as_str(), text(&identity.password)), ("jörg", "pässword"));
    }

    #[test]
    fn extended_identities() {
        let (user, list) = ("ann", "!kerberos");
        let mut ex = AuthIdentityEx {
            Version: IDENTITY_VERSION,
            Length: size_of::<AuthIdentityEx>() as u32,
            User: user.as_ptr().cast(),
            UserLength: 3,
            Domain: std::ptr::null(),
            DomainLength: 0,
            Password: std::ptr::null(),
            PasswordLength: 0,
            // Without UNICODE nothing is read behind the structure, whatever else is said.
            Flags: IDENTITY_ANSI | IDENTITY_EXTENDED,
            PackageList: list.as_ptr().cast(),
            PackageListLength: list.len() as u32,
        };
        // SAFETY: the texts live as long as the test.
        let read = |ex: &AuthIdentityEx| unsafe { read::<Wide>((&raw const *ex).cast()) };
        let identity = read(&ex).unwrap();
        assert_eq!((identity.name().as_str(), identity.packages.unwrap().to_string().as_str()), ("ann", list));
        assert!(identity.host.is_empty());
        ex.Length -= 1;
        assert_eq!(read(&ex).err(), Some(Code::INVALID_PARAMETER));
        ex.Length += 1;
        ex.PackageListLength = 1; // "!"
        assert_eq!(read(&ex).err(), Some(Code::INVALID_PARAMETER));
    }

    /// One block: a header, then user, domain and a packed credential.
    fn block(kind: &[u8; 16], data: &[u8]) -> Vec<u8> {
        let (user, domain) = (wide("ann"), wide("CORP"));
        let mut packed = vec![28, 0, 28 + data.len() as u8, 0];
        packed.extend(kind);
        packed.extend([28, 0, 0, 0, data.len() as u8, 0, 0, 0]);
        packed.extend(data);
        let at = size_of::<AuthIdentityEx2>();
        let head = AuthIdentityEx2 {
            Version: IDENTITY_VERSION_2,
            cbHeaderLength: at as u16,
            cbStructureLength: (at + user.len() + domain.len() + packed.len()) as u32,
            UserOffset: at as u32,
            UserLength: user.len() as u16,
            DomainOffset: (at + user.len()) as u32,
            DomainLength: domain.len() as u16,
            PackedCredentialsOffset: (at + user.len() + domain.len()) as u32,
            PackedCredentialsLength: packed.len() as u16,
            Flags: IDENTITY_UNICODE,
            PackageListOffset: 0,
            PackageListLength: 0,
        };
        // SAFETY: a structure of numbers; the bytes between them are not looked at.
        let head: [u8; 48] = unsafe { std::mem::transmute(head) };
        [&head[..], &user, &domain, &packed].concat()
    }

    #[test]
    fn packed_identities() {
        let block_of = |data: &[u8]| block(&packed::PASSWORD, data);
        let block = block_of(&[&[8, 0, 0, 0, 8, 0, 0, 0][..], &wide("pass")].concat());
        // SAFETY: the block is as long as it says.
        let read = |block: &[u8]| unsafe { read::<Ansi>(block.as_ptr().cast()) };
        let identity = read(&block).unwrap();
        assert_eq!((identity.name().as_str(), text(&identity.password)), ("CORP\\ann", "pass"));
        // Another kind of credential.
        let mut other = block.clone();
        let kind = other.len() - 44 + 4;
        other[kind] ^= 1;
        assert_eq!(read(&other).err(), Some(Code::UNKNOWN_CREDENTIALS));
        // Whatever an offset or length says, nothing outside the block is read; the block's own length is the caller's word.
        for at in (12..48).chain(block.len() - 44..block.len() - 8) {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bent = block.clone();
                bent[at] = value;
                drop(read(&bent));
            }
        }
    }

    #[test]
    fn packed_keytabs() {
        // SAFETY: the block is as long as it says.
        let read = |block: &[u8]| unsafe { read::<Wide>(block.as_ptr().cast()) };
        let identity = read(&block(&packed::KEYTAB, b"bytes of a keytab")).unwrap();
        assert_eq!(identity.kerberos.keytab.unwrap().expose(), b"bytes of a keytab");
        assert_eq!((identity.user.as_str(), text(&identity.password)), ("ann", ""));
        assert!(identity.kerberos.keytab_file.is_none() && identity.kerberos.cache.is_none());
        // An empty one is one: nobody's keys, and not what is found elsewhere.
        assert_eq!(read(&block(&packed::KEYTAB, b"")).unwrap().kerberos.keytab.unwrap().expose(), b"");
    }
}
