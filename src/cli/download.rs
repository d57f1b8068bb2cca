//! Files over http: what was interrupted goes on, and what arrives is held against its digest before it has its name.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    path::Path,
    time::Duration,
};

use ureq::{
    Agent,
    http::{Response, StatusCode, header},
};

use crate::{
    error::{Error, Result},
    event::{StageEvent, Tell},
    files,
    model::begins_with,
    report::bytes,
    text::shown_path,
};

/// No answer for so long is none.
const PATIENCE: Duration = Duration::from_secs(30);

/// Downloads a file whose SHA-256 begins with these digits. What there is of it lies beside `to` as `.part` until it is whole and right.
///
/// # Errors
/// When the address cannot be reached, the connection breaks (what arrived is kept), the file is another one, or it cannot be written.
pub(super) fn download(url: &str, to: &Path, digits: &str, tell: Tell<'_>) -> Result<()> {
    let part = to.with_added_extension("part");
    let mut have = part.metadata().map_or(0, |found| found.len());
    let mut answer = ask(url, have)?;
    if have > 0 && answer.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        files::remove(&part)?;
        have = 0;
        answer = ask(url, 0)?;
    }
    match answer.status() {
        StatusCode::PARTIAL_CONTENT if begins_at(&answer, have) => {}
        StatusCode::OK => have = 0,
        status => {
            let message = format!("`{url}` answers {status}");
            return Err(Error::failed(message));
        }
    }
    let rest = answer.body().content_length();
    receive(answer, &part, have, rest.map(|rest| have + rest), tell)?;
    if let Err(error) = begins_with(&part, digits) {
        files::remove(&part)?;
        return Err(error.within(&format!("what `{url}` gave is removed")));
    }
    files::rename(&part, to)
}

/// Asks for a file from this byte on.
fn ask(url: &str, from: u64) -> Result<Response<ureq::Body>> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE));
    let agent: Agent = config.build().into();
    let mut request = agent.get(url);
    if from > 0 {
        request = request.header(header::RANGE, format!("bytes={from}-"));
    }
    let unreached = |e| Error::failed(format!("`{url}` cannot be reached")).because(e);
    request.call().map_err(unreached)
}

/// Whether a part of a file begins where it was asked for.
fn begins_at(answer: &Response<ureq::Body>, from: u64) -> bool {
    let range = answer.headers().get(header::CONTENT_RANGE);
    let range = range.and_then(|range| range.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {from}-")))
}

/// Writes what arrives behind the first `have` bytes of a file.
fn receive(
    answer: Response<ureq::Body>,
    part: &Path,
    have: u64,
    total: Option<u64>,
    tell: Tell<'_>,
) -> Result<()> {
    let failed = |e| Error::io("write", part, e);
    let mut file = open(part, have)?;
    let mut arriving = answer.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    let mut done = have;
    let broken = |done: u64, cause: Option<std::io::Error>| {
        let of = total.map_or(String::new(), |total| format!(" of {}", bytes(total)));
        let message = format!("the connection broke after {}{of}", bytes(done));
        let error = Error::failed(message).help("fetch again: it goes on from there");
        match cause {
            Some(cause) => error.because(cause),
            None => error,
        }
    };
    loop {
        let n = match arriving.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(cause) => return Err(broken(done, Some(cause))),
        };
        file.write_all(&buffer[..n]).map_err(failed)?;
        done += n as u64;
        tell(StageEvent::Progress {
            what: "fetching".to_owned(),
            done: done / 1_000,
            total: total.unwrap_or(done) / 1_000,
            unit: "kB".to_owned(),
        });
    }
    file.sync_all().map_err(failed)?;
    match total {
        Some(total) if done < total => Err(broken(done, None)),
        _ => Ok(()),
    }
}

/// A file to write into behind its first `have` bytes.
fn open(part: &Path, have: u64) -> Result<File> {
    if let Some(folder) = part.parent() {
        files::create_folder(folder)?;
    }
    let mut options = OpenOptions::new();
    if have > 0 {
        options.append(true);
    } else {
        options.write(true).create(true).truncate(true);
    }
    options.open(part).map_err(|e| Error::io("write", part, e))
}

/// Whether a file is there and is what its digest says.
///
/// # Errors
/// When another file is there.
pub(super) fn is_there(file: &Path, digits: &str) -> Result<bool> {
    if fs::symlink_metadata(file).is_err() {
        return Ok(false);
    }
    begins_with(file, digits)
        .map_err(|error| error.help(format!("remove `{}`, and fetch again", shown_path(file))))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader},
        net::TcpListener,
        sync::{
            Mutex,
            mpsc::{Receiver, channel},
        },
        thread,
    };

    use super::*;

    /// The SHA-256 of 100,000 bytes of `a` begins so.
    const DIGITS: &str = "6d1cf22d";

    fn content() -> Vec<u8> {
        vec![b'a'; 100_000]
    }

    /// What a server does with a request.
    #[derive(Clone, Copy)]
    enum Does {
        /// Answers as it should.
        Serves,
        /// Gives all, whatever is asked for.
        NoRanges,
        /// Breaks off after so many bytes.
        Breaks(usize),
        /// Has no such file.
        Lacks,
    }

    /// A server for so many requests, one after the other; tells the range of each.
    fn server(does: Vec<Does>, content: Vec<u8>) -> (String, Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/weights.pth", listener.local_addr().unwrap());
        let (send, ranges) = channel();
        thread::spawn(move || {
            for does in does {
                let (mut stream, _) = listener.accept().unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let head: Vec<String> = lines
                    .by_ref()
                    .map(Result::unwrap)
                    .take_while(|l| !l.is_empty())
                    .collect();
                let asked = head.iter().find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("range: bytes=")
                        .map(str::to_owned)
                });
                let from = asked
                    .as_ref()
                    .and_then(|asked| asked.trim_end_matches('-').parse::<usize>().ok());
                // Not every test asks.
                let _ = send.send(asked.unwrap_or_default());
                let (status, range, body) = match (does, from) {
                    (Does::Lacks, _) => ("404 Not Found", String::new(), &b"none"[..]),
                    (Does::NoRanges | Does::Breaks(_), _) | (Does::Serves, None) => {
                        ("200 OK", String::new(), &content[..])
                    }
                    (Does::Serves, Some(from)) => {
                        let all = content.len();
                        (
                            "206 Partial Content",
                            format!("Content-Range: bytes {from}-{}/{all}\r\n", all - 1),
                            &content[from..],
                        )
                    }
                };
                let sent = if let Does::Breaks(after) = does {
                    &body[..after]
                } else {
                    body
                };
                let length = body.len();
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{range}Connection: close\r\n\r\n").unwrap();
                stream.write_all(sent).unwrap();
            }
        });
        (url, ranges)
    }

    fn fetch(url: &str, to: &Path) -> Result<()> {
        download(url, to, DIGITS, &|_| {})
    }

    #[test]
    fn what_broke_off_goes_on_where_it_was_and_the_whole_is_held_against_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("hub/weights.pth");
        let (url, ranges) = server(vec![Does::Breaks(40_000), Does::Serves], content());
        let error = fetch(&url, &to).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the connection broke after 40.0 kB of 100.0 kB"),
            "{error}"
        );
        assert!(!to.exists());
        // What was there already is counted.
        let seen = Mutex::new(Vec::new());
        let tell = |event| match event {
            StageEvent::Progress {
                what,
                done,
                total,
                unit,
            } => seen.lock().unwrap().push((what, done, total, unit)),
            other => panic!("{other:?}"),
        };
        download(&url, &to, DIGITS, &tell).unwrap();
        let seen = seen.into_inner().unwrap();
        let (words, last) = (("fetching", "kB"), seen.last().unwrap());
        assert_eq!((last.1, last.2), (100, 100), "{seen:?}");
        assert!(seen.is_sorted_by_key(|(_, done, ..)| *done), "{seen:?}");
        assert!(
            seen.iter().all(|(what, done, total, unit)| {
                (what.as_str(), unit.as_str()) == words && *done > 40 && *total == 100
            }),
            "{seen:?}"
        );
        assert_eq!(ranges.iter().take(2).collect::<Vec<_>>(), ["", "40000-"]);
        assert_eq!(fs::read(&to).unwrap(), content());
        assert!(is_there(&to, DIGITS).unwrap());
        assert_eq!(fs::read_dir(to.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_server_without_ranges_gives_all_of_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("weights.pth");
        fs::write(folder.path().join("weights.pth.part"), "something else").unwrap();
        let (url, _) = server(vec![Does::NoRanges], content());
        fetch(&url, &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), content());
    }

    #[test]
    fn another_file_than_the_one_named_is_removed_and_a_missing_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("weights.pth");
        let (url, _) = server(vec![Does::Serves, Does::Lacks], b"a web page".to_vec());
        let error = fetch(&url, &to).unwrap_err().to_string();
        assert!(error.contains("instead of `6d1cf22d`"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let error = fetch(&url, &to).unwrap_err().to_string();
        assert!(error.contains("answers 404"), "{error}");
    }
}
