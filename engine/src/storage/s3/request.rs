//! Requests that object_store has no verb for: tokens, roles, unfinished uploads.
//!
//! Its HTTP client sends them; a server's error, a lost connection and a time-out are tried again a few times.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};

use crate::error::{Error, Result, codes};

/// Tries, and how long the wait after the first is; it doubles. Of S3, as many as object_store makes.
const TRIES_MAX: u32 = 4;
const S3_TRIES_MAX: u32 = 11;
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(15);

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

/// How an exchange ended without a good answer.
enum Failure {
    /// The server says no, in these words.
    Refused(StatusCode, String),
    /// There is no answer, or half of one.
    Lost(object_store::client::HttpError),
}

impl Failure {
    fn is_passing(&self) -> bool {
        match self {
            Failure::Refused(status, _) => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Failure::Lost(_) => true,
        }
    }
}

/// Sends the request that `make` makes, which is asked again for each try, and gives the answer's text.
async fn exchange(
    client: &HttpClient,
    tries_max: u32,
    make: &(dyn Fn() -> Result<HttpRequest> + Sync),
) -> Result<std::result::Result<String, Failure>> {
    let mut wait = FIRST_WAIT;
    let mut tries = 1;
    loop {
        let failure = match exchange_once(client, make()?).await {
            Err(failure) if failure.is_passing() && tries < tries_max => failure,
            ended => return Ok(ended),
        };
        drop(failure);
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
        tries += 1;
    }
}

async fn exchange_once(client: &HttpClient, request: HttpRequest) -> std::result::Result<String, Failure> {
    let response = client.execute(request).await.map_err(Failure::Lost)?;
    let status = response.status();
    let bytes = response.into_body().bytes().await.map_err(Failure::Lost)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if status.is_success() { Ok(text) } else { Err(Failure::Refused(status, text)) }
}

/// Asks a service beside S3.
///
/// Errors: `ACCESS_DENIED` for an answer of 401 or 403, `NOT_FOUND` for 404, `STORAGE` for the rest.
pub(super) async fn send(client: &HttpClient, make: &(dyn Fn() -> Result<HttpRequest> + Sync)) -> Result<String> {
    let failure = match exchange(client, TRIES_MAX, make).await? {
        Ok(text) => return Ok(text),
        Err(failure) => failure,
    };
    let host = make()?.uri().host().unwrap_or_default().to_owned();
    Err(match failure {
        Failure::Lost(cause) => Error::new(codes::STORAGE, format!("{host} does not answer")).with_source(cause),
        Failure::Refused(status, text) => {
            let code = match status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => codes::ACCESS_DENIED,
                StatusCode::NOT_FOUND => codes::NOT_FOUND,
                _ => codes::STORAGE,
            };
            let error = Error::new(code, format!("{host} answers {status}"));
            if text.is_empty() { error } else { error.with_source(excerpt(&text)) }
        }
    })
}

/// Asks S3. Its errors are told as object_store tells them.
pub(super) async fn ask_s3(
    client: &HttpClient,
    make: &(dyn Fn() -> Result<HttpRequest> + Sync),
) -> object_store::Result<String> {
    match exchange(client, S3_TRIES_MAX, make).await.map_err(foreign)? {
        Ok(text) => Ok(text),
        Err(Failure::Lost(cause)) => Err(object_store::Error::Generic { store: "S3", source: Box::new(cause) }),
        Err(Failure::Refused(status, text)) => {
            let source = format!("the server answers {status}: {text}").into();
            Err(match status {
                StatusCode::NOT_FOUND => object_store::Error::NotFound { path: String::new(), source },
                StatusCode::FORBIDDEN => object_store::Error::PermissionDenied { path: String::new(), source },
                _ => object_store::Error::Generic { store: "S3", source },
            })
        }
    }
}

/// An error of ours, as one that goes through object_store.
pub(super) fn foreign(error: Error) -> object_store::Error {
    object_store::Error::Generic { store: "S3", source: Box::new(error) }
}

/// The start of an answer, on one line.
fn excerpt(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}
