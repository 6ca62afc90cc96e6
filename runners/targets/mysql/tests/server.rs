//! A MariaDB server for the tests: its own files, its own port, and gone with the last test.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::sleep;
use std::time::Duration;

use placet_target::testing::skip;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct-horse";

/// A running server.
pub(crate) struct Server {
    folder: TempDir,
    pub(crate) port: u16,
    /// A shell that runs the server and stops it when its input ends: also when this process is killed.
    keeper: Mutex<Option<Child>>,
}

/// The server of this process, as long as a test holds it. `None` where MariaDB is not installed; then the
/// test is over.
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

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The words before a command that must not run as root.
fn demoted() -> Option<Vec<&'static str>> {
    let id = Command::new("id").arg("-u").output().ok()?;
    if String::from_utf8_lossy(&id.stdout).trim() != "0" {
        return Some(Vec::new());
    }
    let words = ["setpriv", "--reuid=mysql", "--regid=mysql", "--init-groups"];
    let works = Command::new(words[0]).args(&words[1..]).arg("true").output();
    works.is_ok_and(|it| it.status.success()).then(|| words.to_vec())
}

fn command(program: &std::path::Path) -> Command {
    match demoted().unwrap().split_first() {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
        None => Command::new(program),
    }
}

impl Server {
    /// Starts a server with these options.
    pub(crate) fn begin(options: &[String]) -> Option<Self> {
        let programs = ["mariadbd", "mariadb-install-db", "mariadb"].map(program);
        let [Some(_), Some(install), Some(_)] = &programs else {
            skip("MariaDB is not installed (`mariadbd`, `mariadb-install-db` and `mariadb`)");
            return None;
        };
        if demoted().is_none() {
            skip("MariaDB does not run as root, and there is no user `mysql` to run it as");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("placet-mariadb").tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let mut server = Self { folder, port: 0, keeper: Mutex::new(None) };
        let made = command(install)
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .args([
                "--innodb-log-file-size=8M",
                "--innodb-flush-method=nosync",
                "--skip-name-resolve",
            ])
            .arg(format!("--datadir={}", server.folder.path().join("data").display()))
            // Its own: two installations with one folder for temporary tables take each other's files away.
            .env("TMPDIR", server.folder.path())
            .current_dir(server.folder.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        // Between finding a free port and using it, somebody else may take it.
        for _ in 0..5 {
            server.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if server.start(options) {
                let _said = server.sql(
                    "",
                    &format!(
                        "CREATE USER shop@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';
                         GRANT ALL ON `shop\\_%`.* TO shop@'127.0.0.1';
                         GRANT REFERENCES ON *.* TO shop@'127.0.0.1';
                         CREATE USER narrow@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';
                         GRANT ALL ON `shop\\_%`.* TO narrow@'127.0.0.1';
                         CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';
                         GRANT SELECT, SHOW VIEW ON `shop\\_%`.* TO reader@'127.0.0.1'"
                    ),
                );
                return Some(server);
            }
        }
        panic!("the server did not start:\n{}", server.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Starts the server and waits until it answers. `false` where its port is taken.
    fn start(&self, options: &[String]) -> bool {
        let folder = self.folder.path().display();
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let script = r#""$@" &
            server=$!
            read -r _
            kill -KILL "$server" 2> /dev/null
            wait"#;
        let keeper = command(std::path::Path::new("sh"))
            .args(["-c", script, "keeper"])
            .arg(program("mariadbd").unwrap())
            .arg("--no-defaults")
            .arg(format!("--datadir={folder}/data"))
            .arg(format!("--socket={folder}/socket"))
            // Its own: two servers with one folder for temporary tables take each other's files away.
            .arg(format!("--tmpdir={folder}"))
            .arg(format!("--pid-file={folder}/pid"))
            .arg(format!("--port={}", self.port))
            .args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--max-connections=200"])
            .args(["--innodb-buffer-pool-size=32M", "--innodb-flush-method=nosync"])
            .args(["--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=8M"])
            // Nobody may rely on what a server sets by default.
            .args(["--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "--default-time-zone=+05:30"])
            .args(["--completion-type=CHAIN", "--character-set-server=latin1"])
            .args(options)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        *self.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper);
        for _ in 0..3_000 {
            if self.try_sql("", "SELECT 1").is_ok() {
                return true;
            }
            if self.log().contains("Can't start server") {
                self.end();
                return false;
            }
            sleep(Duration::from_millis(20));
        }
        self.end();
        panic!("the server does not answer:\n{}", self.log());
    }

    /// Stops the server as if its process had been killed.
    pub(crate) fn end(&self) {
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut keeper) = keeper {
            drop(keeper.stdin.take());
            drop(keeper.wait());
        }
    }

    /// Runs SQL as the owner of the server, by MariaDB's own client; its rows, values separated by `|`.
    pub(crate) fn try_sql(&self, database: &str, sql: &str) -> Result<Vec<String>, String> {
        let output = Command::new(program("mariadb").unwrap())
            .args(["--no-defaults", "-uroot", "-N", "-B", "--default-character-set=utf8mb4"])
            .arg(format!("--socket={}/socket", self.folder.path().display()))
            .args([&format!("--database={database}"), "-e"])
            .arg(format!("SET time_zone = '+00:00', sql_mode = '';\n{sql}"))
            .output()
            .unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().map(|line| line.replace('\t', "|")).collect())
    }

    pub(crate) fn sql(&self, database: &str, sql: &str) -> Vec<String> {
        self.try_sql(database, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// A place in the server's folder.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
