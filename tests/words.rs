//! What a person reads: names that are safe to show, files that are called by what they are, plans that say what changed.

mod plans;

use std::{fs, os::unix::fs::symlink};

use super::support::Project;

/// A data set, a split of it and rows.
const DISHES: &str = "\
[dataset.dishes]
train = \"data/train\"
[split.holdout]
dataset = \"dishes\"
[preprocess.pixels]
dataset = \"dishes\"
resize = { width = 8, height = 8 }
";

fn project(text: &str) -> Project {
    let project = Project::new();
    project.write("pipelines/a.toml", text);
    project
}

/// What `check` says of a pipeline file of these bytes.
fn mistakes(bytes: &[u8]) -> String {
    let project = Project::new();
    fs::write(project.path("pipelines/a.toml"), bytes).unwrap();
    project.fails(2, &["check", "pipelines/a.toml"]).stderr
}

#[test]
fn no_name_steers_a_terminal() {
    let project = project("[dataset.d]\ntrain = 'data/\u{202e}gpj'\n");
    let odd = "pipelines/\u{1b}[31m\u{7}.toml";
    project.write(
        odd,
        "[dataset.d]\ntrain = \"data/x\"\n[split.s]\ndataset = \"\\u001b[2J\"\n",
    );
    let steers = |text: &str| {
        text.chars()
            .any(|c| (c.is_control() && c != '\n') || c == '\u{202e}')
    };
    for args in [
        &["check", odd][..],
        &["check", "\u{1b}[31m.toml"],
        &["check", "pipelines/a.toml"],
        &["plan", "pipelines/a.toml"],
        &["check", "--json", odd, "pipelines/a.toml"],
    ] {
        let ran = project.kfood(args);
        let text = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!steers(&text), "{args:?}: {text:?}");
        assert!(
            text.contains("\\x1b") || text.contains("\\u"),
            "{args:?}: {text:?}"
        );
    }
    // What steers is left out of an argument that is no command.
    let ran = project.kfood(&["\u{1b}]0;x\u{7}"]);
    assert!(ran.code == 2 && !steers(&ran.stderr), "{:?}", ran.stderr);
    let rows = project.json(&["check", odd]);
    assert_eq!(rows["mistakes"][0]["line"], 4);
}

#[test]
fn a_changed_setting_is_told_as_the_file_has_it_and_kfood_is_not_called_newer_for_it() {
    let project = project(DISHES);
    project.dishes("data/train", &["a", "b"], 4);
    project.ok(&["run", "pipelines/a.toml"]);
    let plan = |from: &str, to: &str| {
        project.edit("pipelines/a.toml", from, to);
        let told = project.kfood(&["plan", "pipelines/a.toml"]).stdout;
        let why = project.kfood(&["explain", "pipelines/a.toml", "pixels"]);
        project.edit("pipelines/a.toml", to, from);
        (told, why.stdout)
    };
    let holdout = "[split.holdout]\n";
    let grouped = "[split.holdout]\nleaks = \"group\"\ndata = \"pixels\"\n";
    let (told, _) = plan(holdout, grouped);
    assert!(told.contains("`leaks` (none) -> \"group\""), "{told}");
    assert!(!told.contains("version of this stage"), "{told}");
    assert!(!told.contains("newer"), "{told}");
    let other = self::project(&DISHES.replace(holdout, grouped));
    other.dishes("data/train", &["a", "b"], 4);
    other.ok(&["run", "pipelines/a.toml"]);
    other.edit("pipelines/a.toml", grouped, holdout);
    let told = other.kfood(&["plan", "pipelines/a.toml"]).stdout;
    assert!(told.contains("`leaks` \"group\" -> (none)"), "{told}");
    assert!(!told.contains("newer"), "{told}");
    let pixels = "[preprocess.pixels]\n";
    let (told, why) = plan(pixels, "[preprocess.pixels]\nunreadable = \"drop\"\n");
    assert!(
        told.contains("`unreadable` \"fail\" -> \"drop\"") && !told.contains("codes"),
        "{told}"
    );
    assert!(why.contains("unreadable = \"drop\"\n"), "{why}");
    let (told, why) = plan(pixels, "[preprocess.pixels]\nquality = \"exact\"\n");
    assert!(
        told.contains("`quality` \"fast\" -> \"exact\"") && !told.contains("components"),
        "{told}"
    );
    assert!(!why.contains("`fast`"), "{why}");
}

#[test]
fn a_linked_pipeline_belongs_to_the_project_it_is_named_in() {
    let (mine, other) = (Project::new(), Project::new());
    other.write("pipelines/a.toml", DISHES);
    symlink(
        other.path("pipelines/a.toml"),
        mine.path("pipelines/a.toml"),
    )
    .unwrap();
    mine.dishes("data/train", &["김밥", "비빔밥"], 2);
    mine.ok(&["run", "pipelines/a.toml"]);
    assert!(mine.path("cache").is_dir() && !other.path("cache").exists());
    assert!(mine.path("pipelines/a.lock").exists() && !other.path("pipelines/a.lock").exists());
}

#[test]
fn a_root_that_lies_far_above_is_told() {
    let project = Project::new();
    project.dishes("data/train", &["김밥", "비빔밥"], 2);
    project
        .write("a.toml", DISHES)
        .write("pipelines/a.toml", DISHES);
    project.write("deep/down/a.toml", DISHES);
    let root = project.path("").display().to_string();
    for command in ["check", "plan", "run"] {
        let far = project.kfood(&[command, "deep/down/a.toml"]);
        assert!(
            far.stderr
                .contains("note: the project of `deep/down/a.toml` is"),
            "{}",
            far.stderr
        );
        assert!(
            far.stderr.contains(root.trim_end_matches('/')),
            "{}",
            far.stderr
        );
        for near in ["a.toml", "pipelines/a.toml"] {
            assert!(
                !project
                    .kfood(&[command, near])
                    .stderr
                    .contains("note: the project")
            );
        }
    }
}

#[test]
fn a_path_that_a_shell_or_windows_would_take_is_told_with_the_right_one() {
    for (written, help) in [
        ("\"~/data\"", "write `${HOME}/data`"),
        ("\"$HOME/data\"", "write `${HOME}/data`"),
        ("'data\\train'", "write `data/train`"),
        ("\"data\\train\"", "write it with `/`"),
        ("'C:\\data\\train'", "in WSL that is `/mnt/c/data/train`"),
        ("\"C:\\data\"", "write paths with `/`"),
    ] {
        let told = mistakes(format!("[dataset.d]\ntrain = {written}\n").as_bytes());
        assert!(
            told.contains("pipelines/a.toml:2:") && told.contains(help),
            "{written}: {told}"
        );
    }
    let project = project("[dataset.d]\ntrain = '~'\ntest = 'a\\b'\n");
    project
        .dishes("~", &["a", "b"], 1)
        .dishes("a\\b", &["a", "b"], 1);
    project.ok(&["check", "pipelines/a.toml"]);
}

#[test]
fn check_says_what_is_not_there_yet() {
    let project = project(DISHES);
    project.write(
        "pipelines/b.toml",
        "[use]\na = \"a.toml\"\n[evaluate.e]\nmodel = \"models/x.safetensors\"\ndata = \"a.pixels\"\nsplit = \"a.holdout\"\n",
    );
    let said = project.ok(&["check", "pipelines/b.toml"]).stdout;
    assert!(
        said.contains("no mistakes in the file, but not there:"),
        "{said}"
    );
    assert!(said.contains("`data/train` (pipelines/a.toml:2)"), "{said}");
    assert!(
        said.contains("`models/x.safetensors` (pipelines/b.toml:4)"),
        "{said}"
    );
    let rows = project.json(&["check", "pipelines/b.toml"]);
    assert_eq!(rows["missing"].as_array().unwrap().len(), 2);
    project.dishes("data/train", &["김밥", "비빔밥"], 1);
    let said = project.ok(&["check", "pipelines/a.toml"]).stdout;
    assert!(said.ends_with("3 stages, no mistakes\n"), "{said}");
}

#[test]
fn a_file_in_another_encoding_is_called_by_its_name() {
    let text = "[dataset.d]\n# 김밥\ntrain = \"data\"\n";
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<_>>();
    let (korean, ..) = encoding_rs::EUC_KR.encode(text);
    for (bytes, name) in [
        (wide(u16::to_le_bytes), "UTF-16LE"),
        (wide(u16::to_be_bytes), "UTF-16BE"),
        (korean.into_owned(), "CP949"),
    ] {
        let told = mistakes(&bytes);
        assert!(told.contains(&format!("the file is {name} text")), "{told}");
        assert!(told.contains(&format!("iconv -f {name}")), "{told}");
    }
    let told = mistakes("\u{feff}[dataset.d]\ntrian = \"data\"\n".as_bytes());
    assert!(
        told.contains("pipelines/a.toml:2:1") && told.contains("did you mean `train`?"),
        "{told}"
    );
    let told = mistakes("\u{feff}sead = 1\n".as_bytes());
    assert!(told.contains("pipelines/a.toml:1:1"), "{told}");
}

#[test]
fn typographic_signs_are_told_as_such() {
    for (line, sign) in [
        ("train = “data”", "“"),
        ("train = \"data”", "”"),
        ("train ＝ \"data\"", "＝"),
        ("train\u{a0}= \"data\"", "\\u{a0}"),
    ] {
        let told = mistakes(format!("[dataset.d]\n{line}\n").as_bytes());
        assert!(
            told.contains(&format!("`{sign}` stands where")),
            "{line}: {told}"
        );
    }
}

#[test]
fn a_control_character_is_called_one_and_a_habit_is_told_once() {
    let told = mistakes(b"[dataset.d]\ntrain = \x1b\"data\"\n");
    assert!(
        told.contains("a control character, `\\x1b`, stands here"),
        "{told}"
    );
    assert!(!told.contains("word processor"), "{told}");
    let line = "a\u{a0}=\u{a0}1\n";
    let many = format!("[dataset.d]\n{}", line.replace('a', "train").repeat(14));
    let told = mistakes(many.as_bytes());
    assert!(told.contains("one of 28 places"), "{told}");
    assert!(told.contains("1 mistake found"), "{told}");
}

#[test]
fn for_a_pipeline_file_that_is_not_there_the_nearest_one_is_named() {
    let project = project(DISHES);
    project.write("p.toml", DISHES);
    for (named, near) in [
        ("P.toml", "`p.toml`"),
        ("pipelines/A.toml", "`pipelines/a.toml`"),
        ("a.toml", "`pipelines/a.toml`"),
        ("pipelines/p.toml", "did you mean `p.toml`?"),
        (
            "pipelines/nothing.toml",
            "such as `pipelines/mission1.toml`",
        ),
    ] {
        let told = project.fails(2, &["check", named]).stderr;
        assert!(told.contains(near), "{named}: {told}");
    }
}

#[test]
fn a_long_value_key_name_or_kind_is_shown_in_part() {
    let long = "x".repeat(2_000_000);
    for text in [
        format!("[train.net]\nloss = \"{long}\"\n"),
        format!("[train.net]\nepochs = 1\n{long} = 1\n"),
        format!("[train.{long}]\nepochs = 1\n"),
        format!("[train.net]\nepochs = 1\ndata = \"{long}\"\n"),
        format!("[{long}.net]\nepochs = 1\n"),
        format!("[train.\"{long} \"]\nepochs = \"{long}\"\n"),
    ] {
        let told = mistakes(text.as_bytes());
        assert!(told.len() < 20_000, "{}: {}", &text[..40], told.len());
        assert!(told.contains("more characters)"), "{}", &text[..40]);
    }
}

#[test]
fn utf32_is_called_by_its_name_and_a_stray_zero_is_no_encoding() {
    let wide = |text: &str| -> Vec<u8> {
        text.chars()
            .flat_map(|c| (c as u32).to_le_bytes())
            .collect()
    };
    for mark in ["", "\u{feff}"] {
        let told = mistakes(&wide(&format!("{mark}{DISHES}")));
        assert!(told.contains("the file is UTF-32LE text"), "{told}");
        assert!(told.contains("`iconv -f UTF-32LE -t UTF-8 "), "{told}");
    }
    let project = project("[dataset.d]\nmanifest = \"list.csv\"\n");
    fs::write(project.path("list.csv"), wide("path,label\na/1.jpg,a\n")).unwrap();
    let told = project.kfood(&["run", "pipelines/a.toml"]).stderr;
    assert!(
        told.contains("is UTF-32LE text") && told.contains("iconv -f UTF-32LE"),
        "{told}"
    );
    fs::write(project.path("list.csv"), b"pa\0th,label\na/1.jpg,a\n").unwrap();
    let told = project.kfood(&["run", "pipelines/a.toml"]).stderr;
    assert!(
        told.contains("no column `path`") && told.contains("`pa\\x00th`"),
        "{told}"
    );
}

#[test]
fn yaml_is_told_as_such_with_the_line_in_toml() {
    let told = mistakes(b"[train.net]\nepochs: 5\n");
    assert!(
        told.contains("it reads like YAML") && told.contains("help: write `epochs = 5`"),
        "{told}"
    );
    let told = mistakes(b"train:\n  net:\n    epochs: 5\n");
    assert!(told.contains("help: a table is `[train.NAME]`"), "{told}");
}

#[test]
fn values_and_files_of_other_languages_are_told_as_such() {
    for (word, help) in [
        ("None", "help: leave the line out"),
        ("null", "help: leave the line out"),
        ("True", "help: write `true`"),
        ("no", "help: write `false`"),
    ] {
        let told =
            mistakes(format!("[dataset.d]\ntrain = \"data\"\ncorrect_test = {word}\n").as_bytes());
        assert!(told.contains(&format!("`{word}` is no value")), "{told}");
        assert!(told.contains(help) && !told.contains("nan"), "{told}");
    }
    let told = mistakes(b"{\"dataset\": {\"d\": {\"train\": \"data\"}}}\n");
    assert!(told.contains("it reads like JSON"), "{told}");
}

#[test]
fn stages_and_pipelines_that_are_named_the_other_way_come_with_the_way_out() {
    let project = project(DISHES);
    project.write("pipelines/b.toml", DISHES);
    let told = project.fails(2, &["run", "pipelines/a.toml:pixels"]).stderr;
    assert!(
        told.contains("name a stage behind its file: `pipelines/a.toml pixels`"),
        "{told}"
    );
    let two = ["plan", "pipelines/a.toml", "pipelines/b.toml"];
    let told = project.fails(2, &two).stderr;
    assert!(told.contains("name one pipeline at a time"), "{told}");
}

#[test]
fn too_few_open_files_are_told_as_that() {
    let project = project(DISHES);
    project.dishes("data/train", &["a", "b"], 2);
    let run = project.command(&["run", "pipelines/a.toml"]);
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", "ulimit -n 8; exec \"$0\" run pipelines/a.toml"]);
    shell.arg(run.get_program()).current_dir(project.path("."));
    let ran = crate::support::Ran::of(shell.output().unwrap());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("ulimit -n"), "{}", ran.stderr);
}

#[test]
fn a_number_in_quotes_is_one_mistake_and_what_is_missing_another() {
    let told = mistakes(
        "[dataset.d]\ntrain = \"data\"\n[preprocess.p]\ndataset = \"d\"\nresize = { height = \"64\" }\n".as_bytes(),
    );
    assert!(told.contains("2 mistakes found"), "{told}");
    assert!(
        told.contains("`\"64\"` for `resize.height`") && told.contains("missing `width`"),
        "{told}"
    );
}

#[test]
fn only_regular_files_of_a_bounded_size_are_pipelines() {
    let project = project("[use]\nq = \"/dev/zero\"\n[dataset.d]\ntrain = \"data\"\n");
    let told = project.fails(2, &["check", "pipelines/a.toml"]).stderr;
    assert!(
        told.contains("`/dev/zero`") && told.contains("device"),
        "{told}"
    );
    let large = fs::File::create(project.path("pipelines/large.toml")).unwrap();
    large.set_len(1 << 40).unwrap();
    let told = project.fails(2, &["check", "pipelines/large.toml"]).stderr;
    assert!(told.contains("bytes"), "{told}");
    let told = project.fails(2, &["check", "pipelines"]).stderr;
    assert!(told.contains("is a folder"), "{told}");
    let told = project.fails(2, &["check", "nowhere.toml"]).stderr;
    assert!(!told.contains("nowhere.toml:1"), "{told}");
}

#[test]
fn a_pipeline_without_a_stage_behind_it_is_answered_with_one_that_it_has() {
    let project = project(DISHES);
    let told = project.fails(2, &["mistakes", "pipelines/a.toml"]).stderr;
    assert!(
        told.contains("such as `pipelines/a.toml:pixels`; it has dishes, holdout, pixels"),
        "{told}"
    );
}

#[test]
fn a_list_is_called_by_its_own_name() {
    let project = project("[dataset.d]\nmanifest = \"foods.csv\"\n");
    project.dishes("data", &["a", "b"], 2);
    project.write(
        "foods.csv",
        "path,label\ndata/a/000.png,a\ndata/b/000.png,b\n",
    );
    project.ok(&["run", "pipelines/a.toml"]);
    project.write(
        "foods.csv",
        "path,label\ndata/a/000.png,a\ndata/b/001.png,b\n",
    );
    let plan = project.fails(3, &["plan", "pipelines/a.toml"]).stdout;
    assert!(
        plan.contains("`foods.csv`") && !plan.contains("manifest.csv"),
        "{plan}"
    );
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
#[test]
fn a_list_is_taken_for_no_table_and_a_number_in_two_spellings_is_one_value() {
    let project = Project::new();
    let of = |resize: &str, more: &str| {
        format!(
            "[dataset.d]\ntrain = \"data\"\n[split.s]\ndataset = \"d\"\n[preprocess.p]\ndataset = \"d\"\nresize = {resize}\n\
             [train.t]\ndata = \"p\"\nsplit = \"s\"\narch = \"resnet18\"\nepochs = 1\n{more}\n"
        )
    };
    let good = "{ width = 32, height = 32 }";
    let sgd = "optimizer.sgd = { lr = 0.1 }\n";
    let cases = [
        (
            of("[64, 32]", sgd),
            "`[64, 32]` for `resize`: expected `{ width = 224, height = 224 }`",
        ),
        (
            of(good, "optimizer.sgd = [0.1, 0.9]"),
            "invalid value `[0.1, 0.9]` for `optimizer.sgd`: expected",
        ),
        (
            of(good, &format!("{sgd}ema = [0.9]")),
            "invalid value `[0.9]` for `ema`: expected",
        ),
        (
            of(
                good,
                &format!("{sgd}augment = [{{ random_affine = [10, [0.1, 0.1]] }}]"),
            ),
            "invalid value `[10, [0.1, 0.1]]` for",
        ),
        (
            of(good, &format!("{sgd}matrix.seed = [1, 0x1]")),
            "`matrix.seed` holds a value twice",
        ),
        (
            of(good, &format!("{sgd}matrix.label_smoothing = [0.1, 1e-1]")),
            "`matrix.label_smoothing` holds a value twice",
        ),
        (of("{ width = -32, height = 32 }", sgd), "1 mistake found"),
        (
            of(good, "learning_rate = 0.1"),
            "it belongs to the optimizer",
        ),
    ];
    for (text, words) in cases {
        project.write("pipelines/p.toml", &text);
        let told = project.fails(2, &["check", "pipelines/p.toml"]).stderr;
        assert!(told.contains(words), "{words} in\n{told}");
    }
    for more in [
        "matrix.seed = [1, 10]",
        "matrix.seed = [9007199254740993, 9007199254740992]",
        "augment = [{ random_resized_crop = { size = 24, scale = [0.5, 1.0] } }]",
    ] {
        project.write("pipelines/p.toml", &of(good, &format!("{sgd}{more}")));
        let ran = project.kfood(&["check", "pipelines/p.toml"]);
        assert!(
            !ran.stderr.contains("twice") && !ran.stderr.contains("a table"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn an_address_an_empty_path_and_a_variable_within_one_are_told_as_such() {
    let project = Project::new();
    let cases = [
        (
            "https://x.kr/y.zip",
            "`https://x.kr/y.zip` is an address",
            "download it",
        ),
        (
            "file:///data",
            "is an address",
            "write the path alone: `/data`",
        ),
        (
            "${KFOOD_UNSET:-}",
            "is empty here",
            "a default that is a path",
        ),
        (
            "${KFOOD_UNSET:-${HOME:-data}}",
            "a variable within a variable",
            "${VAR:-data}",
        ),
    ];
    for (path, what, help) in cases {
        project.write(
            "pipelines/p.toml",
            &format!("[dataset.d]\ntrain = \"{path}\"\n"),
        );
        let told = project.fails(2, &["check", "pipelines/p.toml"]).stderr;
        assert!(told.contains(what) && told.contains(help), "{told}");
    }
    project.write("empty/readme.txt", "x").write("some.pt", "x");
    for (image, what, help) in [
        ("-", "there are no images", "name image files"),
        ("https://x.kr/y.jpg", "is an address", "download it"),
        (
            "nothing.jpg",
            "there is no image or folder `nothing.jpg`",
            "name image files",
        ),
        ("empty", "there are no images", "name image files"),
    ] {
        let ran = project.kfood(&["predict", "--model", "some.pt", image]);
        assert!(
            ran.code > 0 && ran.stderr.contains(what) && ran.stderr.contains(help),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_list_that_leaves_nothing_is_told_where_it_is_named() {
    let project = Project::new();
    project.dishes("data", &["a", "b"], 1);
    project.write("all.csv", "path\na/000.png\nb/000.png\n");
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\ntrain = \"data\"\nexclude = \"all.csv\"\n",
    );
    let told = project.fails(2, &["run", "pipelines/p.toml"]).stderr;
    assert!(
        told.contains("`exclude` leaves nothing: it names all 2 images")
            && told.contains("p.toml:3"),
        "{told}"
    );
}

#[test]
fn a_pipeline_from_standard_input_is_told_why_it_needs_a_file() {
    let told = Project::new().fails(2, &["run", "-"]).stderr;
    assert!(
        told.contains("error: a pipeline is not read from standard input")
            && told.contains("name a pipeline file"),
        "{told}"
    );
}
