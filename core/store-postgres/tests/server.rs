//! A PostgreSQL server for the tests: its own files, its own port, and gone with the last test.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use placet_store_postgres::{Options, PostgresStore};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::story::skip;

pub(crate) const PASSWORD: &str = "correct-horse";

/// A running server.
pub(crate) struct Server {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    /// A shell that runs the server and stops it when its input ends: also when this process is killed.
    keeper: Mutex<Option<Child>>,
}

/// The server of this process, as long as a test holds it. `None` where PostgreSQL is not installed; then
/// the test is over.
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

/// Options that give a busy machine time: no sound statement is late.
pub(crate) fn patient(schema: &str) -> Options {
    Options::default()
        .with_schema(schema)
        .with_connect_timeout_ms(60_000)
        .with_statement_timeout_ms(120_000)
        .with_lock_timeout_ms(120_000)
        .with_deadline_ms(300_000)
}

/// A name that no other test of this process uses.
pub(crate) fn fresh(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{what}_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Where `initdb` and `postgres` are: on the path, or where Debian puts them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    debian.sort();
    let both =
        |folder: &PathBuf| ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file());
    std::env::split_paths(&path).chain(debian.into_iter().rev()).find(both)
}

/// The words before a command that must not run as root.
fn demoted() -> Option<Vec<&'static str>> {
    let id = |words: &[&str]| {
        let output = Command::new("id").args(words).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    if id(&["-u"])? != "0" {
        return Some(Vec::new());
    }
    id(&["-u", "postgres"])?;
    let works = |words: &[&str]| {
        Command::new(words[0])
            .args(&words[1..])
            .arg("true")
            .output()
            .is_ok_and(|it| it.status.success())
    };
    let setpriv = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"];
    let runuser = ["runuser", "-u", "postgres", "--"];
    [setpriv.as_slice(), &runuser].into_iter().find(|words| works(words)).map(<[_]>::to_vec)
}

impl Server {
    /// Starts a server with these settings (`name=value`).
    pub(crate) fn begin(settings: &[&str]) -> Option<Self> {
        let Some(programs) = programs() else {
            skip("PostgreSQL is not installed (`initdb` and `postgres`)");
            return None;
        };
        if demoted().is_none() {
            skip("PostgreSQL does not run as root, and there is no user `postgres` to run it as");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("placet-postgres").tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let mut server = Self { programs, folder, port: 0, keeper: Mutex::new(None) };
        let password = server.folder.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        let data = server.data();
        let made = server
            .command("initdb")
            .arg("--pgdata")
            .arg(&data)
            .arg("--pwfile")
            .arg(&password)
            .args(["--username=owner", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"])
            // The files of an empty database: what the server writes later is synced.
            .arg("--no-sync")
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let common = [
            "max_connections=300",
            "shared_buffers=32MB",
            "unix_socket_directories=''",
            "listen_addresses='127.0.0.1'",
            "logging_collector=off",
            "autovacuum_naptime=5s",
        ];
        let lines: Vec<String> =
            common.iter().chain(settings).map(|setting| format!("{setting}\n")).collect();
        let mut file =
            std::fs::OpenOptions::new().append(true).open(data.join("postgresql.conf")).unwrap();
        file.write_all(lines.concat().as_bytes()).unwrap();
        // Between finding a free port and using it, somebody else may take it.
        for _ in 0..5 {
            server.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if server.start() {
                return Some(server);
            }
        }
        panic!("the server did not start:\n{}", server.log());
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What the server wrote down.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A program of PostgreSQL, as a user that it accepts.
    fn command(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let words = demoted().unwrap();
        let mut command = match words.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.current_dir(self.folder.path());
        command
    }

    /// Starts the server again after [`Self::end`], on the port that its clients know.
    pub(crate) fn restart(&self) {
        // Somebody may hold the port for a while: a connection of theirs may have been given it meanwhile.
        for _ in 0..600 {
            if self.start() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("the server did not start again:\n{}", self.log());
    }

    /// Starts the server and waits until it answers. `false` where its port is taken.
    fn start(&self) -> bool {
        let said_before = self.log().len();
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let words = demoted().unwrap();
        let script = r#"program="$1"; data="$2"; port="$3"
            "$program" -D "$data" -p "$port" &
            server=$!
            read -r _
            kill -QUIT "$server" 2> /dev/null
            wait"#;
        let mut command = match words.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg("sh");
                command
            }
            None => Command::new("sh"),
        };
        let keeper = command
            .args(["-c", script, "keeper"])
            .arg(self.programs.join("postgres"))
            .arg(self.data())
            .arg(self.port.to_string())
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        *self.keeper() = Some(keeper);
        // Two minutes: on a busy machine it takes long to sync what a crash left.
        for _ in 0..6_000 {
            if self.is_up() {
                return true;
            }
            let log = self.log();
            let said = log.get(said_before..).unwrap_or_default();
            if said.contains("could not create any TCP/IP sockets") {
                self.end();
                return false;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        self.end();
        panic!("the server does not answer:\n{}", self.log());
    }

    /// Puts a file beside the server's data, as the server's own, and returns its path.
    pub(crate) fn take_in(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.data().join(name);
        let mut command = Command::new("sh");
        if let Some((first, rest)) = demoted().unwrap().split_first() {
            command = Command::new(first);
            command.args(rest).arg("sh");
        }
        let mut child = command
            .args(["-c", r#"umask 077; cat > "$1""#, "take-in"])
            .arg(&path)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text).unwrap();
        assert!(child.wait().unwrap().success());
        path
    }

    /// Changes settings of the running server, and returns when new connections see them.
    pub(crate) fn set(&self, settings: &[(&str, &str)]) {
        let db = self.db();
        for (name, value) in settings {
            db.run(&format!("ALTER SYSTEM SET {name} = '{value}'"));
        }
        db.run("SELECT pg_reload_conf()");
        let is_set = |(name, value): &(&str, &str)| {
            self.db().rows(&format!("SELECT current_setting('{name}')")) == [*value]
        };
        for _ in 0..12_000 {
            if settings.iter().all(is_set) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("the server did not take {settings:?}:\n{}", self.log());
    }

    /// Whether it is this server that answers, and not one of another test that was given the port.
    fn is_up(&self) -> bool {
        let Ok(db) = Db::connect(&self.url()) else { return false };
        db.try_rows("SHOW data_directory")
            .is_ok_and(|rows| rows == [self.data().display().to_string()])
    }

    fn keeper(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the server as if its processes had been killed.
    pub(crate) fn end(&self) {
        let keeper = self.keeper().take();
        if let Some(mut keeper) = keeper {
            drop(keeper.stdin.take());
            keeper.wait().unwrap();
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The URL of the owner.
    pub(crate) fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// The same, through another port.
    pub(crate) fn url_at(&self, port: u16) -> String {
        format!("postgres://owner:{PASSWORD}@127.0.0.1:{port}/postgres")
    }

    /// A connection beside the store.
    pub(crate) fn db(&self) -> Db {
        Db::connect(&self.url()).unwrap()
    }

    /// A store in a schema of its own.
    pub(crate) fn store(&self, schema: &str) -> PostgresStore {
        self.open(&patient(schema))
    }

    pub(crate) fn open(&self, options: &Options) -> PostgresStore {
        PostgresStore::open_with(&self.url(), options).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// A plain connection, without the store.
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

    /// Runs SQL; the rows, as text, each value separated by `|`.
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

    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        self.try_rows(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    pub(crate) fn run(&self, sql: &str) {
        drop(self.rows(sql));
    }

    /// The message of the failure that is due.
    pub(crate) fn refusal(&self, sql: &str) -> String {
        self.try_rows(sql).unwrap_err().as_db_error().unwrap().message().to_owned()
    }
}
