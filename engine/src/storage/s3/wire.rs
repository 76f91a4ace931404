//! Every request on its way to S3: counted, and held back while S3 asks for fewer of them.
//!
//! object_store makes, signs and repeats requests; this is the HTTP client that it sends them with, so that what it does
//! by itself is seen, too.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use http_body::{Body, Frame, SizeHint};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpResponseBody, HttpService, ReqwestConnector,
};

use super::meter::Meter;
use super::throttle::{Pass, Throttle};

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
        let region = response.headers().get("x-amz-bucket-region").and_then(|value| value.to_str().ok());
        if let Some(region) = region {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(region.to_owned());
        }
    }
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
        let response = self.client.execute(request).await.inspect_err(|_| self.meter.count_retry())?;
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
        let body = Answer { body, meter: Arc::clone(&self.meter), pass: Some(pass) };
        Ok(HttpResponse::from_parts(head, HttpResponseBody::new(body)))
    }
}

/// A body on its way in. The request is under way until it is there, or breaks off.
struct Answer {
    body: HttpResponseBody,
    meter: Arc<Meter>,
    pass: Option<Pass>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
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
