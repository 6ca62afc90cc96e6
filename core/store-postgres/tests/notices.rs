//! A notice wakes whoever waits, and decides nothing: anybody who may connect to the database can send one.

use std::sync::mpsc::channel;
use std::thread;

use placet_core::store::Store as _;

use crate::server::{Server, fresh};
use crate::story::write;

/// How many notices come that are not true.
const FORGED: usize = 20;

/// How often something is asked of the server in the time that one of them is given.
const TURNS: usize = 25;

#[test]
fn a_notice_that_is_not_true_is_asked_about_once() {
    // Writes down each statement: what was asked is counted, and no clock is read.
    let Some(server) = Server::begin(&["log_statement=all"]) else { return };
    let schema = fresh("forged");
    let (writer, waiting) = (server.store(&schema), server.store(&schema));
    write(&writer, "a", 0);
    let asks = || {
        let question = format!("SELECT commits, log_len, sum FROM \"{schema}\".head");
        server.log().lines().filter(|line| line.ends_with(&question)).count()
    };
    let db = server.db();
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        // Only a fault comes to the end of this.
        for _ in 0..20_000 {
            if is_so() {
                return;
            }
            db.run("SELECT 1");
        }
        panic!("{what} never came:\n{}", server.log());
    };
    // Both ask how long the log is when they begin to listen.
    until("listening", &|| asks() >= 2);
    let log = server.log();
    let name = log.lines().find_map(|line| line.split_once("LISTEN ")).unwrap().1;

    let before = asks();
    let (ready, is_ready) = channel();
    thread::scope(|scope| {
        let heard = scope.spawn(|| {
            ready.send(()).unwrap();
            waiting.wait_for_log(1, 120_000).unwrap()
        });
        is_ready.recv().unwrap();
        until("its first question", &|| asks() > before);
        for forged in 1..=FORGED {
            db.run(&format!("SELECT pg_notify('{name}', '{}')", u64::MAX));
            until("its question about a notice", &|| asks() > before + forged);
            for _ in 0..TURNS {
                db.run("SELECT 1");
            }
        }
        let (asked, believed) = (asks() - before, heard.is_finished());
        // A true one, that tells of less than the others did, is heard all the same.
        write(&writer, "a", 1);
        assert_eq!(heard.join().unwrap(), 2);
        println!("{FORGED} forged notices, {asked} questions; {} in the end", asks() - before);
        assert!(!believed, "a notice was taken for true");
        // Its first question, one for each notice, and one more if it came before it was known to listen.
        assert!(asked <= 1 + FORGED + 1, "{asked} questions about {FORGED} notices");
    });
}
