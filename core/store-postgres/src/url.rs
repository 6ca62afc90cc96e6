//! What a URL says about TLS, taken out of it: the driver knows less of it than libpq does.

use percent_encoding::percent_decode_str;
use placet_core::store::{StoreError, StoreErrorKind};

use crate::tls::{Tls, TlsMode, TlsRoots};

/// What libpq knows about TLS and we do not. To pass over one of these would be less than was asked for.
const UNKNOWN: &[&str] = &[
    "requiressl",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcertmode",
    "sslcompression",
    "sslcrl",
    "sslcrldir",
    "sslpassword",
    "sslsni",
];

/// The URL without its words about TLS, and what they ask for. Where a word stands twice the last one counts.
/// What is wrong is said without repeating it: it may hold a password.
pub(crate) fn split(url: &str) -> Result<(String, Tls), StoreError> {
    let mut tls = Tls::default();
    let rest = match ["postgres://", "postgresql://"].iter().find(|start| url.starts_with(**start))
    {
        Some(start) => split_url(url, start, &mut tls)?,
        None => split_words(url, &mut tls)?,
    };
    Ok((rest, tls))
}

/// Why the URL cannot be used.
pub(crate) fn wrong(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, message).with_help(
        "write `postgres://user:password@host:5432/database`; letters like `@` in a password as `%40`",
    )
}

fn unreadable() -> StoreError {
    wrong("the URL of the database cannot be read")
}

/// `postgres://user@host/database?name=value&…`
fn split_url(url: &str, start: &str, tls: &mut Tls) -> Result<String, StoreError> {
    // The driver looks for the first `@`, wherever it is, and for the first `?` behind it. So must we.
    let after = url.strip_prefix(start).unwrap_or(url);
    let (login, at, place) = match after.split_once('@') {
        Some((login, place)) => (login, "@", place),
        None => ("", "", after),
    };
    let Some((place, mut query)) = place.split_once('?') else { return Ok(url.to_owned()) };
    let mut kept = Vec::new();
    while !query.is_empty() {
        let (key, value) = query.split_once('=').ok_or_else(unreadable)?;
        let (value, next) = value.split_once('&').unwrap_or((value, ""));
        query = next;
        if !take(&decoded(key)?, &decoded(value)?, tls)? {
            kept.push(format!("{key}={value}"));
        }
    }
    let mark = if kept.is_empty() { "" } else { "?" };
    Ok(format!("{start}{login}{at}{place}{mark}{}", kept.join("&")))
}

fn decoded(text: &str) -> Result<String, StoreError> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(String::from).map_err(|_unsaid| unreadable())
}

/// `name=value name='value with spaces' …`. What is left is written anew, each value in quotes, so that the
/// driver reads it as we did.
fn split_words(words: &str, tls: &mut Tls) -> Result<String, StoreError> {
    let mut kept = Vec::new();
    let mut rest = words.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(unreadable)?;
        let key = key.trim_end();
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(unreadable());
        }
        let (value, after) = word(after.trim_start()).ok_or_else(unreadable)?;
        rest = after.trim_start();
        if !take(key, &value, tls)? {
            let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
            kept.push(format!("{key}='{quoted}'"));
        }
    }
    Ok(kept.join(" "))
}

/// One value, and what stands behind it.
fn word(text: &str) -> Option<(String, &str)> {
    let quoted = text.strip_prefix('\'');
    let mut letters = quoted.unwrap_or(text).chars();
    let mut value = String::new();
    loop {
        let before = letters.as_str();
        match letters.next() {
            Some('\\') => value.push(letters.next()?),
            Some('\'') if quoted.is_some() => return Some((value, letters.as_str())),
            Some(letter) if quoted.is_none() && letter.is_whitespace() => {
                return (!value.is_empty()).then_some((value, before));
            }
            Some(letter) => value.push(letter),
            None if quoted.is_none() && !value.is_empty() => return Some((value, "")),
            None => return None,
        }
    }
}

/// Takes in what is about TLS. Says whether it was.
fn take(key: &str, value: &str, tls: &mut Tls) -> Result<bool, StoreError> {
    let file = || match value {
        "" => {
            Err(refused(&format!("the URL names no file in `{key}`"), "name one, or leave it out"))
        }
        path => Ok(Some(path.into())),
    };
    match key {
        "sslmode" => {
            let mode = TlsMode::named(value).ok_or_else(|| {
                let help =
                    "use `verify-full`, or one of `verify-ca`, `require`, `prefer` and `disable`";
                refused("the URL has a `sslmode` that this store does not know", help)
            })?;
            tls.mode = Some(mode);
        }
        "sslrootcert" if value == "system" => tls.roots = Some(TlsRoots::System),
        "sslrootcert" => tls.roots = file()?.map(TlsRoots::File),
        "sslcert" => tls.certificate = file()?,
        "sslkey" => tls.key = file()?,
        other => {
            if let Some(name) = UNKNOWN.iter().find(|name| **name == other) {
                let message = format!("the URL says `{name}`, which this store does not know");
                let help =
                    "leave it out; `sslmode`, `sslrootcert`, `sslcert` and `sslkey` are known";
                return Err(refused(&message, help));
            }
            return Ok(false);
        }
    }
    Ok(true)
}

fn refused(message: &str, help: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, message).with_help(help)
}

#[cfg(test)]
mod tests {
    use tokio_postgres::Config;
    use tokio_postgres::config::SslMode;

    use super::*;

    #[track_caller]
    fn check(url: &str, rest: &str, tls: &Tls) {
        assert_eq!(split(url).unwrap(), (rest.to_owned(), tls.clone()), "{url}");
    }

    #[test]
    fn words_about_tls_are_taken_out_and_the_rest_stays() {
        let none = Tls::default();
        check("postgres://u:p%40@h/d", "postgres://u:p%40@h/d", &none);
        check("postgresql://h/d?a=b&c=%20", "postgresql://h/d?a=b&c=%20", &none);
        let all = Tls::default()
            .with_mode(TlsMode::VerifyCa)
            .with_roots_file("/etc/a b.pem")
            .with_client("c", "k");
        check(
            "postgres://u@h/d?sslmode=verify-ca&x=1&sslrootcert=/etc/a%20b.pem&ssl%63ert=c&sslkey=k&y=2",
            "postgres://u@h/d?x=1&y=2",
            &all,
        );
        check(
            r"host = h sslmode=verify-ca password='a \'b\\' sslrootcert='/etc/a b.pem' sslcert=c sslkey=k user=u",
            r"host='h' password='a \'b\\' user='u'",
            &all,
        );
        check("host=h sslrootcert=system", "host='h'", &Tls::default().with_system_roots());
        // Of two, the last one.
        let url = "postgres://h?sslmode=verify-full&sslmode=require";
        check(url, "postgres://h", &Tls::default().with_mode(TlsMode::Require));
        // An `@` further on changes nothing.
        let url = "postgres://u@h/d?user=a@b&sslmode=require";
        check(url, "postgres://u@h/d?user=a@b", &Tls::default().with_mode(TlsMode::Require));
        // What stands in a password is no question.
        check("postgres://u:?sslmode=disable@h/d", "postgres://u:?sslmode=disable@h/d", &none);
    }

    #[test]
    fn each_mode_has_its_name() {
        for name in ["disable", "prefer", "require", "verify-ca", "verify-full"] {
            assert_eq!(TlsMode::named(name).unwrap().name(), name);
        }
    }

    #[test]
    fn what_is_not_known_is_refused_and_not_passed_over() {
        for (words, part) in [
            ("sslmode=allow", "`sslmode`"),
            ("sslmode=verify_full", "`sslmode`"),
            ("sslmode=VERIFY-FULL", "`sslmode`"),
            ("sslpassword=hunter2", "`sslpassword`"),
            ("sslcrl=hunter2", "`sslcrl`"),
            ("ssl_min_protocol_version=TLSv1.3", "`ssl_min_protocol_version`"),
        ] {
            for url in [format!("postgres://u@h/d?{words}"), format!("host=h {words}")] {
                let error = split(&url).unwrap_err();
                assert!(error.to_string().contains(part), "{error}");
                assert!(error.help().is_some());
                assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
            }
        }
        for url in ["postgres://u@h/d?sslmode=", "postgres://u@h/d?sslcert=", "host=h sslkey=''"] {
            assert!(split(url).is_err(), "{url}");
        }
        for url in [
            "postgres://u@h/d?sslmode",
            "postgres://u@h/d?a=%ff",
            "host",
            "host=h =x",
            "host=h user='u",
            "host=h user=",
            "host=h a b=c",
        ] {
            let error = split(url).unwrap_err().to_string();
            assert!(error.contains("cannot be read"), "{url}: {error}");
        }
    }

    /// Two who read one text differently could make of `require` a connection in the clear. `PLACET_URL_SEED` of the
    /// environment repeats a run.
    #[test]
    #[expect(clippy::print_stdout, clippy::disallowed_methods, reason = "this is a test")]
    fn the_driver_reads_the_same_out_of_what_is_left() {
        const PARTS: &[&str] = &[
            "postgres://",
            "postgresql://",
            "host",
            "user",
            "password",
            "dbname",
            "sslmode",
            "=",
            "=",
            "=",
            " ",
            " ",
            "'",
            "'",
            "\\",
            "@",
            "?",
            "&",
            "&",
            "/",
            ":",
            "h",
            "u",
            "%40",
            "%73",
            "require",
            "disable",
            "prefer",
            "sslmode=require",
            " sslmode=disable ",
            "?sslmode=require",
            "&sslmode=disable",
            "?password=@",
            "&user=@",
            "host=h ",
            "?user=u&",
            "\n",
            "é",
        ];
        let seed = std::env::var("PLACET_URL_SEED")
            .map_or(0x5eed_0015_0a11_7157, |text| text.parse().unwrap());
        println!("PLACET_URL_SEED={seed}");
        let mut state: u64 = seed;
        let mut below = |bound: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % u64::try_from(bound).unwrap()).unwrap()
        };
        let (mut read, mut asked) = (0, 0);
        for _ in 0..100_000 {
            let count = below(12);
            let text: String = (0..count).map(|_| PARTS[below(PARTS.len())]).collect();
            let (Ok(all), Ok((rest, tls))) = (text.parse::<Config>(), split(&text)) else {
                continue;
            };
            let mut left = rest.parse::<Config>().unwrap();
            left.ssl_mode(match tls.mode {
                Some(TlsMode::Disable) => SslMode::Disable,
                Some(TlsMode::Require) => SslMode::Require,
                None | Some(TlsMode::Prefer) => SslMode::Prefer,
                Some(mode) => panic!("{mode:?}"),
            });
            assert_eq!(left, all, "{text:?} became {rest:?}");
            read += 1;
            asked += u32::from(tls.mode.is_some());
        }
        println!("{read} texts were read, {asked} of them with a mode");
        assert!(read > 1_000 && asked > 100, "{read} {asked}");
    }
}
