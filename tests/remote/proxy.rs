//! A proxy in front of a store that does to requests and answers what networks do.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    None,
    /// The store never hears of it: the answer is 503.
    Busy,
    /// The store does as asked, and the answer breaks off after so many bytes of its body.
    Cut(usize),
    /// The answer comes late.
    Late(Duration),
    /// The answer's body is shorter than the object, and says so.
    Short(usize),
    /// A bit of the answer's body is another.
    Flipped,
    /// The answer never comes.
    Held,
    /// The store never hears of it: the answer is 403.
    Denied,
    /// The store never hears of it: the answer is 404.
    Absent,
}

/// A request as the proxy tells it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub number: usize,
    pub method: String,
    /// With its query.
    pub path: String,
}

type Fate = dyn Fn(&Asked) -> Fault + Send + Sync;

/// A proxy that runs until the test program ends.
pub struct Proxy {
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Proxy {
    /// In front of a port of this machine.
    pub fn new(to: u16, fate: impl Fn(&Asked) -> Fault + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (told, fate, count): (_, Arc<Fate>, _) =
            (asked.clone(), Arc::new(fate), Arc::new(AtomicUsize::new(0)));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (told, fate, count) = (told.clone(), fate.clone(), count.clone());
                // Whoever is cut off has hung up.
                thread::spawn(move || serve(client, to, &told, &*fate, &count));
            }
        });
        Self { port, asked }
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(
    client: TcpStream,
    to: u16,
    told: &Mutex<Vec<Asked>>,
    fate: &Fate,
    count: &AtomicUsize,
) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut client = client;
    let (head, body) = message(&mut reader)?;
    let mut words = head.split(' ');
    let asked = Asked {
        number: count.fetch_add(1, Ordering::SeqCst),
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
    };
    let fault = fate(&asked);
    told.lock().unwrap().push(asked.clone());
    if let Some(status) = match fault {
        Fault::Busy => Some("503 Slow Down"),
        Fault::Denied => Some("403 Forbidden"),
        Fault::Absent => Some("404 Not Found"),
        _ => None,
    } {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        client.write_all(answer.as_bytes()).ok()?;
        return Some(());
    }
    let mut store = TcpStream::connect(("127.0.0.1", to)).ok()?;
    let head = without(&head, &["connection", "expect"]);
    store
        .write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())
        .ok()?;
    store.write_all(&body).ok()?;
    let mut answer = Vec::new();
    store.read_to_end(&mut answer).ok()?;
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&answer[..split]).into_owned();
    let mut body = answer[split..].to_vec();
    let mut sent = body.len();
    let mut head = without(&head, &["connection"]);
    match fault {
        Fault::Late(time) => thread::sleep(time),
        Fault::Held => thread::sleep(Duration::from_secs(3_600)),
        Fault::Flipped if !body.is_empty() => {
            let middle = sent / 2;
            body[middle] ^= 1;
        }
        Fault::Cut(after) => sent = sent.min(after),
        Fault::Short(after) if body.len() > after && asked.method == "GET" => {
            body.truncate(after);
            sent = after;
            head = without(&head, &["content-length"]) + &format!("Content-Length: {after}\r\n");
        }
        _ => {}
    }
    client
        .write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())
        .ok()?;
    client.write_all(&body[..sent]).ok()
}

/// The head of a request, without the empty line, and its body.
fn message(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head += &line;
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is = name.eq_ignore_ascii_case("content-length");
        is.then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// A head without some of its lines.
fn without(head: &str, names: &[&str]) -> String {
    let kept = head.lines().filter(|line| {
        let name = line.split(':').next().unwrap_or_default();
        !line.is_empty() && !names.iter().any(|n| name.eq_ignore_ascii_case(n))
    });
    kept.map(|line| format!("{line}\r\n")).collect()
}
