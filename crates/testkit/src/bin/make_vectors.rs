//! Writes `vectors/`: `cargo run -p portcullis-testkit --bin make-vectors [FOLDER]`. The same every time.
#![allow(clippy::unwrap_used, reason = "a tool of the developers, which may stop at anything")]

use portcullis_testkit::cases;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::args()
        .nth(1)
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors")), PathBuf::from);
    let mut failed = 0;
    let cases = cases::all();
    for case in &cases {
        let folder = root.join(case.folder());
        std::fs::create_dir_all(&folder)?;
        match case.vector() {
            Ok(vector) => std::fs::write(folder.join(format!("{}.txt", case.name)), vector.print())?,
            Err(why) => {
                eprintln!("{why}");
                failed += 1;
            }
        }
    }
    println!("{} vectors, {failed} failed", cases.len() - failed);
    if failed == 0 { Ok(()) } else { Err("some conversations do not end as they must".into()) }
}
