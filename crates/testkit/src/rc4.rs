/// RC4, written from its description and apart from the library's, so that each can find the other's mistakes.
#[derive(Clone)]
pub struct Rc4 {
    box_: [u8; 256],
    i: u8,
    j: u8,
}

impl Rc4 {
    /// A cipher at the start of its stream. The key is 1 to 256 bytes.
    pub fn new(key: &[u8]) -> Self {
        let mut box_: [u8; 256] = std::array::from_fn(|n| n as u8);
        let mut j = 0u8;
        for i in 0..256 {
            j = j.wrapping_add(box_[i]).wrapping_add(key[i % key.len()]);
            box_.swap(i, usize::from(j));
        }
        Self { box_, i: 0, j: 0 }
    }

    /// Enciphers or deciphers in place.
    pub fn apply(&mut self, data: &mut [u8]) {
        for byte in data {
            self.i = self.i.wrapping_add(1);
            self.j = self.j.wrapping_add(self.box_[usize::from(self.i)]);
            self.box_.swap(usize::from(self.i), usize::from(self.j));
            let at = self.box_[usize::from(self.i)].wrapping_add(self.box_[usize::from(self.j)]);
            *byte ^= self.box_[usize::from(at)];
        }
    }
}

impl std::fmt::Debug for Rc4 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rc4")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_6229_first_bytes() {
        let mut stream = [0; 16];
        Rc4::new(&[1, 2, 3, 4, 5]).apply(&mut stream);
        assert_eq!(
            stream,
            [0xb2, 0x39, 0x63, 0x05, 0xf0, 0x3d, 0xc0, 0x27, 0xcc, 0xc3, 0x52, 0x4a, 0x0a, 0x11, 0x18, 0xa8]
        );
    }
}
