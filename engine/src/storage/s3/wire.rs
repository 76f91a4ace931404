//! Every request on its way to S3: counted, and held back while S3 asks for fewer of them.
//!
//! object_store makes, signs and repeats requests; this is the HTTP client that it sends them with, so that what it does
//! by itself is seen, too.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use http_body::{Body, Frame, SizeHint};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
    ReqwestConnector,
};

use tokio::time::Sleep;

use super::meter::Meter;
use super::throttle::{Pass, Throttle};

/// How long it may take until an answer begins, and between two pieces of it.
const STALL_MAX: Duration = Duration::from_secs(30);

/// Bytes a second that a request's body is sent at, at least: parts of uploads share the line.
const SLOWEST: u64 = 16 << 10;

/// How long an answer may take to begin.
fn patience(request: &HttpRequest) -> Duration {
    STALL_MAX + Duration::from_secs(request.body().content_length() as u64 / SLOWEST)
}

/// An HTTP client whose requests are counted, and held back by `throttle`.
pub(super) fn client(
    options: &ClientOptions,
    meter: Arc<Meter>,
    throttle: Arc<Throttle>,
    region: Arc<SeenRegion>,
) -> object_store::Result<HttpClient> {
    let client = ReqwestConnector::default().connect(options)?;
    Ok(HttpClient::new(Wire { client, meter, throttle, region }))
}

/// The region of the bucket, as an answer said last. object_store does not tell what stands in headers.
#[derive(Debug, Default)]
pub(super) struct SeenRegion(Mutex<Option<String>>);

impl SeenRegion {
    pub fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn see(&self, response: &HttpResponse) {
        if let Some(region) = region_of(response) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(region);
        }
    }
}

/// The region of the bucket, if the answer says it.
pub(super) fn region_of(response: &HttpResponse) -> Option<String> {
    Some(response.headers().get("x-amz-bucket-region")?.to_str().ok()?.to_owned())
}

/// Gives object_store a client that is there already.
#[derive(Debug)]
pub(super) struct Connected(pub HttpClient);

impl HttpConnector for Connected {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(self.0.clone())
    }
}

#[derive(Debug)]
struct Wire {
    client: HttpClient,
    meter: Arc<Meter>,
    throttle: Arc<Throttle>,
    region: Arc<SeenRegion>,
}

#[async_trait]
impl HttpService for Wire {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let pass = self.throttle.pass().await;
        self.meter.count(&request);
        let answered = tokio::time::timeout(patience(&request), self.client.execute(request)).await;
        let response = answered
            .unwrap_or_else(|elapsed| Err(HttpError::new(HttpErrorKind::Timeout, elapsed)))
            .inspect_err(|_| self.meter.count_retry())?;
        let status = response.status();
        if !status.is_success() {
            self.region.see(&response);
        }
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            pass.was_too_much();
        }
        if status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT) {
            self.meter.count_retry();
        } else {
            pass.went_well();
        }
        let (head, body) = response.into_parts();
        let body = Answer { body, meter: Arc::clone(&self.meter), pass: Some(pass), stall: None };
        Ok(HttpResponse::from_parts(head, HttpResponseBody::new(body)))
    }
}

/// A body on its way in. The request is under way until it is there, or breaks off.
struct Answer {
    body: HttpResponseBody,
    meter: Arc<Meter>,
    pass: Option<Pass>,
    /// Runs while nothing comes that is waited for.
    stall: Option<Pin<Box<Sleep>>>,
}

impl Answer {
    fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_ready() {
            self.stall = None;
            return polled;
        }
        let stall = self.stall.get_or_insert_with(|| Box::pin(tokio::time::sleep(STALL_MAX)));
        stall.as_mut().poll(context).map(|()| {
            let message = std::io::Error::new(std::io::ErrorKind::TimedOut, "the answer does not go on");
            Some(Err(HttpError::new(HttpErrorKind::Timeout, message)))
        })
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let polled = self.poll_body(context);
        if matches!(polled, Poll::Ready(Some(Err(_)))) {
            self.meter.count_retry();
        }
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            // A request that goes on where this one broke off may need the place.
            self.pass = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    #[test]
    fn a_part_of_an_upload_may_take_minutes() {
        let put = |n_bytes: usize| patience(&Request::new(Bytes::from(vec![0; n_bytes]).into()));
        assert_eq!(put(0), STALL_MAX);
        assert!(put(8 << 20) > Duration::from_secs(8 * 60));
    }
}
