use crate::Secret;

/// All that a handshake draws, at once: a call of the system's source costs as much as a ticket's decryption.
pub(super) struct Drawn {
    pub(super) subkey: Secret<[u8; 32]>,
    pub(super) confounder: [u8; 16],
    pub(super) seq: u32,
    pub(super) logon_id: u64,
    pub(super) seed: Secret<[u8; 32]>,
}

impl Drawn {
    pub(super) fn new(random: [u8; 96]) -> Self {
        let random = Secret::new(random);
        let mut drawn =
            Self { subkey: Secret::new([0; 32]), confounder: [0; 16], seq: 0, logon_id: 0, seed: Secret::new([0; 32]) };
        let (subkey, rest) = random.expose().split_at(32);
        drawn.subkey.expose_mut().copy_from_slice(subkey);
        let (seed, rest) = rest.split_at(32);
        drawn.seed.expose_mut().copy_from_slice(seed);
        let (confounder, rest) = rest.split_at(16);
        drawn.confounder.copy_from_slice(confounder);
        // Thirty bits: some peers take a number with the highest bit for a negative one (RFC 4120 §5.3.2).
        drawn.seq = rest.first_chunk().map_or(0, |seq| u32::from_le_bytes(*seq)) & 0x3fff_ffff;
        drawn.logon_id = rest.last_chunk().map_or(0, |id| u64::from_le_bytes(*id));
        drawn
    }
}
