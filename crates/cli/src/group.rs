use crate::data::{Data, Failed};
use crate::output::{table, visible};
use portcullis_authority::{GroupEntry, Member, Store as _};
use serde::Serialize;

/// `portcullis group`.
#[derive(Debug, clap::Args)]
pub(crate) struct Group {
    #[command(flatten)]
    data: Data,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a group
    #[command(after_help = "Example:\n  portcullis group add Staff --description \"All of us\"")]
    Add {
        /// The group's name
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
    },
    /// Remove a group and its memberships
    #[command(after_help = "Example:\n  portcullis group remove Staff")]
    Remove {
        /// The group's name
        name: String,
    },
    /// List the groups
    #[command(after_help = "Example:\n  portcullis group list --json")]
    List,
    /// Show a group and its own members
    #[command(after_help = "Example:\n  portcullis group show Staff")]
    Show {
        /// The group's name
        name: String,
    },
    /// Put accounts or groups into a group
    #[command(after_help = "Example:\n  portcullis group add-member Staff ann bob \"Domain Users\"")]
    AddMember {
        /// The group's name
        group: String,
        /// The accounts or groups
        #[arg(required = true)]
        members: Vec<String>,
    },
    /// Take accounts or groups out of a group
    #[command(after_help = "Example:\n  portcullis group remove-member Staff bob")]
    RemoveMember {
        /// The group's name
        group: String,
        /// The accounts or groups
        #[arg(required = true)]
        members: Vec<String>,
    },
}

#[derive(Serialize)]
struct View {
    name: String,
    sid: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<MemberView>>,
}

#[derive(Serialize)]
struct MemberView {
    name: String,
    kind: &'static str,
}

pub(crate) fn run(args: Group) -> Result<(), Failed> {
    let directory = args.data.open()?;
    let output = args.data.output();
    match args.command {
        Command::Add { name, description } => {
            let group = directory.add_group(&name, &description)?;
            output.print(&view(group, None), |view| format!("group {} made: {}", view.name, view.sid))
        }
        Command::Remove { name } => {
            directory.store().remove_group(directory.group(&name)?.rid)?;
            output.done(&format!("group {name} removed"))
        }
        Command::List => {
            let groups: Vec<View> = directory.store().groups()?.into_iter().map(|group| view(group, None)).collect();
            output.print(&groups, |groups| {
                let row = |group: &View| [group.name.clone(), group.sid.clone(), group.description.clone()];
                table(["NAME", "SID", "DESCRIPTION"], groups.iter().map(row))
            })
        }
        Command::Show { name } => {
            let group = directory.group(&name)?;
            let members = directory.store().members(group.rid)?;
            let everybody = group.rid == GroupEntry::DOMAIN_USERS;
            output.print(&view(group, Some(members)), |view| words(view, everybody))
        }
        Command::AddMember { group, members } => {
            let rid = directory.group(&group)?.rid;
            // All names first: a mistyped one changes nothing.
            let rids = members.iter().map(|name| directory.member_rid(name).map_err(|e| of(name, &e)));
            for member in rids.collect::<Result<Vec<_>, _>>()? {
                directory.store().add_member(rid, member)?;
            }
            output.done(&format!("{} in {group}", members.join(", ")))
        }
        Command::RemoveMember { group, members } => {
            let rid = directory.group(&group)?.rid;
            let rids = members.iter().map(|name| directory.member_rid(name).map_err(|e| of(name, &e)));
            for member in rids.collect::<Result<Vec<_>, _>>()? {
                directory.store().remove_member(rid, member)?;
            }
            output.done(&format!("{} not in {group}", members.join(", ")))
        }
    }
}

fn of(name: &str, error: &dyn std::fmt::Display) -> Failed {
    Failed::Failed(format!("{name}: {error}"))
}

fn view(group: GroupEntry, members: Option<Vec<Member>>) -> View {
    let kind = |member: &Member| if member.is_group { "group" } else { "account" };
    let members = members.map(|members| {
        members.into_iter().map(|member| MemberView { kind: kind(&member), name: member.name }).collect()
    });
    View { name: group.name, sid: group.sid.to_string(), description: group.description, members }
}

fn words(view: &View, everybody: bool) -> String {
    let View { name, sid, description, members } = view;
    let head = format!("{}  {sid}  {}\n", visible(name), visible(description));
    let members = members.iter().flatten().map(|member| [member.name.clone(), member.kind.to_owned()]);
    if everybody { head + "every account is a member" } else { head + &table(["MEMBER", "KIND"], members) }
}
