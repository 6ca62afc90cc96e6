//! Where the database is, read from a URL that is never repeated.

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
        let trust = Trust::new(said, tls)?.filter(|_| !is_local(&config));
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

/// Whether all of it stays on this machine: there is no TLS on such a socket, and libpq asks for none either.
fn is_local(config: &Config) -> bool {
    #[cfg(unix)]
    let is_socket = |host: &Host| matches!(host, Host::Unix(_));
    #[cfg(not(unix))]
    let is_socket = |_: &Host| false;
    config.get_hostaddrs().is_empty() && config.get_hosts().iter().all(is_socket)
}
