use crate::data::Failed;
use crate::output::visible;
use portcullis::Secret;
use portcullis_authority::random_password;
use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where a new password comes from. It is never an argument: those can be seen by every user of the computer.
#[derive(Debug, Clone, clap::Args)]
#[group(multiple = false)]
pub(crate) struct PasswordSource {
    /// Read the password from standard input; one line end behind it is dropped
    #[arg(long)]
    pub(crate) password_stdin: bool,

    /// Read the password from a file; one line end behind it is dropped
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,

    /// Choose a random password and print it, once
    #[arg(long)]
    pub(crate) random: bool,
}

/// Where a password that exists comes from. It is never an argument, either.
#[derive(Debug, Clone, clap::Args)]
#[group(multiple = false)]
pub(crate) struct KnownPassword {
    /// Read the password from standard input; one line end behind it is dropped
    #[arg(long)]
    password_stdin: bool,

    /// Read the password from a file; one line end behind it is dropped
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl KnownPassword {
    /// Whether a source is named.
    pub(crate) fn is_given(&self) -> bool {
        self.password_stdin || self.password_file.is_some()
    }

    /// Reads the password; asks at the terminal, once, when no source is named.
    pub(crate) fn read(&self, name: &str) -> Result<Secret<String>, Failed> {
        if self.password_stdin {
            read_line("standard input", io::stdin().lock())
        } else if let Some(path) = &self.password_file {
            read_file(path)
        } else if io::stdin().is_terminal() {
            Ok(Secret::new(rpassword::prompt_password(format!("Password for {}: ", visible(name)))?))
        } else {
            Err(Failed::Usage(
                "no password: standard input is no terminal to ask at; use --password-stdin or --password-file FILE"
                    .into(),
            ))
        }
    }
}

/// Reads an NT hash from a file.
pub(crate) fn read_nt_hash(path: &Path) -> Result<Secret<[u8; 16]>, Failed> {
    let text = read_file(path)?;
    let wrong = || Failed::Failed(format!("{}: an NT hash has 32 hexadecimal digits", path.display()));
    nt_hash(text.expose()).ok_or_else(wrong)
}

/// An NT hash as text: 32 hexadecimal digits.
pub(crate) fn nt_hash(text: &str) -> Option<Secret<[u8; 16]>> {
    let text = text.trim();
    let mut hash = Secret::new([0; 16]);
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    for (slot, pair) in hash.expose_mut().iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| pair.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        *slot = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(hash)
}

/// A password, and whether it must be shown since nobody else knows it.
pub(crate) struct Given {
    pub(crate) password: Secret<String>,
    pub(crate) show: bool,
}

/// More than any password is long; a wrong file is noticed before it is read whole.
const LIMIT: u64 = 64 * 1024;

impl PasswordSource {
    /// Reads the password; asks at the terminal, twice, when no source is named.
    pub(crate) fn read(&self, name: &str) -> Result<Given, Failed> {
        let password = if self.password_stdin {
            read_line("standard input", io::stdin().lock())?
        } else if let Some(path) = &self.password_file {
            read_file(path)?
        } else if self.random {
            return Ok(Given { password: random_password()?, show: true });
        } else if io::stdin().is_terminal() {
            ask(name)?
        } else {
            return Err(Failed::Usage(
                "no password: standard input is no terminal to ask at; use --password-stdin, --password-file FILE or --random"
                    .into(),
            ));
        };
        Ok(Given { password, show: false })
    }
}

fn read_file(path: &Path) -> Result<Secret<String>, Failed> {
    let file = std::fs::File::open(path).map_err(|e| Failed::Failed(format!("{}: {e}", path.display())))?;
    read_line(&path.display().to_string(), file)
}

fn read_line(from: &str, source: impl Read) -> Result<Secret<String>, Failed> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
    source.take(LIMIT).read_to_end(&mut bytes).map_err(|error| Failed::Failed(format!("{from}: {error}")))?;
    let text =
        std::str::from_utf8(&bytes).map_err(|_| Failed::Failed(format!("{from}: the password is not UTF-8 text")))?;
    let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(Secret::new(text.to_owned()))
}

fn ask(name: &str) -> Result<Secret<String>, Failed> {
    let first = Secret::new(rpassword::prompt_password(format!("New password for {name}: "))?);
    let second = Secret::new(rpassword::prompt_password("The same again: ")?);
    if first.expose() != second.expose() {
        return Err(Failed::Failed("the two passwords are not the same; nothing was changed".into()));
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_dropped() {
        for (input, password) in
            [("a\n", "a"), ("a\r\n", "a"), ("a", "a"), ("a\n\n", "a\n"), (" a ", " a "), ("\n", ""), ("a\r", "a\r")]
        {
            assert_eq!(read_line("test", input.as_bytes()).unwrap().expose(), password);
        }
        assert!(read_line("test", &[0xff, 0xfe][..]).is_err());
    }
}
