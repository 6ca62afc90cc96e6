//! Credentials, TLS, and servers that are none.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use placet_core::error::Code;
use placet_target::testing::{skip, until};
use placet_target::{Access, SqlFailure, SqlTarget as _, SqlValue, StopSignal};
use placet_target_mysql::MySqlTarget;

use crate::bench::{Bench, job, patient, value};
use crate::server::{PASSWORD, Server};

/// What opening fails with; it names nothing that a plugin must not know.
#[track_caller]
fn refusal(target: &MySqlTarget) -> String {
    let refused = target.open(Access::ReadOnly, &StopSignal::new()).unwrap_err();
    let SqlFailure::Unavailable(error) = &refused else { panic!("{refused:?}") };
    assert_eq!(error.code(), Code::TargetUnavailable);
    let said = format!("{refused:?} {} {target:?}", refused.message());
    for secret in [PASSWORD, "127.0.0.1", "wrong", "nowhere", "shop_", "/"] {
        assert!(!said.contains(secret), "{said}");
    }
    error.to_string()
}

#[test]
fn each_kind_of_session_has_its_own_credential() {
    let Some(bench) = Bench::new() else { return };
    let target = bench.target().with_read_only_url(bench.url("reader", bench.server.port));
    let who = |access| {
        let mut session = target.open(access, &StopSignal::new()).unwrap();
        value(&mut *session, "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1)").unwrap()
    };
    assert_eq!(who(Access::ReadOnly), SqlValue::Text("reader".to_owned()));
    assert_eq!(who(Access::ReadWrite(job(1))), SqlValue::Text("shop".to_owned()));
    // What the reader may not see is denied without naming anybody.
    let mut reader = target.open(Access::ReadOnly, &StopSignal::new()).unwrap();
    let _made = bench.server.sql(
        "",
        "CREATE DATABASE IF NOT EXISTS private; CREATE TABLE IF NOT EXISTS private.a (id INT)",
    );
    let failure = reader.query("SELECT * FROM private.a", &[], 1, 1_000).unwrap_err();
    assert!(!failure.message().contains("reader"), "{failure:?}");
    // The marks are read all the same.
    assert_eq!(reader.marker(&job(1)).unwrap(), Some(false));
}

#[test]
fn what_does_not_let_us_in_is_said_without_names() {
    let Some(bench) = Bench::new() else { return };
    let port = bench.server.port;
    let wrong = format!("mysql://shop:wrong@127.0.0.1:{port}/{}", bench.database);
    assert!(refusal(&patient(wrong)).contains("user in"));
    let nobody = format!("mysql://nobody:wrong@127.0.0.1:{port}/{}", bench.database);
    assert!(refusal(&patient(nobody)).contains("user in"));
    let nowhere = format!("mysql://shop:{PASSWORD}@127.0.0.1:{port}/nowhere");
    assert!(refusal(&patient(nowhere)).contains("user in"));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let closed = format!("mysql://shop:{PASSWORD}@127.0.0.1:{closed}/x");
    assert!(refusal(&patient(closed)).contains("reached"));
    assert!(refusal(&patient("mysql://wrong".to_owned())).contains("URL"));
    // A socket of this machine.
    let socket = bench.server.folder().join("socket").display().to_string().replace('/', "%2F");
    let url = format!("mysql://root@/{}?socket={socket}", bench.database);
    let mut session = patient(url).open(Access::ReadOnly, &StopSignal::new()).unwrap();
    assert_eq!(value(&mut *session, "SELECT 1").unwrap(), SqlValue::Int64(1));
    // A server without TLS, where TLS is due.
    assert!(refusal(&bench.target().with_tls().with_ca_file("no file")).contains("authorities"));
}

/// Runs `openssl` in the folder.
fn openssl(folder: &std::path::Path, words: &str) {
    let output =
        Command::new("openssl").args(words.split_whitespace()).current_dir(folder).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn encrypted_connections_trust_the_right_server_alone() {
    if Command::new("openssl").arg("version").output().is_err() {
        skip("`openssl` is not installed");
        return;
    }
    let folder = tempfile::Builder::new().prefix("placet-tls").tempdir().unwrap();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for name in ["ca", "other"] {
        openssl(
            folder.path(),
            &format!(
                "req -x509 -days 30 -subj /CN={name} {key} -keyout {name}.key -out {name}.pem \
             -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign"
            ),
        );
    }
    openssl(
        folder.path(),
        &format!("req -new -subj /CN=server {key} -keyout server.key -out server.csr"),
    );
    std::fs::write(path("extension"), "subjectAltName = IP:127.0.0.1\n").unwrap();
    openssl(
        folder.path(),
        "x509 -req -days 30 -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
                            -extfile extension -out server.pem",
    );
    // The server's user reads them.
    let chmod = Command::new("chmod").args(["-R", "a+rX"]).arg(folder.path()).status().unwrap();
    assert!(chmod.success());
    let options = ["cert", "key"].map(|it| {
        let file = if it == "cert" { "server.pem" } else { "server.key" };
        format!("--ssl-{it}={}", path(file).display())
    });
    let Some(server) = Server::begin(&options) else { return };
    let server = Arc::new(server);
    let _made = server.sql("", "CREATE DATABASE shop_tls; ALTER USER shop@'127.0.0.1' REQUIRE SSL");
    let at =
        |host: &str| patient(format!("mysql://shop:{PASSWORD}@{host}:{}/shop_tls", server.port));
    // Plain, it does not let us in: whoever is let in is encrypted.
    assert!(refusal(&at("127.0.0.1")).contains("user in"));
    let target = at("127.0.0.1").with_ca_file(path("ca.pem"));
    let mut session = target.open(Access::ReadWrite(job(1)), &StopSignal::new()).unwrap();
    let sql = "SELECT REPEAT('x', 300000)";
    assert_eq!(session.query(sql, &[], 1, 1 << 20).unwrap().rows[0][0].bytes(), 300_032);
    // A stop goes over an encrypted connection, too.
    let long = "SELECT COUNT(*) FROM seq_1_to_100000000 a, seq_1_to_100000000 b";
    let stop = StopSignal::new();
    let mut stopped = target.open(Access::ReadOnly, &stop).unwrap();
    thread::scope(|scope| {
        let runs = scope.spawn(|| stopped.query(long, &[], 1, 1_000));
        let count = || {
            server.sql("", "SELECT id FROM information_schema.processlist WHERE info LIKE '%seq_1_to_100000000 a%' AND user = 'shop'").len()
        };
        until("it runs", || count() == 1);
        stop.raise(placet_target::StopReason::Cancelled);
        assert!(matches!(runs.join().unwrap(), Err(SqlFailure::Stopped(_))));
        assert_eq!(count(), 0);
    });
    // Another authority, another host, no authority of the system's.
    assert!(refusal(&at("127.0.0.1").with_ca_file(path("other.pem"))).contains("trusted"));
    assert!(refusal(&at("localhost").with_ca_file(path("ca.pem"))).contains("trusted"));
    assert!(refusal(&at("127.0.0.1").with_ca_file(path("extension"))).contains("authorit"));
}

/// A greeting of a server, as its packet.
fn greeting() -> Vec<u8> {
    let mut greeting = vec![10];
    greeting.extend(b"10.11.0-MariaDB\0\x01\0\0\0abcdefgh\0");
    greeting.extend([0xfe, 0xf7, 45, 2, 0, 0xff, 0x81, 21]);
    greeting.extend([0; 10]);
    greeting.extend(b"ijklmnopqrst\0mysql_native_password\0");
    greeting
}

/// Whoever answers may say anything. Nothing panics, and nothing is taken for a success that is none.
#[test]
fn nonsense_is_an_error() {
    let mut seed = 0x5eed_u64;
    let mut next = move || {
        // SplitMix64.
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let rounds = 300;
    let talker = thread::spawn(move || {
        for mut stream in listener.incoming().take(rounds).flatten() {
            let mut packets = vec![greeting()];
            // Some get through the login, and a few statements further.
            let oks = usize::try_from(next() % 6).unwrap();
            packets.extend(std::iter::repeat_n(vec![0, 0, 0, 2, 0, 0, 0], oks));
            let length = usize::try_from(next() % 60).unwrap();
            let heads = [0, 1, 2, 0xfb, 0xfc, 0xfd, 0xfe, 0xff, 10];
            let mut odd: Vec<u8> = (0..length).map(|_| next().to_le_bytes()[0]).collect();
            odd.insert(0, heads[usize::try_from(next() % 9).unwrap()]);
            packets.push(odd);
            if next() % 4 == 0 {
                let at = usize::try_from(next()).unwrap_or(0) % packets[0].len();
                packets[0][at] ^= next().to_le_bytes()[0];
            }
            let mut number = 0;
            for (at, packet) in packets.iter().enumerate() {
                let length = u32::try_from(packet.len()).unwrap().to_le_bytes();
                let number_of_it = if at < 2 { number } else { 1 };
                let head = [length[0], length[1], length[2], number_of_it];
                if stream.write_all(&[&head[..], packet].concat()).is_err() {
                    break;
                }
                number = 2;
                // What the client says is not looked at.
                if at < packets.len() - 1 && stream.read(&mut [0; 4096]).is_err() {
                    break;
                }
            }
        }
    });
    for round in 0..rounds {
        let target = MySqlTarget::new(format!("mysql://a:b@127.0.0.1:{port}/c"))
            .with_connect_timeout_ms(2_000);
        let opened = target.open(Access::ReadOnly, &StopSignal::new());
        if let Ok(mut session) = opened {
            let found = session.query("SELECT 1", &[], 10, 1_000);
            assert!(found.is_err(), "seed 0x5eed, round {round}: {found:?}");
        }
    }
    talker.join().unwrap();
}
