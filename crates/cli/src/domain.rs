use crate::data::{Data, Failed};
use crate::output::{table, visible};
use portcullis_authority::{DomainNames, Store as _};
use serde::Serialize;

/// `portcullis domain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Domain {
    #[command(flatten)]
    data: Data,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show the domain's names and SID
    #[command(after_help = "Example:\n  portcullis domain show --json")]
    Show,
    /// Change the domain's names; its SID stays
    #[command(after_help = "Example:\n  portcullis domain set --netbios CORP --dns corp.example\n\n\
        Passwords that are set before a change must be set again before HTTP Digest can use them; NTLM and plain\n\
        passwords are not concerned.")]
    Set {
        /// The NetBIOS name: the CORP of CORP\ann
        #[arg(long, value_name = "NAME", required_unless_present = "dns")]
        netbios: Option<String>,
        /// The DNS name: the corp.example of ann@corp.example; empty for none
        #[arg(long, value_name = "NAME")]
        dns: Option<String>,
    },
}

#[derive(Serialize)]
struct View {
    netbios: String,
    dns: Option<String>,
    sid: String,
}

pub(crate) fn run(args: Domain) -> Result<(), Failed> {
    let directory = args.data.open()?;
    if let Command::Set { netbios, dns } = args.command {
        let old = directory.domain()?.names;
        let names = DomainNames::new(&netbios.unwrap_or(old.netbios), &dns.unwrap_or(old.dns))?;
        directory.store().rename_domain(&names)?;
    }
    let domain = directory.domain()?;
    let dns = Some(domain.names.dns).filter(|dns| !dns.is_empty());
    let view = View { netbios: domain.names.netbios, dns, sid: domain.sid.to_string() };
    args.data.output().print(&view, |view| {
        let dns = view.dns.as_deref().map_or_else(|| "(none)".into(), visible);
        table(["NETBIOS", "DNS", "SID"], [[view.netbios.clone(), dns, view.sid.clone()]])
    })
}
