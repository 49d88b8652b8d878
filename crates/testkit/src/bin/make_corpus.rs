//! Writes the first files of `fuzz/corpus/`, from which a fuzzer starts:
//! `cargo run -p portcullis-testkit --bin make-corpus [FOLDER]`. The same every time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a tool of the developers, which may stop at anything")]

use portcullis::{Account, Authority as _, Claim, FindAccount, Handshake, Question, Refusal, Secret, VerifyPassword};
use portcullis_authority::DomainNames;
use portcullis_authority::remote::{Asked, Reply, Request};
use portcullis_testkit::tls::{hello, plain_alert, record};
use portcullis_testkit::vector::Package;
use portcullis_testkit::{
    Foretold, Host, Initiator, Mic, Realm, Responses, Settings, cases, converse, hex, oracle, printed,
};
use portcullis_wire::kerberos::pac::Pac;
use portcullis_wire::ntlm::{Authenticate, Charset};
use portcullis_wire::{sid::Sid, utf16};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

fn main() -> std::io::Result<()> {
    let root = std::env::args()
        .nth(1)
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus")), PathBuf::from);
    for case in cases::all().iter().filter(|case| case.setup.package == Package::Ntlm) {
        let vector = case.vector().unwrap();
        if let Some(first) = vector.tokens.first() {
            write(&root, "negotiate", &case.name, first)?;
        }
        if let Some(Some(challenge)) = vector.replies.first() {
            write(&root, "challenge", &case.name, challenge)?;
        }
        if let Some(message) = vector.tokens.get(1) {
            write(&root, "authenticate", &case.name, message)?;
            if let Ok(read) = Authenticate::decode(message, Charset::Unicode) {
                write(&root, "nt_response", &case.name, read.nt_response)?;
                write(&root, "utf16", &case.name, read.user.bytes)?;
            }
        }
    }
    for (name, text) in [
        ("v1", printed::CHALLENGE_V1),
        ("v1-ess", printed::CHALLENGE_V1_ESS),
        ("v2", printed::CHALLENGE_V2),
        ("own", printed::OWN_CHALLENGE),
    ] {
        write(&root, "challenge", &format!("printed-{name}"), &hex::bytes(text))?;
    }
    acceptor(&root)?;
    spnego(&root)?;
    negoex(&root)?;
    initiators(&root)?;
    remote(&root)?;
    x509(&root)?;
    tls(&root)?;
    kerberos_pac(&root)?;
    kerberos_acceptor(&root)?;
    kerberos(&root)?;
    for (number, text) in
        ["S-1-0", "S-1-5-32-544", "S-1-5-21-1-2-3-500", "S-1-15-2-1", "S-1-0x10000000000-1"].into_iter().enumerate()
    {
        let mut binary = Vec::new();
        text.parse::<Sid>().unwrap().encode_into(&mut binary);
        write(&root, "sid", &format!("binary-{number}"), &binary)?;
        write(&root, "sid", &format!("text-{number}"), text.as_bytes())?;
    }
    for (name, text) in [("ascii", "User"), ("german", "straße"), ("greek", "νίκος"), ("deseret", "\u{10428}a")] {
        write(&root, "utf16", name, &utf16::encode(text))?;
    }
    write(&root, "utf16", "lone-surrogate", &[0x00, 0xd8])
}

/// Good conversations in every setting that changes how they end, and edits of them.
fn acceptor(root: &Path) -> std::io::Result<()> {
    let user = Initiator::user;
    let clients = [
        ("good", user()),
        ("no-mic", user().without_mic()),
        ("curl", user().curl_like()),
        ("wrong-mic", Initiator { mic: Mic::Wrong, ..user() }),
        ("wrong-proof", Initiator { spoils_proof: true, ..user() }),
        ("v1-ess", Initiator { responses: Responses::V1Ess, ..user().without_mic() }),
        ("v1", Initiator { responses: Responses::V1, ..user().without_mic() }),
        ("anonymous", Initiator { responses: Responses::Anonymous, ..user().without_mic() }),
    ];
    for (name, client) in clients {
        for setting in [0x00, 0x1f, 0x67] {
            let setup = oracle::setting_of(setting);
            let said = converse(&setup.credential(), &setup.realm, &client, &Settings::default()).messages;
            let second = said.get(2).cloned().unwrap_or_default();
            let bytes = oracle::script(setting, &client.negotiate(), &second);
            write(root, "acceptor", &format!("{name}-{setting:02x}"), &bytes)?;
        }
    }
    let mut chance = Foretold::seeded(2);
    for number in 0..16 {
        write(root, "acceptor", &format!("edits-{number:02}"), &oracle::random_script(&mut chance, number))?;
    }
    Ok(())
}

/// The messages of SPNEGO, and conversations with an acceptor of it.
fn spnego(root: &Path) -> std::io::Result<()> {
    for case in cases::all().iter().filter(|case| case.folder() == "negotiate") {
        let vector = case.vector().unwrap();
        let mut script = vec![0, 0];
        for token in &vector.tokens {
            script.extend_from_slice(&u16::try_from(token.len()).unwrap().to_le_bytes());
            script.extend_from_slice(token);
        }
        write(root, "negotiate_acceptor", &case.name, &script)?;
        for (number, message) in vector.tokens.iter().chain(vector.replies.iter().flatten()).enumerate() {
            write(root, "spnego", &format!("{}-{number}", case.name), message)?;
        }
    }
    let mut chance = Foretold::seeded(3);
    for number in 0..32 {
        let bytes = oracle::random_script(&mut chance, number / 2);
        write(root, "negotiate_acceptor", &format!("edits-{number:02}"), &bytes)?;
    }
    Ok(())
}

/// Each message of NEGOEX, alone and one behind another.
fn negoex(root: &Path) -> std::io::Result<()> {
    let message = |kind: u32, fixed: &[u8], payload: &[u8]| {
        let header = u32::try_from(40 + fixed.len()).unwrap();
        let len = header + u32::try_from(payload.len()).unwrap();
        let numbers: Vec<u8> = [kind, 0, header, len].iter().flat_map(|number| number.to_le_bytes()).collect();
        [&b"NEGOEXTS"[..], &numbers, &[0x11; 16], fixed, payload].concat()
    };
    let vector = |offset: u8, count: u8| [offset, 0, 0, 0, count, 0, 0, 0];
    let nego = [&[0xaa; 32][..], &[0; 8], &vector(96, 1), &vector(112, 1)].concat();
    let extension = [&[0x22; 16][..], &[7, 0, 0, 0x80], &vector(124, 3), b"abc"].concat();
    let verify = [&[0x22; 16][..], &[20, 0, 0, 0, 1, 0, 0, 0, 16, 0, 0, 0], &vector(80, 12), &[0; 4]].concat();
    let alert = [&[0x22; 16][..], &[0x6d, 0, 0, 0xc0], &vector(72, 1), &[0; 4]].concat();
    let no_key = [&[1, 0, 0, 0][..], &vector(84, 8), &vector(8, 1)].concat();
    let token = [&[0x22; 16][..], &vector(64, 5)].concat();
    let mut all = Vec::new();
    for (name, bytes) in [
        ("initiator-nego", message(0, &nego, &extension)),
        ("acceptor-nego", message(1, &nego, &extension)),
        ("meta-data", message(2, &token, b"token")),
        ("acceptor-meta-data", message(3, &token, b"token")),
        ("challenge", message(4, &token, b"token")),
        ("ap-request", message(5, &token, b"token")),
        ("verify", message(6, &verify, &[0xcc; 12])),
        ("alert", message(7, &alert, &no_key)),
        ("unknown", message(99, b"", b"?")),
    ] {
        write(root, "negoex", name, &bytes)?;
        all.extend_from_slice(&bytes);
    }
    write(root, "negoex", "all", &all)
}

/// What servers say to initiators.
fn initiators(root: &Path) -> std::io::Result<()> {
    let mut chance = Foretold::seeded(4);
    for number in 0..32 {
        let bytes = oracle::random_script(&mut chance, number / 2);
        write(root, "negotiate_initiator", &format!("edits-{number:02}"), &bytes)?;
    }
    for case in cases::all().iter().filter(|case| case.setup.kerberos.is_none()) {
        let vector = case.vector().unwrap();
        let Some(Some(reply)) = vector.replies.first().filter(|reply| reply.as_ref().is_some_and(|r| !r.is_empty()))
        else {
            continue;
        };
        if case.setup.package == Package::Ntlm {
            for setting in [0x00, 0x04, 0x0c, 0x16] {
                let name = format!("{}-{setting:02x}", case.name);
                write(root, "ntlm_initiator", &name, &[&[setting][..], reply].concat())?;
            }
        } else {
            let mut script = vec![0, 0x0c];
            for reply in vector.replies.iter().flatten() {
                script.extend_from_slice(&u16::try_from(reply.len()).unwrap().to_le_bytes());
                script.extend_from_slice(reply);
            }
            write(root, "negotiate_initiator", &case.name, &script)?;
        }
    }
    Ok(())
}

/// What goes over the authority's socket: each kind of request and reply.
fn remote(root: &Path) -> std::io::Result<()> {
    let realm = Realm::of_user();
    let setup = oracle::setting_of(0);
    let mut host = Host::new(&setup.settings, Foretold::seeded(1));
    let client = Initiator::user();
    let (credential, first) = (setup.credential(), client.negotiate());
    let Some(Handshake::NeedsToken(waiting)) = host.call(|call| credential.begin().token(&first, call)) else {
        panic!("no CHALLENGE")
    };
    let (message, _) = client.authenticate(&first, &host.take_output()).unwrap();
    let Some(Handshake::NeedsAnswer(asking)) = host.call(|call| waiting.token(&message, call)) else {
        panic!("no question")
    };
    let ntlm = asking.question();
    let password = |name: &str, peer: Option<IpAddr>| {
        let claim = Claim::new(name, "DOMAIN", "", "");
        Question::VerifyPassword(VerifyPassword::new(claim, Secret::new("Password".into()), peer))
    };
    let certificate = |may_name_sid| {
        let claim = Claim::new("ann@corp.example", "", "", "");
        Question::FindAccount(FindAccount::new(claim, None, b"\x30\x03\x02\x01\x00".to_vec(), may_name_sid))
    };
    let answer = realm.answer(ntlm);
    let vouched = answer.verdict().unwrap();
    let domain = DomainNames { netbios: "DOMAIN".into(), dns: "domain.example".into() };
    let v6 = Ipv6Addr::LOCALHOST.into();
    let requests = [
        ("ask-ntlm", Request::Ask(Asked::Borrowed(ntlm))),
        ("ask-password", Request::Ask(Asked::Owned(password("User", None)))),
        ("ask-password-v4", Request::Ask(Asked::Owned(password("jörg@x", Some(Ipv4Addr::LOCALHOST.into()))))),
        ("ask-password-v6", Request::Ask(Asked::Owned(password("", Some(v6))))),
        ("ask-certificate", Request::Ask(Asked::Owned(certificate(true)))),
        ("ask-certificate-no-sid", Request::Ask(Asked::Owned(certificate(false)))),
        ("domain", Request::Domain),
        ("health", Request::Health),
        ("write", Request::Write(b"{}\n")),
    ];
    for (name, request) in requests {
        write(root, "remote", name, &request.encode(7).unwrap())?;
    }
    let (hour, week) = (Duration::from_secs(3600), Duration::from_secs(7 * 86400));
    let until = |time| UNIX_EPOCH.checked_add(time);
    let ending = Account {
        logoff_at: until(hour),
        password_expires_at: until(week),
        ..Account::clone(vouched.account().unwrap())
    };
    let replies = [
        ("accepted", Reply::Accepted(Secret::new([5; 16]), Arc::clone(vouched.account().unwrap()))),
        ("accepted-until", Reply::Accepted(Secret::new([5; 16]), Arc::new(ending))),
        ("domain-is", Reply::Domain(domain)),
        ("done", Reply::Done),
        ("failed", Reply::Failed),
    ];
    let refusals =
        Refusal::ALL.map(|refusal| (refusal.row().name.rsplit('/').next().unwrap(), Reply::Refused(refusal.into())));
    for (name, reply) in replies.into_iter().chain(refusals) {
        write(root, "remote", name, &reply.encode(7))?;
    }
    Ok(())
}

/// The certificates of the tests, and texts that map some.
fn x509(root: &Path) -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/tests/certificates");
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "der") {
            let name = path.file_stem().unwrap().to_string_lossy();
            write(root, "x509", &name, &std::fs::read(&path)?)?;
        }
    }
    for (name, text) in [
        ("issuer-serial", "X509:<I>DC=com,DC=contoso,CN=CONTOSO-DC-CA<SR>1200000000AC11000000002B"),
        ("ski", "X509:<SKI>df2f4b04462a5aba81fec3a42e3b94beb8f2e087"),
        ("sha1-public-key", "X509:<SHA1-PUKEY>50bf88e67522ab8ce093ce51830ab0bcf8ba7824"),
        ("issuer-subject", "X509:<I>O=Corp;CN=\"a,\"\"b\"\"\"<S>CN=Ann\\<S\\>CN\\=Bob"),
        ("subject", "X509:<S>C=DE,S=Hessen,L=\\ \\ ,E=a@b,OID.1.2.3.4=#04020102+T=\\#\\0a"),
        ("rfc822", "X509:<RFC822>ann@example.com"),
        ("name", "CN=\\4a\\c3\\b6rg+UID=x,1.2.3=#1e08004a00f600720067,DC=com"),
    ] {
        write(root, "x509", &format!("text-{name}"), text.as_bytes())?;
    }
    Ok(())
}

/// Records of TLS, what strangers say, and edits of good handshakes.
fn tls(root: &Path) -> std::io::Result<()> {
    let share = [&[0, 36, 0, 0x1d, 0, 32][..], &[9; 32]].concat();
    let groups: (u16, &[u8]) = (10, &[0, 4, 0, 0x1d, 0, 0x17]);
    let signatures: (u16, &[u8]) = (13, &[0, 6, 4, 3, 8, 4, 8, 7]);
    let name: (u16, &[u8]) = (0, b"\0\x0c\0\0\x09localhost");
    let secret: (u16, &[u8]) = (23, b"");
    let old = hello(0x0303, &[0xc02b, 0xc02c], &[name, groups, signatures, secret, (11, &[1, 0])]);
    let new = hello(0x0303, &[0x1301, 0x1302], &[name, groups, signatures, (43, &[2, 3, 4]), (51, &share)]);
    let no_share = hello(0x0303, &[0x1301], &[groups, signatures, (43, &[2, 3, 4]), (51, &[0, 0])]);
    let server = [&[2, 0, 0, 38, 3, 3][..], &[7; 32], &[0, 0xc0, 0x2b, 0]].concat();
    let split: Vec<u8> = new.chunks(50).flat_map(|part| record(22, part)).collect();
    for (name, bytes) in [
        ("hello-12", record(22, &old)),
        ("hello-13", record(22, &new)),
        ("hello-no-share", record(22, &no_share)),
        ("hello-split", split),
        ("hello-11", record(22, &hello(0x0302, &[0xc013], &[groups]))),
        ("hello-bare", record(22, &hello(0x0303, &[0x002f], &[]))),
        ("server-hello", record(22, &server)),
        ("message", new.clone()),
        ("alert", plain_alert(2, 40)),
        ("warnings", plain_alert(1, 90).repeat(6)),
        ("data", record(23, b"data")),
        ("change-cipher-spec", record(20, &[1])),
        ("empty", record(22, b"")),
        ("http", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("dtls", vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("ssl2", vec![0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10]),
        ("too-long", vec![22, 3, 1, 0xff, 0xff]),
    ] {
        write(root, "tls_records", name, &bytes)?;
        for target in ["schannel_acceptor", "schannel_initiator"] {
            let (front, back) = bytes.split_at(bytes.len() / 3);
            let pieces = [front, back].map(|piece| {
                let len = u16::try_from(piece.len()).unwrap().to_le_bytes();
                [&len[..], piece].concat()
            });
            write(root, target, name, &[&[0, 1][..], &pieces.concat()].concat())?;
        }
    }
    let mut chance = Foretold::seeded(5);
    for number in 0..32 {
        for target in ["schannel_acceptor", "schannel_initiator"] {
            let bytes = oracle::random_script(&mut chance, number / 4);
            write(root, target, &format!("edits-{number:02}"), &bytes)?;
        }
    }
    Ok(())
}

/// Conversations with a Kerberos acceptor, and edits of what is sealed in them.
fn kerberos_acceptor(root: &Path) -> std::io::Result<()> {
    for case in cases::all().iter().filter(|case| case.setup.package == Package::Kerberos) {
        let mut script =
            vec![0, if case.setup.kerberos.as_ref().is_some_and(|k| k.granting.is_some()) { 0x20 } else { 0 }];
        for token in &case.vector().unwrap().tokens {
            script.extend_from_slice(&u16::try_from(token.len()).unwrap().to_le_bytes());
            script.extend_from_slice(token);
        }
        if script.len() <= 4096 {
            write(root, "kerberos_acceptor", &case.name, &script)?;
        }
    }
    let mut chance = Foretold::seeded(6);
    for number in 0..48 {
        let bytes = oracle::random_kerberos_script(&mut chance, number / 3);
        write(root, "kerberos_acceptor", &format!("edits-{number:02}"), &bytes)?;
    }
    Ok(())
}

/// The PACs of the tests, and each structure in them alone.
fn kerberos_pac(root: &Path) -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/tests/vectors");
    let mut paths = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy();
        let Some(name) = name.strip_prefix("pac-").filter(|_| path.extension() == Some("txt".as_ref())) else {
            continue;
        };
        let text = std::fs::read_to_string(&path)?;
        let bytes = hex::bytes(&text.lines().filter_map(|line| line.strip_prefix("pac: ")).collect::<String>());
        write(root, "kerberos_pac", name, &bytes)?;
        for buffer in Pac::decode(&bytes).unwrap().buffers().filter(|buffer| !buffer.buffer_type.is_signature()) {
            write(root, "kerberos_pac", &format!("{name}-{:x}", buffer.buffer_type.0), buffer.bytes)?;
        }
    }
    Ok(())
}

/// What MIT's programs wrote, and forms that they do not write.
fn kerberos(root: &Path) -> std::io::Result<()> {
    let (asn1, captured) = (
        include_str!("../../../wire/tests/vectors/mit-asn1.txt"),
        include_str!("../../../wire/tests/vectors/mit-1.20.txt"),
    );
    let (mut keytab, mut ccache) = (Vec::new(), Vec::new());
    for line in asn1.lines().chain(captured.lines()).filter(|line| !line.starts_with('#')) {
        let (name, digits) = line.split_once(": ").unwrap();
        let bytes = hex::bytes(digits);
        match name {
            "keytab" | "hole" => keytab.push((name.to_owned(), bytes)),
            "ccache-3" | "ccache-4" => ccache.push((name.to_owned(), bytes)),
            _ => {
                let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
                write(root, "kerberos_messages", &name, &bytes)?;
            }
        }
    }
    for (name, digits) in [
        ("tgt-request", "3027 a003020105 a103020110 a2123010a003020102a10930071b04485454501b00 a3071b054558414d50"),
        ("skew", "3005a103020102"),
        ("etype-list", "3009 020112 020117 020180"),
        ("restrictions", "3015 3013 a003020100 a10c040a00000000003000000909"),
        ("if-relevant", "3020 301e a003020101 a11704153013 3011 a003020101 a10a04083006 3004 a003020180"),
        ("rc4-mic", "6023 06092a864886f712010202 01011100ffffffff 0102030405060708 1112131415161718"),
        (
            "rc4-wrap",
            "602d 06092a864886f712010202 02011100 1000ffff 0102030405060708 1112131415161718 21222324252627286801",
        ),
    ] {
        write(root, "kerberos_messages", name, &hex::bytes(digits))?;
    }
    write(root, "kerberos_messages", "text", br"HTTP/web\@1\n@EXAMPLE.COM")?;
    let version_1 = "0501 19000000 0300 0100 52 0400 48545450 0100 77 78563412 07 1700 0200 4b4b";
    let no_kvno32 = "0502 00000017 0001 000152 000161 00000001 00000000 07 0011 0002 4b4b";
    let flags = "0502 0000001f 0001 000152 000161 00000001 00000000 07 0011 0002 4b4b 00000107 00000000";
    for (name, digits) in [("version-1", version_1), ("no-kvno-32", no_kvno32), ("flags", flags), ("empty", "0502")] {
        keytab.push((name.to_owned(), hex::bytes(digits)));
    }
    ccache.push(("no-credentials".to_owned(), hex::bytes("0504 0000 00000001 00000001 00000001 52 00000001 61")));
    ccache.push(("header".to_owned(), hex::bytes("0504 0006 0002 0002 ffff 00000001 00000000 00000000")));
    for (target, files) in [("kerberos_keytab", keytab), ("kerberos_ccache", ccache)] {
        let mut chance = Foretold::seeded(6);
        for (name, bytes) in files {
            write(root, target, &name, &bytes)?;
            write(root, target, &format!("{name}-cut"), bytes.get(..bytes.len() * 2 / 3).unwrap())?;
            let mut changed = bytes.clone();
            for _ in 0..4 {
                let at = chance.number() as usize % changed.len();
                *changed.get_mut(at).unwrap() = chance.number() as u8;
            }
            write(root, target, &format!("{name}-changed"), &changed)?;
        }
    }
    Ok(())
}

/// Writes a file, unless another of its target's has the same bytes.
fn write(root: &Path, target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let folder = root.join(target);
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(name);
    if bytes.len() > 4096 {
        return Ok(());
    }
    for entry in std::fs::read_dir(&folder)? {
        let entry = entry?.path();
        if entry != path && std::fs::read(&entry)? == bytes {
            return Ok(());
        }
    }
    std::fs::write(path, bytes)
}
