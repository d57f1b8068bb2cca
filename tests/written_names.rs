//! Names with control characters in what is written for a person: reports, cards and lists.

use std::fs;

use super::support::Project;

const FILE: &str = "pipelines/p.toml";

/// A class and a file that would colour a terminal, ring, and break a line.
const CLASS: &str = "b\u{1b}[31m";
/// A class that would be an element of HTML and a link of Markdown.
const MARKED: &str = "<b>[x](y)";
const PHOTO: &str = "0\u{7}\r\n1.png";

fn project(rest: &str) -> Project {
    let project = Project::new();
    project.dishes("data/train", &["a", CLASS], 6);
    project.picture(&format!("data/train/{CLASS}/{PHOTO}"), 1, 40);
    let pipeline = "[dataset.d]\ntrain = \"data/train\"\n[preprocess.p]\ndataset = \"d\"\nresize = { width = 32, height = 32 }\n";
    project.write(FILE, &format!("{pipeline}{rest}"));
    project
}

/// Nothing but plain lines.
#[track_caller]
fn plain(text: &str) {
    let odd = text.find(|c: char| c.is_control() && c != '\n' && c != '\t');
    let around = odd.map(|at| {
        let start = text.floor_char_boundary(at.saturating_sub(60));
        &text[start..text.ceil_char_boundary(at + 60)]
    });
    assert_eq!(around, None);
}

#[test]
fn a_list_of_what_is_better_left_out_is_plain_and_names_its_photographs() {
    let project = project("");
    fs::write(
        project.path(&format!("data/train/{CLASS}/{PHOTO}")),
        b"no image",
    )
    .unwrap();
    project.ok(&["data", FILE, "--exclude-list", "out.csv"]);
    let list = project.read("out.csv");
    plain(&list);
    assert!(
        list.contains("\ntrain/b\\x1b[31m/0\\x07\\r\\n1.png,"),
        "{list}"
    );
    // It is found again by that name.
    project.edit(FILE, "[preprocess", "exclude = \"out.csv\"\n[preprocess");
    let ran = project.ok(&["run", FILE]);
    assert!(ran.stderr.contains("1 image is left out"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("no image of the"), "{}", ran.stderr);
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn reports_cards_and_answers_hold_no_control_character_and_no_element_of_a_name() {
    let project = project(
        "[split.s]\ndataset = \"d\"\nvalidation = 0.5\n[train.net]\ndata = \"p\"\nsplit = \"s\"\narch = \"resnet18\"\nepochs = 1\n\
         batch_size = 4\noptimizer.adam = { lr = 0.00001 }\n[evaluate.e]\nmodel = \"net\"\n",
    );
    project.dishes("data/train", &[MARKED], 6);
    project.ok(&["run", FILE]);
    let (markdown, html) = ("\\<b>[x\\](y)", "&#60;b&#62;[x](y)");
    for (name, marked) in [("report.md", markdown), ("report.html", html)] {
        project.ok(&["report", FILE, "--images", "all", "-o", name]);
        let text = project.read(name);
        plain(&text);
        assert!(
            text.contains("b\\x1b[31m") && text.contains(marked),
            "{name}"
        );
    }
    let net = "pipelines/p.toml:net";
    project.ok(&["export", net, "card.md"]);
    let card = project.read("card.md");
    plain(&card);
    assert!(
        card.contains("b\\x1b[31m") && card.contains(markdown),
        "{card}"
    );
    let folder = "data/train";
    project.ok(&["predict", "--model", net, folder, "-o", "answers.csv"]);
    let answers = project.read("answers.csv");
    plain(&answers);
    assert!(
        answers.contains("b\\x1b[31m/0\\x07\\r\\n1.png,"),
        "{answers}"
    );
    // The form for programs holds the names as they are.
    project.ok(&["predict", "--model", net, folder, "-o", "answers.jsonl"]);
    assert!(project.read("answers.jsonl").contains("b\\u001b[31m"));
}
