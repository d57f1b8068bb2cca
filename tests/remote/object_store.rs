//! An object store, through a network that does its worst: moto's S3, which `KFOOD_MOTO` names.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread::sleep,
    time::Duration,
};

use super::{
    FILE, dishes, files, free_port, how_many,
    proxy::{Fault, Proxy},
    server::{Server, answer},
    store::Store,
};
use crate::support::Ran;

const SECRET: &str = "hush-this-is-a-secret-key";
const TOKEN: &str = "hush-this-is-a-session-token";

/// A server with an empty bucket `dishes`.
pub(super) fn moto() -> Server {
    let moto = Server::start("KFOOD_MOTO", |command, port| {
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
    });
    let answer = asked(moto.port, "PUT", "/dishes");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    moto
}

/// Who is asking, as Amazon says it; moto does not mind what the signature is.
pub(super) const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=me/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// What the store behind a port answers to a request without a body.
fn asked(port: u16, method: &str, path: &str) -> String {
    answer(port, method, path, &[SIGNED], "")
}

const PLACE: &str = "s3://dishes/team";

/// S3 with credentials that must be told nowhere.
const S3: Store = Store {
    place: PLACE,
    reach: |command, port| {
        command
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
            .env("AWS_ACCESS_KEY_ID", "me")
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_SESSION_TOKEN", TOKEN)
            .env("AWS_REGION", "us-east-1");
    },
};

#[test]
#[ignore = "needs moto_server in KFOOD_MOTO: `-- --ignored object_store`"]
fn an_object_store_serves_a_team_through_a_network_that_drops_every_third_request() {
    let moto = moto();
    let faults = [
        Fault::Busy,
        Fault::None,
        Fault::Cut(0),
        Fault::None,
        Fault::None,
        Fault::Late(Duration::from_millis(300)),
        Fault::None,
        Fault::Busy,
        Fault::None,
        Fault::Cut(10),
        Fault::None,
    ];
    let proxy = Proxy::new(moto.port, move |asked| faults[asked.number % faults.len()]);
    S3.serves_a_team(proxy.port, moto.port);
}

#[test]
#[ignore = "needs moto_server in KFOOD_MOTO: `-- --ignored object_store`"]
fn what_an_object_store_gives_cut_or_flipped_reaches_no_result() {
    let moto = moto();
    let one = S3.gives_nothing_damaged(moto.port);
    // A store that is always busy, and one that is not there, cost a line.
    let busy = Proxy::new(moto.port, |_| Fault::Busy);
    for port in [busy.port, free_port()] {
        let other = dishes();
        let ran = S3.ok(&other, port, &["run", FILE, "--remote", PLACE]);
        assert_eq!(super::warnings(&ran.stderr).len(), 1, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("goes on without the remote cache"),
            "{}",
            ran.stderr
        );
    }
    S3.asks_for("bucket", "s3://elsewhere/team", &one, moto.port);
}

#[test]
#[ignore = "needs moto_server in KFOOD_MOTO: `-- --ignored object_store`"]
fn who_may_not_write_into_an_object_store_still_fetches_from_it() {
    let moto = moto();
    let one = dishes();
    S3.json(&one, moto.port, &["run", FILE, "--remote", PLACE]);
    // Of the data set nothing is known there, so that it is made first, and cannot be pushed.
    let proxy = Proxy::new(moto.port, |asked| match asked.method.as_str() {
        "PUT" | "POST" => Fault::Denied,
        _ => Fault::None,
    });
    let listed = S3.json(&one, moto.port, &["cache", "ls", "--remote", PLACE]);
    let entries = listed["entries"].as_array().unwrap();
    let entry = entries.iter().find(|e| e["kind"] == "dataset").unwrap();
    let key = entry["key"].as_str().unwrap();
    asked(
        moto.port,
        "DELETE",
        &format!("/dishes/team/results/{key}.json"),
    );
    let other = dishes();
    let args = ["run", FILE, "--remote", PLACE, "--json"];
    let ran = S3.ok(&other, proxy.port, &args);
    let run = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(how_many(&run, "ran"), 1, "{}", ran.stderr);
    assert_eq!(how_many(&run, "fetched"), 2, "{}", ran.stderr);
    let warnings = super::warnings(&ran.stderr);
    assert!(
        warnings.len() == 1
            && warnings[0].contains("pushes nothing more")
            && warnings[0].contains("help: "),
        "{warnings:?}"
    );
}

#[test]
#[ignore = "needs moto_server in KFOOD_MOTO: `-- --ignored object_store`"]
fn what_an_object_store_finds_no_place_for_is_an_error_and_not_pushed() {
    let moto = moto();
    let one = dishes();
    S3.json(&one, moto.port, &["run", FILE, "--remote", PLACE]);
    // What is there has to be replaced, in one step and in parts.
    for name in ["objects", "results"] {
        let proxy = Proxy::new(moto.port, move |asked| {
            let writes = asked.method == "PUT" || asked.method == "POST";
            let there = asked.method == "GET" && asked.path.contains("/results/");
            match writes && asked.path.contains(&format!("/{name}/")) {
                true => Fault::Absent,
                // No description can be read, so that each is written anew.
                false if there => Fault::Flipped,
                false => Fault::None,
            }
        });
        let listed = S3.json(&one, moto.port, &["cache", "ls", "--remote", PLACE]);
        assert_eq!(listed["entries"].as_array().unwrap().len(), 3, "{listed}");
        if name == "objects" {
            let objects = asked(moto.port, "GET", "/dishes?list-type=2&prefix=team/objects/");
            let first = objects.split("<Key>").nth(1).unwrap();
            let first = first.split("</Key>").next().unwrap();
            asked(moto.port, "DELETE", &format!("/dishes/{first}"));
        }
        let push = ["cache", "push", PLACE, FILE];
        let refused = Ran::of(S3.command(&one, proxy.port, &push).output().unwrap());
        assert_eq!(refused.code, 1, "{name}: {}", refused.stdout);
        assert!(
            refused.stderr.contains("in a bucket that is not there")
                && refused.stderr.contains("help: make the bucket"),
            "{name}: {}",
            refused.stderr
        );
        S3.ok(&one, moto.port, &push);
    }
}

#[test]
#[ignore = "needs moto_server in KFOOD_MOTO: `-- --ignored object_store`"]
fn what_goes_from_an_object_store_while_it_is_pulled_is_not_called_damaged() {
    let moto = moto();
    let one = dishes();
    S3.json(&one, moto.port, &["run", FILE, "--remote", PLACE]);
    static READ: AtomicUsize = AtomicUsize::new(0);
    let port = moto.port;
    let proxy = Proxy::new(port, move |request| {
        let reads = request.method == "GET" && request.path.contains("/results/");
        // Three are read to list them; then the first that is to be fetched goes.
        if reads && READ.fetch_add(1, Ordering::SeqCst) == 3 {
            let path = request.path.split('?').next().unwrap();
            asked(port, "DELETE", path);
        }
        Fault::None
    });
    let pulled = S3.json(&dishes(), proxy.port, &["cache", "pull", PLACE]);
    assert_eq!(
        (&pulled["damaged"], &pulled["gone"]),
        (&0.into(), &1.into()),
        "{pulled}"
    );
    assert_eq!(pulled["fetched"].as_array().unwrap().len(), 2, "{pulled}");
}

#[test]
#[ignore = "needs moto_server in KFOOD_MOTO: `-- --ignored object_store`"]
fn many_stages_are_asked_for_at_once_and_the_plan_is_the_same() {
    let moto = moto();
    let one = dishes();
    let splits: String = (0..24)
        .map(|n| {
            format!(
                "\n[split.s{n}]\ndataset = \"dishes\"\nvalidation = 0.{}\n",
                10 + n
            )
        })
        .collect();
    let text = one.read(FILE) + &splits;
    one.write(FILE, &text);
    S3.json(&one, moto.port, &["run", FILE, "--remote", PLACE]);
    let other = dishes();
    other.write(FILE, &text);
    let plan = |port| {
        let plan = S3
            .command(&other, port, &["plan", FILE, "--all", "--remote", PLACE])
            .output();
        Ran::of(plan.unwrap()).stdout
    };
    static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let proxy = Proxy::new(moto.port, |asked| {
        if asked.path.contains("/results/") {
            let n = UNDER_WAY.fetch_add(1, Ordering::SeqCst) + 1;
            MOST.fetch_max(n, Ordering::SeqCst);
            sleep(Duration::from_millis(300));
            UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
        }
        Fault::None
    });
    let slow = plan(proxy.port);
    assert!(slow.contains("0 cached, 27 to fetch, 0 to run"), "{slow}");
    assert_eq!(slow, plan(moto.port));
    let most = MOST.load(Ordering::SeqCst);
    assert!((2..=16).contains(&most), "{most} at once");
}

#[test]
#[ignore = "needs moto_server in KFOOD_MOTO: `-- --ignored object_store`"]
fn an_upload_that_was_killed_goes_on_with_the_parts_that_are_missing() {
    let moto = moto();
    S3.goes_on_with_an_upload(moto.port);
}

#[test]
#[ignore = "needs moto_server in KFOOD_MOTO: `-- --ignored object_store`"]
fn no_secret_of_an_object_store_is_logged_or_stored() {
    let moto = moto();
    let one = dishes();
    for level in ["", "trace"] {
        let mut run = S3.command(&one, moto.port, &["-vv", "run", FILE, "--remote", PLACE]);
        if !level.is_empty() {
            run.env("RUST_LOG", level);
        }
        let ran = Ran::of(run.output().unwrap());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        for text in [&ran.stdout, &ran.stderr] {
            assert!(!text.contains("hush"), "{text}");
        }
        let _ = std::fs::remove_dir_all(one.path("cache"));
    }
    for (name, bytes) in files(&one.path("")) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("hush"), "{}", name.display());
    }
}
