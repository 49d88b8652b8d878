use super::load::Client;
use bench_harness::Identity;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;

const PASSWORD: &str = "Bench.Passw0rd";

/// A server in a folder of its own; it ends with this value.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    address: SocketAddr,
    identity: Identity,
    child: Child,
    _folder: TempDir,
}

impl Server {
    /// Starts `portcullis` (a program) or `apache` (a folder with gss-ntlmssp's library), and logs on once.
    pub(crate) fn start(name: &str, what: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let server = match name {
            "portcullis" => Self::portcullis(what, folder),
            "apache" => Self::apache(what, folder),
            _ => Err(format!("no server is called {name}")),
        }?;
        match server.client().log_on() {
            Ok(_) => Ok(server),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(crate) fn client(&self) -> Client<'_> {
        Client { address: self.address, identity: &self.identity }
    }

    /// CPU time of the server and its children so far.
    pub(crate) fn cpu(&self) -> Duration {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ticks = processes.filter_map(|process| ticks(&process.path(), self.child.id())).sum::<u64>();
        Duration::from_millis(ticks * 10) // USER_HZ is 100 on every Linux
    }

    fn portcullis(program: &str, folder: TempDir) -> Result<Self, String> {
        let data = folder.path().join("data");
        let serve = |listen: &str| {
            let mut command = Command::new(program);
            command.args(["serve", "--http", listen, "--data"]).arg(&data).stdout(Stdio::piped()).stderr(Stdio::null());
            command.spawn().map_err(|error| format!("{program}: {error}"))
        };
        // The first start makes the store.
        let mut child = serve("127.0.0.1:0")?;
        let first = listening(&mut child);
        end(&mut child);
        first?;
        let mut add = Command::new(program);
        add.args(["account", "add", "ann", "--password-stdin", "--data"])
            .arg(&data)
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let mut add = add.spawn().map_err(|error| error.to_string())?;
        let password = format!("{PASSWORD}\n");
        add.stdin.take().expect("piped").write_all(password.as_bytes()).map_err(|error| error.to_string())?;
        if !add.wait().map_err(|error| error.to_string())?.success() {
            return Err("`account add` failed".into());
        }
        let mut child = serve("127.0.0.1:0")?;
        match listening(&mut child) {
            Ok(address) => {
                let identity = Identity::new("ann", "", PASSWORD);
                Ok(Self { name: "portcullis", address, identity, child, _folder: folder })
            }
            Err(why) => {
                end(&mut child);
                Err(why)
            }
        }
    }

    /// The library is named by GSS_MECH_CONFIG instead of being installed: an installed gss-ntlmssp would change every
    /// GSSAPI program of the machine.
    fn apache(gss: &str, folder: TempDir) -> Result<Self, String> {
        let root = folder.path();
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.map_err(|error| error.to_string())?;
        let library = Path::new(gss).join("gssntlmssp.so");
        let write = |name: &str, text: String| fs::write(root.join(name), text).map_err(|error| error.to_string());
        fs::create_dir(root.join("www")).map_err(|error| error.to_string())?;
        write("www/index.html", "{\"name\":\"ann\"}\n".into())?;
        write("users", format!("CORP:ann:{PASSWORD}\n"))?;
        write("mech.conf", format!("gssntlmssp_v1 1.3.6.1.4.1.311.2.2.10 {}\n", library.display()))?;
        write("httpd.conf", httpd_conf(&root.display().to_string(), address))?;
        // Its workers run as another user.
        Command::new("chmod").args(["-R", "a+rX"]).arg(root).status().map_err(|error| error.to_string())?;
        let mut apache = Command::new("apache2");
        apache.arg("-DFOREGROUND").arg("-d").arg(root).arg("-f").arg(root.join("httpd.conf"));
        apache.env("GSS_MECH_CONFIG", root.join("mech.conf")).env("NTLM_USER_FILE", root.join("users"));
        let child = apache.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.map_err(|error| format!("apache2: {error}"))?;
        let identity = Identity::new("ann", "CORP", PASSWORD);
        let server = Self { name: "apache", address, identity, child, _folder: folder };
        for _ in 0..50 {
            if std::net::TcpStream::connect(address).is_ok() {
                return Ok(server);
            }
            sleep(Duration::from_millis(100));
        }
        Err("it does not listen".into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Ends a process and waits for it: SIGTERM, so that a server with children takes them along.
fn end(child: &mut Child) {
    let _ = Command::new("kill").arg(child.id().to_string()).status();
    let _ = child.wait();
}

fn listening(child: &mut Child) -> Result<SocketAddr, String> {
    let output = child.stdout.take().expect("piped");
    let mut lines = BufReader::new(output).lines();
    let found =
        lines.by_ref().map_while(Result::ok).find_map(|line| line.strip_prefix("listening http ")?.parse().ok());
    // Whoever prints into a closed pipe ends: the rest of the output must go somewhere.
    std::thread::spawn(move || lines.for_each(drop));
    found.ok_or_else(|| "`serve` ended without `listening http ADDR:PORT`".into())
}

/// The CPU ticks of a process, if it is `root` or a child of it.
fn ticks(process: &Path, root: u32) -> Option<u64> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    let (pid, _) = stat.split_once(' ')?;
    // The name in parentheses may hold blanks; what follows it does not.
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let root = u64::from(root);
    (pid.parse() == Ok(root) || number(1)? == root).then_some(number(11)? + number(12)?)
}

fn httpd_conf(root: &str, address: SocketAddr) -> String {
    let modules = ["mpm_event", "authn_core", "authz_core", "authz_user", "auth_gssapi", "mime", "dir"];
    let module = |name: &str| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n");
    let modules: String = modules.map(module).concat();
    format!(
        "ServerRoot {root}
{modules}User www-data
Group www-data
ServerName web1.corp.example
Listen {address}
PidFile {root}/httpd.pid
ErrorLog {root}/error.log
LogLevel warn
DocumentRoot {root}/www
DirectoryIndex index.html
TypesConfig /etc/mime.types
KeepAlive On
MaxKeepAliveRequests 0
Mutex file:{root} default
<Directory {root}/www>
AuthType GSSAPI
AuthName bench
GssapiAllowedMech ntlmssp
GssapiConnectionBound On
Require valid-user
</Directory>
"
    )
}
