//! A credential cache that changed since its credential was acquired: another takes its place behind the handle.

use crate::abi::SecHandle;
use crate::credential::Credential;
use crate::handles;
use std::sync::Arc;

/// The credential of a handle, with the tickets that its file holds now.
pub(crate) fn current(handle: SecHandle, credential: Arc<Credential>) -> Arc<Credential> {
    let Some(newer) = credential.newer().map(Arc::new) else { return credential };
    match handles::replace(handle, &credential, Arc::clone(&newer)) {
        // Another thread changed it meanwhile: what it made holds.
        Ok(false) => handles::get::<Credential>(handle).unwrap_or(newer),
        // Where the handle was given up meanwhile, this call still has its credential.
        Ok(true) | Err(_) => newer,
    }
}
