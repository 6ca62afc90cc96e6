//! Where the database is, read from a URL that is never repeated.

use core::net::IpAddr;
use core::time::Duration;

use placet_target::SqlFailure;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::fault::unavailable;
use crate::tls::Tls;
use crate::trust::Trust;
use crate::url::{self, unreadable};

/// Where the database is, and how to get there.
pub(crate) struct Place {
    pub(crate) config: Config,
    pub(crate) trust: Option<Trust>,
}

impl Place {
    pub(crate) fn parse(url: &str, tls: &Tls, connect_timeout_ms: u32) -> Result<Self, SqlFailure> {
        let (url, said) = url::split(url)?;
        let mut config = url.parse::<Config>().map_err(|_unsaid| unreadable())?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(unavailable("the URL of the target names no server", "name one"));
        }
        config.connect_timeout(Duration::from_millis(u64::from(connect_timeout_ms)));
        config.application_name("placet target");
        // A network that swallows packets says nothing; without this, for two hours.
        config.keepalives_idle(Duration::from_secs(30));
        let trust = Trust::new(said, tls, is_near(&config))?.filter(|_| !is_local(&config));
        config.ssl_mode(match &trust {
            Some(trust) if trust.is_required => SslMode::Require,
            Some(_) => SslMode::Prefer,
            None => SslMode::Disable,
        });
        // The certificate of a server that is named by its address alone is for that address.
        if config.get_hosts().is_empty() {
            for address in config.get_hostaddrs().to_vec() {
                config.host(address.to_string());
            }
        }
        Ok(Self { config, trust })
    }
}

/// Whether the server is on this machine for certain. Never by the name `localhost`: what that is, others decide.
fn is_near(config: &Config) -> bool {
    let addresses = config.get_hostaddrs();
    let is_loopback = |host: &Host| match host {
        Host::Tcp(name) => name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    if addresses.is_empty() {
        config.get_hosts().iter().all(is_loopback)
    } else {
        addresses.iter().all(IpAddr::is_loopback)
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

#[cfg(test)]
mod tests {
    use super::{Config, is_near};

    #[test]
    fn only_an_address_says_where_a_server_is() {
        for (place, near) in [
            ("127.0.0.1", true),
            ("127.8.7.6:1", true),
            ("%2Frun%2Fpostgresql", true),
            ("127.0.0.1,10.0.0.1", false),
            ("localhost", false),
            ("db.internal", false),
            ("127.0.0.1.example.com", false),
            ("localhost/d?hostaddr=127.0.0.1", true),
            ("127.0.0.1/d?hostaddr=10.0.0.1", false),
        ] {
            let config: Config = format!("postgres://ana@{place}").parse().unwrap();
            assert_eq!(is_near(&config), near, "{place}");
        }
    }
}
