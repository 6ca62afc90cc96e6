//! What the server says, in our words. Nothing of it names an address, an account or a file.

use placet_core::error::{Code, Error};
use placet_target::{CommitFailure, SqlFailure};

use crate::wire::Fault;

/// Codes of MySQL's and MariaDB's error references that are looked at.
pub(crate) mod code {
    pub(crate) const TOO_MANY_CONNECTIONS: u16 = 1040;
    pub(crate) const DATABASE_DENIED: u16 = 1044;
    pub(crate) const ACCESS_DENIED: u16 = 1045;
    pub(crate) const NO_SUCH_DATABASE: u16 = 1049;
    pub(crate) const NO_SUCH_TABLE: u16 = 1146;
    pub(crate) const LOCK_WAIT: u16 = 1205;
    pub(crate) const DEADLOCK: u16 = 1213;
    pub(crate) const NO_SAVEPOINT: u16 = 1305;
    pub(crate) const UNPREPARABLE: u16 = 1295;
    pub(crate) const NOT_ROLLED_BACK: u16 = 1196;
    pub(crate) const READ_ONLY_TRANSACTION: u16 = 1792;
    pub(crate) const TIMEOUT_OF_MARIADB: u16 = 1969;
    pub(crate) const ROW_CHANGED_MEANWHILE: u16 = 1020;
    pub(crate) const LOCK_NOT_FREE: u16 = 3572;
    pub(crate) const TIMEOUT_OF_MYSQL: u16 = 3024;
}

/// Errors after which the same may succeed.
const RETRYABLE: [u16; 7] = [
    code::TOO_MANY_CONNECTIONS,
    code::LOCK_WAIT,
    code::DEADLOCK,
    code::ROW_CHANGED_MEANWHILE,
    code::LOCK_NOT_FREE,
    code::TIMEOUT_OF_MARIADB,
    code::TIMEOUT_OF_MYSQL,
];

/// Errors whose words name accounts and hosts: denials.
const DENIALS: [u16; 12] = [
    code::DATABASE_DENIED,
    code::ACCESS_DENIED,
    1130,
    1142,
    1143,
    1227,
    1370,
    1396,
    1410,
    1449,
    1698,
    3118,
];

/// Whether the code says that this user may not.
pub(crate) fn is_denial(code: u16) -> bool {
    DENIALS.contains(&code)
}

/// A target that cannot be used, and what to do about it.
pub(crate) fn unavailable(message: &str, help: &str) -> SqlFailure {
    SqlFailure::Unavailable(Error::new(Code::TargetUnavailable, message.to_owned()).with_help(help))
}

/// Another session of the attempt is alive.
pub(crate) fn locked() -> SqlFailure {
    unavailable(
        "another session of this attempt is still alive in the target",
        "wait until it has ended; the server ends it with its connection",
    )
}

pub(crate) fn refused(why: impl Into<String>) -> SqlFailure {
    SqlFailure::Refused(why.into())
}

/// What a target failed with before it was open.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(crate) fn while_opening(fault: Fault) -> SqlFailure {
    match fault {
        Fault::Stopped(reason, _) => SqlFailure::Stopped(reason),
        Fault::Server {
            code: code::DATABASE_DENIED | code::ACCESS_DENIED | code::NO_SUCH_DATABASE | 1698 | 1130,
            ..
        } => unavailable(
            "the server does not let the target's user in",
            "check the user, the password and the database in the URL of the target",
        ),
        Fault::Server { code, .. } => unavailable(
            &format!("the server does not open a session (sql.mysql.{code})"),
            "look at the server's log, or up the code in its manual",
        ),
        Fault::Broken(why) => {
            unavailable(why, "check that the server of the target runs and can be reached")
        }
        Fault::Late(_) => unavailable(
            "the server does not answer",
            "check that the server of the target runs and can be reached",
        ),
        Fault::Malformed | Fault::Parameters | Fault::Limit(_) => unavailable(
            "what answers is no MySQL server that placet understands",
            "check host and port in the URL of the target",
        ),
    }
}

/// What a statement failed with.
pub(crate) fn of(fault: Fault) -> SqlFailure {
    match fault {
        Fault::Server { code, message } => {
            let message = if is_denial(code) {
                "the target's user may not do this".to_owned()
            } else {
                without_paths(&message)
            };
            let retryable = RETRYABLE.contains(&code);
            SqlFailure::Database {
                code: format!("sql.mysql.{code}"),
                message,
                position: None,
                retryable,
            }
        }
        Fault::Stopped(reason, _) => SqlFailure::Stopped(reason),
        Fault::Late(_) => SqlFailure::Database {
            code: format!("sql.mysql.{}", code::TIMEOUT_OF_MYSQL),
            message: "the statement took longer than the target lets it".to_owned(),
            position: None,
            retryable: true,
        },
        Fault::Broken(why) => {
            unavailable(why, "check that the server of the target runs and can be reached")
        }
        Fault::Malformed => unavailable(
            "the server's answer cannot be understood",
            "check what stands between placet and the server of the target",
        ),
        Fault::Parameters => refused("give one value for each parameter of the statement"),
        Fault::Limit(why) => SqlFailure::Limit(why),
    }
}

/// The server's words, where quoted parts that look like files or accounts are left out.
fn without_paths(message: &str) -> String {
    let mut parts = Vec::new();
    for part in message.split(' ') {
        let inside = part.trim_matches(|sign| "'\"`(),.:;".contains(sign));
        let is_path = inside.starts_with('/') || inside.starts_with("./") || part.contains("'/");
        parts.push(if is_path || part.contains("'@'") { "…" } else { part });
    }
    parts.join(" ")
}

/// Certainly not committed.
pub(crate) const fn not_committed(failure: SqlFailure) -> CommitFailure {
    CommitFailure::NotCommitted(failure)
}

#[cfg(test)]
mod tests {
    use placet_target::SqlFailure;

    use super::of;
    use crate::wire::Fault;

    #[test]
    fn words_of_the_server_name_no_place() {
        for (code, message) in [
            (1045, "Access denied for user 'ana'@'10.1.2.3' (using password: YES)"),
            (1142, "SELECT command denied to user 'ana'@'10.1.2.3' for table 'a'"),
            (1025, "Error on rename of './shop/a' to '/var/lib/10.1.2.3' (errno: 1)"),
            (1449, "The user specified as a definer ('ana'@'10.1.2.3') does not exist"),
        ] {
            let failure = of(Fault::Server { code, message: message.to_owned() });
            assert!(
                matches!(&failure, SqlFailure::Database { code: said, .. } if *said == format!("sql.mysql.{code}"))
            );
            let said = failure.message();
            assert!(!said.contains("10.1.2.3") && !said.contains("ana"), "{said}");
            assert!(!said.contains("/shop"), "{said}");
        }
        let told = Fault::Server {
            code: 1062,
            message: "Duplicate entry '1' for key 'PRIMARY'".to_owned(),
        };
        assert_eq!(of(told).message(), "Duplicate entry '1' for key 'PRIMARY'");
    }
}
