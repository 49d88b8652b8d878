use std::io;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The text is not TOML, or holds what is no setting.
    #[error("line {line}: {what}{}", suggestion.as_ref().map_or(String::new(), |name| format!("; did you mean `{name}`?")))]
    Syntax {
        /// The line, counted from one.
        line: usize,
        /// What is wrong.
        what: String,
        /// What was probably meant.
        suggestion: Option<String>,
    },
    /// A setting's value makes no sense.
    #[error("{0}")]
    Value(String),
}

impl ConfigError {
    pub(super) fn syntax(text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        let line = 1 + text.as_bytes().iter().take(start).filter(|&&byte| byte == b'\n').count();
        let what = error.message().trim().to_owned();
        let suggestion = suggestion(&what);
        Self::Syntax { line, what, suggestion }
    }
}

/// The closest of the names that serde lists as expected: "unknown field `lisen`, expected one of `listen`, …".
fn suggestion(message: &str) -> Option<String> {
    let (unknown, expected) = message.split_once("expected")?;
    let unknown = unknown.split('`').nth(1)?;
    expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(|name| (strsim::damerau_levenshtein(unknown, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 3)
        .min()
        .map(|(_, name)| name.to_owned())
}
