//! Google's XML API in front of fake-gcs-server, which speaks it for what is read, listed and removed, but not for what is written:
//! its answer to a plain `PUT /BUCKET/OBJECT` is 400.
//!
//! Google keeps one store behind two languages. A write arrives here in XML's, is handed on in JSON's, which the server speaks, and is
//! answered in XML's. The server itself decides whether the bucket is there and whether a write's condition holds. Where it has other
//! words than Google, Google's are put in their place: [`exchange`] names both cases. It has no uploads in parts, in neither language.

use super::proxy::{Message, pass, without};

const BOUNDARY: &str = "between-two-parts-of-a-body";

/// What Google would answer.
pub(super) fn exchange(port: u16, asked: Message) -> Option<Message> {
    // XML is spoken to whoever names the host that the server takes for Google's.
    let head = without(&asked.head, &["host"]) + &format!("Host: 127.0.0.1:{port}\r\n");
    let asked = Message { head, ..asked };
    if asked.method() == "PUT" {
        return Some(written(&pass(port, as_json(asked))?));
    }
    let lists = asked.method() == "GET" && asked.path().contains("list-type=2");
    let answer = pass(port, asked)?;
    // The server calls a list of a bucket that is not there an error of its own, of 500.
    if lists && String::from_utf8_lossy(&answer.body).contains("no bucket named") {
        let told = "<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchBucket</Code>\
                    <Message>The specified bucket does not exist.</Message></Error>";
        return Some(Message::answer("404 Not Found", &[], told.into()));
    }
    Some(answer)
}

/// A write in the words of the JSON API.
fn as_json(asked: Message) -> Message {
    let path = asked.path();
    let (bucket, name) = path[1..].split_once('/').unwrap();
    // Slashes of a name are written as `%2F` by the client already.
    let condition = match asked.line("x-goog-if-generation-match") {
        Some(generation) => format!("&ifGenerationMatch={generation}"),
        None => String::new(),
    };
    let head = format!(
        "POST /upload/storage/v1/b/{bucket}/o?uploadType=multipart&name={name}{condition} HTTP/1.1\r\n\
         Host: localhost\r\nContent-Type: multipart/related; boundary={BOUNDARY}\r\n"
    );
    let part = |kind: &str| format!("--{BOUNDARY}\r\nContent-Type: {kind}\r\n\r\n");
    let body = [
        part("application/json").as_bytes(),
        b"{}\r\n",
        part("application/octet-stream").as_bytes(),
        &asked.body,
        format!("\r\n--{BOUNDARY}--\r\n").as_bytes(),
    ]
    .concat();
    Message::new(head, body)
}

/// The answer to a write in the words of the XML API: what the body says of the object stands in the head.
fn written(answer: &Message) -> Message {
    let status = answer.head.split_once(' ').unwrap().1;
    let status = status.lines().next().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let word = |name: &str| told[name].as_str();
    let (Some(etag), Some(generation)) = (word("etag"), word("generation")) else {
        return Message::answer(status, &[], Vec::new());
    };
    let lines = [
        format!("ETag: \"{etag}\""),
        format!("x-goog-generation: {generation}"),
    ];
    Message::answer(status, &lines, Vec::new())
}
