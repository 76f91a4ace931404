//! From a request to its answer.
//!
//! Source: the API reference of S3: ListObjectsV2, GetObject, HeadObject, PutObject with `If-Match` and
//! `If-None-Match`, DeleteObjects, and the verbs of multipart uploads.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::answer::{
    self, Answer, CompleteMultipartUpload, CompleteMultipartUploadResult, Contents, Delete, DeleteResult,
    InitiateMultipartUploadResult, Key, ListBucketResult, ListMultipartUploadsResult, ListedUpload,
};
use crate::faults::Fault;
use crate::store::{Object, Store};
use crate::{State, identity, lock};

const LAST_MODIFIED: &str = "2014-07-05T20:00:00.000Z";
const LAST_MODIFIED_HEADER: &str = "Sat, 05 Jul 2014 20:00:00 GMT";
const PAGE_KEYS: usize = 1000;

/// What stands in keys of a listing in the form of URLs as it is.
const IN_URLS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_');

/// One request, whole.
struct Asked {
    method: Method,
    bucket: String,
    key: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Answers, or breaks the connection off.
pub(crate) async fn answer(state: Arc<Mutex<State>>, request: Request<Incoming>) -> Result<Answer, std::io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    if let Some(answer) = identity::answer(&head.method, head.uri.path(), &head.headers, &body) {
        lock(&state).requests.push(format!("{} {}", head.method, head.uri.path()));
        return Ok(answer);
    }
    let path = percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned();
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let asked = Asked {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        query: form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect(),
        method: head.method,
        headers: head.headers,
        body,
    };
    let (fault, latency) = {
        let mut state = lock(&state);
        let query = head.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let text = format!("{} {}/{}{query}", asked.method, asked.bucket, asked.key);
        state.requests.push(text.clone());
        state.under_way += 1;
        state.under_way_max = state.under_way_max.max(state.under_way);
        state.headers.push(asked.headers.clone());
        let fault = match state.capacity {
            Some(capacity) if state.under_way > capacity => Some(Fault::SlowDown),
            _ => state.faults.next(&text),
        };
        (fault, state.latency)
    };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let done = || {
        let mut state = lock(&state);
        state.under_way -= 1;
        match fault {
            None | Some(Fault::LostAnswer | Fault::CutBody) => done(&mut state, &asked),
            Some(Fault::SlowDown) => answer::error(503, "SlowDown"),
            Some(Fault::ExpiredToken) => answer::error(400, "ExpiredToken"),
            Some(Fault::AccessDenied) => answer::error(403, "AccessDenied"),
            Some(Fault::Conflict) => answer::error(409, "OperationAborted"),
            Some(Fault::InternalError | Fault::NoAnswer) => answer::error(500, "InternalError"),
        }
    };
    let answer = done();
    match fault {
        Some(Fault::NoAnswer | Fault::LostAnswer) => Err(std::io::Error::other("a fault: no answer")),
        Some(Fault::CutBody) => cut(answer).await,
        _ => Ok(answer),
    }
}

/// The first half of an answer, the length of which is still said to be the whole.
async fn cut(answer: Answer) -> Result<Answer, std::io::Error> {
    let (mut head, body) = answer.into_parts();
    let whole = body.collect().await?.to_bytes();
    head.headers.insert("content-length", whole.len().into());
    let half = Half(Some(whole.slice(..whole.len() / 2)));
    Ok(Answer::from_parts(head, BodyExt::boxed(half)))
}

/// A body that breaks off.
struct Half(Option<Bytes>);

impl hyper::body::Body for Half {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        std::task::Poll::Ready(Some(match self.0.take() {
            Some(bytes) => Ok(Frame::data(bytes)),
            None => Err(std::io::Error::other("a fault: the body is cut")),
        }))
    }
}

fn done(state: &mut State, asked: &Asked) -> Answer {
    if let Some(key_ids) = &state.key_ids {
        let authorization = asked.header("authorization").unwrap_or_default();
        if authorization.is_empty() {
            return answer::error(403, "AccessDenied");
        }
        if !key_ids.iter().any(|key_id| authorization.contains(&format!("Credential={key_id}/"))) {
            return answer::error(403, "InvalidAccessKeyId");
        }
    }
    if let Some(region) = &state.region {
        let authorization = asked.header("authorization").unwrap_or_default();
        if !authorization.contains(&format!("/{region}/s3/aws4_request")) {
            // A wrong signature for the right place is answered so; 301 is what other places answer.
            let answer = match asked.method.as_str() {
                "GET" => answer::error(301, "PermanentRedirect"),
                _ => answer::error(400, "AuthorizationHeaderMalformed"),
            };
            return answer::with(answer, "x-amz-bucket-region", region);
        }
    }
    if state.requester_pays && asked.header("x-amz-request-payer") != Some("requester") {
        return answer::error(403, "AccessDenied");
    }
    let store = &mut state.store;
    if asked.method == Method::PUT && asked.key.is_empty() {
        store.make_bucket(&asked.bucket);
        return answer::empty(StatusCode::OK);
    }
    if !store.has_bucket(&asked.bucket) {
        return answer::error(404, "NoSuchBucket");
    }
    let has = |name| asked.parameter(name).is_some();
    match (asked.method.as_str(), asked.key.is_empty()) {
        ("GET", true) if has("uploads") => list_uploads(store, asked),
        ("GET", true) => list(store, asked),
        ("POST", true) if has("delete") => delete_many(store, asked),
        ("GET" | "HEAD", false) => get(store, asked),
        ("PUT", false) if has("uploadId") => put_part(store, asked),
        ("PUT", false) => put(store, asked),
        ("POST", false) if has("uploads") => {
            let upload_id = store.begin_upload(&asked.bucket, &asked.key);
            let result =
                InitiateMultipartUploadResult { bucket: asked.bucket.clone(), key: asked.key.clone(), upload_id };
            answer::document("InitiateMultipartUploadResult", &result)
        }
        ("POST", false) if has("uploadId") => complete(store, asked),
        ("DELETE", false) => match asked.parameter("uploadId") {
            Some(id) if !store.abort_upload(&asked.bucket, id) => answer::error(404, "NoSuchUpload"),
            Some(_) => answer::empty(StatusCode::NO_CONTENT),
            None => {
                store.delete(&asked.bucket, &asked.key);
                answer::empty(StatusCode::NO_CONTENT)
            }
        },
        _ => answer::error(405, "MethodNotAllowed"),
    }
}

fn list(store: &Store, asked: &Asked) -> Answer {
    let after = asked.parameter("continuation-token").or(asked.parameter("start-after")).unwrap_or_default();
    let in_urls = asked.parameter("encoding-type") == Some("url");
    let mut found = store.list(&asked.bucket, asked.parameter("prefix").unwrap_or_default(), after);
    let mut last_key = None;
    let contents: Vec<Contents> = found
        .by_ref()
        .take(PAGE_KEYS)
        .inspect(|(key, _)| last_key = Some((*key).clone()))
        .map(|(key, object)| Contents {
            key: if in_urls { utf8_percent_encode(key, IN_URLS).to_string() } else { key.clone() },
            last_modified: LAST_MODIFIED,
            etag: object.etag.clone(),
            size: object.bytes.len(),
        })
        .collect();
    let is_truncated = found.next().is_some();
    let result = ListBucketResult {
        key_count: contents.len(),
        is_truncated,
        next_continuation_token: last_key.filter(|_| is_truncated),
        encoding_type: in_urls.then_some("url"),
        contents,
    };
    answer::document("ListBucketResult", &result)
}

fn list_uploads(store: &Store, asked: &Asked) -> Answer {
    let uploads = store.uploads(&asked.bucket, asked.parameter("prefix").unwrap_or_default());
    let upload = uploads.into_iter().map(|(key, upload_id)| ListedUpload { key, upload_id }).collect();
    answer::document("ListMultipartUploadsResult", &ListMultipartUploadsResult { is_truncated: false, upload })
}

fn get(store: &Store, asked: &Asked) -> Answer {
    let Some(object) = store.get(&asked.bucket, &asked.key) else {
        return answer::error(404, "NoSuchKey");
    };
    if asked.header("if-match").is_some_and(|wanted| !matches(wanted, object)) {
        return answer::error(412, "PreconditionFailed");
    }
    let len = object.bytes.len();
    let answer = match asked.header("range").map(|text| range(text, len)) {
        None => answer::bytes(StatusCode::OK, object.bytes.clone()),
        Some(Some((start, end))) => {
            let part = answer::bytes(StatusCode::PARTIAL_CONTENT, object.bytes.slice(start..end));
            answer::with(part, "content-range", &format!("bytes {start}-{}/{len}", end - 1))
        }
        Some(None) => return answer::error(416, "InvalidRange"),
    };
    let answer = if asked.method == Method::HEAD {
        answer::with(answer::empty(StatusCode::OK), "content-length", &len.to_string())
    } else {
        answer
    };
    answer::with(answer::with(answer, "etag", &object.etag), "last-modified", LAST_MODIFIED_HEADER)
}

/// `bytes=a-b` as a half-open range; `None` if it lies outside.
fn range(text: &str, len: usize) -> Option<(usize, usize)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let start: usize = first.parse().ok()?;
    let end = last.parse::<usize>().map_or(len, |last| last + 1).min(len);
    (start < end).then_some((start, end))
}

fn matches(wanted: &str, object: &Object) -> bool {
    wanted.trim_matches('"') == object.etag.trim_matches('"')
}

fn put(store: &mut Store, asked: &Asked) -> Answer {
    let found = store.get(&asked.bucket, &asked.key);
    if asked.header("if-none-match") == Some("*") && found.is_some() {
        return answer::error(412, "PreconditionFailed");
    }
    if let Some(wanted) = asked.header("if-match") {
        match found {
            None => return answer::error(404, "NoSuchKey"),
            Some(object) if !matches(wanted, object) => return answer::error(412, "PreconditionFailed"),
            Some(_) => {}
        }
    }
    let etag = store.put(&asked.bucket, &asked.key, asked.body.clone());
    answer::with(answer::empty(StatusCode::OK), "etag", &etag)
}

fn put_part(store: &mut Store, asked: &Asked) -> Answer {
    let id = asked.parameter("uploadId").unwrap_or_default();
    let number = asked.parameter("partNumber").and_then(|number| number.parse().ok()).unwrap_or_default();
    match store.put_part(&asked.bucket, id, number, asked.body.clone()) {
        Some(etag) => answer::with(answer::empty(StatusCode::OK), "etag", &etag),
        None => answer::error(404, "NoSuchUpload"),
    }
}

fn complete(store: &mut Store, asked: &Asked) -> Answer {
    let Ok(wanted) = quick_xml::de::from_reader::<_, CompleteMultipartUpload>(asked.body.as_ref()) else {
        return answer::error(400, "MalformedXML");
    };
    let wanted: Vec<(u32, String)> = wanted.part.into_iter().map(|part| (part.part_number, part.etag)).collect();
    let id = asked.parameter("uploadId").unwrap_or_default();
    match store.complete_upload(&asked.bucket, id, &wanted) {
        Some(etag) => {
            let result = CompleteMultipartUploadResult { key: asked.key.clone(), etag };
            answer::document("CompleteMultipartUploadResult", &result)
        }
        None => answer::error(404, "NoSuchUpload"),
    }
}

fn delete_many(store: &mut Store, asked: &Asked) -> Answer {
    let Ok(wanted) = quick_xml::de::from_reader::<_, Delete>(asked.body.as_ref()) else {
        return answer::error(400, "MalformedXML");
    };
    for Key { key } in &wanted.object {
        store.delete(&asked.bucket, key);
    }
    answer::document("DeleteResult", &DeleteResult { deleted: wanted.object })
}
