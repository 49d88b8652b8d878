use crate::data::Failed;
use crate::output::{table, time};
use portcullis_authority::{AccountEntry, AccountKey, CertificateMapping, Directory, Sqlite, Store as _};
use serde::Serialize;
use std::time::SystemTime;

/// An account as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    pub(crate) name: String,
    pub(crate) sid: String,
    /// `ok`, or everything that keeps the account out.
    pub(crate) state: Vec<&'static str>,
    pub(crate) upn: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) mail: Option<String>,
    pub(crate) disabled: bool,
    pub(crate) must_change: bool,
    pub(crate) password_never_expires: bool,
    pub(crate) expires: Option<String>,
    pub(crate) logon_hours: String,
    pub(crate) workstations: Vec<String>,
    pub(crate) password_set: Option<String>,
    pub(crate) last_logon: Option<String>,
    pub(crate) created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) groups: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificates: Option<Vec<Certificate>>,
    pub(crate) locked: bool,
    pub(crate) failures: Vec<Failures>,
}

/// A client certificate that is mapped to the account.
#[derive(Debug, Serialize)]
pub(crate) struct Certificate {
    identity: String,
    form: &'static str,
    /// Whether it counts: weak forms do where the policy allows them.
    counts: bool,
    mapped: String,
}

/// Failed logons from one address, or from all.
#[derive(Debug, Serialize)]
pub(crate) struct Failures {
    address: String,
    count: u32,
    locked: bool,
    locked_until: Option<String>,
}

impl View {
    /// An account; where it is shown alone, `whole`, with its groups and certificates.
    pub(crate) fn of(directory: &Directory<Sqlite>, account: &AccountEntry, whole: bool) -> Result<Self, Failed> {
        let (store, now) = (directory.store(), SystemTime::now());
        let policy = store.policy()?;
        let (mut groups, mut certificates) = (None, None);
        if whole {
            groups = Some(store.groups_of(account.rid)?.into_iter().map(|group| group.name).collect());
            let one = |mapping: CertificateMapping| Certificate {
                identity: mapping.text,
                form: mapping.form.name(),
                counts: mapping.form.is_strong() || policy.danger_weak_certificate_mappings,
                mapped: time(mapping.created),
            };
            certificates = Some(store.mappings(account.rid)?.into_iter().map(one).collect());
        }
        let locks = store.locks(AccountKey::of(&account.name), now)?;
        let failures: Vec<_> = locks
            .into_iter()
            .map(|lock| Failures {
                address: if lock.address == "*" { "all addresses".into() } else { lock.address },
                count: lock.failures,
                locked: lock.locked,
                locked_until: lock.locked_until.map(time),
            })
            .collect();
        let locked = failures.iter().any(|failures| failures.locked);
        let old = account.password_expires_at(&policy.password).is_some_and(|end| end <= now);
        let states = [
            (account.disabled, "disabled"),
            (account.expires.is_some_and(|end| end <= now), "expired"),
            (account.password_set.is_none(), "no password"),
            (account.must_change, "must change password"),
            (old, "password expired"),
            (locked, "locked"),
        ];
        let mut state: Vec<_> = states.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect();
        if state.is_empty() {
            state.push("ok");
        }
        Ok(Self {
            name: account.name.clone(),
            sid: account.sid.to_string(),
            state,
            upn: account.upn.clone(),
            display_name: account.display_name.clone(),
            mail: account.mail.clone(),
            disabled: account.disabled,
            must_change: account.must_change,
            password_never_expires: account.password_never_expires,
            expires: account.expires.map(time),
            logon_hours: account.hours.to_string(),
            workstations: account.workstations.clone(),
            password_set: account.password_set.map(time),
            last_logon: account.last_logon.map(time),
            created: time(account.created),
            groups,
            certificates,
            locked,
            failures,
        })
    }

    /// The account in a table of its attributes.
    pub(crate) fn words(&self) -> String {
        let or = |text: &Option<String>, none: &str| text.clone().unwrap_or_else(|| none.to_owned());
        let workstations = if self.workstations.is_empty() { "any".to_owned() } else { self.workstations.join(", ") };
        let mut rows = vec![
            ["name".to_owned(), self.name.clone()],
            ["SID".to_owned(), self.sid.clone()],
            ["state".to_owned(), self.state.join(", ")],
            ["UPN".to_owned(), or(&self.upn, "(none)")],
            ["display name".to_owned(), or(&self.display_name, "(none)")],
            ["mail".to_owned(), or(&self.mail, "(none)")],
            ["expires".to_owned(), or(&self.expires, "never")],
            ["logon hours (UTC)".to_owned(), self.logon_hours.clone()],
            ["workstations".to_owned(), workstations],
            ["password set".to_owned(), or(&self.password_set, "never")],
            ["password never expires".to_owned(), self.password_never_expires.to_string()],
            ["last logon".to_owned(), or(&self.last_logon, "never")],
            ["created".to_owned(), self.created.clone()],
        ];
        if let Some(groups) = &self.groups {
            rows.push(["groups".to_owned(), groups.join(", ")]);
        }
        for certificate in self.certificates.iter().flatten() {
            let note = if certificate.counts { "" } else { " (weak: the policy does not let it count)" };
            rows.push(["certificate".to_owned(), format!("{}{note}", certificate.identity)]);
        }
        for failures in &self.failures {
            let until = match (&failures.locked_until, failures.locked) {
                (Some(until), _) => format!(", locked until {until}"),
                (None, true) => ", locked until unlocked".to_owned(),
                (None, false) => String::new(),
            };
            rows.push(["failed logons".to_owned(), format!("{} from {}{until}", failures.count, failures.address)]);
        }
        table(["ATTRIBUTE", "VALUE"], rows)
    }
}
