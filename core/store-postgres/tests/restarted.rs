use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use placet_core::store::Store as _;

use crate::server::{Server, patient};
use crate::story::{is_there, key, write};

#[test]
fn a_crash_of_the_server_loses_nothing_and_is_sat_out() {
    // Only the server's processes die here, so its start need not sync each file of the database by itself.
    let Some(server) = Server::begin(&["recovery_init_sync_method=syncfs"]) else { return };
    let options = patient("restarted");
    let nodes = [server.open(&options), server.open(&options)];
    let said: Mutex<BTreeMap<u64, (String, u64)>> = Mutex::default();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for (name, store) in nodes.iter().enumerate() {
            for caller in 0..3 {
                let (said, over) = (&said, &over);
                let write = move |number| {
                    let caller = format!("{name}.{caller}");
                    let index = write(store, &caller, number).log_index.unwrap();
                    assert_eq!(said.lock().unwrap().insert(index, (caller, number)), None);
                };
                scope.spawn(move || {
                    (0..u64::MAX).take_while(|_| !over.load(Ordering::SeqCst)).for_each(write);
                });
            }
        }
        // After so many answers more, whatever is under way just then.
        let wait_for = |more: usize| {
            let due = said.lock().unwrap().len() + more;
            for _ in 0..30_000 {
                if said.lock().unwrap().len() >= due {
                    return;
                }
                thread::sleep(Duration::from_millis(10));
            }
            panic!("no more answers");
        };
        for crash in 0..3 {
            wait_for(40 + crash);
            server.end();
            server.restart();
        }
        wait_for(40);
        over.store(true, Ordering::SeqCst);
    });
    let said = said.into_inner().unwrap();
    let store = server.open(&options);
    for (index, (caller, number)) in &said {
        assert!(is_there(&store, caller, *number, *index), "{caller} {number} is lost");
    }
    // Every write was answered with yes, so there is nothing else: nothing was written twice.
    assert!(said.keys().copied().eq(0..store.log_len().unwrap()));
    let pairs = store.scan(&key(&["n"]), None, usize::MAX).unwrap();
    assert_eq!(pairs.len(), said.len());
    println!("3 crashes of the server, {} acknowledged commits, all there", said.len());
    // The nodes from before read again, too.
    for node in &nodes {
        let answer = node.log_len().or_else(|_| node.log_len());
        assert_eq!(answer.unwrap(), store.log_len().unwrap());
    }
}
