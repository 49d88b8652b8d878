use super::sound;
use portcullis_wire::tls::{Foreign, Hello, MAX_CIPHERTEXT, RecordHeader, Split, find_handshake, first};

/// Records of TLS and the two hellos: no panic; a record is where its header says, and nothing is read outside of what
/// came.
pub fn tls_records(bytes: &[u8]) {
    let mut rest = bytes;
    while let Some(split) = sound(rest, first(rest)) {
        match split {
            Split::Whole(header, record) => {
                assert_eq!(record, &rest[..header.record_len()]);
                assert!(
                    header.len <= MAX_CIPHERTEXT && header.version >> 8 == 3 && (20..=23).contains(&header.content.0)
                );
                let cut = first(&record[..record.len() - 1]);
                assert!(matches!(cut, Ok(Split::Partial { missing: 1.. })), "a front of it is a part: {cut:?}");
                rest = &rest[record.len()..];
            }
            Split::Partial { missing } => {
                assert!(missing > 0);
                let more = [rest, &vec![0; missing]].concat();
                let is_header = rest.len() < RecordHeader::LEN;
                assert!(is_header || matches!(first(&more), Ok(Split::Whole(..))), "so much is missing, and no more");
                break;
            }
        }
    }
    if Foreign::of(bytes).is_some() {
        assert!(first(bytes).is_err(), "what is TLS is no stranger's");
    }
    let within = |part: &[u8]| part.is_empty() || bytes.as_ptr_range().contains(&part.as_ptr());
    let message = find_handshake(bytes);
    assert!(message.is_none_or(|message| within(message.body) && message.body.len() + 4 <= bytes.len()));
    for body in message.map(|message| message.body).into_iter().chain([bytes]) {
        for hello in [sound(body, Hello::client(body)), sound(body, Hello::server(body))].into_iter().flatten() {
            assert!(hello.session_id.len() <= 32 && within(hello.session_id));
            assert!((0..=64).all(|number| hello.extension(number).is_none_or(within)));
        }
    }
}
