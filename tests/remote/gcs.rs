//! A bucket of Google's: fake-gcs-server's, which `KFOOD_GCS` names, behind the language that `object_store` speaks ([`xml_api`]); what
//! goes in parts is tried on moto, whose S3 has the words for it that Google's XML API has taken over.

use std::fs;

use super::{
    FILE, dishes, how_many,
    object_store::{SIGNED, moto},
    proxy::{Fault, Message, Proxy, pass, without},
    server::{Server, answer},
    store::Store,
    xml_api,
};

/// A server with an empty bucket `dishes`.
struct Gcs {
    /// Where XML is spoken.
    port: u16,
    server: Server,
}

impl Gcs {
    fn start() -> Self {
        let server = Server::start("KFOOD_GCS", |command, port| {
            command
                .args(["-backend", "memory", "-scheme", "http"])
                .args(["-host", "127.0.0.1", "-port", &port.to_string()])
                .args(["-public-host", &format!("127.0.0.1:{port}")]);
        });
        let kind = "Content-Type: application/json";
        let bucket = r#"{"name": "dishes"}"#;
        let made = answer(server.port, "POST", "/storage/v1/b", &[kind], bucket);
        assert!(made.starts_with("HTTP/1.1 200"), "{made}");
        let to = server.port;
        let port = Proxy::through(move |asked| xml_api::exchange(to, asked), |_| Fault::None).port;
        Self { port, server }
    }

    /// Each object with its generation, which is another one whenever it is written.
    fn generations(&self) -> Vec<(String, String)> {
        let listed = answer(
            self.server.port,
            "GET",
            "/storage/v1/b/dishes/o",
            &["Accept-Encoding: identity"],
            "",
        );
        let text = |part: &str| part.split('"').next().unwrap().to_owned();
        let objects = listed.split("\"kind\":\"storage#object\",\"name\":\"");
        let objects = objects.skip(1).map(|object| {
            let generation = object.split("\"generation\":\"").nth(1).unwrap();
            (text(object), text(generation))
        });
        objects.collect()
    }
}

/// Google's, for which a service account says where it is and that nobody is asked for leave.
const GCS: Store = Store {
    place: "gs://dishes/team",
    reach: |command, port| {
        command.env(
            "GOOGLE_SERVICE_ACCOUNT_KEY",
            format!(
                r#"{{"gcs_base_url": "http://127.0.0.1:{port}", "disable_oauth": true,
                "client_email": "", "private_key": "hush", "private_key_id": ""}}"#
            ),
        );
    },
};

#[test]
#[ignore = "needs fake-gcs-server in KFOOD_GCS: `-- --ignored fake_gcs`"]
fn fake_gcs_serves_a_team_through_a_network_that_drops_requests() {
    let gcs = Gcs::start();
    let faults = [Fault::None, Fault::Busy, Fault::None, Fault::Cut(0)];
    let proxy = Proxy::new(gcs.port, move |asked| faults[asked.number % faults.len()]);
    GCS.serves_a_team(proxy.port, gcs.port);
}

#[test]
#[ignore = "needs fake-gcs-server in KFOOD_GCS: `-- --ignored fake_gcs`"]
fn what_fake_gcs_gives_cut_or_flipped_reaches_no_result() {
    let gcs = Gcs::start();
    let full = GCS.gives_nothing_damaged(gcs.port);
    GCS.asks_for("bucket", "gs://elsewhere/team", &full, gcs.port);
}

#[test]
#[ignore = "needs fake-gcs-server in KFOOD_GCS: `-- --ignored fake_gcs`"]
fn what_came_into_fake_gcs_meanwhile_is_not_written_over() {
    let gcs = Gcs::start();
    let run = ["run", FILE, "--remote", GCS.place];
    GCS.ok(&dishes(), gcs.port, &run);
    let there = gcs.generations();
    assert!(there.len() > 6, "{there:?}");
    // Whoever looked a moment earlier saw nothing of it, and makes the same.
    let is_of_results = |path: &str| ["/objects/", "/results/"].iter().any(|f| path.contains(f));
    let earlier = Proxy::new(gcs.port, move |asked| {
        let looks = asked.method != "PUT" && is_of_results(&asked.path);
        if looks { Fault::Absent } else { Fault::None }
    });
    let ran = GCS.json(&dishes(), earlier.port, &run);
    assert_eq!(how_many(&ran, "ran"), 3, "{ran}");
    let writes = earlier.asked().into_iter();
    let writes = writes.filter(|a| a.method == "PUT" && is_of_results(&a.path));
    assert!(writes.count() >= 6);
    let of_results = |all: Vec<(String, String)>| -> Vec<_> {
        all.into_iter()
            .filter(|(name, _)| is_of_results(name))
            .collect()
    };
    assert_eq!(of_results(gcs.generations()), of_results(there));
}

#[test]
#[ignore = "needs moto_server in KFOOD_MOTO: `-- --ignored object_store`"]
fn a_killed_upload_to_an_object_store_in_googles_words_goes_on_with_the_parts_that_are_missing() {
    let moto = moto();
    let to = moto.port;
    // moto understands only Amazon's way of saying who is asking.
    let signed = move |asked: Message| {
        let head = without(&asked.head, &["authorization"]) + SIGNED + "\r\n";
        pass(to, Message { head, ..asked })
    };
    let proxy = Proxy::through(signed, |_| Fault::None);
    GCS.goes_on_with_an_upload(proxy.port);
}

/// A machine that has no credentials of its own, and says so.
fn bare_machine() -> Proxy {
    Proxy::new(0, |_| Fault::Absent)
}

#[test]
fn a_bucket_without_credentials_is_told_with_what_to_set() {
    let machine = bare_machine();
    let port = machine.port;
    let project = dishes();
    let cases = [
        ("gs://dishes/team", "set GOOGLE_APPLICATION_CREDENTIALS to"),
        ("s3://dishes/team", "set AWS_ACCESS_KEY_ID and"),
        ("az://dishes/team", "set AZURE_STORAGE_ACCOUNT_NAME and"),
    ];
    for (place, way_out) in cases {
        let mut pull = project.command(&["cache", "pull", place]);
        for (name, _) in std::env::vars() {
            if ["AWS_", "AZURE_", "GOOGLE_"]
                .iter()
                .any(|p| name.starts_with(p))
            {
                pull.env_remove(name);
            }
        }
        pull.env("HOME", project.path(""))
            .env("GCE_METADATA_HOST", format!("127.0.0.1:{port}"))
            .env("GCE_METADATA_IP", format!("127.0.0.1:{port}"))
            .env("AWS_REGION", "us-east-1")
            .env("AWS_METADATA_ENDPOINT", format!("http://127.0.0.1:{port}"));
        let told = crate::support::Ran::of(pull.output().unwrap());
        assert_eq!(told.code, 1, "{place}: {}", told.stdout);
        assert!(
            told.stderr
                .contains("for which the environment names no credentials")
                || told
                    .stderr
                    .contains("the environment does not say how to reach"),
            "{place}: {}",
            told.stderr
        );
        assert!(told.stderr.contains(way_out), "{place}: {}", told.stderr);
    }
}

#[test]
fn credentials_of_googles_that_are_of_no_use_are_told_with_their_file_and_never_shown() {
    let project = dishes();
    fs::write(
        project.path("login.json"),
        r#"{"type": "external_account"}"#,
    )
    .unwrap();
    let refused = |name: &str, value: &str| {
        let mut pull = project.command(&["cache", "pull", "gs://dishes/team"]);
        pull.env("HOME", project.path(""))
            .env("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/login.json");
        let told = pull.env(name, value);
        let told = crate::support::Ran::of(told.output().unwrap());
        assert_eq!(told.code, 1, "{name}: {}", told.stdout);
        assert!(
            told.stderr
                .contains("GOOGLE_APPLICATION_CREDENTIALS to the JSON file"),
            "{name}: {}",
            told.stderr
        );
        told.stderr
    };
    let absent = refused("GOOGLE_SERVICE_ACCOUNT", "/nowhere/account.json");
    assert!(
        absent.contains("from `/nowhere/account.json` (GOOGLE_SERVICE_ACCOUNT): No such file"),
        "{absent}"
    );
    let login = project.path("login.json");
    let other = refused("GOOGLE_APPLICATION_CREDENTIALS", login.to_str().unwrap());
    assert!(
        other.contains("login.json` (GOOGLE_APPLICATION_CREDENTIALS)")
            && other.contains("external_account"),
        "{other}"
    );
    for key in [
        r#""hush-this-is-a-key""#,
        r#"{"private_key": "hush", "private_key_id": "", "client_email": ""}"#,
    ] {
        let told = refused("GOOGLE_SERVICE_ACCOUNT_KEY", key);
        let of_a_file = told.contains("cannot take credentials");
        assert!(!told.contains("hush") && !of_a_file, "{told}");
    }
}
