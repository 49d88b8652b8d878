use super::sound;
use portcullis_wire::negoex::{Body, Message, Messages};

/// NEGOEX: no panic; whatever is read lies in what came, and the messages cover the token.
pub fn negoex(bytes: &[u8]) {
    let (mut covered, mut count) = (0, 0);
    for read in Messages::new(bytes) {
        count += 1;
        let Some(message) = sound(bytes, read) else {
            covered = bytes.len();
            continue;
        };
        covered += usize::try_from(message.header.message_len).unwrap();
        inside(&message, bytes);
    }
    assert_eq!(covered, bytes.len());
    assert!(count <= 17);
}

fn inside(message: &Message<'_>, bytes: &[u8]) {
    let within = |part: &[u8]| part.is_empty() || bytes.as_ptr_range().contains(&part.as_ptr());
    let held = match message.body {
        Body::Nego(nego) => {
            assert!(nego.schemes.iter().count() <= 64);
            nego.extensions.iter().map(|(_, value)| value).filter(|value| !within(value)).count() == 0
        }
        Body::Exchange(exchange) => within(exchange.exchange),
        Body::Verify(verify) => within(verify.checksum),
        Body::Alert(alert) => alert.alerts.iter().filter(|(_, value)| !within(value)).count() == 0,
        Body::Unknown(rest) => within(rest),
    };
    assert!(held, "read outside of what came");
}
