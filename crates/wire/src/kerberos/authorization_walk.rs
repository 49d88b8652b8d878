use super::authorization_data::{AD_IF_RELEVANT, AuthorizationData, AuthorizationEntry};
use crate::der::{Der, Element, tag};
use crate::{Error, Kind};

/// An element of authorization data, wherever it stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlatEntry<'a> {
    /// What kind of data: [`AD_WIN2K_PAC`](super::AD_WIN2K_PAC) and its like.
    pub ad_type: i32,
    /// The data.
    pub data: &'a [u8],
    /// Whether it stood inside AD-IF-RELEVANT: who does not know it may ignore it.
    pub if_relevant: bool,
}

/// The elements of authorization data in their order, with those inside AD-IF-RELEVANT in its place.
///
/// At most two levels are descended: an AD-IF-RELEVANT inside another that is inside a third is itself an element. At
/// most 128 elements are looked at. A list that cannot be read, or too long a one, gives an error, and then nothing.
#[derive(Debug, Clone)]
pub struct Flattened<'a> {
    /// What is left to read: the list itself first, then the lists inside.
    levels: [Option<Der<'a>>; 1 + MOST_LEVELS],
    left: usize,
}

const MOST_LEVELS: usize = 2;
const MOST_ELEMENTS: usize = 128;

impl<'a> AuthorizationData<'a> {
    /// The elements, with those inside AD-IF-RELEVANT in its place.
    pub fn flatten(&self) -> Flattened<'a> {
        Flattened { levels: [Some(self.cursor()), None, None], left: MOST_ELEMENTS }
    }
}

impl<'a> Iterator for Flattened<'a> {
    type Item = Result<FlatEntry<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.step().transpose()?;
        if next.is_err() {
            self.levels = [None, None, None];
        }
        Some(next)
    }
}

impl<'a> Flattened<'a> {
    fn step(&mut self) -> Result<Option<FlatEntry<'a>>, Error> {
        loop {
            let Some(level) = self.levels.iter().rposition(Option::is_some) else { return Ok(None) };
            let Some(Some(list)) = self.levels.get_mut(level) else { return Ok(None) };
            if list.peek().is_none() {
                self.close(level);
                continue;
            }
            let at = list.offset();
            self.left = self.left.checked_sub(1).ok_or(Error::new(at, "AuthorizationData", Kind::TooLarge))?;
            let (ad_type, data) = AuthorizationEntry::read(list)?;
            // Where ad-data ends, the element ends: its explicit tag holds nothing else.
            let inside = list.offset().saturating_sub(data.len());
            match self.levels.get_mut(level + 1) {
                Some(deeper) if ad_type == AD_IF_RELEVANT => {
                    let mut der = Der::within(data, inside);
                    *deeper = Some(der.take(tag::SEQUENCE, "AD-IF-RELEVANT")?);
                    der.finish("AD-IF-RELEVANT")?;
                }
                _ => return Ok(Some(FlatEntry { ad_type, data, if_relevant: level > 0 })),
            }
        }
    }

    fn close(&mut self, level: usize) {
        if let Some(done) = self.levels.get_mut(level) {
            *done = None;
        }
    }
}
