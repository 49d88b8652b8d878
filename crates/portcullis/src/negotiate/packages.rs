use std::fmt;
use std::str::FromStr;

/// Which packages Negotiate may use, written as SSPI's `PackageList`: names between commas, those behind `!` excluded.
/// With a name that is not excluded, only named ones are allowed; the empty list allows all.
///
/// ```
/// use portcullis::negotiate::PackageList;
/// let list: PackageList = "!ntlm".parse().unwrap();
/// assert!(list.allows("Kerberos") && !list.allows("NTLM"));
/// let list: PackageList = "Kerberos".parse().unwrap();
/// assert!(!list.allows("NTLM"));
/// assert!("!".parse::<PackageList>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackageList {
    named: Vec<String>,
    excluded: Vec<String>,
}

impl PackageList {
    /// Whether the package of this name may be used. Case does not count.
    pub fn allows(&self, name: &str) -> bool {
        let has = |list: &[String]| list.iter().any(|entry| entry.eq_ignore_ascii_case(name));
        !has(&self.excluded) && (self.named.is_empty() || has(&self.named))
    }

    /// The names in the list, excluded ones too.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().chain(&self.excluded).map(String::as_str)
    }
}

impl FromStr for PackageList {
    type Err = BadPackageList;

    fn from_str(text: &str) -> Result<Self, BadPackageList> {
        let mut list = Self::default();
        for entry in text.split(',').map(str::trim) {
            let (name, names) = match entry.strip_prefix('!') {
                Some(name) => (name.trim_start(), &mut list.excluded),
                None if entry.is_empty() && text.trim().is_empty() => continue,
                None => (entry, &mut list.named),
            };
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ' || c == '-') {
                return Err(BadPackageList);
            }
            names.push(name.to_owned());
        }
        Ok(list)
    }
}

impl fmt::Display for PackageList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let excluded = self.excluded.iter().map(|name| format!("!{name}"));
        f.write_str(&self.named.iter().cloned().chain(excluded).collect::<Vec<_>>().join(","))
    }
}

/// A package list that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadPackageList;

impl fmt::Display for BadPackageList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a package list: write names between commas, `!` before those to leave out, as `!ntlm`")
    }
}

impl std::error::Error for BadPackageList {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_written() {
        for (text, ntlm, kerberos) in [
            ("", true, true),
            (" ", true, true),
            ("!ntlm", false, true),
            ("! NTLM ", false, true),
            ("Kerberos", false, true),
            ("Kerberos,NTLM", true, true),
            ("NTLM,!ntlm", false, false),
            ("!kerberos,!ntlm", false, false),
        ] {
            let list: PackageList = text.parse().unwrap();
            assert_eq!((list.allows("NTLM"), list.allows("Kerberos")), (ntlm, kerberos), "{text:?}");
            assert_eq!(list.to_string().parse(), Ok(list));
        }
        for text in [",", "ntlm,", "!", "!!ntlm", "a;b", "ntlm,,kerberos"] {
            assert_eq!(text.parse::<PackageList>(), Err(BadPackageList), "{text:?}");
        }
    }
}
