//! A client for tests, to look at a server behind the command's back: nothing is signed, and nothing is tried again.
//!
//! Each request has a connection of its own. What a server refuses is a panic, since a test cannot go on then.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

/// What stands in paths as it is.
const IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What stands in values of parameters as it is.
const IN_QUERIES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Asks the server at one address.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    runtime: Runtime,
}

impl Client {
    /// Asks for nothing yet.
    pub fn new(address: SocketAddr) -> Client {
        let runtime = Builder::new_current_thread().enable_io().build().expect("a runtime can be started");
        Client { address, runtime }
    }

    /// Makes a bucket.
    pub fn make_bucket(&self, bucket: &str) {
        self.expect(Method::PUT, &format!("/{bucket}"), Bytes::new());
    }

    /// Makes or replaces an object.
    pub fn put(&self, bucket: &str, key: &str, bytes: impl Into<Vec<u8>>) {
        self.expect(Method::PUT, &path(bucket, key), bytes.into().into());
    }

    /// The object's bytes.
    pub fn get(&self, bucket: &str, key: &str) -> Vec<u8> {
        self.expect(Method::GET, &path(bucket, key), Bytes::new()).to_vec()
    }

    /// Removes objects.
    pub fn delete(&self, bucket: &str, keys: &[String]) {
        for key in keys {
            self.expect(Method::DELETE, &path(bucket, key), Bytes::new());
        }
    }

    /// Every key that starts with `prefix`.
    pub fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let mut keys = Vec::new();
        let mut after = String::new();
        loop {
            let query = format!("list-type=2&prefix={}{after}", utf8_percent_encode(prefix, IN_QUERIES));
            let page: Objects = self.ask(bucket, &query);
            keys.extend(page.contents.into_iter().map(|object| object.key));
            match page.next_continuation_token.filter(|_| page.is_truncated) {
                Some(token) => after = format!("&continuation-token={}", utf8_percent_encode(&token, IN_QUERIES)),
                None => return keys,
            }
        }
    }

    /// Every object whose key starts with `prefix`.
    pub fn objects(&self, bucket: &str, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        self.keys(bucket, prefix).into_iter().map(|key| (key.clone(), self.get(bucket, &key))).collect()
    }

    /// Keys of the uploads that were neither completed nor aborted.
    pub fn pending_uploads(&self, bucket: &str) -> Vec<String> {
        let page: Uploads = self.ask(bucket, "uploads=");
        page.upload.into_iter().map(|upload| upload.key).collect()
    }

    /// Whether the server stores and finds an object. Nobody listening is no panic.
    pub fn is_served(&self, bucket: &str) -> bool {
        let path = path(bucket, "probe");
        let asked = [(Method::PUT, "served"), (Method::DELETE, "")];
        asked.into_iter().all(|(method, body)| {
            self.send(method, &path, body.into()).is_ok_and(|answer| answer.status().is_success())
        })
    }

    fn ask<T: DeserializeOwned>(&self, bucket: &str, query: &str) -> T {
        let text = self.expect(Method::GET, &format!("/{bucket}?{query}"), Bytes::new());
        quick_xml::de::from_reader(text.as_ref()).expect("the answer is a listing")
    }

    fn expect(&self, method: Method, target: &str, body: Bytes) -> Bytes {
        let asked = format!("{method} {target}");
        match self.send(method, target, body) {
            Ok(answer) if answer.status().is_success() => answer.into_body(),
            Ok(answer) => panic!("{asked}: {}", answer.status()),
            Err(error) => panic!("{asked}: {error}"),
        }
    }

    fn send(&self, method: Method, target: &str, body: Bytes) -> std::io::Result<Response<Bytes>> {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", self.address.to_string())
            .body(Full::new(body))
            .map_err(std::io::Error::other)?;
        #[expect(clippy::disallowed_methods, reason = "tests are threads that wait")]
        self.runtime.block_on(exchange(self.address, request))
    }
}

/// Sends a request as it is and gives the whole answer.
pub(crate) async fn exchange(address: SocketAddr, request: Request<Full<Bytes>>) -> std::io::Result<Response<Bytes>> {
    let socket = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(std::io::Error::other)?;
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(std::io::Error::other)?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    Ok(Response::from_parts(head, body))
}

fn path(bucket: &str, key: &str) -> String {
    format!("/{bucket}/{}", utf8_percent_encode(key, IN_PATHS))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Objects {
    is_truncated: bool,
    next_continuation_token: Option<String>,
    #[serde(default)]
    contents: Vec<Keyed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Uploads {
    #[serde(default)]
    upload: Vec<Keyed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keyed {
    key: String,
}
