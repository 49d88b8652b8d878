use super::sound;
use portcullis_wire::kerberos::{Ccache, Keytab, NewKeytabEntry, encode_keytab};

/// A keytab: no panic, an end; what was read and written again reads the same.
pub fn kerberos_keytab(bytes: &[u8]) {
    let Some(keytab) = sound(bytes, Keytab::decode(bytes)) else { return };
    // An entry has a size of four bytes, if nothing else.
    assert!(keytab.entries().count() <= bytes.len() / 4 + 1);
    let entries: Vec<_> = keytab.entries().filter_map(|entry| sound(bytes, entry)).collect();
    let components: Vec<Vec<&[u8]>> = entries.iter().map(|entry| entry.components().collect()).collect();
    let again: Vec<_> = entries
        .iter()
        .zip(&components)
        .map(|(entry, components)| NewKeytabEntry {
            realm: entry.realm,
            name_type: entry.name_type,
            components,
            timestamp: entry.timestamp,
            kvno: entry.kvno,
            etype: entry.etype,
            key: entry.key,
        })
        .collect();
    let written = encode_keytab(&again).expect("what was in a file has room in one");
    let reread: Vec<_> = Keytab::decode(&written).unwrap().entries().map(Result::unwrap).collect();
    assert_eq!(reread.len(), entries.len());
    for (a, b) in entries.iter().zip(&reread) {
        assert_eq!((a.realm, a.name_type, a.timestamp), (b.realm, b.name_type, b.timestamp));
        assert_eq!((a.kvno, a.etype, a.key), (b.kvno, b.etype, b.key));
        assert!(a.components().eq(b.components()));
    }
}

/// A credential cache: as [`kerberos_keytab`].
pub fn kerberos_ccache(bytes: &[u8]) {
    let Some(cache) = sound(bytes, Ccache::decode(bytes)) else { return };
    let read: Vec<_> = cache.credentials().collect();
    assert!(read.len() <= bytes.len() / 40 + 1);
    assert!(read.iter().rev().skip(1).all(Result::is_ok), "nothing follows an error");
    let credentials: Vec<_> = read.into_iter().filter_map(|credential| sound(bytes, credential)).collect();
    let written = Ccache::encode(cache.time_offset, &cache.default_principal, &credentials)
        .expect("what was in a file has room in one");
    let again = Ccache::decode(&written).unwrap();
    assert_eq!((again.time_offset, again.default_principal), (cache.time_offset, cache.default_principal));
    let reread: Vec<_> = again.credentials().map(Result::unwrap).collect();
    assert_eq!(reread.len(), credentials.len());
    for (a, b) in credentials.iter().zip(&reread) {
        assert_eq!((a.client, a.server, a.times), (b.client, b.server, b.times));
        assert_eq!((a.key.etype, a.key.value), (b.key.etype, b.key.value));
        assert_eq!((a.is_skey, a.flags, a.addresses, a.authdata), (b.is_skey, b.flags, b.addresses, b.authdata));
        assert_eq!((a.ticket, a.second_ticket), (b.ticket, b.second_ticket));
        assert_eq!(a.configuration(), b.configuration());
        assert!(a.addresses.iter().count() <= 64 && a.client.components().count() <= 64);
    }
}
