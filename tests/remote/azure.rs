//! A container of Azure: Azurite's, which `KFOOD_AZURITE` names.

use std::{
    env,
    io::{Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::{
    FILE, dishes, how_many, outputs,
    proxy::{Asked, Fault, Proxy},
};
use crate::support::{Project, Ran};

/// The account and key that every Azurite has.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const PLACE: &str = "az://dishes/team";

/// A server with an empty container `dishes`.
struct Azurite {
    server: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Azurite {
    fn start() -> Self {
        let program = env::var_os("KFOOD_AZURITE").expect("set KFOOD_AZURITE to azurite-blob");
        let folder = tempfile::tempdir().unwrap();
        let port = super::free_port();
        let server = Command::new(program)
            .args(["--silent", "--disableTelemetry", "--blobHost", "127.0.0.1"])
            .args(["--skipApiVersionCheck", "--blobPort", &port.to_string()])
            .arg("--location")
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let azurite = Self {
            server,
            port,
            _folder: folder,
        };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(120),
                "Azurite does not start"
            );
            sleep(Duration::from_millis(100));
        }
        make_container(port);
        azurite
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// What `kfood` never does: it asks that somebody makes the container.
fn make_container(port: u16) {
    let date = Command::new("date")
        .env("LC_ALL", "C")
        .args(["-u", "+%a, %d %b %Y %H:%M:%S GMT"])
        .output()
        .unwrap();
    let date = String::from_utf8(date.stdout).unwrap().trim().to_owned();
    let (path, version) = (format!("/{ACCOUNT}/dishes"), "2023-11-03");
    let signed = format!(
        "PUT{}x-ms-date:{date}\nx-ms-version:{version}\n/{ACCOUNT}{path}\nrestype:container",
        "\n".repeat(12)
    );
    let signature = STANDARD.encode(hmac(&STANDARD.decode(KEY).unwrap(), signed.as_bytes()));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        stream,
        "PUT {path}?restype=container HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\
         x-ms-date: {date}\r\nx-ms-version: {version}\r\nAuthorization: SharedKey {ACCOUNT}:{signature}\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

/// HMAC of RFC 2104 with SHA-256; the key is one block long, as Azurite's is.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let padded = |with: u8| key.iter().map(|b| b ^ with).collect::<Vec<_>>();
    assert_eq!(key.len(), 64);
    let inner = Sha256::digest([&padded(0x36), text].concat());
    Sha256::digest([&padded(0x5c)[..], &inner].concat()).to_vec()
}

/// The program with credentials for the container behind a port.
#[track_caller]
fn ran(project: &Project, port: u16, args: &[&str]) -> Ran {
    let ran = project
        .command(args)
        .env("AZURE_STORAGE_USE_EMULATOR", "true")
        .env(
            "AZURITE_BLOB_STORAGE_URL",
            format!("http://127.0.0.1:{port}"),
        )
        .output();
    Ran::of(ran.unwrap())
}

#[track_caller]
fn json(project: &Project, port: u16, args: &[&str]) -> serde_json::Value {
    let ran = ran(project, port, &[args, &["--json"]].concat());
    assert_eq!(
        ran.code, 0,
        "kfood {args:?}\n{}\n{}",
        ran.stdout, ran.stderr
    );
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
#[ignore = "needs azurite-blob in KFOOD_AZURITE: `-- --ignored azurite`"]
fn azurite_serves_a_team_through_a_network_that_drops_every_third_request() {
    let azurite = Azurite::start();
    let faults = [Fault::None, Fault::Busy, Fault::None, Fault::Cut(0)];
    let proxy = Proxy::new(azurite.port, move |asked| {
        faults[asked.number % faults.len()]
    });
    let one = dishes();
    let run = json(&one, proxy.port, &["run", FILE, "--remote", PLACE]);
    assert_eq!(how_many(&run, "ran"), 3, "{run}");
    let verified = ran(&one, azurite.port, &["cache", "verify", "--remote", PLACE]);
    assert!(
        verified.stdout.starts_with("3 sound"),
        "{}",
        verified.stderr
    );
    let again = json(&one, proxy.port, &["cache", "push", PLACE, FILE]);
    assert_eq!(
        (&again["there"], &again["objects"]),
        (&3.into(), &0.into()),
        "{again}"
    );

    let other = dishes();
    let plan = ran(&other, proxy.port, &["plan", FILE, "--remote", PLACE]);
    assert!(plan.stdout.contains("3 to fetch"), "{}", plan.stdout);
    let fetched = json(&other, proxy.port, &["run", FILE, "--remote", PLACE]);
    assert_eq!(how_many(&fetched, "fetched"), 3, "{fetched}");
    assert_eq!(outputs(&fetched), outputs(&run));

    let gc = ["cache", "gc", "--remote", PLACE, "--max-size", "0"];
    let dry = json(&one, azurite.port, &[&gc[..], &["--dry-run"]].concat());
    let gone = json(&one, azurite.port, &gc);
    assert_eq!(
        (&dry["removed"], &dry["kept"]),
        (&gone["removed"], &gone["kept"])
    );
    assert_eq!(gone["kept"], 3, "the lock file pins them: {gone}");
}

#[test]
#[ignore = "needs azurite-blob in KFOOD_AZURITE: `-- --ignored azurite`"]
fn what_azurite_gives_cut_or_flipped_reaches_no_result() {
    let azurite = Azurite::start();
    let one = dishes();
    let right = outputs(&json(&one, azurite.port, &["run", FILE, "--remote", PLACE]));
    for (folder, fault) in [
        ("/objects/", Fault::Flipped),
        ("/objects/", Fault::Short(100)),
        ("/results/", Fault::Flipped),
    ] {
        let proxy = Proxy::new(azurite.port, move |asked: &Asked| {
            let is_it = asked.method == "GET" && asked.path.contains(folder);
            if is_it { fault } else { Fault::None }
        });
        let other = dishes();
        let args = ["run", FILE, "--remote", PLACE, "--push", "never", "--json"];
        let again = ran(&other, proxy.port, &args);
        let run = serde_json::from_str(&again.stdout).unwrap();
        assert_eq!(outputs(&run), right, "{folder}");
        assert_eq!(how_many(&run, "ran"), 3, "{folder}: {}", again.stderr);
        assert!(
            again.stderr.contains("so that it is not used"),
            "{folder}: {}",
            again.stderr
        );
    }
}

#[test]
#[ignore = "needs azurite-blob in KFOOD_AZURITE: `-- --ignored azurite`"]
fn a_container_that_azurite_has_not_is_told_with_the_way_out() {
    let azurite = Azurite::start();
    let one = dishes();
    one.ok(&["run", FILE]);
    for what in ["push", "pull"] {
        let refused = ran(&one, azurite.port, &["cache", what, "az://elsewhere/team"]);
        assert_eq!(refused.code, 1, "{what}: {}", refused.stdout);
        assert!(
            refused.stderr.contains("that is not there") && refused.stderr.contains("help: make"),
            "{what}: {}",
            refused.stderr
        );
    }
}
