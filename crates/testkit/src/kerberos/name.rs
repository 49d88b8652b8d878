use portcullis_wire::kerberos::{
    NT_PRINCIPAL, NT_SRV_INST, encode_principal_name, parse_principal, unparse_components,
};

/// A principal with its realm, of whatever components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name's type, which decides nothing.
    pub kind: i32,
    /// The components.
    pub components: Vec<Vec<u8>>,
    /// The realm.
    pub realm: Vec<u8>,
}

impl Name {
    /// A user: `ann@EXAMPLE`.
    pub fn user(text: &str) -> Self {
        Self::of_kind(NT_PRINCIPAL, text)
    }

    /// A service: `HTTP/web.example@EXAMPLE`.
    pub fn service(text: &str) -> Self {
        Self::of_kind(NT_SRV_INST, text)
    }

    /// A name of any type.
    ///
    /// # Panics
    /// For a text that is no principal with its realm.
    pub fn of_kind(kind: i32, text: &str) -> Self {
        let (components, realm) = parse_principal(text).unwrap();
        Self { kind, components, realm: realm.unwrap() }
    }

    /// The components, as the wire's functions want them.
    pub fn parts(&self) -> Vec<&[u8]> {
        self.components.iter().map(Vec::as_slice).collect()
    }

    /// PrincipalName in DER.
    pub fn encoded(&self) -> Vec<u8> {
        encode_principal_name(self.kind, &self.parts())
    }

    /// The text that it is known by.
    pub fn text(&self) -> String {
        let mut text = String::new();
        unparse_components(self.parts(), &self.realm, &mut text);
        text
    }
}
