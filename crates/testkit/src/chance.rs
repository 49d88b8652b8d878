use portcullis::{NoRandomness, Random};

/// A source of bytes that anyone can foretell: a script first, then a generator seeded with a number.
#[derive(Debug, Clone)]
pub struct Foretold {
    script: Vec<u8>,
    state: u64,
}

impl Foretold {
    /// Bytes made from `seed` alone.
    pub const fn seeded(seed: u64) -> Self {
        Self { script: Vec::new(), state: seed }
    }

    /// Gives `script` first: an acceptor's first eight bytes are its server challenge.
    pub fn scripted(script: &[u8], seed: u64) -> Self {
        Self { script: script.iter().rev().copied().collect(), state: seed }
    }

    /// The next number (SplitMix64).
    pub const fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Random for Foretold {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        for byte in bytes {
            *byte = self.script.pop().unwrap_or_else(|| self.number().to_le_bytes()[7]);
        }
        Ok(())
    }
}

/// A source of bytes that is broken.
#[derive(Debug, Clone, Copy)]
pub struct Broken;

impl Random for Broken {
    fn fill(&mut self, _: &mut [u8]) -> Result<(), NoRandomness> {
        Err(NoRandomness)
    }
}
