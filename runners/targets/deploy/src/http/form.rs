//! Credentials that stand in the body of a form.

use hyper::header::{CONTENT_TYPE, HeaderMap};

use crate::http::credential::{Credential, Place};
use crate::http::failure::HttpFailure;
use crate::secret::in_url;

/// The only body that a credential is added to.
const FORM: &str = "application/x-www-form-urlencoded";

/// The body that goes out: the plugin's, and in a form that writes the credentials of the endpoint after it. `all` are the
/// endpoint's credentials, whichever this call shows.
pub(super) fn body(
    asked: (&[u8], Option<&str>),
    headers: &HeaderMap,
    all: [&[Credential]; 2],
    shown: &[Credential],
) -> Result<Vec<u8>, HttpFailure> {
    let (body, query) = asked;
    let in_form = |credential: &&Credential| credential.place == Place::Form;
    let own: Vec<&Credential> = all.into_iter().flatten().filter(in_form).collect();
    if own.is_empty() {
        return Ok(body.to_vec());
    }
    let is_form = is_form(headers);
    // Servers put both together, and differ in which of two fields they believe.
    let texts = [query.unwrap_or_default().as_bytes(), if is_form { body } else { b"" }];
    for credential in own {
        if texts.iter().any(|text| names(text, &credential.name)) {
            let message = format!("the field `{}` is set by the host alone", credential.name);
            return Err(HttpFailure::denied("http.form", message));
        }
    }
    let mut whole = body.to_vec();
    for credential in shown.iter().filter(in_form).filter(|_| is_form) {
        if !whole.is_empty() {
            whole.push(b'&');
        }
        whole.extend_from_slice(credential.name.as_bytes());
        whole.push(b'=');
        whole.extend_from_slice(in_url(credential.value.expose()).as_bytes());
    }
    Ok(whole)
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(FORM)
}

/// Whether a form or a query has this field, in whatever spelling: some servers also part fields by `;`, take no notice of
/// case, or read `name[]` and `name[x]` as more of `name`.
fn names(text: &[u8], field: &str) -> bool {
    let mut fields = text.split(|byte| matches!(byte, b'&' | b';' | b'?'));
    fields.any(|pair| {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
        let name = decoded(name);
        let name = name.split(|byte| matches!(byte, b'[' | b'\0')).next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(field.as_bytes())
    })
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let pair = digit(after.first()).zip(digit(after.get(1)));
        let coded = pair.and_then(|(high, low)| u8::try_from(high << 4 | low).ok());
        match (byte, coded) {
            (b'%', Some(coded)) => {
                bytes.push(coded);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            (plain, _) => {
                bytes.push(plain);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_known_in_every_spelling() {
        for text in [
            "token=x",
            "a=1&token=x",
            "a=1;token=x",
            "token",
            "TOKEN=x",
            "t%6fken=x",
            "%74%6F%6B%65%6E=x",
            "token[]=x",
            "token%5Ba%5D=x",
            "+token=x",
            "token%00=x",
            "a=b?token=x",
        ] {
            assert!(names(text.as_bytes(), "token"), "{text}");
        }
        for text in ["", "tokens=x", "a=token", "my-token=x", "variables[token]=x", "a=%26token=x"]
        {
            assert!(!names(text.as_bytes(), "token"), "{text}");
        }
    }
}
