use super::PrincipalName;
use core::fmt;

/// A name and its realm, for people: `Display` gives what [`unparse`] does.
#[derive(Debug, Clone, Copy)]
pub struct PrincipalText<'a> {
    /// The name.
    pub name: PrincipalName<'a>,
    /// Its realm.
    pub realm: &'a [u8],
}

impl fmt::Display for PrincipalText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        unparse(&self.name, self.realm, &mut text);
        f.write_str(&text)
    }
}

/// Appends `a/b@REALM`. A slash, an at sign or a backslash inside a part is written behind a backslash; a new line, a
/// tabulator, a backspace and a zero as `\n`, `\t`, `\b` and `\0`. What is no UTF-8 becomes U+FFFD.
pub fn unparse(name: &PrincipalName<'_>, realm: &[u8], out: &mut String) {
    unparse_components(name.components(), realm, out);
}

/// The same of components that stand elsewhere.
pub fn unparse_components<'a>(components: impl IntoIterator<Item = &'a [u8]>, realm: &[u8], out: &mut String) {
    // One allocation for what most names need.
    out.reserve(realm.len() + 40);
    for (index, component) in components.into_iter().enumerate() {
        if index > 0 {
            out.push('/');
        }
        quote(component, out);
    }
    out.push('@');
    quote(realm, out);
}

/// Components of a name, and its realm where it has one.
pub type ParsedPrincipal = (Vec<Vec<u8>>, Option<Vec<u8>>);

/// The components and the realm that a text names, which is written as [`unparse`] writes. Without an at sign there is
/// no realm; a text always has one component at least, though it may be empty.
///
/// `None` for a text that ends inside an escape, has a second at sign, or a slash in the realm.
///
/// ```
/// use portcullis_wire::kerberos::parse_principal;
/// let (components, realm) = parse_principal(r"HTTP/web\@1@EXAMPLE.COM").unwrap();
/// assert_eq!(components, [&b"HTTP"[..], b"web@1"]);
/// assert_eq!(realm.as_deref(), Some(&b"EXAMPLE.COM"[..]));
/// ```
pub fn parse_principal(text: &str) -> Option<ParsedPrincipal> {
    let (mut components, mut realm) = (Vec::new(), None::<Vec<u8>>);
    let mut component = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let literal = match byte {
            b'\\' => match bytes.next()? {
                b'n' => b'\n',
                b't' => b'\t',
                b'b' => 8,
                b'0' => 0,
                other => other,
            },
            b'/' if realm.is_none() => {
                components.push(core::mem::take(&mut component));
                continue;
            }
            b'@' if realm.is_none() => {
                realm = Some(Vec::new());
                continue;
            }
            b'/' | b'@' => return None,
            other => other,
        };
        realm.as_mut().unwrap_or(&mut component).push(literal);
    }
    components.push(component);
    Some((components, realm))
}

fn quote(part: &[u8], out: &mut String) {
    // Nearly every name is plain.
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'/' | b'@' | b'\\');
    if let (true, Ok(plain)) = (part.iter().all(is_plain), core::str::from_utf8(part)) {
        out.push_str(plain);
        return;
    }
    for letter in String::from_utf8_lossy(part).chars() {
        let escaped = match letter {
            '/' | '@' | '\\' => letter,
            '\n' => 'n',
            '\t' => 't',
            '\u{8}' => 'b',
            '\0' => '0',
            _ => {
                out.push(letter);
                continue;
            }
        };
        out.extend(['\\', escaped]);
    }
}
