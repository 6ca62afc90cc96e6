//! Named HTTP endpoints.

use placet_exchange::{Exchange, HttpCall};
use placet_target_deploy::{DeployTarget, HttpFailure, HttpFailureKind, HttpRequest, HttpResponse};

use super::calling::{Became, Made, Unmade, length};
use crate::bindings::http::{Error, Host, Request, Response};
use crate::bindings::sql;
use crate::state::State;

impl Host for State {
    fn send(
        &mut self,
        endpoint: String,
        request: Request,
    ) -> wasmtime::Result<Result<Response, Error>> {
        self.count_call()?;
        let call = HttpCall {
            endpoint,
            method: request.method,
            path_and_query: request.path_and_query,
            headers: request.headers,
            body: request.body,
        };
        self.count_bytes(length(asked(&call)))?;
        let target = match self.deploy_target() {
            Ok(target) => target,
            Err(unmade) => return Ok(Err(error_of(unmade))),
        };
        let is_write = writes(&target, &call);
        let is_same = |step: &Exchange| matches!(step, Exchange::Http(step) if *step == call);
        let made = self.may_call(is_same, is_write)?;
        let (endpoint, request) = sent(call);
        match made {
            Ok(Made::Read) => {
                let answered = target.send(&endpoint, &request, &self.reading()?);
                if answered.as_ref().is_ok_and(says_something) {
                    self.note_read();
                }
                self.hand_over(answered)
            }
            Ok(Made::Step(step)) => {
                let bounds = match self.intend(&step)? {
                    Ok(bounds) => bounds,
                    Err(unmade) => return Ok(Err(error_of(unmade))),
                };
                let answered = target.send(&endpoint, &request, &bounds);
                self.settle(&step, became(&answered));
                self.hand_over(answered)
            }
            Err(unmade) => Ok(Err(error_of(unmade))),
        }
    }
}

impl State {
    /// Hands an answer to the plugin, within the limits. What it says was taken down before.
    fn hand_over(
        &mut self,
        answered: Result<HttpResponse, HttpFailure>,
    ) -> wasmtime::Result<Result<Response, Error>> {
        let response = match answered {
            Ok(response) => response,
            Err(failure) => return Ok(Err(told(&failure))),
        };
        let texts = response.headers.iter().flat_map(|(name, value)| [name, value]);
        let texts = texts.map(String::as_bytes).chain([response.body.as_slice()]);
        self.count_bytes(length(texts))?;
        let HttpResponse { status, headers, body, .. } = response;
        Ok(Ok(Response { status, headers, body }))
    }
}

fn asked(call: &HttpCall) -> impl Iterator<Item = &[u8]> {
    let headers = call.headers.iter().flat_map(|(name, value)| [name, value]);
    let texts = [&call.endpoint, &call.method, &call.path_and_query].into_iter().chain(headers);
    texts.map(String::as_bytes).chain([call.body.as_slice()])
}

/// What would be sent to the endpoint.
pub(crate) fn request(call: &HttpCall) -> HttpRequest {
    sent(call.clone()).1
}

/// The endpoint, and what is sent there.
fn sent(call: HttpCall) -> (String, HttpRequest) {
    let mut request = HttpRequest::new(call.method, call.path_and_query).with_body(call.body);
    request.headers = call.headers;
    (call.endpoint, request)
}

/// Whether a request may change something: by the rules of its endpoint, and where none allows it, by its method.
fn writes(target: &DeployTarget, call: &HttpCall) -> bool {
    let path = call.path_and_query.split('?').next().unwrap_or_default();
    let ruled = target.endpoint(&call.endpoint);
    let ruled = ruled.and_then(|endpoint| endpoint.writes(&call.method, path));
    ruled.unwrap_or(!matches!(call.method.as_str(), "GET" | "HEAD"))
}

/// Whether an answer tells anything of what was asked for: it is there, or it is not.
fn says_something(response: &HttpResponse) -> bool {
    matches!(response.status, 200..=299 | 404 | 410)
}

/// What an answer says of a step.
fn became(answered: &Result<HttpResponse, HttpFailure>) -> Became {
    match answered {
        Ok(response) => of_status(response.status),
        Err(failure) => {
            let (code, message) = (failure.code().to_owned(), failure.message().to_owned());
            if failure.may_have_taken_effect() {
                Became::Unknown { code, message }
            } else {
                Became::Refused { code, message }
            }
        }
    }
}

/// As `once::written` of the plugin SDK judges it. A server that answers 4xx says that it did not do what it was asked;
/// so do 409, 425 and 429, for each step is sent once, and no other send of it can be under way. Only 408 may come
/// from somebody between, who gave up waiting for a server that goes on.
fn of_status(status: u16) -> Became {
    let (code, message) = (format!("http.{status}"), format!("the answer was {status}"));
    match status {
        200..=299 => Became::Accepted(status.to_string()),
        408 => Became::Unknown { code, message },
        400..=499 => Became::Refused { code, message },
        _ => Became::Unknown { code, message },
    }
}

fn told(failure: &HttpFailure) -> Error {
    let why = failure.to_string();
    match failure.kind() {
        HttpFailureKind::Denied => Error::Denied(why),
        HttpFailureKind::Invalid => Error::Invalid(why),
        HttpFailureKind::Connection => Error::Connection(why),
        HttpFailureKind::Unknown => Error::Unknown(why),
        HttpFailureKind::Timeout => Error::Timeout,
        HttpFailureKind::Cancelled => Error::Cancelled,
        HttpFailureKind::Limit => Error::Limit(why),
    }
}

fn error_of(unmade: Unmade) -> Error {
    match unmade {
        Unmade::Refused(why) => Error::Denied(why),
        Unmade::Stopped(error) => match error {
            sql::Error::Denied(why) => Error::Denied(why),
            sql::Error::Invalid(why) => Error::Invalid(why),
            sql::Error::Db(error) => Error::Connection(error.message),
            sql::Error::Connection(why) => Error::Connection(why),
            sql::Error::Unknown(why) => Error::Unknown(why),
            sql::Error::Timeout => Error::Timeout,
            sql::Error::Cancelled => Error::Cancelled,
            sql::Error::Limit(why) => Error::Limit(why),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_that_says_so_is_an_effect_or_none() {
        let word = |status| match of_status(status) {
            Became::Accepted(_) => "accepted",
            Became::Refused { .. } => "refused",
            Became::Unknown { .. } => "unknown",
            Became::Ended(_) => "ended",
        };
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(word(status), "accepted", "{status}");
        }
        for status in [400, 401, 403, 404, 409, 422, 425, 429, 499] {
            assert_eq!(word(status), "refused", "{status}");
        }
        for status in [408, 500, 502, 503, 504, 599, 100, 304, 600] {
            assert_eq!(word(status), "unknown", "{status}");
        }
    }
}
