//! A MariaDB server for the tests: its own files, its own port, and gone with the last test.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crate::story::skip;

pub(crate) const PASSWORD: &str = "correct-horse";

/// A running server.
#[derive(Debug)]
pub(crate) struct MariaDb {
    folder: tempfile::TempDir,
    port: u16,
    /// A shell that runs the server and stops it when its input ends: also when this process is killed.
    keeper: Child,
}

/// The server of this process, as long as a test holds it. `None` where MariaDB is not installed; then the test is over.
pub(crate) fn server() -> Option<Arc<MariaDb>> {
    static SHARED: Mutex<Weak<MariaDb>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    let server = Arc::new(MariaDb::begin()?);
    *shared = Arc::downgrade(&server);
    Some(server)
}

fn works(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|said| said.status.success())
}

/// A command as somebody whom the server runs as.
fn command(program: &str) -> Command {
    let id = Command::new("id").arg("-u").output().unwrap();
    if String::from_utf8_lossy(&id.stdout).trim() != "0" {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=mysql", "--regid=mysql", "--init-groups", program]);
    command
}

impl MariaDb {
    fn begin() -> Option<Self> {
        if !["mariadbd", "mariadb-install-db", "mariadb"].into_iter().all(works_or_is_there) {
            skip("MariaDB is not installed (`mariadbd`, `mariadb-install-db` and `mariadb`)");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("placet-mariadb").tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let data = format!("--datadir={}", folder.path().join("data").display());
        let made = command("mariadb-install-db")
            .args([
                "--no-defaults",
                &data,
                "--skip-test-db",
                "--auth-root-authentication-method=normal",
            ])
            // Its own, as below.
            .env("TMPDIR", folder.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let script = r#"program="$1"; shift
            "$program" "$@" &
            server=$!
            read -r _
            kill -KILL "$server" 2> /dev/null
            wait"#;
        let keeper = command("sh")
            .args(["-c", script, "keeper", "mariadbd", "--no-defaults", &data])
            .arg(format!("--socket={}", folder.path().join("socket").display()))
            .arg(format!("--port={port}"))
            // Its own: two servers with one folder for temporary tables take each other's files away.
            .arg(format!("--tmpdir={}", folder.path().display()))
            .args(["--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=1"])
            .args(["--innodb-buffer-pool-size=32M", "--character-set-server=utf8mb4"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let server = Self { folder, port, keeper };
        for _ in 0..6_000 {
            if server.ask("mysql", "SELECT 1").is_ok() {
                let user = format!("'owner'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'");
                server.ask("mysql", &format!("CREATE USER {user}")).unwrap();
                let all = "GRANT ALL PRIVILEGES ON *.* TO 'owner'@'127.0.0.1' WITH GRANT OPTION";
                server.ask("mysql", all).unwrap();
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = std::fs::read_to_string(server.folder.path().join("log")).unwrap_or_default();
        panic!("the server does not answer:\n{log}");
    }

    /// Asks as root, through the socket: the lines that come back, with a tab between columns.
    pub(crate) fn ask(&self, database: &str, sql: &str) -> Result<Vec<String>, String> {
        let said = self.say(&["--batch", "--skip-column-names"], (database, sql))?;
        Ok(said.lines().map(ToOwned::to_owned).collect())
    }

    /// Every row of a table, as XML: it tells NULL from a text, and bytes are written in hexadecimal digits.
    pub(crate) fn exact_rows(&self, database: &str, table: &str) -> Result<Vec<String>, String> {
        let query = format!("SELECT * FROM {table}");
        let said = self.say(&["--xml", "--binary-as-hex"], (database, &query))?;
        let rows = said.split("<row>").skip(1);
        Ok(rows.filter_map(|row| row.split("</row>").next()).map(ToOwned::to_owned).collect())
    }

    fn say(&self, how: &[&str], (database, sql): (&str, &str)) -> Result<String, String> {
        let said = Command::new("mariadb")
            .arg("--no-defaults")
            .arg(format!("--socket={}", self.folder.path().join("socket").display()))
            .args(how)
            .args(["--user=root", "--default-character-set=utf8mb4", "--execute", sql, database])
            .output()
            .map_err(|error| error.to_string())?;
        if !said.status.success() {
            return Err(String::from_utf8_lossy(&said.stderr).into_owned());
        }
        Ok(String::from_utf8_lossy(&said.stdout).into_owned())
    }

    /// Where a driver finds the database of this name.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("mysql://owner:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }
}

fn works_or_is_there(program: &str) -> bool {
    // The installer knows no `--version`.
    program == "mariadb-install-db" || works(program)
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ended = self.keeper.wait();
    }
}
