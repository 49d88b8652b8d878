//! The 1:1 upper-casing of one UTF-16 code unit (MS-UCODEREF 3.1.5.3).

/// Unicode's simple upper case, where it is one unit of the basic plane, less the units that Windows leaves alone.
pub(crate) fn unit(unit: u16) -> u16 {
    if unit < 0x80 {
        return if matches!(unit, 0x61..=0x7a) { unit - 0x20 } else { unit };
    }
    let Some(c) = char::from_u32(u32::from(unit)) else { return unit };
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) if !KEPT.contains(&unit) => u16::try_from(u32::from(one)).unwrap_or(unit),
        _ => unit,
    }
}

/// Units that have a simple upper case in Unicode and none in Windows' table.
const KEPT: [u16; 3] = [
    0x00b5, // micro sign
    0x0131, // dotless i
    0x017f, // long s
];
