//! A realm without a KDC: one client's ticket for one service, and as many fresh AP-REQs as a round needs. All peers
//! read the same files of one folder.
//!
//! | file | what |
//! |---|---|
//! | `keytab` | the service's key |
//! | `ccache` | the client's ticket, for peers that bring their own client |
//! | `krb5.conf` | for MIT and Heimdal |
//! | `tokens` | fresh AP-REQs in GSS-API's frame, each behind its length (32 bits, the highest byte first) |
//! | `forged` | one more, likewise, whose PAC is not signed by the service's key |

mod client;
mod pac;
mod realm;
mod session;

pub use client::{Client, Pending};
pub use realm::Realm;
pub use session::{Session, TOKEN};

use std::path::Path;

/// The realm, and the service of it that all peers are.
pub const REALM: &str = "CORP.EXAMPLE";
/// The service's name in two components.
pub const SERVICE: [&str; 2] = ["HTTP", "web1.corp.example"];
/// The client's name.
pub const CLIENT: &str = "ann";

/// The tokens in a file of the folder.
pub fn tokens(folder: &Path, file: &str) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(folder.join(file)).expect("the realm's files are readable");
    let (mut rest, mut tokens) = (bytes.as_slice(), Vec::new());
    while let Some((length, behind)) = rest.split_first_chunk() {
        let (token, behind) = behind.split_at(u32::from_be_bytes(*length) as usize);
        tokens.push(token.to_vec());
        rest = behind;
    }
    tokens
}
