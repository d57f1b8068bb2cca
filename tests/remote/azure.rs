//! A container of Azure: Azurite's, which `KFOOD_AZURITE` names.

use std::process::Command;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::{
    proxy::{Fault, Proxy},
    server::{Server, answer},
    store::Store,
};

/// The account and key that every Azurite has.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A server with an empty container `dishes`.
struct Azurite {
    port: u16,
    _server: Server,
    _folder: tempfile::TempDir,
}

impl Azurite {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start("KFOOD_AZURITE", |command, port| {
            command
                .args(["--silent", "--disableTelemetry", "--blobHost", "127.0.0.1"])
                .args(["--skipApiVersionCheck", "--blobPort", &port.to_string()])
                .arg("--location")
                .arg(folder.path());
        });
        make_container(server.port);
        Self {
            port: server.port,
            _server: server,
            _folder: folder,
        }
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
    let lines = [
        &format!("x-ms-date: {date}"),
        &format!("x-ms-version: {version}"),
        &format!("Authorization: SharedKey {ACCOUNT}:{signature}"),
    ];
    let path = format!("{path}?restype=container");
    let answer = answer(port, "PUT", &path, &lines.map(String::as_str), "");
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

/// HMAC of RFC 2104 with SHA-256; the key is one block long, as Azurite's is.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let padded = |with: u8| key.iter().map(|b| b ^ with).collect::<Vec<_>>();
    assert_eq!(key.len(), 64);
    let inner = Sha256::digest([&padded(0x36), text].concat());
    Sha256::digest([&padded(0x5c)[..], &inner].concat()).to_vec()
}

/// Azure as the programs of Azurite's users name it.
const AZURE: Store = Store {
    place: "az://dishes/team",
    reach: |command, port| {
        command.env("AZURE_STORAGE_USE_EMULATOR", "true").env(
            "AZURITE_BLOB_STORAGE_URL",
            format!("http://127.0.0.1:{port}"),
        );
    },
};

#[test]
#[ignore = "needs azurite-blob in KFOOD_AZURITE: `-- --ignored azurite`"]
fn azurite_serves_a_team_through_a_network_that_drops_requests() {
    let azurite = Azurite::start();
    let faults = [Fault::None, Fault::Busy, Fault::None, Fault::Cut(0)];
    let proxy = Proxy::new(azurite.port, move |asked| {
        faults[asked.number % faults.len()]
    });
    AZURE.serves_a_team(proxy.port, azurite.port);
}

#[test]
#[ignore = "needs azurite-blob in KFOOD_AZURITE: `-- --ignored azurite`"]
fn what_azurite_gives_cut_or_flipped_reaches_no_result() {
    let azurite = Azurite::start();
    let full = AZURE.gives_nothing_damaged(azurite.port);
    AZURE.asks_for("container", "az://elsewhere/team", &full, azurite.port);
}
