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
    /// With its query. Slashes within the name of an object are slashes here, however a client writes them.
    pub path: String,
}

/// A request or an answer of HTTP.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its lines, each with its end, without the empty one.
    pub head: String,
    pub body: Vec<u8>,
}

impl Message {
    /// With the length of its body in its head.
    pub fn new(head: String, body: Vec<u8>) -> Self {
        let head = without(&head, &["content-length"]);
        let head = format!("{head}Content-Length: {}\r\n", body.len());
        Self { head, body }
    }

    /// An answer of some more lines.
    pub fn answer(status: &str, lines: &[String], body: Vec<u8>) -> Self {
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        Self::new(format!("HTTP/1.1 {status}\r\n{lines}"), body)
    }

    /// Of a request.
    pub fn method(&self) -> &str {
        self.head.split(' ').next().unwrap_or_default()
    }

    /// Of a request; with its query.
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// What a line of its head says.
    pub fn line(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

type Fate = dyn Fn(&Asked) -> Fault + Send + Sync;
type Exchange = dyn Fn(Message) -> Option<Message> + Send + Sync;

/// A proxy that runs until the test program ends.
pub struct Proxy {
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Proxy {
    /// In front of a port of this machine.
    pub fn new(to: u16, fate: impl Fn(&Asked) -> Fault + Send + Sync + 'static) -> Self {
        Self::through(move |request| pass(to, request), fate)
    }

    /// In front of what answers requests.
    pub fn through(
        exchange: impl Fn(Message) -> Option<Message> + Send + Sync + 'static,
        fate: impl Fn(&Asked) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (exchange, fate): (Arc<Exchange>, Arc<Fate>) = (Arc::new(exchange), Arc::new(fate));
        let (told, count) = (asked.clone(), Arc::new(AtomicUsize::new(0)));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (exchange, told) = (exchange.clone(), told.clone());
                let (fate, count) = (fate.clone(), count.clone());
                // Whoever is cut off has hung up.
                thread::spawn(move || serve(client, &*exchange, &told, &*fate, &count));
            }
        });
        Self { port, asked }
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Hands a request on to a port of this machine, and gives the answer.
pub fn pass(to: u16, request: Message) -> Option<Message> {
    let mut store = TcpStream::connect(("127.0.0.1", to)).ok()?;
    let head = without(&request.head, &["connection", "expect"]);
    store
        .write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())
        .ok()?;
    store.write_all(&request.body).ok()?;
    let mut answer = Vec::new();
    store.read_to_end(&mut answer).ok()?;
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    Some(Message {
        head: without(&String::from_utf8_lossy(&answer[..split]), &[]),
        body: answer[split..].to_vec(),
    })
}

fn serve(
    client: TcpStream,
    exchange: &Exchange,
    told: &Mutex<Vec<Asked>>,
    fate: &Fate,
    count: &AtomicUsize,
) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut client = client;
    let request = message(&mut reader)?;
    let asked = Asked {
        number: count.fetch_add(1, Ordering::SeqCst),
        method: request.method().to_owned(),
        path: plain(request.path()),
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
    let Message { head, mut body } = exchange(request)?;
    let mut sent = body.len();
    let mut head = without(&head, &["connection"]);
    match fault {
        Fault::Late(time) => thread::sleep(time),
        Fault::Held => thread::sleep(Duration::from_hours(1)),
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

/// A path with slashes for slashes; the query stays.
fn plain(path: &str) -> String {
    let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    path.replace("%2F", "/") + query
}

/// A request.
fn message(reader: &mut BufReader<TcpStream>) -> Option<Message> {
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
    let mut request = Message {
        head,
        body: Vec::new(),
    };
    let length = request.line("content-length");
    let length = length.and_then(|length| length.parse().ok());
    request.body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

/// A head without some of its lines.
pub fn without(head: &str, names: &[&str]) -> String {
    let kept = head.lines().filter(|line| {
        let name = line.split(':').next().unwrap_or_default();
        !line.is_empty() && !names.iter().any(|n| name.eq_ignore_ascii_case(n))
    });
    kept.map(|line| format!("{line}\r\n")).collect()
}
