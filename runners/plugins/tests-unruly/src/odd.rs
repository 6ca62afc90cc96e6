//! Odd names, statements, orders and calls, each of which the host must refuse.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use placet_plugin_sdk::sql::{Connection, Value};
use placet_plugin_sdk::{ChangePlan, context};

use crate::more::{ESCAPES, long, told};
use crate::{begun, trap};

pub(crate) fn odd_names(behaviour: &str) -> bool {
    let name = match behaviour {
        "open-host-name" => "orders".to_string(),
        "open-empty" => String::new(),
        "open-path" => "../../target".to_string(),
        "open-url" => "postgres://admin:secret@127.0.0.1/payroll".to_string(),
        "open-nul" => "target\0".to_string(),
        "open-case" => "TARGET".to_string(),
        "open-escapes" => ESCAPES.to_string(),
        "open-long" => long(100_000),
        _ => return false,
    };
    told(Connection::open(&name));
    true
}

pub(crate) fn odd_statements(behaviour: &str, body: &str) -> bool {
    let (statement, values) = match behaviour {
        "run-space" => (format!("{body} "), Vec::new()),
        "run-comment" => (format!("{body} -- harmless"), Vec::new()),
        "run-more" => (format!("{body}; DROP TABLE orders"), Vec::new()),
        "run-nul" => (format!("{body}\0"), Vec::new()),
        "run-case" => (body.to_lowercase(), Vec::new()),
        "run-empty" => (String::new(), Vec::new()),
        "run-values" => (body.to_string(), vec![Value::Int64(1)]),
        "run-replay" => ("DELETE FROM orders WHERE id = 2".to_string(), Vec::new()),
        "run-marker" => ("DELETE FROM placet_marker".to_string(), Vec::new()),
        "run-commit" => ("COMMIT".to_string(), Vec::new()),
        "run-long" => (long(10 << 20), Vec::new()),
        _ => return false,
    };
    let (_connection, transaction) = begun();
    told(transaction.execute(&statement, &values));
    told(transaction.commit());
    true
}

pub(crate) fn odd_order(behaviour: &str, approved: &ChangePlan) -> bool {
    let body = |at: usize| approved.steps.get(at).map_or("", |step| step.body.as_str());
    match behaviour {
        "second-first" => {
            let (_connection, transaction) = begun();
            told(transaction.execute(body(1), &[]));
            told(transaction.execute(body(0), &[]));
            told(transaction.commit());
        }
        "first-twice" => {
            let (_connection, transaction) = begun();
            told(transaction.execute(body(0), &[]));
            told(transaction.execute(body(0), &[]));
            told(transaction.commit());
        }
        "first-only" => {
            let (_connection, transaction) = begun();
            told(transaction.execute(body(0), &[]));
            told(transaction.commit());
        }
        "two-transactions" => {
            let (connection, transaction) = begun();
            told(transaction.execute(body(0), &[]));
            if let Some(other) = told(connection.begin()) {
                told(other.execute(body(1), &[]));
                told(other.commit());
            }
        }
        "two-connections" => {
            let (_one, transaction) = begun();
            told(transaction.execute(body(0), &[]));
            if let Some(other) = told(Connection::open("target"))
                && let Some(transaction) = told(other.begin())
            {
                told(transaction.execute(body(1), &[]));
                told(transaction.commit());
            }
        }
        "undone" => {
            let (_connection, transaction) = begun();
            for step in &approved.steps {
                told(transaction.execute(&step.body, &[]));
            }
            told(transaction.rollback());
            told(transaction.commit());
        }
        "dropped-connection" => {
            let (connection, transaction) = begun();
            drop(connection);
            for step in &approved.steps {
                told(transaction.execute(&step.body, &[]));
            }
            told(transaction.commit());
        }
        _ => return false,
    }
    true
}

pub(crate) fn odd_calls(behaviour: &str, body: &str) -> bool {
    let open = || Connection::open("target");
    match behaviour {
        "query" => {
            told(open().and_then(|connection| connection.query("SELECT * FROM orders", &[])));
        }
        "marker" => {
            told(open().and_then(|connection| connection.marker()));
        }
        "inverse" => {
            told(open().and_then(|connection| connection.inverse("req_x", 0, 0)));
        }
        "begin-always" => loop {
            let _begun = open().and_then(|connection| connection.begin());
        },
        "open-always" => loop {
            let _opened = open();
        },
        "refused-always" => loop {
            let _refused = Connection::open("elsewhere");
        },
        "rows-kept" => {
            let Some(connection) = told(open()) else { trap() };
            let mut kept = Vec::new();
            loop {
                kept.push(connection.begin());
            }
        }
        "long-checkpoint" => {
            let _refused = context::checkpoint("s1", &long(100_000));
        }
        "checkpoint-always" => loop {
            let _kept = context::checkpoint("s1", body);
        },
        "dialect-always" => {
            let Some(connection) = told(open()) else { trap() };
            loop {
                let _said = connection.dialect();
            }
        }
        _ => return false,
    }
    true
}
