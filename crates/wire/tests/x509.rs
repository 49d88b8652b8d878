//! Certificates: those that OpenSSL made (`certificates/make.sh`), and what is not one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis_wire::der::{Constructed, Oid, tag, tlv};
use portcullis_wire::x509::{
    AltSecurityIdentity, BitString, Certificate, Form, GeneralName, NormalName, SignatureHash, oid,
};
use portcullis_wire::{Error, Kind};
use std::time::{Duration, UNIX_EPOCH};

macro_rules! certificates {
    ($($name:literal)*) => { &[$(($name, include_bytes!(concat!("certificates/", $name, ".der")))),*] };
}

const ALL: &[(&str, &[u8])] = certificates!(
    "ann" "bmp" "ca" "comma" "ecdsa-sha512" "ed25519" "high" "mail" "mark" "multi" "negative" "pss-sha1" "pss-sha384"
    "rsa-md5" "rsa-sha1" "rsa-sha224" "rsa-sha256" "rsa-sha384" "rsa-sha512" "utf8" "version1"
);

fn bytes(name: &str) -> &'static [u8] {
    ALL.iter().find(|(known, _)| *known == name).unwrap().1
}

fn read(name: &str) -> Certificate<'static> {
    Certificate::decode(bytes(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

#[test]
fn every_field() {
    let ann = read("ann");
    assert_eq!((ann.version, ann.raw, ann.tbs[0]), (3, bytes("ann"), tag::SEQUENCE));
    assert!(ann.raw[4..].starts_with(ann.tbs));
    assert_eq!(ann.serial, [0x2b, 0, 0, 0, 0, 0x11, 0xac, 0, 0, 0, 0, 0x12]);
    assert_eq!(ann.issuer.to_string(), "CN=CONTOSO-DC-CA,DC=contoso,DC=com");
    assert_eq!(ann.issuer.windows_order(), "DC=com,DC=contoso,CN=CONTOSO-DC-CA");
    assert_eq!(ann.subject.to_string(), "CN=Ann Smith,OU=People,DC=contoso,DC=com");
    assert_eq!(read("ca").subject.raw(), ann.issuer.raw());
    let life = ann.not_after.duration_since(ann.not_before).unwrap();
    assert_eq!(life, Duration::from_secs(9000 * 86_400));
    assert!(ann.not_before > UNIX_EPOCH + Duration::from_secs(1_795_000_000));
    // id-ecPublicKey and prime256v1; an uncompressed point.
    assert_eq!(ann.public_key.algorithm.oid.to_string(), "1.2.840.10045.2.1");
    assert_eq!(
        ann.public_key.algorithm.parameters,
        [&[6, 8][..], &Oid::parse("1.2.840.10045.3.1.7").unwrap()].concat()
    );
    assert_eq!((ann.public_key.bits.len(), ann.public_key.bits[0]), (65, 4));
    assert!(ann.public_key.raw.ends_with(ann.public_key.bits));
    assert!(ann.raw.ends_with(ann.signature));
    assert_eq!(ann.subject_key_identifier().unwrap().unwrap().len(), 20);
    assert_eq!((ann.basic_constraints_ca(), read("ca").basic_constraints_ca()), (Ok(false), Ok(true)));
    assert!(ann.extension(oid::BASIC_CONSTRAINTS).unwrap().critical);
    assert!(!ann.extension(oid::EXT_KEY_USAGE).unwrap().critical);
    assert_eq!(ann.extensions().count(), 6);
}

#[test]
fn every_other_name() {
    let ann = read("ann");
    let names: Vec<_> = ann.subject_alt_names().unwrap().collect();
    let GeneralName::Other(kind, value) = names[0] else { panic!("{names:?}") };
    assert_eq!((kind, value), (oid::USER_PRINCIPAL_NAME, &b"\x0c\x10ann@corp.example"[..]));
    assert_eq!(names[1], GeneralName::Rfc822("ann@example.com"));
    assert_eq!(names[2], GeneralName::Dns("pc1.corp.example"));
    assert_eq!(names[4], GeneralName::Uri("https://corp.example/ann"));
    assert_eq!(names[5], GeneralName::Ip(&[192, 0, 2, 1]));
    assert!(matches!(names[6], GeneralName::Ip(ip) if ip.len() == 16));
    assert!(matches!(names[7], GeneralName::Directory(name) if name.to_string() == "CN=Ann elsewhere"));
    assert_eq!(names[8], GeneralName::Unread(0x88, &[0x2a, 3]));
    assert_eq!(ann.user_principal_name(), Ok(Some("ann@corp.example")));
    let sid = "S-1-5-21-1-2-3-1000".parse().unwrap();
    assert_eq!((ann.sid_extension(), ann.sid_uri()), (Ok(Some(sid)), Ok(Some(sid))));
    let plain = read("utf8");
    assert_eq!((plain.sid_extension(), plain.sid_uri(), plain.user_principal_name()), (Ok(None), Ok(None), Ok(None)));
}

#[test]
fn hashes_of_signatures() {
    use SignatureHash::*;
    for (name, hash) in [
        ("rsa-md5", Some(Md5)),
        ("rsa-sha1", Some(Sha1)),
        ("rsa-sha224", Some(Sha224)),
        ("rsa-sha256", Some(Sha256)),
        ("rsa-sha384", Some(Sha384)),
        ("rsa-sha512", Some(Sha512)),
        ("pss-sha1", Some(Sha1)),
        ("pss-sha384", Some(Sha384)),
        ("ecdsa-sha512", Some(Sha512)),
        ("ann", Some(Sha256)),
        ("ed25519", None),
    ] {
        assert_eq!(read(name).signature_hash(), hash, "{name}");
    }
}

#[test]
fn old_and_odd_ones() {
    let one = read("version1");
    assert_eq!((one.version, one.extensions().count(), one.basic_constraints_ca()), (1, 0, Ok(false)));
    assert_eq!(one.subject_alt_names().unwrap().count(), 0);
    assert_eq!((read("negative").serial, read("negative").serial_magnitude()), (&[0xfb][..], None));
    assert_eq!((read("high").serial, read("high").serial_magnitude()), (&[0, 0x8f, 0][..], Some(&[0x8f, 0][..])));
    let forms: Vec<_> =
        AltSecurityIdentity::of(&read("negative"), [0; 20]).unwrap().iter().map(AltSecurityIdentity::form).collect();
    assert!(!forms.contains(&Form::IssuerSerial), "{forms:?}");
}

/// One name in two string types is one name; names that only look alike are two.
#[test]
fn names_are_compared_by_what_they_say() {
    assert_ne!(read("bmp").subject.raw(), read("utf8").subject.raw());
    assert_eq!(read("bmp").subject.normal(), read("utf8").subject.normal());
    assert_eq!(read("bmp").subject.to_string(), "CN=Jörg Müller,O=Corp");
    let normal = |text: &str| NormalName::from_windows_order(text).unwrap();
    assert_eq!(read("comma").subject.to_normal(), normal(r"O=Corp,CN=Ann\,OU=Admins"));
    assert_eq!(read("comma").subject.to_normal(), normal("O=Corp,CN=\"Ann,OU=Admins\""));
    assert_ne!(read("comma").subject.to_normal(), normal("O=Corp,CN=Ann,OU=Admins"));
    assert_ne!(normal("CN=ann"), normal("CN=Ann"));
    assert_ne!(normal("CN=Ann,O=Corp"), normal("O=Corp,CN=Ann"));
    assert_eq!(normal("CN=Ann,O=Corp"), NormalName::from_rfc4514("O=Corp,CN=Ann").unwrap());
    // The attributes of a relative name have no order; relative names do.
    assert_eq!(read("multi").subject.to_normal(), normal("O=Corp,OU=People+UID=ann+CN=Ann"));
    assert_ne!(normal("CN=Ann+OU=People"), normal("CN=Ann,OU=People"));
    let mail = read("mail").subject;
    assert_eq!(mail.windows_order(), r"C=DE,S=Hessen,L=\ Frankfurt\ ,E=ann@example.com");
    assert_eq!(mail.to_string(), r"emailAddress=ann@example.com,L=\ Frankfurt\ ,ST=Hessen,C=DE");
    // Text as UTF8String or as hexadecimal DER of any string type; what is no text stays bytes.
    for same in [
        r"CN=\4a\c3\b6rg",
        "CN=#0c054ac3b67267",
        "2.5.4.3=#1e08004a00f600720067",
        "oid.2.5.4.3 = Jörg ",
        "cn=#14044af67267",
    ] {
        assert_eq!(normal(same), normal("CN=Jörg"), "{same}");
    }
    assert_ne!(normal("CN=#04044a6f7267"), normal("CN=Jorg"));
    assert_ne!(normal("CN=#04044a6f7267"), normal(r"CN=\#04044a6f7267"));
}

#[test]
fn names_print_as_they_read() {
    let unknown = r"OID.1.2.3.4=a\=b,UID=x,CN=\#x\00\0a\c2\85y";
    for text in [
        unknown,
        "OID.1.2.3.4=#04020102",
        "CN=",
        r"CN=\ ",
        r#"CN="a,b""",T=Dr"#,
        "S=Bayern;STREET=a+G=b+I=c+SN=d+SERIALNUMBER=1",
    ] {
        let name = NormalName::from_windows_order(text).unwrap();
        assert_eq!(NormalName::from_windows_order(&name.windows_order()).unwrap(), name, "{text}");
        assert_eq!(NormalName::from_rfc4514(&name.to_string()).unwrap(), name, "{text}");
    }
    let name = NormalName::from_windows_order(unknown).unwrap();
    assert_eq!(name.windows_order(), r"OID.1.2.3.4=a\=b,OID.0.9.2342.19200300.100.1.1=x,CN=\#x\00\0a\c2\85y");
    assert_eq!(name.to_string(), r"CN=\#x\00\0a\c2\85y,UID=x,1.2.3.4=#0c03613d62");
    for (_, der) in ALL {
        let certificate = Certificate::decode(der).unwrap();
        for name in [certificate.issuer, certificate.subject] {
            assert_eq!(NormalName::from_windows_order(&name.windows_order()).unwrap(), name.to_normal());
            assert_eq!(NormalName::from_rfc4514(&name.to_string()).unwrap(), name.to_normal());
        }
    }
}

#[test]
fn what_is_no_name() {
    for text in [
        "Ann",
        "CN=Ann,",
        ",CN=Ann",
        "CN=Ann,Smith",
        "XX=Ann",
        "=Ann",
        "CN=a<b",
        "CN=a\"b",
        r"CN=a\",
        r"CN=a\q",
        r"CN=a\4",
        r"CN=\ff",
        "CN=\"a",
        "CN=\"a\"b",
        r#"CN="a\,b""#,
        "CN=a\nb",
        "CN=#",
        "CN=#4",
        "CN=#0c05",
        "CN=#0c01ff",
        "CN=#xy",
        "1.2.=a",
        "1.02.3=a",
        "9.1=a",
        "OID.=a",
        "CN=a++O=b",
    ] {
        assert!(NormalName::from_windows_order(text).is_err(), "{text}");
    }
    assert!(NormalName::from_windows_order("").unwrap().is_empty());
    let long = vec!["CN=a"; 65].join(",");
    assert!(NormalName::from_windows_order(&long).is_err());
    assert!(NormalName::from_windows_order(&long[5..]).is_ok());
}

/// The sample of KB5014754: the serial number's bytes last to first, the issuer in the certificate's order.
#[test]
fn the_sample_of_the_advisory() {
    let text = "X509:<I>DC=com,DC=contoso,CN=CONTOSO-DC-CA<SR>1200000000AC11000000002B";
    let ann = AltSecurityIdentity::of(&read("ann"), [0xab; 20]).unwrap();
    assert_eq!(text.parse::<AltSecurityIdentity>().unwrap(), ann[0]);
    assert_eq!(ann[0].to_string(), text);
    let texts: Vec<_> = ann.iter().skip(2).map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            &format!("X509:<SHA1-PUKEY>{}", "ab".repeat(20)),
            "X509:<I>DC=com,DC=contoso,CN=CONTOSO-DC-CA<S>DC=com,DC=contoso,OU=People,CN=Ann Smith",
            "X509:<S>DC=com,DC=contoso,OU=People,CN=Ann Smith",
            "X509:<RFC822>ann@example.com",
            "X509:<PN>ann@corp.example",
        ]
    );
    let forms: Vec<_> = ann.iter().map(AltSecurityIdentity::form).collect();
    assert_eq!(forms, Form::ALL);
    assert_eq!(forms.iter().filter(|form| form.is_strong()).count(), 3);
    for identity in &ann {
        assert_eq!(identity.to_string().parse::<AltSecurityIdentity>().unwrap(), *identity);
        assert_eq!(Form::named(identity.form().name()), Some(identity.form()));
    }
}

/// No name can hold what reads as a mark: CN=`Ann<S>CN=Bob` is not Bob's.
#[test]
fn marks_in_names() {
    let all = AltSecurityIdentity::of(&read("mark"), [0; 20]).unwrap();
    let subject = all.iter().find(|identity| identity.form() == Form::Subject).unwrap();
    assert_eq!(subject.to_string(), r"X509:<S>O=Corp,CN=Ann\<S\>CN\=Bob");
    for identity in &all {
        assert_eq!(identity.to_string().parse::<AltSecurityIdentity>().unwrap(), *identity);
    }
    let quoted: AltSecurityIdentity = "X509:<S>O=Corp,CN=\"Ann<S>CN=Bob\"".parse().unwrap();
    assert_eq!(quoted.key(), subject.key());
    let two: AltSecurityIdentity = "X509:<I>O=Corp,CN=Ann<S>CN=Bob".parse().unwrap();
    assert!(all.iter().all(|identity| identity.key() != two.key()));
}

#[test]
fn what_is_no_identity() {
    for text in [
        "",
        "X509:",
        "x509:<S>CN=a",
        "X509:<S>",
        "X509:<I>CN=a",
        "X509:<I>CN=a<SR>",
        "X509:<I>CN=a<SR>1",
        "X509:<I>CN=a<SR>1g",
        "X509:<I><SR>11",
        "X509:<I>CN=a<S>",
        "X509:<I>CN=a<X>CN=b",
        "X509:<SR>11",
        "X509:<SKI>",
        "X509:<SKI>zz",
        "X509:<SHA1-PUKEY>ab",
        "X509:<RFC822>",
        "X509:<RFC822>a\nb",
        "X509:<S>CN=a<SR>11",
        "Kerberos:ann@CORP",
        " X509:<S>CN=a",
    ] {
        let error = text.parse::<AltSecurityIdentity>().unwrap_err();
        assert!(!error.to_string().is_empty(), "{text}");
    }
    let serial = |digits: &str| format!("X509:<I>CN=a<SR>{digits}").parse::<AltSecurityIdentity>().unwrap();
    assert_eq!(serial("1200").key(), serial("12").key());
    assert_ne!(serial("0012").key(), serial("12").key());
    assert!(format!("X509:<SKI>{}", "ab".repeat(65)).parse::<AltSecurityIdentity>().is_err());
    // Mail addresses are compared as Windows compares names.
    let mail = |text: &str| format!("X509:<RFC822>{text}").parse::<AltSecurityIdentity>().unwrap().key();
    assert_eq!(mail("Jörg@example.com"), mail("JÖRG@EXAMPLE.COM"));
}

/// `ann` with some bytes exchanged for as many others, wherever they stand.
fn changed(from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes("ann").to_vec();
    let places: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
fn what_stands_there_twice_or_differs() {
    // extKeyUsage becomes a second subjectKeyIdentifier.
    let twice = changed(&[6, 3, 0x55, 0x1d, 0x25], &[6, 3, 0x55, 0x1d, 0x0e]);
    assert_eq!(Certificate::decode(&twice).unwrap_err().field, "extnID");
    // The signed algorithm is another than the outer one: only the first of the two is exchanged.
    let ecdsa = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let at = bytes("ann").windows(8).position(|window| window == ecdsa).unwrap();
    let mut other = bytes("ann").to_vec();
    other[at + 7] = 3;
    assert_eq!(Certificate::decode(&other).unwrap_err().field, "signatureAlgorithm");
    // Extensions in a certificate of version 1.
    assert_eq!(
        Certificate::decode(&changed(&[0xa0, 3, 2, 1, 2], &[0xa0, 3, 2, 1, 0])).unwrap_err().field,
        "extensions"
    );
}

/// `ann` with these values between the public key and the extensions.
fn with_unique_ids(ids: &[u8]) -> Vec<u8> {
    let ann = read("ann");
    let key_end = ann.tbs.windows(ann.public_key.raw.len()).position(|window| window == ann.public_key.raw).unwrap()
        + ann.public_key.raw.len();
    let (before, extensions) = ann.tbs.split_at(key_end);
    let after =
        &ann.raw[ann.raw.windows(ann.tbs.len()).position(|window| window == ann.tbs).unwrap() + ann.tbs.len()..];
    let (mut tbs, mut whole) = (Vec::new(), Vec::new());
    // Behind the header, which is of four bytes.
    tlv(tag::SEQUENCE, &[&before[4..], ids, extensions].concat(), &mut tbs);
    tlv(tag::SEQUENCE, &[&tbs, after].concat(), &mut whole);
    whole
}

#[test]
fn unique_ids() {
    let of = |ids: &[u8]| {
        let bytes = with_unique_ids(ids);
        let certificate = Certificate::decode(&bytes).map_err(|error| error.field)?;
        let owned = |id: Option<BitString<'_>>| id.map(|id| (id.bytes.to_vec(), id.unused));
        Ok((owned(certificate.issuer_unique_id), owned(certificate.subject_unique_id)))
    };
    assert_eq!(of(&[]), Ok((None, None)));
    assert_eq!(of(&[0x81, 2, 0, 9, 0x82, 3, 4, 1, 0xf0]), Ok((Some((vec![9], 0)), Some((vec![1, 0xf0], 4)))));
    assert_eq!(of(&[0x82, 1, 0]), Ok((None, Some((vec![], 0)))));
    for (ids, field) in [
        (&[0x81, 0][..], "issuerUniqueID"),
        (&[0x81, 2, 8, 0], "issuerUniqueID"),
        (&[0x82, 1, 3], "subjectUniqueID"),
        (&[0x82, 2, 0, 1, 0x81, 2, 0, 1], "tbsCertificate"),
    ] {
        assert_eq!(of(ids), Err(field), "{ids:?}");
    }
}

#[test]
fn sids_have_one_spelling() {
    for (from, to) in [
        ("S-1-5-21-1-2-3-1000", "S-1-5-21-1-2-3-0100"),
        ("S-1-5-21", "s-1-5-21"),
        ("-1000", "-+100"),
        ("-1000", "_1000"),
    ] {
        let bytes = changed(from.as_bytes(), to.as_bytes());
        let certificate = Certificate::decode(&bytes).unwrap();
        assert_eq!(certificate.sid_extension().unwrap_err().kind, Kind::Unexpected, "{to}");
        assert_eq!(certificate.sid_uri().unwrap_err().kind, Kind::Unexpected, "{to}");
    }
    // Another kind of entry in the extension, and another URI, name nobody.
    let entry = changed(&oid::NTDS_OBJECT_SID.0[4..], &[0x01, 0x82, 0x37, 0x19, 0x02, 0x09]);
    assert_eq!(Certificate::decode(&entry).unwrap().sid_extension(), Ok(None));
    let uri = changed(b"2022-09-14:sid", b"2022-09-15:sid");
    assert_eq!(Certificate::decode(&uri).unwrap().sid_uri(), Ok(None));
}

#[test]
fn cut_and_longer_ones() {
    for (name, whole) in ALL {
        for len in 0..whole.len() {
            let error = Certificate::decode(&whole[..len]).unwrap_err();
            assert!(error.offset <= len, "{name} {len}: {error}");
        }
        assert_eq!(Certificate::decode(&[*whole, b"\0"].concat()).unwrap_err().kind, Kind::Unexpected);
    }
    let large = Constructed::new().with(tag::OCTET_STRING, &[0; 70_000]).into_tlv(tag::SEQUENCE);
    assert_eq!(Certificate::decode(&large), Err(Error::new(0, "Certificate", Kind::TooLarge)));
}

#[test]
fn no_changed_byte_panics() {
    for (_, whole) in ALL {
        let mut changed = whole.to_vec();
        for at in 0..whole.len() {
            for value in [0, 1, 0x30, 0x7f, 0x80, 0xff, whole[at] ^ 1] {
                changed[at] = value;
                if let Ok(certificate) = Certificate::decode(&changed) {
                    let _ = (certificate.sid_extension(), certificate.sid_uri(), certificate.basic_constraints_ca());
                    let _ = (certificate.signature_hash(), AltSecurityIdentity::of(&certificate, [0; 20]));
                }
            }
            changed[at] = whole[at];
        }
    }
}
