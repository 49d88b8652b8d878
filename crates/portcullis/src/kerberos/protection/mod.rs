//! Stub until the real one is merged.
use super::crypto::Key;
use crate::protection::{Halves, NoKeys, Protection};
use crate::*;
pub(crate) struct SessionKeys {
    key: Key,
    s: u64,
    r: u64,
    g: ContextFlags,
    seed: Secret<[u8; 32]>,
    a: bool,
    role: Role,
}
impl SessionKeys {
    pub(super) fn new(key: Key, a: bool, role: Role) -> Self {
        Self { key, s: 0, r: 0, g: ContextFlags::NONE, seed: Secret::new([0; 32]), a, role }
    }
    pub(super) fn starting_at(self, s: u64, r: u64) -> Self {
        Self { s, r, ..self }
    }
    pub(super) fn granting(self, g: ContextFlags) -> Self {
        Self { g, ..self }
    }
    pub(super) fn drawing_from(self, seed: Secret<[u8; 32]>) -> Self {
        Self { seed, ..self }
    }
    pub(super) fn sizes(&self) -> Sizes {
        let _ = (self.s, self.r, self.g, &self.seed, self.a, self.role);
        Sizes { max_token: package::KERBEROS.max_token, max_signature: 28, block_size: 1, security_trailer: 60 }
    }
}
impl Protection for SessionKeys {
    fn halves(&self) -> Halves {
        NoKeys.halves()
    }
    fn session_key(&self) -> Option<Secret<Vec<u8>>> {
        Some(Secret::new(self.key.bytes().to_vec()))
    }
    fn make_list_mic(&mut self, _: &[u8]) -> Result<Vec<u8>, Failure> {
        Err(CallCause::NotNegotiated.into())
    }
    fn check_list_mic(&mut self, _: &[u8], _: &[u8]) -> Result<(), Failure> {
        Err(CallCause::NotNegotiated.into())
    }
}
