//! Where the database is, and how that is said without giving the password away.

use core::fmt;
use core::time::Duration;

use placet_core::store::{StoreError, StoreErrorKind};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::options::Options;
use crate::sql::Sql;

/// The longest name of a schema, in bytes: names of channels are made from it.
const SCHEMA_BYTES_MAX: usize = 48;

/// The longest name of a node, in bytes.
const NODE_BYTES_MAX: usize = 128;

/// Everything that a connection needs to know.
pub(crate) struct Place {
    pub(crate) config: Config,
    /// Server and database, for messages.
    shown: String,
    pub(crate) options: Options,
    pub(crate) sql: Sql,
}

impl Place {
    /// Reads a URL. What is wrong with it is said without repeating it: it may hold a password.
    pub(crate) fn parse(url: &str, options: &Options) -> Result<Self, StoreError> {
        check(options)?;
        let wrong = |message: &str| {
            StoreError::new(StoreErrorKind::Unavailable, message)
                .with_help("write `postgres://user:password@host:5432/database`; letters like `@` in a password as `%40`")
        };
        let mut config = url
            .parse::<Config>()
            .map_err(|_unsaid| wrong("the URL of the database cannot be read"))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(wrong("the URL of the database names no server"));
        }
        if config.get_ssl_mode() == SslMode::Require {
            let message = "the URL asks for TLS, which this store does not speak";
            return Err(StoreError::new(StoreErrorKind::Unavailable, message).with_help(
                "use a socket of the same machine, a private network, or a TLS tunnel to the server",
            ));
        }
        config.connect_timeout(Duration::from_millis(options.connect_timeout_ms));
        let shown = shown(&config);
        let sql = Sql::new(&options.schema);
        Ok(Self { config, shown, options: options.clone(), sql })
    }
}

fn check(options: &Options) -> Result<(), StoreError> {
    let wrong = |message: String, help: String| {
        Err(StoreError::new(StoreErrorKind::Unavailable, message).with_help(help))
    };
    let schema = &options.schema;
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let starts = schema.starts_with(|first: char| first.is_ascii_lowercase());
    if schema.len() > SCHEMA_BYTES_MAX
        || !starts
        || !schema.bytes().all(letters)
        || schema.starts_with("pg_")
    {
        let shown: String = schema.chars().take(SCHEMA_BYTES_MAX).collect();
        return wrong(
            format!("`{shown}` cannot be the name of the schema"),
            format!(
                "use lower-case letters, digits and `_`, a letter first and not `pg_`, at most {SCHEMA_BYTES_MAX} bytes"
            ),
        );
    }
    let node = options.node.as_deref().unwrap_or("unnamed");
    if node.is_empty() || node.len() > NODE_BYTES_MAX || node.chars().any(char::is_control) {
        return wrong(
            "the name of the node cannot be used".to_owned(),
            format!("use 1 to {NODE_BYTES_MAX} bytes without control characters"),
        );
    }
    let counts = [
        ("connect_timeout_ms", options.connect_timeout_ms),
        ("statement_timeout_ms", options.statement_timeout_ms),
        ("lock_timeout_ms", options.lock_timeout_ms),
        ("idle_in_transaction_timeout_ms", options.idle_in_transaction_timeout_ms),
        ("clock_interval_ms", options.clock_interval_ms),
    ];
    // The server takes milliseconds as an `int`, and zero as no limit.
    let day_ms = 86_400_000;
    match counts.iter().find(|(_, ms)| *ms == 0 || *ms > day_ms) {
        Some((name, _)) => wrong(
            format!("the option `{name}` cannot be used"),
            format!("give it 1 to {day_ms} milliseconds"),
        ),
        None => Ok(()),
    }
}

/// `host:port/database`. Parts that look odd stay out: in a URL whose password was not escaped, the rest
/// of the password stands where the host is looked for.
fn shown(config: &Config) -> String {
    let plain = |text: &str| {
        let harmless = |letter: char| letter.is_ascii_alphanumeric() || "-_.:/".contains(letter);
        if text.chars().all(harmless) { text.to_owned() } else { "****".to_owned() }
    };
    let host = match (config.get_hosts().first(), config.get_hostaddrs().first()) {
        (Some(Host::Tcp(host)), _) => plain(host),
        #[cfg(unix)]
        (Some(Host::Unix(folder)), _) => plain(&folder.to_string_lossy()),
        (None, Some(address)) => address.to_string(),
        (None, None) => String::new(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5_432);
    let database = config.get_dbname().or_else(|| config.get_user()).unwrap_or_default();
    format!("{host}:{port}/{}", plain(database))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` in the schema `{}`", self.shown, self.options.schema)
    }
}

impl fmt::Debug for Place {
    // Not derived: nothing of the URL but this may be printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.shown).field(&self.options.schema).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        let error = Place::parse(url, &Options::default()).unwrap_err();
        assert!(error.help().is_some());
        format!("{error} {error:?}")
    }

    #[test]
    fn a_password_is_never_shown() {
        for url in [
            "postgres://u:hunter2@db.example:5432/main",
            "postgres://u:a@hunter2@db.example/main",
            "host=db.example user=u password=hunter2 dbname=main",
        ] {
            let place = Place::parse(url, &Options::default()).unwrap();
            let shown = format!("{place} {place:?} {:?}", place.options);
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        let url = "host=db.example user=u password=a hunter2 dbname=main";
        assert!(!refusal(url).contains("hunter2"));
        assert!(!refusal("hunter2").contains("hunter2"));
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said() {
        assert!(refusal("mysql://u@h/d").contains("cannot be read"));
        assert!(refusal("postgres:///main?user=u").contains("names no server"));
        assert!(refusal("postgres://u@h/d?sslmode=require").contains("asks for TLS"));
    }

    #[test]
    fn what_is_wrong_with_an_option_is_said() {
        let refusal =
            |options: Options| Place::parse("postgres://u@h/d", &options).unwrap_err().to_string();
        for schema in ["", "Placet", "a-b", "a\"b", "pg_x", "1a", &"a".repeat(49)] {
            assert!(refusal(Options::default().with_schema(schema)).contains("schema"), "{schema}");
        }
        assert!(refusal(Options::default().with_node("")).contains("node"));
        assert!(refusal(Options::default().with_lock_timeout_ms(0)).contains("lock_timeout_ms"));
    }
}
