//! `kfood report -o report.html`: one page with charts and photographs.

mod parts;
mod sweep;
mod unfinished;
mod warnings;

use std::{
    fs,
    io::{BufRead, BufReader, Cursor, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::support::{Project, Ran};

/// A network that is trained for one epoch and judged.
const PIPELINE: &str = r#"
[dataset.dishes]
train = "data/train"
test = "data/test"

[split.holdout]
dataset = "dishes"
validation = 0.2

[preprocess.pixels]
dataset = "dishes"
resize = { width = 32, height = 32 }

[train.net]
arch = "resnet18"
data = "pixels"
split = "holdout"
epochs = 1
batch_size = 8
optimizer.sgd.lr = 0.001

[evaluate.result]
model = "net"
on = ["train", "test"]
"#;

fn project() -> Project {
    let project = Project::with_dishes();
    project.write("pipelines/p.toml", PIPELINE);
    project
}

fn page(project: &Project, more: &[&str]) -> (String, String) {
    let mut args = vec!["report", "pipelines/p.toml", "-o", "report.html"];
    args.extend(more);
    let ran = project.kfood(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    (project.read("report.html"), ran.stderr)
}

/// The part of a page that shows the most confident mistakes.
fn mistakes(html: &str) -> &str {
    let from = html.find(">Most confident mistakes on test<").unwrap();
    let to = html.find(">Confusion matrix on test<").unwrap();
    &html[from..to]
}

#[test]
fn a_page_shows_the_photographs_that_are_mistaken_and_is_the_same_each_time() {
    let project = project();
    assert_eq!(project.kfood(&["run", "pipelines/p.toml"]).code, 0);
    let (html, said) = page(&project, &[]);
    assert!(!said.contains("note:"), "{said}");
    assert!(html.contains("At a glance") && html.contains("Confusion matrix on test"));
    // Without a calibrate stage the best model is told of as it stands.
    assert!(html.contains("How sure <code>result</code> is"));
    assert!(html.contains("As the model says it, at temperature 1."));
    let pictures = mistakes(&html).matches("data-picture=").count();
    let wrong = project.kfood(&["report", "pipelines/p.toml", "--json"]);
    let wrong: serde_json::Value = serde_json::from_str(&wrong.stdout).unwrap();
    let parts = wrong["rows"][0]["parts"].as_array().unwrap().clone();
    let test = parts.iter().find(|p| p["part"] == "test").unwrap();
    let wrong = (12.0 * (1.0 - test["top1"]["mean"].as_f64().unwrap())).round() as usize;
    assert_eq!(pictures, wrong);
    assert_eq!(page(&project, &[]).0, html);
    // Without photographs everything else is there.
    let none = page(&project, &["--images", "none"]).0;
    assert_eq!(none.matches("data:image/jpeg").count(), 0);
    for drawn in [r#""kind":"matrix""#, r#""kind":"ranges""#] {
        let drawn_in = |html: &str| html.matches(drawn).count();
        assert_eq!((drawn_in(&none), drawn_in(&html)), (1, 1), "{drawn}");
    }
    // Beside the twelve of the test part those of training that look alike.
    let all = page(&project, &["--images", "all"]).0;
    assert!(all.matches("data:image/jpeg;base64,").count() > 12);
}

/// The page made in a folder, of a pipeline as it is named there.
fn made_in(project: &Project, folder: &Path, file: &Path) -> String {
    let page = project.path("elsewhere.html");
    let args = [
        "report",
        file.to_str().unwrap(),
        "-o",
        page.to_str().unwrap(),
    ];
    let ran = project.command(&args).current_dir(folder).output();
    Ran::of(ran.unwrap()).ended(0, &args);
    project.read("elsewhere.html")
}

#[test]
fn a_page_is_the_same_wherever_it_is_made_and_wherever_the_project_lies() {
    let project = project();
    project.write(
        "pipelines/more/q.toml",
        "[use]\np = \"../p.toml\"\n[evaluate.again]\nmodel = \"p.net\"\non = [\"test\"]\n",
    );
    let file = "pipelines/more/q.toml";
    project.ok(&["run", file]);
    let html = made_in(&project, &project.path(""), Path::new(file));
    assert!(
        html.contains("Results of <code>pipelines/more/q.toml</code>"),
        "{html}"
    );
    let whole = project.path(file);
    let below = made_in(
        &project,
        &project.path("pipelines"),
        Path::new("more/q.toml"),
    );
    let outside = made_in(&project, Path::new("/"), &whole);
    let place = project.path("").display().to_string();
    assert!(!outside.contains(place.trim_end_matches('/')));
    assert!(below == html && outside == html);
    let moved = Project::new();
    let copied = Command::new("cp")
        .args([
            "-a",
            &format!("{place}/."),
            moved.path("").to_str().unwrap(),
        ])
        .status();
    assert!(copied.unwrap().success());
    drop(project);
    assert!(made_in(&moved, &moved.path(""), Path::new(file)) == html);
}

#[test]
fn a_page_is_in_the_language_of_the_environment_and_what_programs_read_is_not() {
    let project = Project::with_dishes();
    project.write("pipelines/p.toml", PIPELINE);
    let made = |name: &str, locale: &[(&str, &str)]| {
        let args = ["report", "pipelines/p.toml", "-o", name];
        let ran = project.command(&args).envs(locale.iter().copied()).output();
        Ran::of(ran.unwrap()).ended(0, &args);
        project.read(name)
    };
    let korean = ("LANG", "ko_KR.UTF-8");
    let page = made("ko.html", &[korean]);
    assert!(
        page.contains("<html lang=\"ko\"") && page.contains("결과"),
        "{page}"
    );
    // As locales are looked up, that of messages comes before.
    let page = made("en.html", &[korean, ("LC_MESSAGES", "en_US.UTF-8")]);
    assert!(
        page.contains("<html lang=\"en\"") && !page.contains("결과"),
        "{page}"
    );
    let page = made(
        "all.html",
        &[("LANG", "C.UTF-8"), ("LC_ALL", "ko_KR.UTF-8")],
    );
    assert!(page.contains("<html lang=\"ko\""), "{page}");
    let text = made("text.md", &[korean]);
    assert!(text.contains("# Results of `pipelines/p.toml`"), "{text}");
}

#[test]
fn photographs_that_are_gone_are_shown_from_the_pack_and_that_is_said() {
    let project = project();
    assert_eq!(project.kfood(&["run", "pipelines/p.toml"]).code, 0);
    let before = page(&project, &["--images", "all"]).0;
    fs::remove_dir_all(project.path("data")).unwrap();
    let (html, said) = page(&project, &["--images", "all"]);
    assert!(
        said.contains(" photographs are shown as in the pack"),
        "{said}"
    );
    assert!(
        html.contains("are shown as in the pack, for the files are gone or changed."),
        "nothing of it in the page"
    );
    assert!(!before.contains("as in the pack"));
    assert!(mistakes(&html).contains(" for the true class"));
    let pictures = |html: &str| html.matches("data:image/jpeg;base64,").count();
    assert_eq!(pictures(&html), pictures(&before));
}

#[test]
fn a_report_tells_what_is_there_of_a_pipeline_that_is_not_finished() {
    let project = project();
    let (html, said) = page(&project, &[]);
    assert!(
        said.contains("`pixels`: no result") && said.contains("with 2 more stages"),
        "{said}"
    );
    assert!(html.contains("<code>result</code>: no result"), "{html}");
    assert_eq!(project.kfood(&["run", "pipelines/p.toml", "net"]).code, 0);
    let (html, said) = page(&project, &[]);
    assert!(said.contains("note: `result`: no result"), "{said}");
    assert!(
        html.contains("Training <code>net</code>")
            && html.contains("<code>result</code>: no result")
    );
    assert_eq!(project.kfood(&["run", "pipelines/p.toml"]).code, 0);
    project.edit("pipelines/p.toml", "lr = 0.001", "lr = 0.002");
    let (html, said) = page(&project, &[]);
    assert!(
        said.contains("note: `net`: an earlier result is shown"),
        "{said}"
    );
    assert!(
        html.contains(
            "<code>net</code>: an earlier result is shown: <code>optimizer.sgd.lr</code> 0.001"
        ),
        "{html}"
    );
}

#[test]
fn a_zip_holds_the_page_with_its_photographs_beside_it() {
    let project = project();
    assert_eq!(project.kfood(&["run", "pipelines/p.toml"]).code, 0);
    let ran = project.kfood(&[
        "report",
        "pipelines/p.toml",
        "-o",
        "report.zip",
        "--images",
        "all",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let bytes = fs::read(project.path("report.zip")).unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut html = String::new();
    let mut page = zip.by_name("report/index.html").unwrap();
    page.read_to_string(&mut html).unwrap();
    drop(page);
    assert!(!html.contains("data:image/jpeg"));
    let pictures: Vec<String> = zip
        .file_names()
        .map(|name| name.unwrap().into_owned())
        .collect();
    let pictures: Vec<&String> = pictures.iter().filter(|n| n.ends_with(".jpg")).collect();
    assert!(pictures.len() >= 12, "{pictures:?}");
    for picture in pictures {
        let name = picture.strip_prefix("report/").unwrap();
        assert!(html.contains(name), "{name}");
    }
}

#[test]
fn a_file_of_no_form_is_told_before_there_is_work_and_a_note_says_of_which_file_it_is() {
    let project = Project::with_dishes();
    let text = format!("[evaluate.x]\nmodel = \"net\"\n{PIPELINE}");
    project.write("pipelines/p.toml", &text);
    project.write("pipelines/q.toml", &text);
    for command in ["report", "compare"] {
        let told = project.fails(2, &[command, "pipelines/p.toml", "-o", "r.docx"]);
        assert!(
            told.stderr.contains("`r.docx` names no form of a report")
                && told.stderr.contains("`.md`, `.html`, `.zip`"),
            "{}",
            told.stderr
        );
    }
    let told = project.kfood(&["compare", "pipelines/p.toml", "pipelines/q.toml"]);
    assert!(
        told.stderr.contains("note: `p.dishes`: no result")
            && told.stderr.contains("note: `q.dishes`: no result"),
        "{}",
        told.stderr
    );
}

#[test]
fn a_page_compares_two_files_with_the_settings_that_differ() {
    let project = project();
    assert_eq!(project.kfood(&["run", "pipelines/p.toml"]).code, 0);
    project.write(
        "pipelines/q.toml",
        &PIPELINE.replace("lr = 0.001", "lr = 0.01"),
    );
    assert_eq!(project.kfood(&["run", "pipelines/q.toml"]).code, 0);
    let files = ["compare", "pipelines/p.toml", "pipelines/q.toml"];
    let ran = project.kfood(&[&files[..], &["-o", "compare.html"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let html = project.read("compare.html");
    assert!(
        html.contains("<code>train.optimizer.sgd.lr</code>"),
        "{html}"
    );
    assert!(html.contains("2 models were evaluated on the same 12 test images"));
    let told = project.kfood(&[&files[..], &["--json"]].concat());
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    let change = &told["changes"][0];
    assert_eq!(
        (&change["from"], &change["to"]),
        (&"p.result".into(), &"q.result".into())
    );
    let settings = change["settings"].as_array().unwrap();
    assert_eq!(settings.len(), 1, "{settings:?}");
    assert_eq!(settings[0][1], "0.001");
}

/// What a server answers to a GET.
fn get(port: u16, path: &str, host: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_served_page_shows_what_a_run_adds_and_is_for_this_machine_alone() {
    let project = project();
    let mut server = project
        .command(&["report", "pipelines/p.toml", "--serve"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(server.stderr.take().unwrap()).lines();
    let line = said
        .find_map(|line| line.ok().filter(|l| l.starts_with("http://")))
        .unwrap();
    let port = line
        .trim_start_matches("http://127.0.0.1:")
        .split('/')
        .next()
        .unwrap();
    let port: u16 = port.parse().unwrap();
    let own = format!("127.0.0.1:{port}");
    let before = get(port, "/", &own);
    assert!(
        before.contains("<code>result</code>: no result"),
        "{before}"
    );
    assert!(get(port, "/", "elsewhere.example").starts_with("HTTP/1.1 403"));
    assert!(get(port, "/other", &own).starts_with("HTTP/1.1 404"));
    let state = |answer: &str| answer.rsplit("\r\n\r\n").next().unwrap().to_owned();
    let old = state(&get(port, "/state", &own));
    assert!(before.contains(&format!("data-state=\"{old}\"")));
    assert_eq!(project.kfood(&["run", "pipelines/p.toml"]).code, 0);
    // The state is looked at once a second at most.
    let new = (0..100)
        .map(|_| {
            thread::sleep(Duration::from_millis(100));
            state(&get(port, "/state", &own))
        })
        .find(|now| *now != old);
    assert!(new.is_some(), "the state never changed");
    assert!(get(port, "/", &own).contains("Confusion matrix on test"));
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn what_speaks_for_a_mistake_is_shown_where_it_is_asked_for() {
    let project = project();
    assert_eq!(project.kfood(&["run", "pipelines/p.toml"]).code, 0);
    let before = page(&project, &[]).0;
    assert!(!before.contains("class=\"evidence\""));
    let (html, said) = page(&project, &["--cam"]);
    assert!(!said.contains("note:"), "{said}");
    let shown = html
        .matches("class=\"evidence\" src=\"data:image/jpeg;base64,")
        .count();
    let all = mistakes(&before).matches("data-picture=").count();
    assert!(shown > 0 && shown == all, "{shown} of {all}");
    let several = PIPELINE
        .replace("[train.net]", "[train.net]\nmatrix.seed = [1, 2]")
        .replace(
            "[evaluate.result]\nmodel = \"net\"",
            "[ensemble.both]\nfrom = [\"net\"]\n\n[evaluate.result]\nmodel = \"both\"",
        );
    project.write("pipelines/e.toml", &several);
    let ran = project.kfood(&["run", "pipelines/e.toml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = project.kfood(&["report", "pipelines/e.toml", "-o", "e.html", "--cam"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("an ensemble has no one place"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_page_tells_of_the_stages_that_are_asked_for_and_what_they_need() {
    let project = project();
    let ran = project.kfood(&["run", "pipelines/p.toml", "pixels", "holdout"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let (html, said) = page(&project, &["pixels"]);
    assert!(!said.contains("no result"), "{said}");
    assert!(!html.contains("<code>result</code>") && html.contains("dishes"));
    let wrong = project.kfood(&["report", "pipelines/p.toml", "pixel"]);
    assert_eq!(wrong.code, 2, "{}", wrong.stderr);
    assert!(wrong.stderr.contains("pixels"), "{}", wrong.stderr);
}
