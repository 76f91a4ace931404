//! What S3 lists: objects, and uploads that are not finished. Queries, and their answers read.
//!
//! object_store's own listing takes no key with an empty part, as in `a//b`, and fails for all because of one. Keys are
//! asked for in the form of URLs, since XML has no way to write all characters. Source: ListObjectsV2 and
//! ListMultipartUploads in the API reference of S3.

use std::fmt::Write;
use std::time::SystemTime;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::bucket::{ObjectMeta, Upload};
use crate::error::{Error, Result, codes};
use crate::storage::path::decode_percent;

/// The key and the id of the upload that a page starts behind.
pub(super) type Markers = (String, String);

/// Asks for objects whose keys start with `prefix`, from where `token` says.
pub(super) fn objects_query(prefix: &str, token: Option<&str>) -> String {
    let token = token.map(|token| ("continuation-token", token));
    query([("list-type", "2"), ("encoding-type", "url"), ("prefix", prefix)].into_iter().chain(token))
}

/// The objects of one page, and the token of the next, if there is one.
pub(super) fn objects(text: &str) -> Result<(Vec<ObjectMeta>, Option<String>)> {
    let page: ObjectsPage = read(text)?;
    let is_encoded = page.encoding_type.as_deref() == Some("url");
    let mut objects = Vec::with_capacity(page.contents.len());
    for ListedObject { key, size, e_tag, last_modified } in page.contents {
        let modified = last_modified.and_then(|text| text.parse::<jiff::Timestamp>().ok()).map(SystemTime::from);
        objects.push(ObjectMeta { key: decoded(key, is_encoded)?, len: size, etag: e_tag, modified });
    }
    Ok((objects, page.next_continuation_token.filter(|_| page.is_truncated)))
}

/// Asks for uploads to keys that start with `prefix`, those of a later page from `markers` on.
pub(super) fn uploads_query(prefix: &str, markers: Option<Markers>) -> String {
    let markers =
        markers.iter().flat_map(|(key, id)| [("key-marker", key.as_str()), ("upload-id-marker", id.as_str())]);
    query([("uploads", ""), ("encoding-type", "url"), ("prefix", prefix)].into_iter().chain(markers))
}

/// The uploads of one page, and where the next one starts, if there is one.
pub(super) fn uploads(text: &str) -> Result<(Vec<Upload>, Option<Markers>)> {
    let page: UploadsPage = read(text)?;
    let is_encoded = page.encoding_type.as_deref() == Some("url");
    let mut uploads = Vec::with_capacity(page.upload.len());
    for ListedUpload { key, upload_id } in page.upload {
        uploads.push(Upload { key: decoded(key, is_encoded)?, id: upload_id });
    }
    let next = match (page.is_truncated, page.next_key_marker) {
        (true, Some(key)) => Some((decoded(key, is_encoded)?, page.next_upload_id_marker.unwrap_or_default())),
        _ => None,
    };
    Ok((uploads, next))
}

/// `text` in a URL: all but letters, digits, `-._~` and slashes as percent escapes, as signatures want it.
pub(super) fn in_url(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn query<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    // A signature holds for spaces as `%20`, not for `+`.
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().replace('+', "%20")
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    quick_xml::de::from_str(text)
        .map_err(|error| Error::new(codes::STORAGE, "a listing of S3 cannot be read").with_source(error))
}

fn decoded(key: String, is_encoded: bool) -> Result<String> {
    if !is_encoded {
        return Ok(key);
    }
    String::from_utf8(decode_percent(&key.replace('+', " ")))
        .map_err(|error| Error::new(codes::STORAGE, "a key that S3 lists is not UTF-8").with_source(error))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ObjectsPage {
    #[serde(default)]
    contents: Vec<ListedObject>,
    #[serde(default)]
    is_truncated: bool,
    next_continuation_token: Option<String>,
    encoding_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedObject {
    key: String,
    size: u64,
    #[serde(rename = "ETag")]
    e_tag: Option<String>,
    last_modified: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UploadsPage {
    #[serde(default)]
    upload: Vec<ListedUpload>,
    #[serde(default)]
    is_truncated: bool,
    next_key_marker: Option<String>,
    next_upload_id_marker: Option<String>,
    encoding_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedUpload {
    key: String,
    upload_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_paths_are_encoded_as_signatures_want_it() {
        let all = "list-type=2&encoding-type=url&prefix=a+b%2Fc%2B%C3%A9&continuation-token=1%2F%2B%3D";
        assert_eq!(objects_query("a b/c+é", Some("1/+=")), all.replace('+', "%20"));
        assert_eq!(in_url("a b/c+é~%"), "a%20b/c%2B%C3%A9~%25");
    }

    #[test]
    fn keys_are_decoded_where_the_server_encoded_them() {
        let page = |encoding: &str| {
            let text = format!(
                "<ListBucketResult>{encoding}<IsTruncated>true</IsTruncated><Contents><Key>a+b//%25&amp;</Key><ETag>\
                 &quot;x&quot;</ETag><Size>7</Size></Contents><NextContinuationToken>t</NextContinuationToken>\
                 </ListBucketResult>"
            );
            let (objects, next) = objects(&text).unwrap();
            assert_eq!((objects[0].etag.as_deref(), objects[0].len, next.as_deref()), (Some("\"x\""), 7, Some("t")));
            objects[0].key.clone()
        };
        assert_eq!(page("<EncodingType>url</EncodingType>"), "a b//%&");
        assert_eq!(page(""), "a+b//%25&");
        assert_eq!(objects("<ListBucketResult/>").unwrap(), (vec![], None));
        assert!(objects("<html>").is_err());
    }
}
