use super::cipher::Piece;
use aes::cipher::consts::U16;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt};
use aes::cipher::{BlockSizeUser, InOut};
use std::slice;
use zeroize::Zeroize;

/// A block; AES and Camellia have the same length.
type Block = Array<u8, U16>;

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
        let Some((body, tail)) = cut(pieces) else { return };
        let mut previous = Block::default();
        runs(pieces, body, |blocks| cbc_encrypt(self, &mut previous, blocks));
        let mut last = [Block::default(); 2];
        let [stolen, end] = &mut last;
        copy(pieces, body, stolen, Way::Out);
        match end.get_mut(..tail) {
            None | Some([]) => cbc_encrypt(self, &mut previous, slice::from_mut(stolen)),
            Some(end) => {
                copy(pieces, body + BLOCK, end, Way::Out);
                cbc_encrypt(self, &mut previous, &mut last);
                last.reverse();
            }
        }
        put_last(pieces, body, tail, last);
    }

    fn decrypt(&self, pieces: &mut [Piece<'_>]) {
        let Some((body, tail)) = cut(pieces) else { return };
        let mut previous = Block::default();
        runs(pieces, body, |blocks| cbc_decrypt(self, &mut previous, blocks));
        let (mut first, mut last) = (Block::default(), Block::default());
        copy(pieces, body, &mut first, Way::Out);
        if tail > 0 {
            // What stands first is the last block; deciphered, its end is the ciphertext stolen from the other.
            let mut end = first;
            self.decrypt_block(&mut end);
            first = end;
            copy(pieces, body + BLOCK, first.get_mut(..tail).unwrap_or_default(), Way::Out);
            last = end;
            xor(&mut last, &first);
            end.zeroize();
        }
        self.decrypt_block(&mut first);
        xor(&mut first, &previous);
        put_last(pieces, body, tail, [first, last]);
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

/// Gives the first `body` bytes to `apply` in turn, in runs of blocks as long as the pieces allow.
fn runs(pieces: &mut [Piece<'_>], body: usize, mut apply: impl FnMut(&mut [Block])) {
    let mut at = 0;
    while at < body {
        let rest = rest(pieces, at);
        let whole = rest.len().min(body - at) / BLOCK * BLOCK;
        if let Some(run @ [_, ..]) = rest.get_mut(..whole) {
            apply(Block::slice_as_chunks_mut(run).0);
            at += whole;
        } else {
            let mut block = Block::default();
            copy(pieces, at, &mut block, Way::Out);
            apply(slice::from_mut(&mut block));
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

fn cbc_encrypt(cipher: &impl BlockCipherEncrypt<BlockSize = U16>, previous: &mut Block, blocks: &mut [Block]) {
    cipher.encrypt_with_backend(Chain { previous, blocks });
}

/// CBC within the cipher's own loop, so that its instructions are chosen once a run.
struct Chain<'a> {
    previous: &'a mut Block,
    blocks: &'a mut [Block],
}

impl BlockSizeUser for Chain<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Chain<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let mut previous = *self.previous;
        for block in self.blocks {
            xor(&mut previous, block);
            backend.encrypt_block(InOut::from(&mut previous));
            *block = previous;
        }
        *self.previous = previous;
    }
}

/// Blocks of CBC are deciphered side by side; what is left is to add the ciphertext of the block before, from behind.
fn cbc_decrypt(cipher: &impl BlockCipherDecrypt<BlockSize = U16>, previous: &mut Block, blocks: &mut [Block]) {
    if let [block] = blocks {
        // What lies across two pieces comes alone: the room below would cost more than the block.
        let before = *block;
        cipher.decrypt_block(block);
        xor(block, previous);
        *previous = before;
        return;
    }
    let mut plain = [Block::default(); RUN];
    let used = blocks.len();
    for run in blocks.chunks_mut(RUN) {
        let Some(plain) = plain.get_mut(..run.len()) else { return };
        let last = run.last().copied().unwrap_or_default();
        // The lengths are the same.
        _ = cipher.decrypt_blocks_b2b(run, plain);
        for (block, before) in plain.iter_mut().zip(std::iter::once(&*previous).chain(&*run)) {
            xor(block, before);
        }
        run.copy_from_slice(plain);
        *previous = last;
    }
    Block::slice_as_flattened_mut(plain.get_mut(..used.min(RUN)).unwrap_or_default()).zeroize();
}

#[inline(always)]
fn xor(to: &mut Block, from: &Block) {
    *to = (u128::from_ne_bytes(to.0) ^ u128::from_ne_bytes(from.0)).to_ne_bytes().into();
}
