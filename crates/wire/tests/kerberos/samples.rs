//! Vectors by name, and each kind of message with its decoder and encoder.

use portcullis_wire::Error;
use portcullis_wire::kerberos::*;

/// Of MIT's sample values.
pub(crate) fn asn1(name: &str) -> Vec<u8> {
    find(include_str!("../vectors/mit-asn1.txt"), name)
}

/// What MIT's programs wrote.
pub(crate) fn captured(name: &str) -> Vec<u8> {
    find(include_str!("../vectors/mit-1.20.txt"), name)
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter(|c| !c.is_whitespace()).collect();
    assert!(digits.len().is_multiple_of(2), "{text}");
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
}

fn find(vectors: &str, name: &str) -> Vec<u8> {
    let line = |line: &str| line.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")).map(hex);
    vectors.lines().find_map(line).unwrap_or_else(|| panic!("no vector {name}"))
}

/// Decodes a message and encodes it again.
pub(crate) type Again = fn(&[u8]) -> Result<Vec<u8>, Error>;

macro_rules! again {
    ($kind:ty) => {
        |bytes| {
            let mut out = Vec::new();
            <$kind>::decode(bytes)?.encode(&mut out);
            Ok(out)
        }
    };
}

/// A message of each kind with every field, and one with as few as may be.
pub(crate) fn messages() -> Vec<(&'static str, Vec<u8>, Again)> {
    let mut tgt_request = Vec::new();
    let name = encode_principal_name(NT_SRV_INST, &[b"HTTP", b"web.example"]);
    let server_name = PrincipalName::from_encoded(&name).unwrap();
    TgtRequest { server_name: Some(server_name), realm: Some(b"EXAMPLE") }.encode(&mut tgt_request);
    let (mut tgt_reply, ticket) = (Vec::new(), asn1("ticket"));
    TgtReply { ticket: Ticket::decode(&ticket).unwrap() }.encode(&mut tgt_reply);
    let mut restrictions = Vec::new();
    let entry = RestrictionEntry { restriction_type: 0, restriction: &[7; 40] };
    let list = RestrictionEntries::of(&[entry]);
    RestrictionEntries::decode(&list).unwrap().encode(&mut restrictions);
    vec![
        ("authenticator", asn1("authenticator"), again!(Authenticator<'_>)),
        ("authenticator, short", asn1("authenticator(optionals NULL)"), again!(Authenticator<'_>)),
        ("ticket", asn1("ticket"), again!(Ticket<'_>)),
        ("key", asn1("keyblock"), again!(EncryptionKey<'_>)),
        ("checksum", hex("300d a003020101 a106 0404 31323334"), again!(Checksum<'_>)),
        ("enc-ticket-part", asn1("enc_tkt_part"), again!(EncTicketPart<'_>)),
        ("enc-ticket-part, short", asn1("enc_tkt_part(optionals NULL)"), again!(EncTicketPart<'_>)),
        ("ap-req", asn1("ap_req"), again!(ApReq<'_>)),
        ("ap-rep", asn1("ap_rep"), again!(ApRep<'_>)),
        ("enc-ap-rep-part", asn1("ap_rep_enc_part"), again!(EncApRepPart<'_>)),
        ("enc-ap-rep-part, short", asn1("ap_rep_enc_part(optionals NULL)"), again!(EncApRepPart<'_>)),
        ("krb-cred", asn1("cred"), again!(KrbCred<'_>)),
        ("enc-krb-cred-part", asn1("enc_cred_part"), again!(EncKrbCredPart<'_>)),
        ("enc-krb-cred-part, short", asn1("enc_cred_part(optionals NULL)"), again!(EncKrbCredPart<'_>)),
        ("krb-error", asn1("error"), again!(KrbError<'_>)),
        ("krb-error, short", asn1("error(optionals NULL)"), again!(KrbError<'_>)),
        ("authorization-data", asn1("authorization_data"), again!(AuthorizationData<'_>)),
        ("enc-data", asn1("enc_data"), again!(EncryptedData<'_>)),
        ("tgt-request", tgt_request, again!(TgtRequest<'_>)),
        ("tgt-request, short", hex("300a a003020105 a103020110"), again!(TgtRequest<'_>)),
        ("tgt-reply", tgt_reply, again!(TgtReply<'_>)),
        ("restrictions", restrictions, again!(RestrictionEntries<'_>)),
        ("etype-list", hex("3009 020112 020117 0201 80"), again!(EtypeList<'_>)),
        ("error-data", hex("300d a103020103 a206 0404 01020304"), again!(KerbErrorData<'_>)),
        ("skew", hex("3005a103020102"), again!(KerbErrorData<'_>)),
        ("time", hex("180f 31393934303631303036303331375a"), again!(KerberosTime)),
        ("addresses", hex("300f 300d a003020102 a1060404 12d00023"), again!(HostAddresses<'_>)),
    ]
}
