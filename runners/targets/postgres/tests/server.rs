//! A PostgreSQL server for the tests: its own files, its own port, and gone with the last test.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use placet_target::testing::skip;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

pub(crate) const PASSWORD: &str = "correct-horse";

/// A running server.
pub(crate) struct Server {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    /// A shell that stops the server when its input ends: also when this process is killed.
    keeper: Option<Child>,
}

/// The server of this process, as long as a test holds it. `None` where PostgreSQL is not installed; then the test
/// is over.
pub(crate) fn server() -> Option<Arc<Server>> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    let server = Arc::new(Server::begin(&[])?);
    *shared = Arc::downgrade(&server);
    Some(server)
}

/// Where `initdb` and `postgres` are: on the path, or where Debian puts them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    debian.sort();
    let has_both =
        |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    std::env::split_paths(&path).chain(debian.into_iter().rev()).find(has_both)
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&id.stdout).trim() == "0"
}

/// A command that does not run as root: PostgreSQL refuses to.
fn demoted(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
    command
}

impl Server {
    /// Starts a server with these settings (`name=value`).
    pub(crate) fn begin(settings: &[&str]) -> Option<Self> {
        let Some(programs) = programs() else {
            skip("PostgreSQL is not installed (`initdb` and `postgres`)");
            return None;
        };
        if !demoted(Path::new("true")).status().is_ok_and(|status| status.success()) {
            skip("there is no user `postgres` to run PostgreSQL as");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("placet-target").tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let mut server = Self { programs, folder, port: 0, keeper: None };
        let password = server.folder.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        let made = demoted(&server.programs.join("initdb"))
            .current_dir(server.folder.path())
            .arg("--pgdata")
            .arg(server.data())
            .arg("--pwfile")
            .arg(&password)
            .args(["--username=owner", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"])
            .arg("--no-sync")
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        // Between finding a free port and using it, somebody else may take it.
        for _ in 0..5 {
            server.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if server.start(settings) {
                return Some(server);
            }
        }
        panic!("the server did not start:\n{}", server.log());
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What the server wrote down.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn start(&mut self, settings: &[&str]) -> bool {
        let common = [
            "max_connections=200",
            "shared_buffers=32MB",
            "unix_socket_directories=",
            "listen_addresses=127.0.0.1",
            "fsync=off",
        ];
        let script = r#""$@" & server=$!; read -r _; kill -QUIT "$server" 2> /dev/null; wait"#;
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let mut command = demoted(Path::new("sh"));
        command.args(["-c", script, "keeper"]).arg(self.programs.join("postgres"));
        command.arg("-D").arg(self.data()).arg("-p").arg(self.port.to_string());
        for setting in common.iter().chain(settings) {
            command.arg("-c").arg(setting);
        }
        let keeper = command
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.keeper = Some(keeper);
        // Two minutes: a busy machine takes its time.
        for _ in 0..6_000 {
            if self.is_up() {
                return true;
            }
            if self.log().contains("could not create any TCP/IP sockets") {
                self.end();
                return false;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        self.end();
        panic!("the server does not answer:\n{}", self.log());
    }

    /// Whether it is this server that answers, and not one of another test that was given the port.
    fn is_up(&self) -> bool {
        let Ok(db) = Db::connect(&self.url("postgres")) else { return false };
        db.try_rows("SHOW data_directory")
            .is_ok_and(|rows| rows == [self.data().display().to_string()])
    }

    /// Stops the server as if its processes had been killed.
    fn end(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            keeper.wait().unwrap();
        }
    }

    /// Puts a file beside the server's data, as the server's own.
    pub(crate) fn take_in(&self, name: &str, text: &[u8]) {
        use std::io::Write as _;
        let mut child = demoted(Path::new("sh"))
            .args(["-c", r#"umask 077; cat > "$1""#, "take-in"])
            .arg(self.data().join(name))
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text).unwrap();
        assert!(child.wait().unwrap().success());
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The URL of the owner, for a database.
    pub(crate) fn url(&self, database: &str) -> String {
        self.url_of("owner", self.port, database)
    }

    /// The URL of somebody, through some port. Everybody has the same password.
    pub(crate) fn url_of(&self, user: &str, port: u16, database: &str) -> String {
        format!("postgres://{user}:{PASSWORD}@127.0.0.1:{port}/{database}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// A plain connection, without the target.
pub(crate) struct Db {
    runtime: Runtime,
    client: Client,
}

impl Db {
    pub(crate) fn connect(url: &str) -> Result<Self, tokio_postgres::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (client, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls))?;
        drop(runtime.spawn(connection));
        Ok(Self { runtime, client })
    }

    /// Runs SQL; the rows, as text, each value separated by `|`, NULL as `-`.
    pub(crate) fn try_rows(&self, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
        let messages = self.runtime.block_on(self.client.simple_query(sql))?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            SimpleQueryMessage::CommandComplete(_) | SimpleQueryMessage::RowDescription(_) | _ => {
                None
            }
        });
        let line = |row: &tokio_postgres::SimpleQueryRow| {
            let values: Vec<&str> = (0..row.len()).map(|at| row.get(at).unwrap_or("-")).collect();
            values.join("|")
        };
        Ok(rows.map(line).collect())
    }

    /// The rows of a query, each value as text: NULL as such, anything else in quotes.
    pub(crate) fn try_cells(&self, sql: &str) -> Result<Vec<Vec<String>>, tokio_postgres::Error> {
        let messages = self.runtime.block_on(self.client.simple_query(sql))?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            SimpleQueryMessage::CommandComplete(_) | SimpleQueryMessage::RowDescription(_) | _ => {
                None
            }
        });
        let cell = |text: Option<&str>| match text {
            None => "NULL".to_owned(),
            // A whole number stands as it is.
            Some(text) if text.parse::<i64>().is_ok() => text.to_owned(),
            Some(text) => format!("{text:?}"),
        };
        Ok(rows.map(|row| (0..row.len()).map(|at| cell(row.get(at))).collect()).collect())
    }

    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        self.try_rows(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    pub(crate) fn run(&self, sql: &str) {
        drop(self.rows(sql));
    }
}
