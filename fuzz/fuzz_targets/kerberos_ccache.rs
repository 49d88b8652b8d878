#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_testkit::oracle::kerberos_ccache(bytes));
