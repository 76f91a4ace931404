//! Requests that object_store has no verb for: tokens, roles, unfinished uploads.
//!
//! Its HTTP client sends them; a server's error, a lost connection and a time-out are tried again a few times.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};

use crate::error::{Error, Result, codes};

/// Tries, and how long the wait after the first is; it doubles.
const TRIES_MAX: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// An HTTP client for services beside S3, some of which speak without TLS on a network of the machine's own.
pub(super) fn client() -> Result<HttpClient> {
    let options = ClientOptions::new()
        .with_allow_http(true)
        .with_connect_timeout(Duration::from_secs(2))
        .with_timeout(Duration::from_secs(20));
    ReqwestConnector::default()
        .connect(&options)
        .map_err(|error| Error::internal("the HTTP client cannot start").with_source(error))
}

/// Makes a request. Errors: `BAD_SETTING` if `url` is none, or a header's value holds what headers cannot.
pub(super) fn request(method: Method, url: &str, headers: &[(&str, &str)], body: String) -> Result<HttpRequest> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
        .body(HttpRequestBody::from(Bytes::from(body)))
        .map_err(|error| Error::new(codes::BAD_SETTING, format!("cannot ask `{url}`")).with_source(error))
}

/// Sends the request that `make` makes, which is asked again for each try, and gives the answer's text.
///
/// Errors: `ACCESS_DENIED` for an answer of 401 or 403, `NOT_FOUND` for 404, `STORAGE` for the rest.
pub(super) async fn send(client: &HttpClient, make: &(dyn Fn() -> Result<HttpRequest> + Sync)) -> Result<String> {
    let mut wait = FIRST_WAIT;
    let mut tries = 0;
    loop {
        tries += 1;
        let request = make()?;
        let host = request.uri().host().unwrap_or_default().to_owned();
        let failed = |code, what: String| Error::new(code, format!("{host} {what}"));
        let error = match client.execute(request).await {
            Ok(response) => {
                let status = response.status();
                let text = response.into_body().bytes().await.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                match text {
                    Ok(text) if status.is_success() => return Ok(text),
                    Ok(text) => {
                        let code = match status {
                            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => codes::ACCESS_DENIED,
                            StatusCode::NOT_FOUND => codes::NOT_FOUND,
                            _ => codes::STORAGE,
                        };
                        let error = failed(code, format!("answers {status}"));
                        let error = if text.is_empty() { error } else { error.with_source(excerpt(&text)) };
                        if !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS {
                            return Err(error);
                        }
                        error
                    }
                    Err(cause) => failed(codes::STORAGE, "broke off its answer".to_owned()).with_source(cause),
                }
            }
            Err(cause) => failed(codes::STORAGE, "does not answer".to_owned()).with_source(cause),
        };
        if tries == TRIES_MAX {
            return Err(error);
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
}

/// The start of an answer, on one line.
fn excerpt(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}
