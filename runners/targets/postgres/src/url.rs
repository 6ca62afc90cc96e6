//! What a URL says about TLS, taken out of it: the driver knows less of it than libpq does.

use percent_encoding::percent_decode_str;
use placet_target::SqlFailure;

use crate::fault::unavailable;
use crate::tls::{Tls, TlsMode, TlsRoots};

/// The URL without its words about TLS, and what they ask for. Where a word stands twice the last one counts.
/// What is wrong is said without repeating it: it may hold a password.
pub(crate) fn split(url: &str) -> Result<(String, Tls), SqlFailure> {
    // The driver looks for the first `@`, wherever it is, and for the first `?` behind it. So must we.
    let start = ["postgres://", "postgresql://"].into_iter().find(|start| url.starts_with(*start));
    let start = start.ok_or_else(unreadable)?;
    let after = url.strip_prefix(start).unwrap_or(url);
    let (login, at, place) = match after.split_once('@') {
        Some((login, place)) => (login, "@", place),
        None => ("", "", after),
    };
    let mut tls = Tls::default();
    let Some((place, mut query)) = place.split_once('?') else { return Ok((url.to_owned(), tls)) };
    let mut kept = Vec::new();
    while !query.is_empty() {
        let (key, value) = query.split_once('=').ok_or_else(unreadable)?;
        let (value, next) = value.split_once('&').unwrap_or((value, ""));
        query = next;
        if !take(&decoded(key)?, &decoded(value)?, &mut tls)? {
            kept.push(format!("{key}={value}"));
        }
    }
    let mark = if kept.is_empty() { "" } else { "?" };
    Ok((format!("{start}{login}{at}{place}{mark}{}", kept.join("&")), tls))
}

/// Why the URL cannot be used.
pub(crate) fn unreadable() -> SqlFailure {
    unavailable(
        "the URL of the target cannot be read",
        "write `postgres://user:password@host:5432/database`; letters like `@` in a password as `%40`",
    )
}

fn decoded(text: &str) -> Result<String, SqlFailure> {
    percent_decode_str(text).decode_utf8().map(String::from).map_err(|_unsaid| unreadable())
}

/// Takes in what is about TLS. Says whether it was.
fn take(key: &str, value: &str, tls: &mut Tls) -> Result<bool, SqlFailure> {
    match key {
        "sslmode" => {
            let mode = TlsMode::named(value).ok_or_else(|| {
                unavailable(
                    "the URL of the target has a `sslmode` that is not known",
                    "use `verify-full`, or one of `verify-ca`, `require`, `prefer` and `disable`",
                )
            })?;
            tls.mode = Some(mode);
        }
        "sslrootcert" if value == "system" => tls.roots = Some(TlsRoots::System),
        "sslrootcert" => tls.roots = Some(TlsRoots::File(value.into())),
        "sslcert" => tls.certificate = Some(value.into()),
        "sslkey" => tls.key = Some(value.into()),
        // libpq knows more words about TLS. To pass over one would be less than was asked for.
        other if other.starts_with("ssl") && other != "sslnegotiation" => {
            return Err(unavailable(
                "the URL of the target has a word about TLS that is not known",
                "leave it out; `sslmode`, `sslrootcert`, `sslcert` and `sslkey` are known",
            ));
        }
        _ => return Ok(false),
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_about_tls_are_taken_out_and_the_rest_stays() {
        let none = Tls::default();
        for (url, rest, tls) in [
            ("postgres://u:p%40@h/d", "postgres://u:p%40@h/d", none.clone()),
            ("postgresql://h/d?a=b&c=%20", "postgresql://h/d?a=b&c=%20", none.clone()),
            (
                "postgres://u@h/d?sslmode=verify-ca&x=1&sslrootcert=/etc/a%20b.pem&ssl%63ert=c&sslkey=k&y=2",
                "postgres://u@h/d?x=1&y=2",
                none.clone()
                    .with_mode(TlsMode::VerifyCa)
                    .with_roots_file("/etc/a b.pem")
                    .with_client("c", "k"),
            ),
            // Of two, the last one.
            (
                "postgres://h?sslmode=verify-full&sslmode=require",
                "postgres://h",
                none.clone().with_mode(TlsMode::Require),
            ),
            // What stands in a password is no question.
            ("postgres://u:?sslmode=disable@h/d", "postgres://u:?sslmode=disable@h/d", none),
        ] {
            assert_eq!(split(url).unwrap(), (rest.to_owned(), tls), "{url}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused_and_not_repeated() {
        for url in [
            "postgres://u@h/d?sslmode=allow",
            "postgres://u@h/d?sslpassword=hunter2",
            "postgres://u@h/d?ssl_min_protocol_version=TLSv1.3",
            "postgres://u@h/d?sslmode",
            "postgres://u@h/d?a=%ff",
            "mysql://u:hunter2@h/d",
        ] {
            let failure = split(url).unwrap_err();
            assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
        }
    }
}
