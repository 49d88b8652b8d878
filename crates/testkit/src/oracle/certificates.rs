use super::sound;
use portcullis_wire::x509::{AltSecurityIdentity, Certificate, NormalName};
use std::collections::BTreeSet;

/// Certificates, and the texts that map them: no panic; whatever is read lies in what came; names and identities print
/// as what reads as themselves, and two that differ never print or compare alike.
pub fn x509(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        text_of_a_name(text);
        if let Ok(identity) = text.parse::<AltSecurityIdentity>() {
            reads_as_itself(&identity);
        }
    }
    let Some(read) = sound(bytes, Certificate::decode(bytes)) else { return };
    let within = |part: &[u8]| part.is_empty() || bytes.as_ptr_range().contains(&part.as_ptr());
    for part in [read.tbs, read.serial, read.public_key.raw, read.public_key.bits, read.signature, read.issuer.raw()] {
        assert!(within(part), "read outside of what came");
    }
    let oids: Vec<_> = read.extensions().map(|extension| extension.oid.0).collect();
    assert_eq!(oids.iter().collect::<BTreeSet<_>>().len(), oids.len(), "an extension stands there twice");
    assert!(read.extensions().all(|extension| bytes[extension.offset..].starts_with(extension.value)));
    for name in [read.issuer, read.subject] {
        let normal = name.to_normal();
        assert_eq!(normal.is_empty(), name.is_empty());
        assert_eq!(NormalName::from_windows_order(&name.windows_order()), Ok(normal.clone()));
        assert_eq!(NormalName::from_rfc4514(&name.to_string()), Ok(normal));
    }
    for sid in [sound(bytes, read.sid_extension()), sound(bytes, read.sid_uri())].into_iter().flatten().flatten() {
        let text = sid.to_string();
        assert!(bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{sid} does not stand there");
    }
    let _ = (sound(bytes, read.basic_constraints_ca()), read.signature_hash());
    if let Some(all) = sound(bytes, AltSecurityIdentity::of(&read, [7; 20])) {
        all.iter().for_each(reads_as_itself);
    }
}

fn text_of_a_name(text: &str) {
    let Ok(name) = NormalName::from_windows_order(text) else { return };
    assert_eq!(NormalName::from_windows_order(&name.windows_order()), Ok(name.clone()));
    assert_eq!(NormalName::from_rfc4514(&name.to_string()), Ok(name));
}

fn reads_as_itself(identity: &AltSecurityIdentity) {
    let text = identity.to_string();
    assert_eq!(text.parse().as_ref(), Ok(identity), "{text}");
    assert!(!identity.key().is_empty());
}
