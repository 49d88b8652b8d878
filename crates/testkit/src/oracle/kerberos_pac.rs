use super::sound;
use portcullis_wire::kerberos::pac::{
    self, Attributes, BufferType, ClaimsMetadata, ClientInfo, Credentials, Delegation, DeviceInfo, LogonInfo, Pac,
    RequesterSid, Signature, UpnDnsInfo, decode_claims,
};

/// The PAC and each of its buffers: no panic; buffers lie apart in what came; what the signature is over is what came,
/// without the signatures; whatever is read and written again reads the same.
pub fn kerberos_pac(bytes: &[u8]) {
    // A fuzzer finds the way into a structure sooner when no table stands before it.
    content(bytes);
    let Some(read) = sound(bytes, Pac::decode(bytes)) else { return };
    assert_eq!(read.raw, bytes);
    let buffers: Vec<_> = read.buffers().collect();
    assert!(buffers.len() <= Pac::MAX_BUFFERS);
    let mut places: Vec<_> = buffers.iter().map(|buffer| (buffer.offset, buffer.bytes.len())).collect();
    places.retain(|(_, len)| *len != 0);
    places.sort_unstable();
    assert!(places.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0), "overlapping");
    for buffer in &buffers {
        assert!(bytes[buffer.offset..].starts_with(buffer.bytes));
        assert!(buffer.offset.is_multiple_of(8) && buffer.offset >= 8 + 16 * buffers.len());
        let first = buffers.iter().find(|other| other.buffer_type == buffer.buffer_type);
        assert_eq!(read.find(buffer.buffer_type).as_ref(), first);
        content(buffer.bytes);
    }
    signed(&read);
    let (mut again, listed) = (Vec::new(), buffers.iter().map(|buffer| (buffer.buffer_type, buffer.bytes)));
    pac::encode(&listed.clone().collect::<Vec<_>>(), &mut again);
    let twice = Pac::decode(&again).expect("what was written reads");
    assert!(twice.buffers().map(|buffer| (buffer.buffer_type, buffer.bytes)).eq(listed));
}

/// Only the bytes of two signatures differ from what came, and they are zeros.
fn signed(read: &Pac<'_>) {
    let Some(parts) = sound(read.raw, read.signed_parts()) else { return };
    let mut expected = read.raw.to_vec();
    for buffer_type in [BufferType::SERVER_SIGNATURE, BufferType::KDC_SIGNATURE] {
        if let Some(signature) = read.signature(buffer_type).expect("read before") {
            let at = read.find(buffer_type).expect("read before").offset + 4;
            expected[at..at + signature.signature.len()].fill(0);
        }
    }
    assert_eq!(parts.concat(), expected);
}

/// Any bytes as each kind of buffer.
fn content(bytes: &[u8]) {
    comes_back(bytes, LogonInfo::decode, LogonInfo::encode);
    comes_back(bytes, ClientInfo::decode, ClientInfo::encode);
    comes_back(bytes, Delegation::decode, Delegation::encode);
    comes_back(bytes, RequesterSid::decode, RequesterSid::encode);
    if let Some(read) = sound(bytes, LogonInfo::decode(bytes)) {
        let members = read.groups.len() + read.resource_groups.len() + read.extra_sids.len();
        assert!(members * 8 <= bytes.len(), "more members than came");
        assert!(read.sids().len() <= members + 2);
        assert!(read.memberships().count() <= members);
    }
    // Names that share their bytes are written apart: more than 64 KiB cannot come back.
    if bytes.len() < 0x4000 {
        comes_back(bytes, UpnDnsInfo::decode, UpnDnsInfo::encode);
    }
    if sound(bytes, Attributes::decode(bytes)).is_some_and(|read| read.flags_length <= 32) {
        comes_back(bytes, Attributes::decode, Attributes::encode);
    }
    if let Some(read) = sound(bytes, Signature::decode(bytes)) {
        let mut again = Vec::new();
        read.encode(&mut again);
        assert!(bytes.starts_with(&again));
    }
    if let Some(read) = sound(bytes, DeviceInfo::decode(bytes)) {
        let domains = read.domain_groups.iter().map(|domain| domain.groups.len()).sum::<usize>();
        assert!((read.account_groups.len() + read.extra_sids.len() + domains) * 8 <= bytes.len());
    }
    if let Some(read) = sound(bytes, ClaimsMetadata::decode(bytes)) {
        assert!(read.claims_set.is_empty() || bytes.as_ptr_range().contains(&read.claims_set.as_ptr()));
        let _ = sound(read.claims_set, read.claims());
    }
    if let Some(read) = sound(bytes, decode_claims(bytes)) {
        assert!(read.iter().map(|array| array.claims.len()).sum::<usize>() * 16 <= bytes.len());
    }
    let _ = sound(bytes, Credentials::decode(bytes));
}

fn comes_back<T: PartialEq + std::fmt::Debug>(
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, portcullis_wire::Error>,
    encode: impl Fn(&T, &mut Vec<u8>),
) {
    if let Some(read) = sound(bytes, decode(bytes)) {
        let mut again = Vec::new();
        encode(&read, &mut again);
        assert_eq!(decode(&again), Ok(read));
    }
}
