//! How lists are read: quotes, encodings, paths, names of classes.

use std::fs;

use super::{NFD, listed, paths, refused, stored, told, with_list};
use crate::support::Project;

#[test]
fn a_quote_that_is_never_closed_is_told_by_its_line_and_swallows_no_row() {
    refused(
        b"path,label\na/000.png,a\na/001.png,\"a\nb/000.png,b\nb/001.png,b\n",
        &["line 3: a quote that is never closed"],
    );
    refused(
        b"path,label,note\na/000.png,a,\"x\nb/000.png,b,y\nb/001.png,b,z\"\n",
        &["line 2: a quote that is closed only 2 lines further down"],
    );
    refused(
        "path,label\na/000.png,a\u{7}\nb/000.png,\"b\nc\"\n".as_bytes(),
        &["line 2: `a\\x07` holds control characters", "line 3: "],
    );
    let (paths, _) =
        listed(b"path,label,note\na/000.png,a,\"two\nlines, and \"\"more\"\"\"\nb/000.png,b,\n");
    assert_eq!(paths.len(), 2);
}

#[test]
fn lists_from_spreadsheets_and_other_tools_are_taken() {
    let (paths, ran) = listed(
        b"sep=;\r\n\"Path\";Label;part;\r\na/000;a;Training;\r\n\r\nb/000;b;TRAIN;\r\na/001;a;Testing;\r\n;;;\r\nPath;Label;part;\r\nb\\001.png;b;Validation;\r\n",
    );
    assert_eq!(
        paths,
        [
            "train/a/000.png",
            "train/b/000.png",
            "validation/b/001.png",
            "test/a/001.png"
        ]
    );
    told(
        &ran,
        &[
            "passed over 1 row of separators alone",
            "passed over 1 row that repeats the header",
        ],
    );
}

#[test]
fn lists_in_other_encodings_are_read_and_told() {
    let text = "path\tlabel\na/000.png\t김밥\nb/000.png\t잡채\n";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xff\xfe".as_slice(), &utf16].concat();
    let cp949 = encoding_rs::EUC_KR.encode(text).0.into_owned();
    for (bytes, name) in [(utf16, "UTF-16LE"), (marked, "UTF-16LE"), (cp949, "CP949")] {
        let (paths, ran) = listed(&bytes);
        assert_eq!(paths.len(), 2);
        told(&ran, &["is not UTF-8 and was read as", name]);
    }
}

#[test]
fn lines_are_counted_alike_under_crlf() {
    refused(
        b"path,label\r\na/000.png,a\r\nb/000.png,b\r\nno.png,b\r\n",
        &["line 4: no file `no.png`"],
    );
}

#[test]
fn what_a_path_of_a_list_may_be_is_told_with_the_way_out() {
    let ran = refused(
        b"path,label\nC:\\x\\a.png,a\n/etc/passwd,a\nhttp://a.kr/b.png,b\nb,b\nA/000.PNG,a\na/9,a\ndata/b/000.png,b\n",
        &[
            "line 2: `C:\\x\\a.png` is a path of a Windows computer",
            "line 3: `/etc/passwd` is absolute and lies neither below",
            "line 4: `http://a.kr/b.png` is an address",
            "line 5: `b` is a folder",
            "line 7: no file `a/9`",
            "line 8: no file `data/b/000.png`",
            "paths are relative to the list's folder",
        ],
    );
    assert!(ran.stderr.contains("`data/b/000.png` lies below"));
    // Leaving the folder is possible and said.
    let (paths, ran) = listed(b"path,label\n../data/a/000.png,a\nb/000.png,b\n");
    assert_eq!(paths, ["train/a/000.png", "train/b/000.png"]);
    assert!(!ran.stderr.contains("outside"));
    let (project, _) = with_list(b"path,label\na/000.png,a\nb/000.png,b\n");
    fs::rename(project.path("data/b"), project.path("b")).unwrap();
    project.edit("data/list.csv", "b/000.png", "../b/000.png");
    let ran = project.ok(&["run", "pipelines/p.toml"]);
    told(
        &ran,
        &["1 image of the list lies outside its folder, such as `../b/000.png`"],
    );
}

#[test]
fn absolute_paths_below_the_list_or_the_project_are_the_relative_ones() {
    let (project, _) = with_list(b"path,label\n");
    fs::rename(project.path("data/b"), project.path("b")).unwrap();
    let at = |name: &str| project.path(name).display().to_string();
    let list = format!(
        "path,label\n{},a\n{},b\n",
        at("data/a/000.png"),
        at("b/000.png")
    );
    project.write("data/list.csv", &list);
    project.ok(&["run", "pipelines/p.toml"]);
    assert_eq!(paths(&project), ["train/../b/000.png", "train/a/000.png"]);
}

#[test]
fn an_id_that_two_files_have_is_told_with_both() {
    let (project, _) = with_list(b"path,label\na/000,a\nb/000,b\n");
    fs::copy(
        project.path("data/a/000.png"),
        project.path("data/a/000.jpg"),
    )
    .unwrap();
    let ran = project.fails(1, &["run", "pipelines/p.toml", "--force", "d"]);
    told(&ran, &["`a/000` may be any of `a/000.jpg`, `a/000.png`"]);
}

#[test]
fn each_folder_and_file_of_a_path_may_be_spelt_its_own_way() {
    let project = Project::new();
    project.picture(&format!("data/{NFD}/김밥.png"), 0, 1);
    project.picture("data/b/0.png", 1, 2);
    project.write(
        "data/list.csv",
        &format!("path,label\n김밥/{NFD}.png,a\nb/0.png,b\n"),
    );
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\nmanifest = \"data/list.csv\"\n",
    );
    project.ok(&["run", "pipelines/p.toml"]);
    assert_eq!(paths(&project), ["train/b/0.png", "train/김밥/김밥.png"]);
    // A folder in a pipeline file too.
    project.dishes(&format!("{NFD}/{NFD}"), &["a", "b"], 2);
    project.write("pipelines/q.toml", "[dataset.d]\ntrain = \"김밥/김밥\"\n");
    project.ok(&["run", "pipelines/q.toml"]);
    assert_eq!(paths(&project).len(), 4);
}

#[test]
fn classes_that_look_the_same_are_refused_with_the_difference_escaped() {
    for (one, other, shown) in [
        ("김밥", "김밥\u{200b}", "`김밥\\u{200b}`"),
        ("김밥", "김\u{a0}밥", ""),
        ("김 밥", "김\u{a0}밥", "`김\\u{a0}밥`"),
        ("김밥", "김밥\u{3164}", "`김밥\\u{3164}`"),
        ("Bibimbap", "bibimbap", "`Bibimbap` (2 images in `train`)"),
        ("ABC", "ＡBC", "`\\u{ff21}BC`"),
        ("김밥", "김밥.", "`김밥.`"),
        ("ABC", "\u{410}BC", "`\\u{410}BC`"),
        ("김밥-치즈", "김밥\u{2013}치즈", "`김밥\\u{2013}치즈`"),
    ] {
        let project = Project::new();
        project.dishes("data", &[one, other, "잡채"], 2);
        project.write("pipelines/p.toml", "[dataset.d]\ntrain = \"data\"\n");
        let ran = project.kfood(&["run", "pipelines/p.toml"]);
        if shown.is_empty() {
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            continue;
        }
        assert_eq!(ran.code, 1, "{one:?} {other:?}");
        told(&ran, &["two classes look the same", shown]);
    }
    // Between parts, and in lists.
    let project = Project::new();
    project.dishes("data/train", &["김밥", "잡채"], 2);
    project.dishes("data/test", &["김밥\u{200b}", "잡채"], 1);
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\ntrain = \"data/train\"\ntest = \"data/test\"\n",
    );
    let ran = project.fails(1, &["run", "pipelines/p.toml"]);
    told(
        &ran,
        &["`김밥` (2 images in `train`) and `김밥\\u{200b}` (1 image in `test`)"],
    );
    refused(
        "path,label\na/000.png,a\nb/000.png,b\nb/001.png,\u{feff}b\n".as_bytes(),
        &["two classes look the same: `b` (1 image in `train`) and `\\u{feff}b`"],
    );
}

#[test]
fn a_class_that_only_training_has_is_a_warning_and_one_that_it_lacks_an_error() {
    let project = Project::new();
    project.dishes("data/train", &["a", "b", "rare"], 4);
    project.dishes("data/test", &["a", "b"], 2);
    fs::create_dir(project.path("data/test/rare")).unwrap();
    let pipeline = "[dataset.d]\ntrain = \"data/train\"\ntest = \"data/test\"\n";
    project.write("pipelines/p.toml", pipeline);
    let ran = project.ok(&["run", "pipelines/p.toml"]);
    told(&ran, &["warning: `test` has no image of one class: `rare`"]);
    assert_eq!(
        stored(&project, "labels.json")["classes"],
        serde_json::json!(["a", "b", "rare"])
    );
    project.dishes("data/test", &["new"], 1);
    let ran = project.fails(1, &["run", "pipelines/p.toml"]);
    told(
        &ran,
        &[
            "`test` has classes that `train` lacks",
            "only in `test`: 1 (`new`); only in `train`: 1 (`rare`)",
        ],
    );
}

#[test]
fn a_list_of_another_computer_comes_with_what_to_take_off() {
    for (before, sign) in [
        ("/content/drive/MyDrive/food/", "/"),
        ("C:\\Users\\kim\\food\\", "\\"),
    ] {
        let list = format!("path,label\n{before}a{sign}000.png,a\n{before}b{sign}000.png,b\n");
        let way = format!("where `a/000.png` lies: take `{before}` off each path");
        refused(list.as_bytes(), &[&way]);
    }
    let ran = refused(b"path,label\n/etc/passwd,a\n", &["paths are relative to"]);
    assert!(!ran.stderr.contains("take `"), "{}", ran.stderr);
}

#[test]
fn a_file_with_another_ending_is_told() {
    refused(
        b"path,label\na/000.jpeg,a\nb/000.png,b\n",
        &["line 2: no file `a/000.jpeg`, but there is `a/000.png`"],
    );
}
