use crate::report::Report;
pub(crate) fn measure(_: &mut Report, _: usize, _: &[(&str, &str)]) {}
