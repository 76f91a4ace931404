//! What `s3-dist-cp` makes of groups of files, and what `aws s3 sync` leaves alone.

use libtest_mimic::Trial;

use super::{logq, server};
use crate::sandbox::Sandbox;
use crate::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("s3/files_of_a_group_become_one", files_of_a_group_become_one),
        trial("s3/sync_copies_what_differs", sync_copies_what_differs),
    ]
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn gunzip(bytes: &[u8]) -> String {
    std::io::read_to_string(flate2::read::MultiGzDecoder::new(bytes)).unwrap()
}

fn files_of_a_group_become_one() {
    let (sandbox, server) = (Sandbox::new(), server());
    for (name, text) in
        [("E1.2014-07-05-01.a", "one\n"), ("E1.2014-07-05-02.b", "two\n"), ("E1.2014-07-06-01.c", "three\n")]
    {
        server.put("b", &format!("logs/{name}.gz"), gzip(text));
    }
    let dist_cp = |more: &[&str]| {
        let args = ["s3-dist-cp", "--src=s3://b/logs", "--dest=s3://b/days", r"--groupBy=.*/E1\.([0-9-]{10})-.*"];
        logq(&sandbox, &server, &[&args[..], more].concat())
    };
    // As in Amazon's own examples.
    dist_cp(&["--s3Endpoint=s3.amazonaws.com", "--targetSize=128"]).assert_code(0);
    let objects = server.objects("b");
    assert_eq!(gunzip(&objects["days/2014-07-05.gz"]), "one\ntwo\n");
    assert_eq!(gunzip(&objects["days/2014-07-06.gz"]), "three\n");
    dist_cp(&["--outputCodec=none"]).assert_code(0);
    assert_eq!(server.objects("b")["days/2014-07-05"], b"one\ntwo\n");
    let args = ["s3-dist-cp", "--src=s3://b/in", "--dest=packed", "--groupBy=.*/0(.)[.]csv", "--outputCodec=gz"];
    logq(&sandbox, &server, &args).assert_code(0);
    assert_eq!(sandbox.tree("packed").len(), 10);
    assert_eq!(gunzip(&std::fs::read(sandbox.path("packed/7.gz")).unwrap()), "a,7\nb,1\n");

    // A file that is cut makes no other.
    let cut = gzip("four\n");
    server.put("b", "logs/E1.2014-07-07-01.d.gz", &cut[..cut.len() - 5]);
    let finished = dist_cp(&["--outputCodec=none", "--deleteOnSuccess"]);
    let stderr = finished.assert_code(5).stderr();
    assert!(stderr.contains("s3://b/logs/E1.2014-07-07-01.d.gz is not whole gzip data"), "{stderr}");
    let objects = server.objects("b");
    assert!(!objects.contains_key("days/2014-07-07") && objects.contains_key("logs/E1.2014-07-05-01.a.gz"));

    // What lies where it is copied to is not removed.
    server.put("b", "own/x", "1");
    let args = ["s3-dist-cp", "--src=s3://b/own", "--dest=s3a://b/own", "--deleteOnSuccess"];
    logq(&sandbox, &server, &args).assert_code(0);
    assert_eq!(server.objects("b")["own/x"], b"1");
}

fn sync_copies_what_differs() {
    let (sandbox, server) = (Sandbox::new(), server());
    let sync = |more: &[&str]| {
        let args = ["aws", "s3", "sync", "s3://b/in", "fetched"];
        logq(&sandbox, &server, &[&args[..], more].concat()).assert_code(0).stdout().lines().count()
    };
    assert_eq!(sync(&[]), 50);
    // Now they have the times of their objects.
    assert_eq!((sync(&[]), sync(&["--exact-timestamps"])), (0, 0));
    sandbox.write("fetched/00.csv", "a,9\nb,1\n");
    sandbox.write("fetched/new", "x");
    assert_eq!((sync(&["--size-only"]), sync(&["--delete", "--dryrun"]), sync(&["--delete"])), (0, 2, 2));
    assert_eq!(sandbox.read("fetched/00.csv"), "a,0\nb,1\n");
    assert_eq!(sync(&["--exact-timestamps"]), 0);
}
