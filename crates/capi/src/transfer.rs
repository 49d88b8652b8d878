//! ExportSecurityContext and ImportSecurityContext: a context goes over to another process of the same user.
//!
//! What is exported is sealed, so that only such a process can make a context of it: under the key of `export.key_file`,
//! or of a file in the user's runtime folder that is made when it is first needed.

use crate::abi::{SECBUFFER_TOKEN, SecBuffer, SecHandle};
use crate::code::Code;
use crate::context::{Context, State};
use crate::credential::read_handle;
use crate::text::Charset;
use crate::token::Handle;
use crate::{handles, host, memory, packages};
use library::{Context as Shared, ExportKey, NoRandomness, Secret};
use std::ffi::c_void;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// SECPKG_CONTEXT_EXPORT_*.
const RESET_NEW: u32 = 1;
const DELETE_OLD: u32 = 2;
const TO_KERNEL: u32 = 4;

/// ExportSecurityContext.
///
/// # Safety
/// The pointers are null or hold.
pub(crate) unsafe fn export(
    handle: *const SecHandle,
    flags: u32,
    packed: *mut SecBuffer,
    token: *mut *mut c_void,
) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let handle = unsafe { read_handle(handle) }?;
    let context = handles::get::<Context>(handle)?;
    let open = context.open()?;
    if packed.is_null() || flags & !(RESET_NEW | DELETE_OLD | TO_KERNEL) != 0 {
        return Err(Code::INVALID_PARAMETER);
    }
    if flags & TO_KERNEL != 0 {
        return Err(Code::UNSUPPORTED_FUNCTION);
    }
    let key = key()?;
    let halves = open.halves()?;
    let mut sealer = halves.sealer.lock();
    let mut opener = halves.opener.lock();
    let (Some(sends), Some(receives)) = (sealer.take(), opener.take()) else { return Err(Code::INVALID_HANDLE) };
    let shared = Shared::reunite(sends, receives).map_err(|_| Code::INTERNAL_ERROR)?;
    let mut random = |bytes: &mut [u8]| getrandom::fill(bytes).map_err(|_| NoRandomness);
    let exported = shared.export(&key, &mut random, flags & RESET_NEW != 0);
    // Who deletes the old context has the only copy: two would use one keystream.
    if flags & DELETE_OLD == 0 || exported.is_err() {
        let (sends, receives, _) = shared.split();
        (*sealer, *opener) = (Some(sends), Some(receives));
    }
    drop((sealer, opener));
    let exported = exported?;
    let token_of = if token.is_null() { None } else { Some(crate::token::Token::of(&open.facts)) };
    let given = memory::copy(&exported)?;
    // SAFETY: the caller's variables. The type's other bits are the caller's.
    unsafe {
        let attributes = packed.read_unaligned().BufferType & crate::abi::SECBUFFER_ATTRMASK;
        packed.write_unaligned(SecBuffer {
            cbBuffer: exported.len() as u32,
            BufferType: SECBUFFER_TOKEN | attributes,
            pvBuffer: given.cast(),
        });
        match token_of {
            Some(Ok(made)) => token.write_unaligned(Handle::of(handles::insert(Arc::new(made))?)?),
            // An initiator has no token of its peer.
            Some(Err(_)) => token.write_unaligned(std::ptr::null_mut()),
            None => {}
        }
    }
    if flags & DELETE_OLD != 0 {
        context.put(State::Dead);
        handles::remove::<Context>(handle)?;
    }
    Ok(Code::OK)
}

/// ImportSecurityContext. The token is not needed: what it says lies in what was exported.
///
/// # Safety
/// The pointers are null or hold.
pub(crate) unsafe fn import<C: Charset>(
    package: *const c_void,
    packed: *const SecBuffer,
    context: *mut SecHandle,
) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let name = unsafe { C::read(package) }?.ok_or(Code::SECPKG_NOT_FOUND)?;
    let package = packages::named(&name)?;
    if packed.is_null() || context.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: as the caller says.
    let bytes = unsafe { packed.read_unaligned().bytes() };
    let imported = Shared::import(package, &key()?, bytes)?;
    let made = handles::insert(Arc::new(Context::imported(imported)))?;
    // SAFETY: the caller's variable.
    unsafe { context.write_unaligned(made) };
    Ok(Code::OK)
}

/// The key, made where there is none.
fn key() -> Result<ExportKey, Code> {
    let configured = host::config()?.export.key_file.clone();
    let path = configured.map_or_else(default_path, Ok)?;
    read_or_make(&path).map(ExportKey::new).map_err(|why| {
        tracing::error!(why, path = %path.display(), "contexts cannot be exported or imported without their key");
        Code::CANNOT_PACK
    })
}

/// In the folder that the system gives each user, else in the one for temporary files.
fn default_path() -> Result<PathBuf, Code> {
    // SAFETY: nothing can go wrong in it.
    let user = unsafe { libc::geteuid() };
    let own = PathBuf::from(format!("/run/user/{user}"));
    let folder = if own.is_dir() { own } else { std::env::temp_dir() };
    Ok(folder.join(format!("portcullis-{user}.export-key")))
}

/// A file of 32 bytes that this user alone can read: nobody else's is believed.
fn read_or_make(path: &Path) -> Result<Secret<[u8; 32]>, String> {
    match OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC).open(path) {
        Ok(file) => read(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(path),
        Err(error) => Err(error.to_string()),
    }
}

fn read(mut file: File) -> Result<Secret<[u8; 32]>, String> {
    let about = file.metadata().map_err(|error| error.to_string())?;
    // SAFETY: nothing can go wrong in it.
    let user = unsafe { libc::geteuid() };
    if !about.is_file() || about.uid() != user || about.mode() & 0o077 != 0 {
        return Err("the file must be this user's, and nobody else may read or write it (mode 0600)".to_owned());
    }
    let mut key = Secret::new([0; 32]);
    file.read_exact(key.expose_mut()).map_err(|error| error.to_string())?;
    match file.read(&mut [0]) {
        Ok(0) => Ok(key),
        _ => Err("the file is longer than a key of 32 bytes".to_owned()),
    }
}

/// Under another name first: nobody finds half a key.
fn make(path: &Path) -> Result<Secret<[u8; 32]>, String> {
    let mut key = Secret::new([0; 32]);
    let mut tail = [0; 8];
    getrandom::fill(key.expose_mut()).map_err(|error| error.to_string())?;
    getrandom::fill(&mut tail).map_err(|error| error.to_string())?;
    let draft = path.with_extension(format!("{:016x}", u64::from_ne_bytes(tail)));
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(|e| e.to_string())?;
    let written = file.write_all(key.expose()).and_then(|()| file.sync_all());
    // A link and not a new name: who was first has made the key.
    let linked = written.and_then(|()| std::fs::hard_link(&draft, path));
    let _ = std::fs::remove_file(&draft);
    match linked {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let file = OpenOptions::new()
                .read(true)
                .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
                .open(path);
            read(file.map_err(|error| error.to_string())?)
        }
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_is_its_users_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let made = read_or_make(&path).unwrap();
        assert_eq!(read_or_make(&path).unwrap().expose(), made.expose());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(read_or_make(&path).is_err(), "others may read it");
        let short = folder.path().join("short");
        std::fs::write(&short, [1; 31]).unwrap();
        std::fs::set_permissions(&short, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(read_or_make(&short).is_err());
        std::os::unix::fs::symlink(&short, folder.path().join("link")).unwrap();
        assert!(read_or_make(&folder.path().join("link")).is_err());
    }
}
