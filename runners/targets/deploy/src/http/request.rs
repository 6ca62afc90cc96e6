//! What a plugin asks an endpoint for, and what it gets.

/// A request, in the words of the WIT interface `http`.
///
/// ```
/// use placet_target_deploy::HttpRequest;
///
/// let request = HttpRequest::new("POST", "/api/41/job/7/run")
///     .with_header("Content-Type", "application/json")
///     .with_body(r#"{"options":{"tag":"1.2"}}"#);
/// assert_eq!(request.headers.len(), 1);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct HttpRequest {
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// A path below the endpoint's base, beginning with `/`, and a query where there is one.
    pub path_and_query: String,
    /// Headers, each name once.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// A request without headers and body.
    pub fn new(method: impl Into<String>, path_and_query: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            path_and_query: path_and_query.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// An answer without anything that shows a credential.
///
/// ```no_run
/// use placet_target_deploy::{Endpoint, Exchange, HttpFailure, HttpRequest};
///
/// fn is_there(ci: &Endpoint, look: &Exchange) -> Result<bool, HttpFailure> {
///     let answer = ci.send(&HttpRequest::new("GET", "/job/shop/api/json"), look)?;
///     Ok(answer.status == 200)
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The status, 200 or more, and no redirect.
    pub status: u16,
    /// Headers in the server's order, names in lower case, without cookies.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}
