use super::sound;
use portcullis_wire::Error;
use portcullis_wire::der::{Element, SequenceOf, complete_len};
use portcullis_wire::kerberos::{
    ApOptions, ApRep, ApReq, Authenticator, AuthorizationData, Checksum, EncApRepPart, EncKrbCredPart, EncTicketPart,
    EncryptedData, EncryptionKey, EtypeList, GssChecksum, HostAddresses, KerbErrorData, KerbExtError, KerberosTime,
    KrbCred, KrbError, LsapTokenInfoIntegrity, MicHeader, PrincipalName, Rc4Mic, Rc4Wrap, RestrictionEntries, TgtReply,
    TgtRequest, Ticket, WrapHeader, client_target, frame_token, parse_principal, recognise, unparse,
    unparse_components,
};

/// The messages of Kerberos: no panic; what was read and written again reads the same, and covers all that came.
pub fn kerberos_messages(bytes: &[u8]) {
    let der: [Again; 20] = [
        |bytes, out| ApReq::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| ApRep::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| EncApRepPart::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| Authenticator::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| EncTicketPart::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| Ticket::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| KrbCred::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| EncKrbCredPart::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| KrbError::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| KerbErrorData::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| TgtRequest::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| TgtReply::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| EncryptedData::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| EncryptionKey::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| Checksum::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| PrincipalName::from_encoded(bytes).map(|read| read.encode(out)),
        |bytes, out| HostAddresses::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| RestrictionEntries::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| EtypeList::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| KerberosTime::decode(bytes).map(|read| read.encode(out)),
    ];
    for again in der {
        let mut once = Vec::new();
        if sound(bytes, again(bytes, &mut once)).is_none() {
            continue;
        }
        assert_eq!(complete_len(bytes, usize::MAX), Ok(Some(bytes.len())), "nothing stands behind a message");
        // A number may have lost its sign, and flags are written as 32 bits; no more than that.
        let mut twice = Vec::new();
        again(&once, &mut twice).unwrap();
        assert_eq!(once, twice);
    }
    lists(bytes);
    tokens(bytes);
    texts(bytes);
}

type Again = fn(&[u8], &mut Vec<u8>) -> Result<(), Error>;

/// Lists give as many elements as they hold, all of which lie in them.
fn lists(bytes: &[u8]) {
    fn whole<'a, T: Element<'a>>(bytes: &'a [u8]) -> Option<SequenceOf<'a, T>> {
        let list = sound(bytes, SequenceOf::<'a, T>::decode(bytes))?;
        let elements: Vec<T> = list.iter().collect();
        assert!(elements.len() <= T::MOST);
        assert_eq!(list.is_empty(), elements.is_empty());
        Some(list)
    }
    whole::<Ticket<'_>>(bytes);
    whole::<i32>(bytes);
    if let Some(data) = whole::<(i32, &[u8])>(bytes) {
        assert_eq!(AuthorizationData::of(&data.iter().collect::<Vec<_>>()).len(), bytes.len());
        let mut flat = data.flatten();
        let elements: Vec<_> = flat.by_ref().take(200).collect();
        assert!(elements.len() <= 129 && flat.next().is_none(), "it ends, and stays so");
        for (at, element) in elements.iter().enumerate() {
            match element {
                Ok(element) => assert!(inside(bytes, element.data)),
                Err(error) => {
                    assert_eq!(at + 1, elements.len(), "nothing follows an error");
                    assert!(error.offset <= bytes.len());
                }
            }
        }
    }
}

fn tokens(bytes: &[u8]) {
    if let Some(read) = sound(bytes, recognise(bytes)) {
        assert!(inside(bytes, read.body));
        if let Some(mechanism) = read.mechanism {
            let mut again = Vec::new();
            frame_token(mechanism, read.kind, read.body, &mut again);
            assert_eq!(again, bytes);
        } else {
            assert_eq!(read.body, bytes);
        }
    }
    if let Some(read) = sound(bytes, GssChecksum::decode(bytes)) {
        let mut again = Vec::new();
        read.encode(&mut again);
        assert_eq!(again, bytes);
    }
    if let Some(read) = sound(bytes, MicHeader::decode(bytes)) {
        assert_eq!(read.encode(), bytes[..MicHeader::LEN]);
    }
    if let Some(read) = sound(bytes, WrapHeader::decode(bytes)) {
        assert_eq!(read.encode(), bytes[..WrapHeader::LEN]);
    }
    if let Some(read) = sound(bytes, Rc4Mic::decode(bytes)) {
        let mut again = Vec::new();
        read.encode(&mut again);
        assert_eq!(again, bytes);
    }
    if let Some(read) = sound(bytes, Rc4Wrap::decode(bytes)) {
        let mut again = Vec::new();
        read.encode(&mut again);
        assert_eq!(again, bytes);
        let front = bytes.len() - read.payload.len();
        let detached = Rc4Wrap::decode_detached(&bytes[..front], read.payload.len()).unwrap();
        assert_eq!(detached, Rc4Wrap { payload: b"", ..read });
    }
    let fixed: [Again; 3] = [
        |bytes, out| KerbExtError::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| ApOptions::decode(bytes).map(|read| read.encode(out)),
        |bytes, out| LsapTokenInfoIntegrity::decode(bytes).map(|read| read.encode(out)),
    ];
    for again in fixed {
        let mut out = Vec::new();
        if sound(bytes, again(bytes, &mut out)).is_some() {
            assert!(bytes.starts_with(&out));
        }
    }
    sound(bytes, client_target(bytes));
}

/// A name of any bytes becomes a text that reads as the same name, as far as it is UTF-8.
fn texts(bytes: &[u8]) {
    if let Ok(name) = PrincipalName::from_encoded(bytes) {
        let (mut text, mut again) = (String::new(), String::new());
        unparse(&name, b"REALM/a@b", &mut text);
        let (components, realm) = parse_principal(&text).expect("our own text can be read");
        unparse_components(components.iter().map(Vec::as_slice), realm.as_deref().unwrap_or_default(), &mut again);
        assert_eq!(text, again);
        // Of no component and of an empty one the text is the same.
        assert_eq!(components.len(), name.components().count().max(1));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some((components, Some(realm))) = parse_principal(text) {
        let mut again = String::new();
        unparse_components(components.iter().map(Vec::as_slice), &realm, &mut again);
        assert_eq!(parse_principal(&again), Some((components, Some(realm))));
    }
}

fn inside(bytes: &[u8], part: &[u8]) -> bool {
    part.is_empty() || bytes.as_ptr_range().contains(&part.as_ptr())
}
