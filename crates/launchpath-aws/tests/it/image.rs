//! What fetching an image or code needs of AWS, against the emulator.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, Result, ensure};
use launchpath_aws::{CodeObject, download_code, registry_login};

use crate::fake::Fake;
use crate::moto::{Moto, settings};

fn block_on<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    Ok(runtime.block_on(work))
}

fn put(moto: &Moto, path: &str, body: &[u8]) -> Result<()> {
    let host = moto.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)?;
    let length = body.len();
    write!(
        stream,
        "PUT {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )?;
    stream.write_all(body)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(())
}

#[test]
fn code_is_downloaded_in_parts_and_a_token_is_had() -> Result<()> {
    let Some(moto) = Moto::start()? else { return Ok(()) };
    // More than one part.
    let mut code = vec![7; (16 << 20) + 1000];
    code[16 << 20] = 9;
    put(&moto, "/code-bucket", b"")?;
    put(&moto, "/code-bucket/agents/a.zip", &code)?;
    let settings = settings(&moto.url);
    let object =
        |key: &str| CodeObject { bucket: "code-bucket".to_owned(), key: key.to_owned(), version: None };
    let mut bytes = Vec::new();
    let size = block_on(download_code(&settings, &object("agents/a.zip"), &mut bytes))??;
    ensure!(size == code.len() as u64 && bytes == code, "{size} bytes");
    let error = block_on(download_code(&settings, &object("missing"), &mut Vec::new()))?;
    let text = error.err().context("an object that is not there")?.to_string();
    ensure!(text.starts_with("s3://code-bucket/missing was refused: "), "{text}");
    let login = block_on(registry_login(&settings, "eu-west-1"))??;
    ensure!(login.user == "AWS" && !login.password.is_empty());
    ensure!(!format!("{login:?}").contains(&login.password), "a token is a secret");
    Ok(())
}

#[test]
fn a_refused_token_says_who_refused() -> Result<()> {
    let fake = Fake::start(|_, _, _| {
        (
            400,
            r#"{"__type":"com.amazonaws#AccessDeniedException","message":"not authorized to perform"}"#
                .to_owned(),
        )
    })?;
    let error = block_on(registry_login(&settings(&fake.url), "us-east-1"))?.err().context("a refusal")?;
    ensure!(
        error.to_string()
            == "ecr GetAuthorizationToken was refused: AccessDeniedException: not authorized to perform",
        "{error}"
    );
    ensure!(fake.count("GetAuthorizationToken") == 1);
    Ok(())
}
