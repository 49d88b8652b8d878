use super::cipher::Piece;
use aes::cipher::consts::U16;
use aes::cipher::{Array, BlockCipherDecBackend, BlockCipherDecClosure, BlockCipherDecrypt};
use aes::cipher::{BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, InOut, InOutBuf};
use std::slice;
use zeroize::Zeroize;

/// A block; AES and Camellia have the same length.
pub(super) type Block = Array<u8, U16>;

const BLOCK: usize = 16;

/// How many blocks are deciphered at once: enough for the widest instructions, 1 KiB of stack.
const RUN: usize = 64;

/// CBC with ciphertext stealing and an initial vector of zeros (RFC 3962 §5: the last two blocks always change places),
/// over the [`Piece::Data`] of a message as if they were one. Less than a block is left as it is.
pub(super) trait Cts: Send + Sync {
    fn encrypt(&self, pieces: &mut [Piece<'_>]);
    fn decrypt(&self, pieces: &mut [Piece<'_>]);
}

impl<C> Cts for C
where
    C: BlockCipherEncrypt + BlockCipherDecrypt + BlockSizeUser<BlockSize = U16> + Send + Sync,
{
    fn encrypt(&self, pieces: &mut [Piece<'_>]) {
        if let Some((body, tail)) = cut(pieces) {
            self.encrypt_with_backend(Whole { pieces, body, tail });
        }
    }

    fn decrypt(&self, pieces: &mut [Piece<'_>]) {
        if let Some((body, tail)) = cut(pieces) {
            self.decrypt_with_backend(Whole { pieces, body, tail });
        }
    }
}

/// CBC with an initial vector of zeros over whole blocks.
pub(super) fn cbc_encrypt(cipher: &impl BlockCipherEncrypt<BlockSize = U16>, blocks: &mut [Block]) {
    cipher.encrypt_with_backend(Blocks(blocks));
}

/// A message within the cipher's own code: its instructions are chosen, and its keys laid out for them, once. All that
/// is called from there must be inlined, or it would be compiled without those instructions.
struct Whole<'a, 'p> {
    pieces: &'a mut [Piece<'p>],
    body: usize,
    tail: usize,
}

impl BlockSizeUser for Whole<'_, '_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Whole<'_, '_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let Self { pieces, body, tail } = self;
        let mut chain = Encrypting { backend, previous: Block::default() };
        runs(pieces, body, &mut chain);
        let mut last = [Block::default(); 2];
        let [stolen, end] = &mut last;
        copy(pieces, body, stolen, Way::Out);
        match end.get_mut(..tail) {
            None | Some([]) => chain.go_on(slice::from_mut(stolen)),
            Some(end) => {
                copy(pieces, body + BLOCK, end, Way::Out);
                chain.go_on(&mut last);
                last.reverse();
            }
        }
        put_last(pieces, body, tail, last);
    }
}

impl BlockCipherDecClosure for Whole<'_, '_> {
    #[inline(always)]
    fn call<B: BlockCipherDecBackend<BlockSize = U16>>(self, backend: &B) {
        let Self { pieces, body, tail } = self;
        let mut chain = Decrypting { backend, previous: Block::default() };
        runs(pieces, body, &mut chain);
        let (mut first, mut last) = (Block::default(), Block::default());
        copy(pieces, body, &mut first, Way::Out);
        if tail > 0 {
            // What stands first is the last block; deciphered, its end is the ciphertext stolen from the other.
            let mut end = first;
            backend.decrypt_block(InOut::from(&mut end));
            first = end;
            copy(pieces, body + BLOCK, first.get_mut(..tail).unwrap_or_default(), Way::Out);
            last = end;
            xor(&mut last, &first);
            end.zeroize();
        }
        backend.decrypt_block(InOut::from(&mut first));
        xor(&mut first, &chain.previous);
        put_last(pieces, body, tail, [first, last]);
    }
}

struct Blocks<'a>(&'a mut [Block]);

impl BlockSizeUser for Blocks<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Blocks<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        Encrypting { backend, previous: Block::default() }.go_on(self.0);
    }
}

/// CBC, from one run of blocks to the next.
trait Chain {
    fn go_on(&mut self, blocks: &mut [Block]);
}

struct Encrypting<'b, B> {
    backend: &'b B,
    previous: Block,
}

impl<B: BlockCipherEncBackend<BlockSize = U16>> Chain for Encrypting<'_, B> {
    #[inline(always)]
    fn go_on(&mut self, blocks: &mut [Block]) {
        let mut previous = self.previous;
        for block in blocks {
            xor(&mut previous, block);
            self.backend.encrypt_block(InOut::from(&mut previous));
            *block = previous;
        }
        self.previous = previous;
    }
}

struct Decrypting<'b, B> {
    backend: &'b B,
    previous: Block,
}

impl<B: BlockCipherDecBackend<BlockSize = U16>> Chain for Decrypting<'_, B> {
    /// Blocks of CBC are deciphered side by side; what is left is to add the ciphertext of the block before, from behind.
    #[inline(always)]
    fn go_on(&mut self, blocks: &mut [Block]) {
        if let [block] = blocks {
            let before = std::mem::replace(&mut self.previous, *block);
            self.backend.decrypt_block(InOut::from(&mut *block));
            xor(block, &before);
            return;
        }
        let mut plain = [Block::default(); RUN];
        let used = blocks.len();
        for run in blocks.chunks_mut(RUN) {
            let Some(plain) = plain.get_mut(..run.len()) else { return };
            let last = run.last().copied().unwrap_or_default();
            // The lengths are the same.
            let Ok(all) = InOutBuf::new(run, plain) else { return };
            let (wide, rest) = all.into_chunks();
            for blocks in wide {
                self.backend.decrypt_par_blocks(blocks);
            }
            self.backend.decrypt_tail_blocks(rest);
            for (block, before) in plain.iter_mut().zip(std::iter::once(&self.previous).chain(&*run)) {
                xor(block, before);
            }
            run.copy_from_slice(plain);
            self.previous = last;
        }
        Block::slice_as_flattened_mut(plain.get_mut(..used.min(RUN)).unwrap_or_default()).zeroize();
    }
}

/// How long the part in plain CBC is, and how many bytes the last block has behind the one that is stolen from; zero
/// when there is but one block. `None` for less than a block.
fn cut(pieces: &[Piece<'_>]) -> Option<(usize, usize)> {
    let total: usize = pieces.iter().map(|piece| if let Piece::Data(data) = piece { data.len() } else { 0 }).sum();
    match total.checked_sub(BLOCK)? {
        0 => Some((0, 0)),
        more => {
            let body = (more - 1) / BLOCK * BLOCK;
            Some((body, more - body))
        }
    }
}

/// Gives the first `body` bytes to `chain` in turn, in runs of blocks as long as the pieces allow.
#[inline(always)]
fn runs(pieces: &mut [Piece<'_>], body: usize, chain: &mut impl Chain) {
    let mut at = 0;
    while at < body {
        let rest = rest(pieces, at);
        let whole = rest.len().min(body - at) / BLOCK * BLOCK;
        if let Some(run @ [_, ..]) = rest.get_mut(..whole) {
            chain.go_on(Block::slice_as_chunks_mut(run).0);
            at += whole;
        } else {
            let mut block = Block::default();
            copy(pieces, at, &mut block, Way::Out);
            chain.go_on(slice::from_mut(&mut block));
            copy(pieces, at, &mut block, Way::In);
            block.zeroize();
            at += BLOCK;
        }
    }
}

/// The piece in which byte `at` of the data lies, from there on.
fn rest<'p>(pieces: &'p mut [Piece<'_>], mut at: usize) -> &'p mut [u8] {
    for piece in pieces {
        if let Piece::Data(data) = piece {
            match data.get_mut(at..) {
                None | Some([]) => at -= data.len(),
                Some(_) => return data.get_mut(at..).unwrap_or_default(),
            }
        }
    }
    &mut []
}

enum Way {
    Out,
    In,
}

/// Copies from or to byte `at` of the data.
fn copy(pieces: &mut [Piece<'_>], mut at: usize, mut bytes: &mut [u8], way: Way) {
    while !bytes.is_empty() {
        let piece = rest(pieces, at);
        let len = piece.len().min(bytes.len());
        let (Some((now, later)), Some(piece @ [_, ..])) = (bytes.split_at_mut_checked(len), piece.get_mut(..len))
        else {
            return;
        };
        match way {
            Way::Out => now.copy_from_slice(piece),
            Way::In => piece.copy_from_slice(now),
        }
        at += len;
        bytes = later;
    }
}

fn put_last(pieces: &mut [Piece<'_>], body: usize, tail: usize, mut last: [Block; 2]) {
    let [first, end] = &mut last;
    copy(pieces, body, first, Way::In);
    copy(pieces, body + BLOCK, end.get_mut(..tail).unwrap_or_default(), Way::In);
    Block::slice_as_flattened_mut(&mut last).zeroize();
}

#[inline(always)]
fn xor(to: &mut Block, from: &Block) {
    *to = (u128::from_ne_bytes(to.0) ^ u128::from_ne_bytes(from.0)).to_ne_bytes().into();
}
