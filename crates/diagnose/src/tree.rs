use portcullis_wire::Error;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::fmt;

/// A token as it was read. [`Display`](fmt::Display) gives indented lines; the JSON form has the same names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decoded {
    /// Protocol and message: `NTLM CHALLENGE`, `SPNEGO NegTokenResp`.
    pub kind: &'static str,
    /// Its length in bytes.
    pub length: usize,
    /// What it says, in the order of the message.
    #[serde(serialize_with = "by_name")]
    pub fields: Vec<Field>,
    /// Why the rest of it cannot be read: the offset, the field and what is wrong. `None` where all was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name, as the protocol's document spells it.
    pub name: &'static str,
    /// What it holds.
    pub value: Value,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Something that fits on a line.
    Text(String),
    /// Several of them.
    List(Vec<String>),
    /// A token of another protocol.
    Token(Box<Decoded>),
    /// Several messages, one behind another.
    Tokens(Vec<Decoded>),
}

impl Decoded {
    pub(crate) fn new(kind: &'static str, token: &[u8]) -> Self {
        Self { kind, length: token.len(), fields: Vec::new(), unreadable: None }
    }

    /// A token that cannot be read.
    pub(crate) fn unreadable(kind: &'static str, token: &[u8], error: Error) -> Self {
        Self { unreadable: Some(error.to_string()), ..Self::new(kind, token) }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push(Field { name, value: value.into() });
        self
    }

    pub(crate) fn with_some(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The value of the first field of this name, where it is there.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|field| field.name == name).map(|field| &field.value)
    }

    fn lines(&self, indent: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} bytes", self.kind, self.length)?;
        let indent = indent + 2;
        for Field { name, value } in &self.fields {
            write!(f, "\n{:indent$}{name}:", "")?;
            match value {
                Value::Text(text) if text.is_empty() => f.write_str(" (empty)")?,
                Value::Text(text) => write!(f, " {}", visible(text))?,
                Value::List(list) if list.is_empty() => f.write_str(" none")?,
                Value::List(list) => {
                    list.iter().try_for_each(|entry| write!(f, "\n{:indent$}  {}", "", visible(entry)))?;
                }
                Value::Token(token) => {
                    f.write_str(" ")?;
                    token.lines(indent, f)?;
                }
                Value::Tokens(tokens) => {
                    for token in tokens {
                        write!(f, "\n{:indent$}  ", "")?;
                        token.lines(indent + 2, f)?;
                    }
                }
            }
        }
        match &self.unreadable {
            Some(why) => write!(f, "\n{:indent$}cannot be read: {why}", ""),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines(0, f)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<String>> for Value {
    fn from(list: Vec<String>) -> Self {
        Self::List(list)
    }
}

impl From<Decoded> for Value {
    fn from(token: Decoded) -> Self {
        Self::Token(Box::new(token))
    }
}

fn by_name<S: Serializer>(fields: &[Field], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(fields.len()))?;
    for Field { name, value } in fields {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

/// Names come from the network: their control characters are shown, not sent to a terminal.
fn visible(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
