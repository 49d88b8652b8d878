//! What a process that speaks to the network may still do.

use crate::data::Failed;
use nix::unistd::{Gid, Uid};
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};
use std::str::FromStr as _;

/// A user of this system.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: u32,
    gid: u32,
}

/// Users that a server started by root becomes when none is named: one made for it, or the one that owns nothing.
const DEFAULT_USERS: [&str; 2] = ["portcullis", "nobody"];

/// A user by name or number.
pub(crate) fn user(text: &str) -> Result<User, String> {
    let found = match u32::from_str(text) {
        Ok(uid) => nix::unistd::User::from_uid(Uid::from_raw(uid)),
        Err(_) => nix::unistd::User::from_name(text),
    };
    match found {
        Ok(Some(user)) => Ok(User { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() }),
        Ok(None) => Err(format!("this system has no user `{text}`")),
        Err(error) => Err(format!("the user `{text}` cannot be looked up: {error}")),
    }
}

/// Neither a crash nor a debugger of the same user shows this process's memory.
pub(crate) fn leave_no_dumps() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let limited = rustix::process::setrlimit(Resource::Core, none);
    let hidden = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if let Err(error) = limited.and(hidden) {
        tracing::warn!(%error, "a crash may leave a memory image of this process");
    }
}

/// Ends this process when the one that started it ends.
pub(crate) fn end_with_parent() {
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::TERM));
}

/// Gives up what a serving process does not need: root's rights, files, new sockets, other programs. Before any thread
/// is started: some of it holds for the calling thread and those that it starts.
pub(crate) fn apply(wanted: Option<&User>, sandbox: bool) -> Result<(), Failed> {
    become_user(wanted)?;
    leave_no_dumps();
    if !sandbox {
        tracing::warn!("--danger-no-sandbox: this process may open files, sockets and programs");
        return Ok(());
    }
    #[cfg(target_os = "linux")]
    sandbox::apply();
    #[cfg(not(target_os = "linux"))]
    tracing::warn!("this system has no sandbox that is known here; only the user was changed");
    Ok(())
}

/// Becomes another user for good, with none of the groups of the old one.
fn become_user(wanted: Option<&User>) -> Result<(), Failed> {
    if !Uid::effective().is_root() {
        return match wanted {
            Some(wanted) if wanted.uid != Uid::effective().as_raw() => {
                Err(Failed::Usage(format!("only root can become another user: start as root, or as `{}`", wanted.name)))
            }
            _ => Ok(()),
        };
    }
    let default = || DEFAULT_USERS.iter().find_map(|name| user(name).ok());
    let chosen = match wanted.cloned().or_else(default) {
        Some(user) if user.uid != 0 => user,
        _ => return Err(Failed::Usage("a server does not stay root: name a user by --user".to_owned())),
    };
    let failed = |error| format!("cannot become the user `{}`: {error}", chosen.name);
    let (uid, gid) = (Uid::from_raw(chosen.uid), Gid::from_raw(chosen.gid));
    nix::unistd::setgroups(&[gid]).map_err(failed)?;
    nix::unistd::setgid(gid).map_err(failed)?;
    nix::unistd::setuid(uid).map_err(failed)?;
    if Uid::current() != uid || Uid::effective() != uid || nix::unistd::setuid(Uid::from_raw(0)).is_ok() {
        return Err(Failed::Failed("root's rights could not be given up".to_owned()));
    }
    tracing::info!(user = chosen.name, uid = chosen.uid, "root's rights are given up");
    Ok(())
}

#[cfg(target_os = "linux")]
mod sandbox {
    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _, RulesetStatus,
        Scope,
    };
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
        TargetArch,
    };
    use std::collections::BTreeMap;

    /// As much as the kernel allows; what it does not is told.
    pub(super) fn apply() {
        match files_and_sockets() {
            Ok(RulesetStatus::NotEnforced) => {
                tracing::warn!("the kernel has no Landlock: files stay as the user's rights leave them")
            }
            Ok(status) => tracing::info!(?status, "no file can be opened, no connection made (Landlock)"),
            Err(error) => tracing::warn!(%error, "Landlock could not be used"),
        }
        match system_calls() {
            Ok(()) => tracing::info!("no program can be started, no other process touched (seccomp)"),
            Err(error) => tracing::warn!(%error, "seccomp could not be used"),
        }
    }

    /// No file, no new listening or connected TCP socket, no abstract socket or signal to processes outside.
    fn files_and_sockets() -> Result<RulesetStatus, landlock::RulesetError> {
        let newest = ABI::V6;
        let status = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(newest))?
            .handle_access(AccessNet::from_all(newest))?
            .scope(Scope::from_all(newest))?
            .create()?
            .restrict_self()?;
        Ok(status.ruleset)
    }

    /// Calls that no server of requests makes: other programs, other processes, the system's set-up, new identities.
    const DENIED: &[i64] = &[
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_kcmp,
        libc::SYS_pidfd_getfd,
        libc::SYS_setuid,
        libc::SYS_setgid,
        libc::SYS_setreuid,
        libc::SYS_setregid,
        libc::SYS_setresuid,
        libc::SYS_setresgid,
        libc::SYS_setgroups,
        libc::SYS_setfsuid,
        libc::SYS_setfsgid,
        libc::SYS_capset,
        libc::SYS_chroot,
        libc::SYS_pivot_root,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_move_mount,
        libc::SYS_open_tree,
        libc::SYS_fsopen,
        libc::SYS_fsmount,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_io_uring_setup,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_kexec_load,
        libc::SYS_reboot,
        libc::SYS_swapon,
        libc::SYS_swapoff,
        libc::SYS_sethostname,
        libc::SYS_setdomainname,
        libc::SYS_settimeofday,
        libc::SYS_clock_settime,
        libc::SYS_open_by_handle_at,
        libc::SYS_personality,
        libc::SYS_quotactl,
        libc::SYS_acct,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_fork,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_vfork,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_iopl,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_ioperm,
    ];

    fn system_calls() -> Result<(), seccompiler::Error> {
        let arch: TargetArch = std::env::consts::ARCH.try_into()?;
        // A thread is a clone with CLONE_THREAD; one without is a process.
        let flag = libc::CLONE_THREAD as u64;
        let no_thread = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(flag), 0)?;
        let mut denied: BTreeMap<_, Vec<_>> = DENIED.iter().map(|call| (*call, Vec::new())).collect();
        denied.insert(libc::SYS_clone, vec![SeccompRule::new(vec![no_thread])?]);
        // Sockets of other families than the server's own: netlink, packets, the kernel's crypto.
        let families = [libc::AF_NETLINK, libc::AF_PACKET, libc::AF_ALG, libc::AF_VSOCK, libc::AF_BLUETOOTH];
        let rules = families.map(|family| {
            let is = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, family as u64)?;
            SeccompRule::new(vec![is])
        });
        denied.insert(libc::SYS_socket, rules.into_iter().collect::<Result<_, _>>()?);
        filter(denied, libc::EPERM, arch)?;
        // Its flags lie in memory, out of a filter's sight: the C library falls back to clone.
        filter(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS, arch)
    }

    fn filter(
        rules: BTreeMap<i64, Vec<SeccompRule>>,
        error: libc::c_int,
        arch: TargetArch,
    ) -> Result<(), seccompiler::Error> {
        let deny = SeccompAction::Errno(error.unsigned_abs());
        let program: BpfProgram = SeccompFilter::new(rules, SeccompAction::Allow, deny, arch)?.try_into()?;
        seccompiler::apply_filter_all_threads(&program)
    }
}
