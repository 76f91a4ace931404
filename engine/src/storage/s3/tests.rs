//! Against the server of tests/s3_server: what is listed and read, in how many requests, and what faults come to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use logq_s3_server::{Fault, Faults, KEY_ID, ROLE_KEY_ID, Server};

use crate::config::{CredentialSource, Credentials, Encryption, EngineConfig, S3Config, Secret};
use crate::error::{Error, Result, codes};
use crate::storage::{FileMeta, Storage, StoragePath};

fn keys() -> Credentials {
    let source = CredentialSource::Keys { key_id: KEY_ID.into(), secret: Secret::new("s"), session_token: None };
    Credentials { source, origin: "the test".into() }
}

fn storage_as(server: &Server, credentials: Credentials) -> Storage {
    let endpoint = Some(server.url());
    let sso_endpoint = endpoint.clone();
    storage_of(S3Config { sts_endpoint: endpoint.clone(), sso_endpoint, endpoint, credentials, ..S3Config::default() })
}

fn storage_of(s3: S3Config) -> Storage {
    Storage::new(&EngineConfig { s3, threads: 2, ..EngineConfig::default() })
}

fn storage(server: &Server) -> Storage {
    storage_as(server, keys())
}

fn at(text: &str) -> StoragePath {
    StoragePath::parse(text, std::path::Path::new("/")).unwrap()
}

/// Reads files as one task does, from start to end in small steps.
fn read_all(storage: &Storage, files: &[Arc<FileMeta>]) -> Result<Vec<Vec<u8>>> {
    let opener = storage.read_ahead(files.iter().map(|file| (Arc::clone(file), 0..file.len)).collect());
    files
        .iter()
        .map(|meta| {
            let file = opener.open(meta)?;
            let mut bytes = vec![0; meta.len as usize];
            for (idx, step) in bytes.chunks_mut(70_000).enumerate() {
                assert_eq!(file.read_at(idx as u64 * 70_000, step)?, step.len());
            }
            file.verify()?;
            Ok(bytes)
        })
        .collect()
}

fn list(storage: &Storage, place: &str) -> Result<Vec<Arc<FileMeta>>> {
    Ok(storage.list(&at(place))?.files.into_iter().map(Arc::new).collect())
}

fn content(n: usize) -> Vec<u8> {
    (0..n).map(|byte| (byte * 31 % 251) as u8).collect()
}

#[test]
fn lists_by_pages_and_hides_what_hadoop_hides() {
    let server = Server::start();
    for idx in 0..2345 {
        server.put("b", &format!("in/x{idx:04}"), "1");
    }
    for key in ["in/_SUCCESS", "in/.x", "in/_t/0/x", "in/a_$folder$", "into/x", "in/a-b", "in/a/x y+z%", "in"] {
        server.put("b", key, "12");
    }
    let listing = storage(&server).list(&at("s3a://b//in/")).unwrap();
    assert_eq!((listing.files.len(), listing.hidden, listing.skipped_special), (2347, 3, 1));
    assert_eq!(listing.files[0].path.to_string(), "s3://b/in/a-b");
    assert_eq!(listing.files[1].path.to_string(), "s3://b/in/a/x y+z%");
    assert_eq!(server.requests().len(), 3);
    let one = storage(&server).list(&at("s3://b/in/a/x y+z%")).unwrap();
    assert_eq!((one.files.len(), one.files[0].len), (1, 2));
}

#[test]
fn what_is_missing_and_what_is_forbidden() {
    let server = Server::start();
    server.put("b", "in/x", "1");
    let check = |place: &str, code, part: &str| {
        let error = storage(&server).list(&at(place)).unwrap_err();
        assert_eq!(error.code(), code, "{place}");
        assert!(error.message().contains(part), "{}", error.message());
    };
    check("s3://b/nothing", codes::NOT_FOUND, "no object");
    check("s3://c/in", codes::NOT_FOUND, "no such bucket");
    server.accept_only(&["another"]);
    let error = storage(&server).list(&at("s3://b/in")).unwrap_err();
    assert_eq!(error.code(), codes::ACCESS_DENIED);
    assert_eq!(
        error.hints(),
        ["that takes the permission s3:ListBucket", "the credentials are those of the test"],
        "{error:?}"
    );
}

#[test]
fn small_objects_are_fetched_whole_and_many_at_a_time() {
    let server = Server::start();
    for idx in 0..300 {
        server.put("b", &format!("in/{idx:03}"), content(1000 + idx));
    }
    let storage = storage(&server);
    let files = list(&storage, "s3://b/in").unwrap();
    server.set_latency(Duration::from_millis(20));
    let started = Instant::now();
    let read = read_all(&storage, &files).unwrap();
    assert!(read.iter().enumerate().all(|(idx, bytes)| *bytes == content(1000 + idx)));
    let gets = server.requests().iter().filter(|request| request.starts_with("GET b/in/")).count();
    assert_eq!(gets, 300);
    // One after the other they take six seconds.
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert!((16..=64).contains(&server.requests_at_once()), "{}", server.requests_at_once());
}

#[test]
fn large_objects_are_fetched_in_ranges() {
    let server = Server::start();
    server.put("b", "x", content(30 << 20));
    let storage = storage(&server);
    let files = list(&storage, "s3://b/x").unwrap();
    assert_eq!(read_all(&storage, &files).unwrap()[0], content(30 << 20));
    assert_eq!(server.requests().iter().filter(|request| request.starts_with("GET b/x")).count(), 4);
}

#[test]
fn reads_beside_what_was_announced() {
    let server = Server::start();
    server.put("b", "x", content(100_000));
    let storage = storage(&server);
    let files = list(&storage, "s3://b/x").unwrap();
    let opener = storage.read_ahead(vec![(Arc::clone(&files[0]), 50_000..60_000)]);
    let file = opener.open(&files[0]).unwrap();
    let read = |range: std::ops::Range<usize>| {
        let mut bytes = vec![0; range.len()];
        let n_read = file.read_at(range.start as u64, &mut bytes).unwrap();
        assert_eq!(bytes[..n_read], content(100_000)[range.start..range.start + n_read]);
        n_read
    };
    assert_eq!((read(0..16), read(49_000..70_000), read(99_990..100_010), read(10..20)), (16, 21_000, 10, 10));
}

#[test]
fn an_object_that_changes_is_an_error() {
    let server = Server::start();
    server.put("b", "x", "before");
    let storage = storage(&server);
    let files = list(&storage, "s3://b/x").unwrap();
    server.put("b", "x", "after!");
    let error = read_all(&storage, &files).unwrap_err();
    assert_eq!((error.code(), error.message()), (codes::FILE_CHANGED, "s3://b/x was replaced since it was listed"));
}

#[test]
fn passing_faults_change_nothing() {
    for seed in 0..6 {
        let server = Server::start();
        for idx in 0..40 {
            server.put("b", &format!("in/{idx:02}"), content(5000 + idx));
        }
        server.set_faults(Faults::seeded(seed, 6));
        let storage = storage(&server);
        let read = list(&storage, "s3://b/in").and_then(|files| read_all(&storage, &files)).unwrap();
        assert!(read.iter().enumerate().all(|(idx, bytes)| *bytes == content(5000 + idx)), "seed {seed}");
        assert!(server.faults_seen() > 0, "seed {seed}");
    }
}

#[test]
fn an_expired_token_is_renewed_once() {
    let server = Server::start();
    server.put("b", "x", "1");
    server.set_faults(Faults::at(0, Fault::ExpiredToken));
    assert_eq!(list(&storage(&server), "s3://b/x").unwrap().len(), 1);
    server.set_faults(Faults::at(0, Fault::AccessDenied));
    assert_eq!(list(&storage(&server), "s3://b/x").unwrap_err().code(), codes::ACCESS_DENIED);
}

#[test]
fn roles_containers_and_instances_give_credentials() {
    let server = Server::start();
    server.put("b", "x", "1");
    server.accept_only(&[ROLE_KEY_ID]);
    let dir = tempfile::tempdir().unwrap();
    let token_file = dir.path().join("token");
    std::fs::write(&token_file, "web-token\n").unwrap();
    let read = |source: CredentialSource| {
        let credentials = Credentials { source, origin: "the profile `x`".into() };
        storage_as(&server, credentials).read(&at("s3://b/x"))
    };
    let role = |role_arn: &str| CredentialSource::AssumeRole {
        role_arn: role_arn.into(),
        session_name: "s".into(),
        external_id: None,
        duration_seconds: 900,
        base: Box::new(keys()),
    };
    assert_eq!(read(role("arn:aws:iam::1:role/logs")).unwrap(), b"1");
    let web = |token_file| CredentialSource::WebIdentity { role_arn: "r".into(), session_name: "s".into(), token_file };
    assert_eq!(read(web(token_file)).unwrap(), b"1");
    let container = |token: &str| CredentialSource::Container {
        url: format!("{}/container", server.url()),
        authorization: Some(Secret::new(token)),
        authorization_file: None,
    };
    assert_eq!(read(container("container-token")).unwrap(), b"1");
    assert_eq!(read(CredentialSource::InstanceMetadata { endpoint: server.url() }).unwrap(), b"1");

    let denied = |error: Error, part: &str| {
        assert_eq!(error.code(), codes::ACCESS_DENIED);
        assert_eq!(error.message(), "no credentials could be had from the profile `x`");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(part), "{cause}");
    };
    denied(read(role("arn:aws:iam::1:role/other")).unwrap_err(), "403");
    denied(read(container("wrong")).unwrap_err(), "403");
    denied(read(web(dir.path().join("missing"))).unwrap_err(), "missing does not exist");
    let sso = |token: &str| {
        let token_file = dir.path().join("sso.json");
        std::fs::write(&token_file, token).unwrap();
        let (account_id, role_name, region) = ("1".into(), "r".into(), "eu-west-1".into());
        CredentialSource::Sso { account_id, role_name, region, token_file }
    };
    let good = r#"{"startUrl": "https://x", "accessToken": "sso-token", "expiresAt": "2099-01-01T00:00:00Z"}"#;
    assert_eq!(read(sso(good)).unwrap(), b"1");
    denied(read(sso(&good.replace("sso-token", "other"))).unwrap_err(), "403");
    let error = read(sso(&good.replace("2099", "2014"))).unwrap_err();
    assert!(error.hints()[0].contains("aws sso login"), "{error:?}");
    denied(error, "has expired");
    let missing = sso(good);
    std::fs::remove_file(dir.path().join("sso.json")).unwrap();
    denied(read(missing).unwrap_err(), "no SSO token");
}

#[test]
fn keys_of_every_kind() {
    let server = Server::start();
    let keys = [
        "in/a//b",
        "in//b",
        "in///b",
        "in/a//b//c",
        "in/ x +%2F&=é~!'()*.",
        "in/a/b",
        "in/#?;:@,$",
        "in/<&>\"",
        "in/a\u{1F600}",
    ];
    for (idx, key) in keys.iter().enumerate() {
        server.put("b", key, format!("{idx}"));
    }
    server.put("b", "in/folder/", "");
    let storage = storage(&server);
    let files = list(&storage, "s3://b/in").unwrap();
    let read = read_all(&storage, &files).unwrap();
    let objects = server.objects("b");
    let mut found: Vec<_> = files.iter().map(|file| file.path.as_object().unwrap().key.clone()).collect();
    for (key, bytes) in found.iter().zip(read) {
        assert_eq!(objects[key], bytes, "{key}");
    }
    found.sort();
    let mut expect = keys.map(str::to_owned);
    expect.sort();
    assert_eq!(found, expect);
}

#[test]
fn a_server_that_has_too_much_to_do_is_asked_for_less() {
    let server = Server::start();
    for idx in 0..400 {
        server.put("b", &format!("in/{idx:03}"), content(1000));
    }
    let storage = storage(&server);
    let files = list(&storage, "s3://b/in").unwrap();
    server.set_latency(Duration::from_millis(5));
    server.set_capacity(6);
    assert!(read_all(&storage, &files).unwrap().iter().all(|bytes| *bytes == content(1000)));
    let counts = storage.requests();
    assert_eq!(counts.get, 400 + counts.retries);
    // Sixty-four at a time would be refused most of the time, each several times over.
    assert!((1..400).contains(&counts.retries), "{counts:?}");
}

#[test]
fn requests_are_counted() {
    let server = Server::start();
    for idx in 0..30 {
        server.put("b", &format!("in/{idx:02}"), content(1000));
    }
    let storage = storage(&server);
    server.set_faults(Faults::at(4, Fault::InternalError));
    let files = list(&storage, "s3://b/in").unwrap();
    read_all(&storage, &files).unwrap();
    let counts = storage.requests();
    assert_eq!((counts.list, counts.get, counts.put, counts.retries), (1, 31, 0, 1));
    assert!(counts.waited > Duration::ZERO);
    assert_eq!(storage.requests().since(counts), Default::default());
}

#[test]
fn an_expired_token_that_stays_expired_is_an_error() {
    let server = Server::start();
    server.put("b", "x", "1");
    server.set_faults(Faults::always(Fault::ExpiredToken));
    assert_eq!(storage(&server).read(&at("s3://b/x")).unwrap_err().code(), codes::ACCESS_DENIED);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_bucket_that_lies_elsewhere_is_asked_there() {
    let server = Server::start();
    server.put("b", "in/x", "1");
    server.set_region("eu-central-1");
    // By a listing, by GET, by HEAD: each of them the first request.
    assert_eq!(list(&storage(&server), "s3://b/in").unwrap().len(), 1);
    assert_eq!(storage(&server).read(&at("s3://b/in/x")).unwrap(), b"1");
    let storage = storage(&server);
    let place = at("s3://b/in/x");
    let (bucket, network) = storage.s3().bucket("b").unwrap();
    let put = network.wait(async move { bucket.put("in/y", "2".into()).await }).unwrap();
    assert!(put.is_ok(), "{put:?}");
    assert_eq!((storage.read(&place).unwrap(), storage.requests().retries), (b"1".to_vec(), 1));
}

#[test]
fn who_pays_and_which_key_encrypts_stands_in_the_requests() {
    let server = Server::start();
    server.put("b", "in/x", "1");
    server.want_payment();
    assert_eq!(list(&storage(&server), "s3://b/in").unwrap_err().code(), codes::ACCESS_DENIED);
    let encryption = Encryption::Kms { key_id: "the-key".into() };
    let endpoint = Some(server.url());
    let storage =
        storage_of(S3Config { endpoint, requester_pays: true, encryption, credentials: keys(), ..S3Config::default() });
    let files = list(&storage, "s3://b/in").unwrap();
    assert_eq!(read_all(&storage, &files).unwrap(), [b"1"]);
    let n_requests = server.requests().len();
    let (bucket, network) = storage.s3().bucket("b").unwrap();
    let written = network.wait(async move {
        bucket.put("y", "2".into()).await?;
        bucket.begin_upload("z").await
    });
    written.unwrap().unwrap();
    let sent = |name: &str| server.headers(name).split_off(n_requests);
    assert_eq!(sent("x-amz-server-side-encryption"), [Some("aws:kms".to_owned()), Some("aws:kms".to_owned())]);
    let key = Some("the-key".to_owned());
    assert_eq!(sent("x-amz-server-side-encryption-aws-kms-key-id"), [key.clone(), key]);
}

#[test]
fn a_bucket_says_where_it_lies() {
    let server = Server::start();
    server.make_bucket("my.logs");
    let (storage, url) = (storage(&server), server.url());
    let ask = |name: &str| {
        let ((bucket, network), url) = (storage.s3().bucket(name).unwrap(), url.clone());
        network.wait(async move { bucket.ask_region(&url).await }).unwrap()
    };
    assert!(matches!(ask("none").unwrap_err(), object_store::Error::NotFound { .. }));
    server.set_region("eu-west-1");
    for fault in [Fault::NoAnswer, Fault::InternalError] {
        server.set_faults(Faults::at(0, fault));
        assert_eq!(ask("my.logs").unwrap(), "eu-west-1");
    }
    assert_eq!(server.requests().last().unwrap(), "HEAD my.logs/");
    // Whoever asks need not say who they are.
    assert_eq!(server.headers("authorization").last().unwrap(), &None);
}

/// Each part takes its bytes of memory.
#[test]
fn few_parts_of_all_files_are_uploaded_at_once() {
    check_parts_at_once(5, 17, super::UPLOAD_BYTES_MAX, 8);
    check_parts_at_once(1, 41, 20 << 20, 2);
    check_parts_at_once(1, 17, 0, 1);
}

fn check_parts_at_once(n_files: usize, file_mib: u64, memory_bytes: u64, expect: usize) {
    let server = Server::start();
    server.make_bucket("b");
    let storage = storage(&server);
    let dir = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..n_files)
        .map(|idx| {
            let path = dir.path().join(idx.to_string());
            std::fs::File::create(&path).unwrap().set_len(file_mib << 20).unwrap();
            (path, idx.to_string())
        })
        .collect();
    let place = crate::storage::ObjectPath { bucket: "b".into(), key: "out".into() };
    let folder = super::ObjectFolder::new(storage.s3(), &place).unwrap();
    server.set_latency(Duration::from_millis(100));
    let uploads = folder.upload(files, memory_bytes, || false).unwrap();
    assert!(uploads.iter().all(|pending| pending.parts.len() == file_mib.div_ceil(8) as usize));
    assert!(server.requests_at_once() <= expect, "{} of {expect}", server.requests_at_once());
    assert_eq!(folder.complete(uploads, || false).unwrap().unwrap().len(), n_files);
    assert_eq!(server.objects("b").len(), n_files);
}
