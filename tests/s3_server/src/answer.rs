//! What the server answers: documents of S3's API, errors, bodies.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use serde::{Deserialize, Serialize};

pub(crate) type Body = BoxBody<Bytes, std::io::Error>;
pub(crate) type Answer = Response<Body>;

/// An answer with these bytes.
pub(crate) fn bytes(status: StatusCode, bytes: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(bytes.into()).map_err(|never| match never {}).boxed());
    *answer.status_mut() = status;
    answer
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    bytes(status, Bytes::new())
}

/// An answer with a document.
pub(crate) fn document(root: &str, document: &impl Serialize) -> Answer {
    let text = quick_xml::se::to_string_with_root(root, document).expect("plain data can be written");
    let mut answer = bytes(StatusCode::OK, format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}"));
    answer.headers_mut().insert("content-type", HeaderValue::from_static("application/xml"));
    answer
}

/// An answer that says what is wrong.
pub(crate) fn error(status: u16, code: &str) -> Answer {
    let document = ErrorDocument { code: code.to_owned(), message: format!("{code} it is") };
    let mut answer = self::document("Error", &document);
    *answer.status_mut() = StatusCode::from_u16(status).expect("a status is a status");
    answer
}

/// Adds a header.
pub(crate) fn with(mut answer: Answer, name: &'static str, value: &str) -> Answer {
    answer.headers_mut().insert(name, HeaderValue::from_str(value).expect("headers are plain text"));
    answer
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorDocument {
    code: String,
    message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListBucketResult {
    pub key_count: usize,
    pub is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_continuation_token: Option<String>,
    pub contents: Vec<Contents>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Contents {
    pub key: String,
    pub last_modified: &'static str,
    #[serde(rename = "ETag")]
    pub etag: String,
    pub size: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InitiateMultipartUploadResult {
    pub bucket: String,
    pub key: String,
    pub upload_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CompleteMultipartUploadResult {
    pub key: String,
    #[serde(rename = "ETag")]
    pub etag: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListMultipartUploadsResult {
    pub is_truncated: bool,
    pub upload: Vec<ListedUpload>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListedUpload {
    pub key: String,
    pub upload_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeleteResult {
    pub deleted: Vec<Key>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Key {
    pub key: String,
}

/// The body of a request to delete many.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Delete {
    #[serde(default)]
    pub object: Vec<Key>,
}

/// The body of a request to complete an upload.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CompleteMultipartUpload {
    #[serde(default)]
    pub part: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Part {
    #[serde(rename = "ETag")]
    pub etag: String,
    pub part_number: u32,
}
