//! Where the database is, and how that is said without giving the password away.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use placet_core::store::{StoreError, StoreErrorKind};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, SslNegotiation};

use crate::options::Options;
use crate::sql::Sql;
use crate::trust::Trust;
use crate::url::{self, wrong};

/// The longest name of a schema, in bytes: names of channels are made from it.
const SCHEMA_BYTES_MAX: usize = 48;

/// The longest name of a node, in bytes.
const NODE_BYTES_MAX: usize = 128;

/// Everything that a connection needs to know.
pub(crate) struct Place {
    pub(crate) config: Config,
    /// How connections are encrypted, where they are.
    pub(crate) trust: Option<Arc<Trust>>,
    /// Server and database, for messages.
    shown: String,
    pub(crate) options: Options,
    pub(crate) sql: Sql,
}

impl Place {
    /// Reads a URL. What is wrong with it is said without repeating it: it may hold a password.
    pub(crate) fn parse(url: &str, options: &Options) -> Result<Self, StoreError> {
        check(options)?;
        let (url, said) = url::split(url)?;
        let mut config = url
            .parse::<Config>()
            .map_err(|_unsaid| wrong("the URL of the database cannot be read"))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(wrong("the URL of the database names no server"));
        }
        config.connect_timeout(Duration::from_millis(options.connect_timeout_ms));
        let shown = shown(&config);
        let trust = Trust::new(said, &options.tls)?.filter(|_| !is_local(&config));
        encrypt(&mut config, trust.as_ref())?;
        let sql = Sql::new(&options.schema);
        Ok(Self { config, shown, trust: trust.map(Arc::new), options: options.clone(), sql })
    }
}

/// Whether all of it stays on this machine: there is no TLS on such a socket, and libpq asks for none either.
fn is_local(config: &Config) -> bool {
    #[cfg(unix)]
    let is_socket = |host: &Host| matches!(host, Host::Unix(_));
    #[cfg(not(unix))]
    let is_socket = |_: &Host| false;
    config.get_hostaddrs().is_empty() && config.get_hosts().iter().all(is_socket)
}

/// Tells the driver how to begin. What is made sure of is said to the TLS library.
fn encrypt(config: &mut Config, trust: Option<&Trust>) -> Result<(), StoreError> {
    let is_required = trust.is_some_and(|trust| trust.is_required);
    config.ssl_mode(match trust {
        Some(_) if is_required => SslMode::Require,
        Some(_) => SslMode::Prefer,
        None => SslMode::Disable,
    });
    if config.get_ssl_negotiation() == SslNegotiation::Direct && !is_required {
        let message = "`sslnegotiation=direct` needs a `sslmode` that insists on TLS";
        let help = "use `sslmode=verify-full`, or leave `sslnegotiation` out";
        return Err(StoreError::new(StoreErrorKind::Unavailable, message).with_help(help));
    }
    // The certificate of a server that is named by its address alone is for that address.
    if config.get_hosts().is_empty() {
        for address in config.get_hostaddrs().to_vec() {
            config.host(address.to_string());
        }
    }
    Ok(())
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
        let direct = "postgres://u@h/d?sslnegotiation=direct";
        assert!(refusal(direct).contains("insists on TLS"));
        assert!(Place::parse(&format!("{direct}&sslmode=require"), &Options::default()).is_ok());
    }

    #[test]
    fn the_driver_is_told_how_to_begin() {
        let mode = |url: &str| {
            let place = Place::parse(url, &Options::default()).unwrap();
            assert_eq!(place.trust.is_none(), place.config.get_ssl_mode() == SslMode::Disable);
            place.config.get_ssl_mode()
        };
        assert_eq!(mode("postgres://u@h/d"), SslMode::Prefer);
        assert_eq!(mode("postgres://u@h/d?sslmode=disable"), SslMode::Disable);
        for name in ["require", "verify-ca&sslrootcert=r", "verify-full"] {
            assert_eq!(mode(&format!("postgres://u@h/d?sslmode={name}")), SslMode::Require);
        }
        assert_eq!(mode("postgres://u@h/d?sslrootcert=system"), SslMode::Require);
        // Within one machine there is none to speak to.
        let socket = "host=/run/postgresql user=u sslmode=verify-full";
        assert_eq!(mode(socket), SslMode::Disable);
        // Unless it is only the name of a socket.
        assert_eq!(mode(&format!("{socket} hostaddr=192.0.2.1")), SslMode::Require);
        assert_eq!(mode("host=/run/postgresql,h user=u sslmode=require"), SslMode::Require);

        let place = Place::parse("hostaddr=192.0.2.1 user=u", &Options::default()).unwrap();
        assert_eq!(place.config.get_hosts(), [Host::Tcp("192.0.2.1".to_owned())]);
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
