//! Serves a directory as the bucket `b`, each request late by some milliseconds: `serve DIR MILLISECONDS`.
//!
//! For measuring by hand; prints the endpoint and runs until it is killed.

use std::path::PathBuf;
use std::time::Duration;

use logq_s3_server::Server;

fn main() {
    let mut args = std::env::args().skip(1);
    let folder = PathBuf::from(args.next().expect("a directory to serve"));
    let latency = args.next().map_or(0, |text| text.parse().expect("a number of milliseconds"));
    let server = Server::start();
    for entry in std::fs::read_dir(folder).expect("the directory can be read") {
        let path = entry.expect("the directory can be read").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a plain name");
        server.put("b", &format!("in/{name}"), std::fs::read(&path).expect("the file can be read"));
    }
    server.set_latency(Duration::from_millis(latency));
    println!("{}", server.url());
    loop {
        std::thread::park();
    }
}
