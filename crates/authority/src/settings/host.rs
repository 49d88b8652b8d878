/// What this computer is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostNames {
    /// The first label in upper case, at most 15 characters, with what NetBIOS forbids left out.
    pub netbios: String,
    /// The host's name as the system has it.
    pub dns: String,
}

impl HostNames {
    /// The names that a host's name gives. One that holds nothing usable gives `PORTCULLIS`.
    ///
    /// ```
    /// use portcullis_authority::settings::HostNames;
    /// assert_eq!(HostNames::of("web-1.corp.example").netbios, "WEB-1");
    /// assert_eq!(HostNames::of("a_very_long_host_name").netbios, "A_VERY_LONG_HOS");
    /// assert_eq!(HostNames::of("").netbios, "PORTCULLIS");
    /// ```
    pub fn of(host: &str) -> Self {
        let keep = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let label = host.split('.').next().unwrap_or_default();
        let netbios: String = label.chars().filter(keep).take(15).collect::<String>().to_ascii_uppercase();
        let dns: String = host.chars().filter(|c| keep(c) || *c == '.').take(255).collect();
        match netbios.is_empty() {
            true => Self { netbios: "PORTCULLIS".to_owned(), dns: "portcullis".to_owned() },
            false => Self { netbios, dns },
        }
    }

    /// The names of the computer that this runs on.
    pub fn of_this_computer() -> Self {
        Self::of(&rustix::system::uname().nodename().to_string_lossy())
    }
}
