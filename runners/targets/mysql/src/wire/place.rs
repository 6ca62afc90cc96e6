//! Where the server is, who asks, and which database is meant: what the URL says.

use core::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

/// Where the server is, who asks, and which database is meant. Shows none of it.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) at: At,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) database: String,
}

/// How the server is reached.
#[derive(Clone, Eq, PartialEq)]
pub(crate) enum At {
    /// A host by name or address, and a port.
    Host(String, u16),
    /// A socket of this machine.
    Socket(PathBuf),
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(****)")
    }
}

impl Place {
    /// Reads `mysql://user:password@host:port/database`, or `…/database?socket=path`. The error says what to
    /// write, and repeats nothing.
    pub(crate) fn parse(url: &str) -> Result<Self, &'static str> {
        let rest = url.strip_prefix("mysql://").or_else(|| url.strip_prefix("mariadb://"));
        let rest = rest.ok_or("begin the URL of the target with `mysql://`")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (login, rest) = rest.rsplit_once('@').ok_or("name a user in the URL of the target")?;
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (host, database) =
            rest.split_once('/').ok_or("name a database in the URL of the target")?;
        let (user, database) = (decoded(user)?, decoded(database)?);
        if user.is_empty() {
            return Err("name a user in the URL of the target");
        }
        if database.is_empty() {
            return Err("name a database in the URL of the target: the marks stand in it");
        }
        let mut at = host_and_port(host)?;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let Some(("socket", path)) = pair.split_once('=') else {
                return Err("the URL of a target takes the parameter `socket` and no other");
            };
            at = At::Socket(decoded(path)?.into());
        }
        Ok(Self { at, user, password: decoded(password)?, database })
    }

    /// Whether what is sent stays on this machine.
    pub(crate) fn is_here(&self) -> bool {
        match &self.at {
            At::Socket(_) => true,
            At::Host(host, _) => {
                host.parse().is_ok_and(|address: core::net::IpAddr| address.is_loopback())
            }
        }
    }
}

fn decoded(text: &str) -> Result<String, &'static str> {
    let text = percent_decode_str(text).decode_utf8();
    let text = text.map_err(|_| "write the URL of the target in UTF-8")?;
    if text.contains('\0') {
        return Err("the URL of a target holds no zero character");
    }
    Ok(text.into_owned())
}

fn host_and_port(text: &str) -> Result<At, &'static str> {
    const WRONG: &str =
        "write host and port in the URL of the target as `host:3306` or `[::1]:3306`";
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(WRONG)?;
            (host, port.strip_prefix(':').or_else(|| port.is_empty().then_some("3306")))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, Some("3306")),
        },
    };
    let port = port.and_then(|port| port.parse().ok()).ok_or(WRONG)?;
    let host = decoded(host)?;
    // Never `localhost`: what that is, others decide.
    Ok(At::Host(if host.is_empty() { "127.0.0.1".to_owned() } else { host }, port))
}

#[cfg(test)]
mod tests {
    use super::{At, Place};

    #[test]
    fn a_url_names_everything() {
        let place = Place::parse("mysql://ana:s%40fe:1@db.example:3307/shop").unwrap();
        assert!(place.at == At::Host("db.example".to_owned(), 3307));
        assert_eq!((&*place.user, &*place.password, &*place.database), ("ana", "s@fe:1", "shop"));
        assert!(!place.is_here());
        let place = Place::parse("mariadb://ana@[::1]/shop").unwrap();
        assert!(place.at == At::Host("::1".to_owned(), 3306) && place.is_here());
        let place = Place::parse("mysql://ana@/shop?socket=%2Frun%2Fs.sock").unwrap();
        assert!(place.at == At::Socket("/run/s.sock".into()) && place.is_here());
        assert_eq!(format!("{place:?}"), "Place(****)");
    }

    #[test]
    fn what_is_missing_is_asked_for_and_nothing_is_repeated() {
        for url in [
            "postgres://ana:secret@db/shop",
            "mysql://db/shop",
            "mysql://:secret@db/shop",
            "mysql://ana:secret@db",
            "mysql://ana:secret@db/",
            "mysql://ana:secret@db:x/shop",
            "mysql://ana:secret@[::1/shop",
            "mysql://ana:secret@db/shop?ssl=no",
            "mysql://ana:%00@db/shop",
        ] {
            let Err(said) = Place::parse(url) else { panic!("{url}") };
            assert!(!said.contains("secret") && !said.contains("db/"), "{said}");
        }
    }
}
