//! Makes the realm in a folder, and then for each line `tokens N` as many fresh AP-REQs.

use bench_harness::{Command, serve};
use bench_kerberos::Realm;

fn main() {
    let folder = std::env::args().nth(1).expect("usage: bench-realm FOLDER");
    let realm = Realm::create(folder.as_ref());
    serve(|command| match command {
        Command::Tokens(count) => {
            let length = realm.write_tokens(count);
            vec![("token_bytes", length as f64), ("pac_bytes", realm.pac_bytes() as f64)]
        }
        other => panic!("{other:?} is not asked of a realm"),
    });
}
