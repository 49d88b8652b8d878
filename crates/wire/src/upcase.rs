//! The 1:1 upper-casing of one UTF-16 code unit (MS-UCODEREF 3.1.5.3).
//!
//! Windows maps by a published table that stopped growing: it is the simple upper case of Unicode 5.1, less
//! characters whose mapping would not come back (micro sign, dotless i, long s, final sigma, Greek symbols, the
//! title-case digraphs). Neither the standard library's full mapping nor Unicode's present simple mapping will do:
//! both know more letters with each version, and a name hashed with one letter too many never verifies.

/// The upper case of one UTF-16 code unit; surrogates, and what Windows leaves alone, come back as they are.
pub(crate) fn unit(unit: u16) -> u16 {
    if unit < 0x80 {
        return if matches!(unit, 0x61..=0x7a) { unit - 0x20 } else { unit };
    }
    let next = RUNS.partition_point(|run| run.0 <= unit);
    match next.checked_sub(1).and_then(|at| RUNS.get(at)) {
        Some(&(first, last, step, shift)) if unit <= last && (unit - first).is_multiple_of(step) => {
            u16::try_from(i32::from(unit) + shift).unwrap_or(unit)
        }
        _ => unit,
    }
}

/// Runs of lower-case units: the first, the last, every how manieth, and what is added. Sorted.
#[rustfmt::skip]
const RUNS: [(u16, u16, u16, i32); 134] = [
    (0x0061, 0x007a, 1, -32), (0x00e0, 0x00f6, 1, -32), (0x00f8, 0x00fe, 1, -32), (0x00ff, 0x00ff, 1, 121),
    (0x0101, 0x012f, 2, -1), (0x0133, 0x0137, 2, -1), (0x013a, 0x0148, 2, -1), (0x014b, 0x0177, 2, -1),
    (0x017a, 0x017e, 2, -1), (0x0180, 0x0180, 1, 195), (0x0183, 0x0185, 2, -1), (0x0188, 0x0188, 1, -1),
    (0x018c, 0x018c, 1, -1), (0x0192, 0x0192, 1, -1), (0x0195, 0x0195, 1, 97), (0x0199, 0x0199, 1, -1),
    (0x019a, 0x019a, 1, 163), (0x019e, 0x019e, 1, 130), (0x01a1, 0x01a5, 2, -1), (0x01a8, 0x01a8, 1, -1),
    (0x01ad, 0x01ad, 1, -1), (0x01b0, 0x01b0, 1, -1), (0x01b4, 0x01b6, 2, -1), (0x01b9, 0x01b9, 1, -1),
    (0x01bd, 0x01bd, 1, -1), (0x01bf, 0x01bf, 1, 56), (0x01c6, 0x01c6, 1, -2), (0x01c9, 0x01c9, 1, -2),
    (0x01cc, 0x01cc, 1, -2), (0x01ce, 0x01dc, 2, -1), (0x01dd, 0x01dd, 1, -79), (0x01df, 0x01ef, 2, -1),
    (0x01f3, 0x01f3, 1, -2), (0x01f5, 0x01f5, 1, -1), (0x01f9, 0x021f, 2, -1), (0x0223, 0x0233, 2, -1),
    (0x023c, 0x023c, 1, -1), (0x0242, 0x0242, 1, -1), (0x0247, 0x024f, 2, -1), (0x0250, 0x0250, 1, 10783),
    (0x0251, 0x0251, 1, 10780), (0x0253, 0x0253, 1, -210), (0x0254, 0x0254, 1, -206), (0x0256, 0x0257, 1, -205),
    (0x0259, 0x0259, 1, -202), (0x025b, 0x025b, 1, -203), (0x0260, 0x0260, 1, -205), (0x0263, 0x0263, 1, -207),
    (0x0268, 0x0268, 1, -209), (0x0269, 0x0269, 1, -211), (0x026b, 0x026b, 1, 10743), (0x026f, 0x026f, 1, -211),
    (0x0271, 0x0271, 1, 10749), (0x0272, 0x0272, 1, -213), (0x0275, 0x0275, 1, -214), (0x027d, 0x027d, 1, 10727),
    (0x0280, 0x0280, 1, -218), (0x0283, 0x0283, 1, -218), (0x0288, 0x0288, 1, -218), (0x0289, 0x0289, 1, -69),
    (0x028a, 0x028b, 1, -217), (0x028c, 0x028c, 1, -71), (0x0292, 0x0292, 1, -219), (0x0371, 0x0373, 2, -1),
    (0x0377, 0x0377, 1, -1), (0x037b, 0x037d, 1, 130), (0x03ac, 0x03ac, 1, -38), (0x03ad, 0x03af, 1, -37),
    (0x03b1, 0x03c1, 1, -32), (0x03c3, 0x03cb, 1, -32), (0x03cc, 0x03cc, 1, -64), (0x03cd, 0x03ce, 1, -63),
    (0x03d7, 0x03d7, 1, -8), (0x03d9, 0x03ef, 2, -1), (0x03f2, 0x03f2, 1, 7), (0x03f8, 0x03f8, 1, -1),
    (0x03fb, 0x03fb, 1, -1), (0x0430, 0x044f, 1, -32), (0x0450, 0x045f, 1, -80), (0x0461, 0x0481, 2, -1),
    (0x048b, 0x04bf, 2, -1), (0x04c2, 0x04ce, 2, -1), (0x04cf, 0x04cf, 1, -15), (0x04d1, 0x0523, 2, -1),
    (0x0561, 0x0586, 1, -48), (0x1d79, 0x1d79, 1, 35332), (0x1d7d, 0x1d7d, 1, 3814), (0x1e01, 0x1e95, 2, -1),
    (0x1ea1, 0x1eff, 2, -1), (0x1f00, 0x1f07, 1, 8), (0x1f10, 0x1f15, 1, 8), (0x1f20, 0x1f27, 1, 8),
    (0x1f30, 0x1f37, 1, 8), (0x1f40, 0x1f45, 1, 8), (0x1f51, 0x1f57, 2, 8), (0x1f60, 0x1f67, 1, 8),
    (0x1f70, 0x1f71, 1, 74), (0x1f72, 0x1f75, 1, 86), (0x1f76, 0x1f77, 1, 100), (0x1f78, 0x1f79, 1, 128),
    (0x1f7a, 0x1f7b, 1, 112), (0x1f7c, 0x1f7d, 1, 126), (0x1f80, 0x1f87, 1, 8), (0x1f90, 0x1f97, 1, 8),
    (0x1fa0, 0x1fa7, 1, 8), (0x1fb0, 0x1fb1, 1, 8), (0x1fb3, 0x1fb3, 1, 9), (0x1fc3, 0x1fc3, 1, 9),
    (0x1fd0, 0x1fd1, 1, 8), (0x1fe0, 0x1fe1, 1, 8), (0x1fe5, 0x1fe5, 1, 7), (0x1ff3, 0x1ff3, 1, 9),
    (0x214e, 0x214e, 1, -28), (0x2170, 0x217f, 1, -16), (0x2184, 0x2184, 1, -1), (0x24d0, 0x24e9, 1, -26),
    (0x2c30, 0x2c5e, 1, -48), (0x2c61, 0x2c61, 1, -1), (0x2c65, 0x2c65, 1, -10795), (0x2c66, 0x2c66, 1, -10792),
    (0x2c68, 0x2c6c, 2, -1), (0x2c73, 0x2c73, 1, -1), (0x2c76, 0x2c76, 1, -1), (0x2c81, 0x2ce3, 2, -1),
    (0x2d00, 0x2d25, 1, -7264), (0xa641, 0xa65f, 2, -1), (0xa663, 0xa66d, 2, -1), (0xa681, 0xa697, 2, -1),
    (0xa723, 0xa72f, 2, -1), (0xa733, 0xa76f, 2, -1), (0xa77a, 0xa77c, 2, -1), (0xa77f, 0xa787, 2, -1),
    (0xa78c, 0xa78c, 1, -1), (0xff41, 0xff5a, 1, -32),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_windows_maps() {
        let lower = "azàþÿğžƿ\u{1c6}\u{250}\u{27d}άσώяѐ\u{4cf}\u{523}աạ\u{1d79}\u{1f51}\u{1f80}\u{1fb3}\u{1fe5}ⅰⓩ";
        let upper = "AZÀÞŸĞŽǷ\u{1c4}\u{2c6f}\u{2c64}ΆΣΏЯЀ\u{4c0}\u{522}ԱẠ\u{a77d}\u{1f59}\u{1f88}\u{1fbc}\u{1fec}ⅠⓏ";
        let more = ("\u{2c30}\u{2d00}\u{a641}\u{a78c}ａｚ", "\u{2c00}\u{10a0}\u{a640}\u{a78b}ＡＺ");
        let pairs = lower.chars().chain(more.0.chars()).zip(upper.chars().chain(more.1.chars()));
        let mut count = 0;
        for (lower, upper) in pairs {
            assert_eq!(unit(lower as u16), upper as u16, "{lower}");
            assert_eq!(unit(upper as u16), upper as u16, "{upper} is upper case");
            count += 1;
        }
        assert_eq!(count, 33);
    }

    #[test]
    fn units_that_windows_leaves_alone() {
        let one_way =
            "ßµıſς\u{1c5}\u{1c8}\u{1cb}\u{1f2}\u{345}\u{3d0}\u{3d1}\u{3d5}\u{3d6}\u{3f0}\u{3f1}\u{3f5}\u{1e9b}\u{1fbe}";
        let without_upper = "ŉǰΐΰև\u{1e96}\u{1f50}\u{fb00}";
        let younger =
            "\u{19b}\u{23f}\u{240}\u{252}\u{25c}\u{265}\u{3f3}\u{525}\u{1d8e}\u{2c5f}\u{2cec}\u{a661}\u{a791}\u{ab53}";
        let georgian_and_cherokee = "\u{10d0}\u{10f0}\u{10ff}\u{2d27}\u{2d2d}\u{13f8}\u{13fd}\u{ab70}\u{abbf}";
        let signs = "÷×@[`{\u{7f}\u{80}\u{2c2f}\u{ff5b}\u{ffff}";
        for c in [one_way, without_upper, younger, georgian_and_cherokee, signs].concat().chars() {
            assert_eq!(unit(c as u16), c as u16, "{c} {:04x}", c as u32);
        }
        // Deseret has case, but a surrogate is no letter to a mapping by units.
        let mut deseret = [0; 2];
        for &half in '\u{10428}'.encode_utf16(&mut deseret).iter() {
            assert_eq!(unit(half), half);
        }
    }

    /// Against the standard library, whose tables are Unicode's: where both map, they agree, and the table's size is
    /// that of the published one.
    #[test]
    fn agrees_with_unicode_where_both_map() {
        let mut mapped = 0;
        for c in ('\0'..='\u{ffff}').filter(|c| unit(*c as u16) != *c as u16) {
            mapped += 1;
            let ours = char::from_u32(u32::from(unit(c as u16))).unwrap();
            let mut full = c.to_uppercase();
            match (full.next(), full.next()) {
                (Some(one), None) => assert_eq!(ours, one, "{c}"),
                // Letters with iota subscript: the full mapping writes the iota out, the simple one keeps one letter.
                _ => assert_eq!(ours.to_lowercase().collect::<String>(), c.to_string()),
            }
        }
        assert_eq!(mapped, 973);
        assert!(RUNS.is_sorted_by(|a, b| a.1 < b.0) && RUNS.iter().all(|run| run.0 <= run.1));
    }
}
