//! Where real databases say that statements end: each script is run by the database's own client, and what the
//! server was sent is what we cut.

#![expect(clippy::disallowed_methods, reason = "these tests run clients and servers")]

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use placet_sql_review::split;
use rusqlite::fallible_iterator::FallibleIterator as _;
use tempfile::TempDir;

/// Says aloud that a part is missing. Where CI=true, nothing may be.
fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "NOT TESTED: {why}");
    eprintln!("SKIPPED: {why}");
}

/// The words before a command that must not run as root.
fn demoted(user: &str) -> Option<Vec<String>> {
    let id = Command::new("id").arg("-u").output().ok()?;
    if id.stdout != b"0\n" {
        return Some(Vec::new());
    }
    let words = [
        "setpriv".to_owned(),
        format!("--reuid={user}"),
        format!("--regid={user}"),
        "--init-groups".to_owned(),
    ];
    let works = Command::new(&words[0]).args(&words[1..]).arg("true").output();
    works.is_ok_and(|done| done.status.success()).then(|| words.to_vec())
}

/// On the path, or where Debian puts it.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(debian.map(|version| version.path().join("bin")));
    folders.push("/usr/sbin".into());
    folders.into_iter().map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// A server that ends with the test, however that ends.
struct Server {
    folder: TempDir,
    words: Vec<String>,
    keeper: Option<Child>,
}

impl Server {
    fn new(user: &str) -> Option<Self> {
        let words = demoted(user)?;
        let folder = tempfile::Builder::new().prefix("placet").tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        Some(Self { folder, words, keeper: None })
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = match self.words.split_first() {
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

    /// Runs `words` until this process lets go of it.
    fn keep(&mut self, words: &[&str]) {
        let script = "\"$@\" & server=$!; read -r _; kill -QUIT \"$server\"; wait";
        let log = std::fs::File::create(self.path("log")).unwrap();
        let mut command = self.command("sh");
        command.args(["-c", script, "sh"]).args(words).stdin(Stdio::piped());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.keeper = Some(command.spawn().unwrap());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            let _ended = keeper.wait();
        }
    }
}

/// Gives `script` to a client on its standard input.
fn fed(command: &mut Command, script: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _sent = child.stdin.take().unwrap().write_all(script.as_bytes());
    child.wait_with_output().unwrap()
}

/// Without what clients send along or leave out: comments at either end, and blanks.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const POSTGRESQL: &[&str] = &[
    "SELECT 1; SELECT 2",
    "SELECT ';'; SELECT ''';'';'; SELECT 3;",
    "SELECT 1 AS \";\", 2 AS \"a\"\";\"; SELECT 2",
    "SELECT $$;$$; SELECT $a$ ; $$ ; $a$; SELECT 3",
    "SELECT $a$;$b$;$a$ , 1; SELECT $é$;$é$",
    "SELECT E'\\';'; SELECT E'\\\\'; SELECT 'a\\'; SELECT 4",
    "SELECT 'a'\n'b\\'; SELECT 3",
    "SELECT U&'\\0061;' ; SELECT U&\"a;\" FROM (SELECT 1 AS \"a;\") x; SELECT 3",
    "SELECT B'1', X'A', N';'; SELECT 2",
    "SELECT 1 /* ; */; /* ; */ SELECT 2 -- ;\n; SELECT 3",
    "SELECT 1 /* a /* ; */ ; */; SELECT 2 /* ; /* ; */ ; */ + 1",
    "-- only a comment;",
    ";;SELECT 1;;; SELECT 2;;",
    "SELECT 1 --\r; SELECT 2",
    "SELECT 2/1, 3 - -1, 4 --2;\n; SELECT 1 +/* ; */1",
    "DO $do$ BEGIN PERFORM 1; PERFORM 2; END; $do$; SELECT 1",
    "CREATE FUNCTION f1() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$; SELECT f1()",
    "CREATE FUNCTION f2() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END; SELECT f2()",
    "CREATE OR REPLACE FUNCTION f3(a int) RETURNS int BEGIN ATOMIC SELECT CASE a WHEN 1 THEN CASE WHEN true THEN 1 END ELSE 2 END; END; SELECT 1; SELECT 2",
    "CREATE TABLE r (a int); CREATE TABLE s (a int); CREATE RULE t AS ON INSERT TO r DO ALSO (INSERT INTO s VALUES (1); INSERT INTO s VALUES (2)); INSERT INTO r VALUES (1)",
    "CREATE TABLE \"begin\" (\"end\" int); SELECT \"end\" FROM \"begin\"; SELECT 1 AS \"case\"",
    "SELECT 'ñ;漢'; SELECT \"ñ;\" FROM (SELECT 1 AS \"ñ;\") x",
    "SELECT 1\n;\nSELECT\n2\n;",
    "SELECT a$b$ FROM (SELECT 1 AS a$b$) x; SELECT 2",
    "SELECT '/*'; SELECT '--'; SELECT \"*/\" FROM (SELECT 1 AS \"*/\") x; SELECT $$'$$",
    "CREATE PROCEDURE p1() LANGUAGE sql BEGIN ATOMIC INSERT INTO r VALUES (2); INSERT INTO r VALUES (3); END; CALL p1(); SELECT 1",
];

/// What the server was sent, from its log.
fn logged(log: &str) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    for line in log.split_inclusive('\n') {
        if let Some((_, text)) = line.split_once("@@LOG:  statement: ") {
            statements.push(text.to_owned());
        } else if line.starts_with('\t') || !line.contains("@@") {
            if let Some(last) = statements.last_mut() {
                last.push_str(line);
            }
        } else if line.contains("@@ERROR") {
            panic!("{line}");
        }
    }
    statements
}

#[test]
fn splitting_agrees_with_postgresql() {
    let (Some(initdb), Some(postgres), Some(psql)) =
        (program("initdb"), program("postgres"), program("psql"))
    else {
        return skip("PostgreSQL is not installed (`initdb`, `postgres`, `psql`)");
    };
    let Some(mut server) = Server::new("postgres") else {
        return skip("PostgreSQL does not run as root, and there is no user `postgres`");
    };
    let (data, socket) = (server.path("data"), server.path(""));
    let made = server
        .command(initdb.to_str().unwrap())
        .args([
            "-D",
            &data,
            "--username=owner",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let settings = [
        format!("unix_socket_directories={}", socket.trim_end_matches('/')),
        "listen_addresses=".to_owned(),
        "log_statement=all".to_owned(),
        "log_line_prefix=@@".to_owned(),
        "fsync=off".to_owned(),
    ];
    let mut words = vec![postgres.to_str().unwrap(), "-D", &data];
    for setting in &settings {
        words.extend(["-c", setting]);
    }
    server.keep(&words);
    let client = || {
        let mut client = Command::new(&psql);
        client.args(["-X", "-q", "-h", socket.trim_end_matches('/'), "-U", "owner", "postgres"]);
        client
    };
    let answers = (0..2_000).any(|_| {
        client().args(["-c", "SELECT 'ready'"]).output().is_ok_and(|done| done.status.success())
    });
    assert!(answers, "{}", server.log());
    let mut compared = 0;
    for script in POSTGRESQL {
        let before = server.log().len();
        let done = fed(&mut client(), script);
        let sent: Vec<_> =
            logged(server.log().get(before..).unwrap()).iter().map(|text| plain(text)).collect();
        // The client sends what is empty, too.
        let sent: Vec<_> = sent.into_iter().filter(|text| text != ";").collect();
        let ours = split(script, "postgresql").unwrap();
        assert_eq!(
            ours.len(),
            sent.len(),
            "{script}\n{sent:#?}\n{}",
            String::from_utf8_lossy(&done.stderr)
        );
        for (ours, sent) in ours.iter().zip(&sent) {
            // The client leaves out comments before a statement and sends those after it, and what ends it.
            assert!(sent.contains(&plain(ours.text)), "{script}\n{sent}\n{}", ours.text);
        }
        compared += 1;
    }
    // Here the client, which reads line by line, and the server do not agree. The server runs what it is sent.
    for script in ["SELECT E'a'\n'\\';'; SELECT 2", "SELECT E'a' -- ;\n'\\';'; SELECT 2"] {
        let done = client().args(["-A", "-t", "-c", script]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&done.stdout), "a';\n2\n", "{script}");
        assert_eq!(split(script, "postgresql").unwrap().len(), 2);
    }
    eprintln!("PostgreSQL: {compared} scripts");
}

const MYSQL: &[&str] = &[
    "SELECT 1; SELECT 2",
    "SELECT ';'; SELECT ''';'';'; SELECT 3;",
    "SELECT \";\", \"a\"\";\"; SELECT 2",
    "SELECT 'a\\';'; SELECT \"b\\\";\"; SELECT 'c\\\\'; SELECT 4",
    "SELECT 1 AS `;`, 2 AS `a``;`; SELECT 2",
    "SELECT 1 AS `a\\`; SELECT 2",
    "SELECT 1 /* ; */; /* ; */ SELECT 2 -- ;\n; SELECT 3 # ;\n; SELECT 4",
    "SELECT 5--1; SELECT 6 --\t;\n+ 1",
    "SELECT 1 /* /* ; */; SELECT 2",
    "-- only a comment;\n# and ; another\n/* and ; a third */",
    ";SELECT 1;SELECT 2;",
    "SELECT '/*'; SELECT '-- '; SELECT `*/` FROM (SELECT 1 AS `*/`) x; SELECT '#'",
    "DELIMITER $$\nCREATE PROCEDURE p1() BEGIN SELECT 1; SELECT 2; END$$\nDELIMITER ;\nCALL p1();",
    "delimiter |\nCREATE PROCEDURE p2(x INT) BEGIN IF x THEN SELECT IF(x, 1, 2); END IF; CASE x WHEN 1 THEN SELECT 1; ELSE BEGIN END; END CASE; END|\ndelimiter ;\nCALL p2(1);",
    "DELIMITER ;;\nCREATE FUNCTION f1() RETURNS INT DETERMINISTIC BEGIN DECLARE x INT DEFAULT 0; WHILE x < 3 DO SET x = x + 1; END WHILE; RETURN x; END;;\nDELIMITER ;\nSELECT f1();",
    "CREATE TABLE t1 (a INT PRIMARY KEY); INSERT INTO t1 VALUES (1); DROP TABLE t1",
    "CREATE TABLE t2 (a INT);\nDELIMITER //\nCREATE TRIGGER g1 BEFORE INSERT ON t2 FOR EACH ROW BEGIN SET NEW.a = NEW.a + 1; END//\nDELIMITER ;\nINSERT INTO t2 VALUES (1);",
    "SELECT 'ñ;漢'; SELECT 1 AS `ñ;`",
    "SELECT 1\n;\nSELECT\n2\n;",
    "SELECT 1 AS `begin`; SELECT 2 AS `end`; SELECT CASE WHEN 1 THEN 2 END; SELECT 3",
    "SELECT N';', _utf8mb4';', X'3B', 0x3B; SELECT 2",
    "SELECT 'a' 'b;' \";\"; SELECT 2",
    "SELECT a$b FROM (SELECT 1 AS a$b) x; SELECT $c$ FROM (SELECT 1 AS $c$) y",
];

#[test]
fn splitting_agrees_with_mariadb() {
    let (Some(install), Some(mariadbd), Some(mariadb)) =
        (program("mariadb-install-db"), program("mariadbd"), program("mariadb"))
    else {
        return skip("MariaDB is not installed (`mariadb-install-db`, `mariadbd`, `mariadb`)");
    };
    let Some(mut server) = Server::new("mysql") else {
        return skip("MariaDB does not run as root, and there is no user `mysql`");
    };
    let (data, socket) = (format!("--datadir={}", server.path("data")), server.path("socket"));
    let made = server
        .command(install.to_str().unwrap())
        .args([
            "--no-defaults",
            &data,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let at = format!("--socket={socket}");
    let name = mariadbd.to_str().unwrap();
    let pid = format!("--pid-file={}", server.path("pid"));
    server.keep(&[
        name,
        "--no-defaults",
        &data,
        &at,
        &pid,
        "--skip-networking",
        "--innodb-flush-log-at-trx-commit=0",
        "--character-set-server=utf8mb4",
    ]);
    let client = || {
        let mut client = Command::new(&mariadb);
        client.args(["--no-defaults", &at, "--user=root", "--batch", "--skip-column-names"]);
        client.args(["--default-character-set=utf8mb4"]);
        client
    };
    let asked = |statement: &str| {
        let done = client().args(["--raw", "-e", statement]).output().unwrap();
        done.status.success().then(|| String::from_utf8(done.stdout).unwrap())
    };
    let ready = (0..5_000).any(|_| asked("SELECT 1").is_some());
    assert!(ready, "{}", server.log());
    asked("CREATE DATABASE d").unwrap();
    let mut compared = 0;
    for script in MYSQL {
        asked("SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = 0; TRUNCATE mysql.general_log; SET GLOBAL general_log = 1").unwrap();
        let done = fed(client().args(["--force", "d"]), script);
        let sent = asked(
            "SET GLOBAL general_log = 0; SELECT REPLACE(argument, '\\n', ' ') FROM mysql.general_log \
             WHERE command_type = 'Query' AND user_host LIKE '%root%' AND argument NOT LIKE 'SET GLOBAL%'",
        );
        let sent: Vec<String> = sent.unwrap().lines().map(plain).collect();
        let ours = split(script, "mysql").unwrap();
        let ours: Vec<_> = ours.iter().map(|statement| plain(statement.text)).collect();
        assert!(done.status.success(), "{script}\n{}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(ours.len(), sent.len(), "{script}\n{sent:#?}");
        for (ours, sent) in ours.iter().zip(&sent) {
            // The client leaves out comments.
            let has_comment = ["/*", "#", "--"].iter().any(|mark| ours.contains(mark));
            assert!(has_comment || sent == ours, "{script}\n{sent}\n{ours}");
        }
        compared += 1;
    }
    // The client sends two statements at once, and the server runs both. We show them as two.
    let script = "DELIMITER //\nSELECT 1; SELECT 2//";
    let done = fed(&mut client(), script);
    assert_eq!(String::from_utf8_lossy(&done.stdout), "1\n2\n");
    assert_eq!(split(script, "mysql").unwrap().len(), 2);
    eprintln!("MariaDB: {compared} scripts");
}

const SQLITE: &[&str] = &[
    "SELECT 1; SELECT 2",
    "SELECT ';'; SELECT ''';'';'; SELECT 3;",
    "SELECT 1 AS \";\", 2 AS \"a\"\";\"; SELECT 2",
    "SELECT 1 AS [;], 2 AS `a``;`; SELECT 2",
    "SELECT 'a\\'; SELECT \"b\\\" FROM (SELECT 1 AS \"b\\\"); SELECT 3",
    "SELECT 1 /* ; */; /* ; */ SELECT 2 -- ;\n; SELECT 3",
    "SELECT 1 /* /* ; */; SELECT 2",
    "-- only a comment;\n/* and ; another */",
    ";;SELECT 1;;; SELECT 2;;",
    "SELECT 5--1;\n; SELECT 6",
    "SELECT '/*'; SELECT '--'; SELECT \"*/\" FROM (SELECT 1 AS \"*/\")",
    "CREATE TABLE a (b); CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END; INSERT INTO a VALUES (1)",
    "CREATE TABLE a (b); CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE WHEN 1 THEN 2 END; DELETE FROM a; END; SELECT 1",
    "CREATE TABLE a (b); CREATE TEMPORARY TRIGGER IF NOT EXISTS t AFTER DELETE ON a WHEN old.b = ';' BEGIN UPDATE a SET b = ';'; END; SELECT 1",
    "CREATE TABLE a (b); EXPLAIN CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END; SELECT 1",
    "CREATE TABLE \"trigger\" (\"begin\", \"end\"); SELECT \"begin\" FROM \"trigger\"; SELECT 1",
    "CREATE TABLE a (b); CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; /* END; */ SELECT 2 -- ; END;\n; END; SELECT 3",
    "SELECT 'ñ;漢'; SELECT 1 AS \"ñ;\"",
    "SELECT 1\n;\nSELECT\n2\n;",
    "SELECT x'3B', $a, :b, ?1; SELECT 2",
    "SELECT CASE WHEN 1 THEN 2 END; SELECT 3 AS \"END\"; SELECT 4",
    "\u{FEFF}SELECT 1; SELECT 2",
];

#[test]
fn splitting_agrees_with_sqlite() {
    for script in SQLITE {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let mut batch = rusqlite::Batch::new(&connection, script);
        let mut count = 0;
        while let Some(mut statement) =
            batch.next().unwrap_or_else(|error| panic!("{script}: {error}"))
        {
            let mut rows = statement.raw_query();
            while rows.next().unwrap_or_else(|error| panic!("{script}: {error}")).is_some() {}
            count += 1;
        }
        let ours = split(script, "sqlite").unwrap();
        assert_eq!(ours.len(), count, "{script}\n{ours:#?}");
        // Each by itself is whole: none is left over, and none is two.
        let again = rusqlite::Connection::open_in_memory().unwrap();
        for statement in &ours {
            let mut prepared =
                again.prepare(statement.text).unwrap_or_else(|error| panic!("{script}: {error}"));
            let mut rows = prepared.raw_query();
            while rows.next().unwrap().is_some() {}
        }
    }
    eprintln!("SQLite: {} scripts", SQLITE.len());
}

/// How a broken splitter cuts.
type Broken = fn(&str) -> usize;

/// Splitters with one mistake each disagree with the databases on the same scripts.
#[test]
fn a_splitter_with_a_mistake_is_caught() {
    let ours = |dialect: &'static str| {
        move |script: &str| split(script, dialect).map_or(0, |statements| statements.len())
    };
    let broken: [(&str, &[&str], &str, Broken); 6] = [
        ("at every semicolon", POSTGRESQL, "postgresql", |script| {
            script.split(';').filter(|text| !text.trim().is_empty()).count()
        }),
        ("the rules of another database", POSTGRESQL, "postgresql", |script| {
            split(script, "sqlite").map_or(0, |statements| statements.len())
        }),
        ("no dollar quotes", POSTGRESQL, "postgresql", |script| {
            split(&script.replace('$', "_"), "postgresql").map_or(0, |statements| statements.len())
        }),
        ("no backslashes", MYSQL, "mysql", |script| {
            split(&script.replace('\\', "_"), "mysql").map_or(0, |statements| statements.len())
        }),
        ("no delimiters", MYSQL, "mysql", |script| {
            let script = script.replace("DELIMITER", "SELECT").replace("delimiter", "SELECT");
            split(&script, "mysql").map_or(0, |statements| statements.len())
        }),
        ("no triggers", SQLITE, "sqlite", |script| {
            let script = script.replace("TRIGGER", "TABLE");
            split(&script, "sqlite").map_or(0, |statements| statements.len())
        }),
    ];
    for (mistake, scripts, dialect, broken) in broken {
        let caught =
            scripts.iter().filter(|script| broken(script) != ours(dialect)(script)).count();
        eprintln!("a splitter that cuts with `{mistake}` differs on {caught} of {}", scripts.len());
        assert!(caught > 0, "{mistake}");
    }
}
