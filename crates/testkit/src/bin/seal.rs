//! `portcullis-testkit-seal --listen 127.0.0.1:0 --user U --password P --domain D`: the service of
//! [`portcullis_testkit::seal`] with one account. Prints `listening tcp ADDR:PORT` once it accepts.
//!
//! `--minimum-key 40|56|128` and `--ntlmv1` let weaker clients in; `--negotiate` puts SPNEGO around NTLM.

use portcullis::negotiate::Negotiate;
use portcullis::ntlm::{KeyStrength, Ntlm, ServerNames};
use portcullis::{Authority, Credential};
use portcullis_testkit::{Realm, seal};
use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut listen, mut user, mut password, mut domain) =
        ("127.0.0.1:0".to_owned(), String::new(), String::new(), "DOMAIN".to_owned());
    let (mut minimum_key, mut ntlmv1, mut negotiate) = (KeyStrength::Bits128, false, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--listen" => listen = value()?,
            "--user" => user = value()?,
            "--password" => password = value()?,
            "--domain" => domain = value()?,
            "--minimum-key" => {
                minimum_key = match value()?.as_str() {
                    "40" => KeyStrength::Bits40,
                    "56" => KeyStrength::Bits56,
                    "128" => KeyStrength::Bits128,
                    other => return Err(format!("{other} is none of 40, 56, 128").into()),
                }
            }
            "--ntlmv1" => ntlmv1 = true,
            "--negotiate" => negotiate = true,
            other => return Err(format!("unknown argument {other}; see the source's first lines").into()),
        }
    }
    if user.is_empty() || password.is_empty() {
        return Err("--user and --password must be given and not empty".into());
    }
    let names = ServerNames {
        netbios_computer: "TESTKIT".into(),
        netbios_domain: domain.clone(),
        dns_computer: "testkit.example".into(),
        dns_domain: "example".into(),
        dns_tree: String::new(),
        standalone: false,
    };
    let mut ntlm = Ntlm::new(names);
    ntlm.minimum_key = minimum_key;
    ntlm.danger_accept_ntlmv1 = ntlmv1;
    let realm: Arc<dyn Authority> = Arc::new(Realm::new(&domain, "example", &[(&user, &password)]));
    let listener = TcpListener::bind(&listen)?;
    println!("listening tcp {}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let credential = match negotiate {
        true => Credential::acceptor(Negotiate::offering([ntlm.into()])),
        false => Credential::acceptor(ntlm),
    };
    seal::serve(&listener, &credential, &realm)?;
    Ok(())
}
