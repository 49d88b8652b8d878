use super::*;
use portcullis::kerberos::ServiceKey;
use portcullis_wire::kerberos::{NT_SRV_HST, NewKeytabEntry, encode_keytab};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// A keytab of these keys of `HTTP/web1@CORP`: version, encryption type, and the byte that fills the key.
fn keytab(keys: &[(u32, i32, u8)]) -> Vec<u8> {
    let bytes: Vec<_> = keys.iter().map(|(_, etype, fill)| vec![*fill; if *etype == 18 { 32 } else { 16 }]).collect();
    let entry = |(&(kvno, etype, _), key)| NewKeytabEntry {
        realm: b"CORP",
        name_type: NT_SRV_HST,
        components: &[b"HTTP", b"web1"],
        timestamp: 1_700_000_000,
        kvno,
        etype,
        key: Vec::as_slice(key),
    };
    encode_keytab(&keys.iter().zip(&bytes).map(entry).collect::<Vec<_>>()).unwrap()
}

struct Site {
    folder: tempfile::TempDir,
    start: Instant,
}

impl Site {
    fn new(keys: &[(u32, i32, u8)]) -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap(), start: Instant::now() };
        site.write(&keytab(keys));
        site
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("krb5.keytab")
    }

    /// Another file in its place, as programs that know what they do write it.
    fn write(&self, bytes: &[u8]) {
        let fresh = self.folder.path().join("fresh");
        fs::write(&fresh, bytes).unwrap();
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(&fresh, self.path()).unwrap();
    }

    fn open(&self) -> KeytabAuthority {
        KeytabAuthority::open(&self.path(), KeytabOptions::default()).unwrap()
    }

    fn look(&self, authority: &KeytabAuthority, hours: u64) {
        authority.look(&mut authority.lock(), self.start + Duration::from_secs(hours * 3600));
    }
}

fn versions(authority: &KeytabAuthority) -> Vec<u32> {
    authority.keys().keys().iter().map(|key| key.kvno).collect()
}

fn key(authority: &KeytabAuthority, kvno: u32) -> Arc<ServiceKey> {
    Arc::clone(authority.keys().keys().iter().find(|key| key.kvno == kvno).unwrap())
}

#[test]
fn a_key_that_stays_is_the_same_value_and_one_that_vanishes_stays_for_a_tickets_life() {
    let site = Site::new(&[(2, 18, 2), (1, 18, 1)]);
    let authority = site.open();
    let (one, two) = (key(&authority, 1), key(&authority, 2));
    site.write(&keytab(&[(3, 18, 3), (2, 18, 2)]));
    site.look(&authority, 1);
    assert_eq!(versions(&authority), [3, 2, 1]);
    assert!(Arc::ptr_eq(&two, &key(&authority, 2)) && Arc::ptr_eq(&one, &key(&authority, 1)));
    // Ten hours are counted from when it vanished, whatever else changes.
    site.write(&keytab(&[(4, 18, 4)]));
    site.look(&authority, 5);
    assert_eq!(versions(&authority), [4, 3, 2, 1]);
    site.look(&authority, 10);
    assert_eq!(versions(&authority), [4, 3, 2, 1]);
    site.look(&authority, 11);
    assert_eq!(versions(&authority), [4, 3, 2]);
    // One that comes back is held as ever, and has ten hours again when it goes.
    site.write(&keytab(&[(4, 18, 4), (2, 18, 2)]));
    site.look(&authority, 12);
    assert!(Arc::ptr_eq(&two, &key(&authority, 2)));
    site.look(&authority, 15);
    assert_eq!(versions(&authority), [4, 2]);
    site.write(&keytab(&[(4, 18, 4)]));
    site.look(&authority, 16);
    site.look(&authority, 25);
    assert_eq!(versions(&authority), [4, 2]);
    site.look(&authority, 26);
    assert_eq!(versions(&authority), [4]);
}

#[test]
fn another_key_of_the_same_version_is_another_key() {
    let site = Site::new(&[(1, 18, 1)]);
    let authority = site.open();
    let before = key(&authority, 1);
    site.write(&keytab(&[(1, 18, 9), (1, 17, 1)]));
    site.look(&authority, 1);
    assert_eq!(versions(&authority), [1, 1, 1]);
    assert!(!authority.keys().keys()[0].is_same(&before) && authority.keys().keys()[2].is_same(&before));
}

#[test]
fn without_retirement_a_key_goes_at_once() {
    let site = Site::new(&[(1, 18, 1)]);
    let authority = site.open();
    authority.set_options(KeytabOptions { retire: Duration::ZERO, ..KeytabOptions::default() });
    site.write(&keytab(&[(2, 18, 2)]));
    authority.refresh();
    assert_eq!(versions(&authority), [2]);
}

#[test]
fn what_cannot_be_read_leaves_the_keys() {
    let site = Site::new(&[(1, 18, 1)]);
    let authority = site.open();
    let whole = keytab(&[(2, 18, 2)]);
    let trouble = |authority: &KeytabAuthority| authority.lock().trouble.clone();
    for len in (0..whole.len()).filter(|len| *len != 2) {
        site.write(&whole[..len]);
        site.look(&authority, 1);
        assert_eq!(versions(&authority), [1], "{len}");
        assert!(trouble(&authority).is_some_and(|why| why.contains("not a keytab")), "{len}");
    }
    fs::remove_file(site.path()).unwrap();
    site.look(&authority, 100);
    assert!(trouble(&authority).unwrap().contains("is not there") && versions(&authority) == [1]);
    site.write(&whole);
    site.look(&authority, 101);
    assert_eq!((versions(&authority), trouble(&authority)), (vec![2, 1], None));
    // A keytab that is emptied later: its keys live on for their hours, and the log says what will be.
    site.write(&[5, 2]);
    site.look(&authority, 102);
    assert!(trouble(&authority).unwrap().contains("no key that can open a ticket") && versions(&authority) == [2, 1]);
    site.look(&authority, 112);
    assert!(authority.keys().keys().is_empty());
}

#[test]
fn a_file_that_is_written_in_place_is_read_again() {
    let site = Site::new(&[(1, 18, 1)]);
    let authority = site.open();
    // The same length, perhaps within one tick of the kernel's clock.
    for fill in 2..6 {
        fs::write(site.path(), keytab(&[(1, 18, fill)])).unwrap();
        authority.refresh();
        assert_eq!(authority.keys().keys().len(), usize::from(fill), "what vanished is held too");
    }
    // As long as a change might not show, it is read each time; later no more.
    assert!(!authority.lock().settled);
    let stamp = Stamp::of(&site.path()).unwrap();
    let now = SystemTime::now();
    assert!(!stamp.is_settled(now) && stamp.is_settled(now + Duration::from_secs(4)));
}

#[test]
fn at_the_start_a_keytab_must_hold_a_key() {
    let site = Site::new(&[]);
    let open = || KeytabAuthority::open(&site.path(), KeytabOptions::default()).map(drop).unwrap_err();
    assert!(matches!(open(), KeytabError::NoKey { entries: 0, .. }));
    // DES, and a key that is too short.
    site.write(&keytab(&[(1, 3, 1), (1, 1, 1)]));
    let error = open();
    assert!(matches!(error, KeytabError::NoKey { entries: 2, .. }), "{error}");
    assert!(error.to_string().contains("portcullis keytab check"));
    site.write(b"no keytab");
    assert!(matches!(open(), KeytabError::Malformed(..)));
    site.write(&vec![0; MAX_KEYTAB + 1]);
    assert!(matches!(open(), KeytabError::TooLarge(_)));
    fs::remove_file(site.path()).unwrap();
    assert!(matches!(open(), KeytabError::Missing(_)));
    fs::create_dir(site.path()).unwrap();
    assert!(matches!(open(), KeytabError::NotAFile(_)));
    fs::remove_dir(site.path()).unwrap();
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, site.path(), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    assert!(matches!(open(), KeytabError::NotAFile(_)), "and it is not waited for");
}

#[test]
fn who_else_may_read_it_is_noticed() {
    let site = Site::new(&[(1, 18, 1)]);
    let authority = site.open();
    assert_eq!(authority.lock().mode, None);
    for (mode, told) in [(0o640, Some(0o640)), (0o602, Some(0o602)), (0o400, None)] {
        fs::set_permissions(site.path(), fs::Permissions::from_mode(mode)).unwrap();
        authority.refresh();
        assert_eq!(authority.lock().mode, told);
    }
    assert_eq!(versions(&authority), [1], "it is used all the same");
}

#[test]
fn nothing_of_a_key_is_printed() {
    let site = Site::new(&[(1, 18, 0xab)]);
    let authority = site.open();
    let text = format!("{authority:?} {:?}", authority.keys());
    assert!(text.contains("HTTP/web1@CORP") && !text.contains("171, 171") && !text.to_lowercase().contains("abab"));
}
