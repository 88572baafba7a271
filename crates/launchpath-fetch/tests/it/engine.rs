//! Container engines: their socket, and what they export.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use launchpath_fetch::{Artifact, Options, open};
use launchpath_image::tree::Limits;

use crate::image::{Image, archive};

/// An engine that answers one request after the other; the path of its socket, and the request lines it saw.
fn engine(
    folder: &std::path::Path,
    status: u16,
    body: Vec<u8>,
) -> (PathBuf, std::sync::mpsc::Receiver<String>) {
    let socket = folder.join("engine.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let (seen, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut first = String::new();
            reader.read_line(&mut first).unwrap();
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            seen.send(first.trim().to_owned()).unwrap();
            // Docker sends exports in chunks.
            let head = format!("HTTP/1.1 {status} x\r\ntransfer-encoding: chunked\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            for piece in body.chunks(1000) {
                stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).unwrap();
                stream.write_all(piece).unwrap();
                stream.write_all(b"\r\n").unwrap();
            }
            stream.write_all(b"0\r\n\r\n").unwrap();
        }
    });
    (socket, lines)
}

#[test]
fn an_image_of_the_engine_is_exported() {
    let image = Image::with_files(&[("app/main.py", "")]);
    let place = tempfile::tempdir().unwrap();
    let (socket, lines) = engine(place.path(), 200, archive(&image.docker_files()));
    let missing = place.path().join("no.sock");
    let options = Options { engine_sockets: vec![missing, socket], ..Options::default() };
    for name in ["engine:team/agent:v1", "team/agent:v1"] {
        let mut artifact = open(name, &options).unwrap();
        assert!(matches!(artifact, Artifact::Container(_)));
        assert!(artifact.tree(Limits::default()).unwrap().lookup("/app/main.py").is_some());
        assert_eq!(lines.recv().unwrap(), "GET /images/team/agent:v1/get HTTP/1.1");
    }
}

#[test]
fn without_an_engine_or_an_image_the_name_is_named() {
    let error = open("agent:v1", &Options::default()).err().unwrap().to_string();
    assert!(
        error.contains("`agent:v1` names no image: there is no such file, and no container engine"),
        "{error}"
    );
    let place = tempfile::tempdir().unwrap();
    let (socket, _lines) = engine(place.path(), 404, br#"{"message":"no such image"}"#.to_vec());
    let options = Options { engine_sockets: vec![socket], ..Options::default() };
    let error = open("agent:v1", &options).err().unwrap().to_string();
    assert!(error.ends_with("agent:v1 is missing"), "{error}");
    for name in ["engine:../x", "engine:", "engine:a b"] {
        assert!(open(name, &options).err().unwrap().to_string().contains("no name of an image"), "{name}");
    }
}
