//! Lists of photographs, class names, given and drawn parts: from a pipeline text to what is stored and told.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::support::{Project, Ran};

/// 김밥 as macOS spells it.
const NFD: &str = "\u{1100}\u{1175}\u{11b7}\u{1107}\u{1161}\u{11b8}";

/// The newest output of that name in the cache.
fn stored(project: &Project, name: &str) -> Value {
    fn look(folder: &Path, name: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                look(&path, name, found);
            } else if path.ends_with(name) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    look(&project.path("cache"), name, &mut found);
    found.sort_by_key(|path| path.metadata().unwrap().modified().unwrap());
    serde_json::from_slice(&fs::read(found.last().unwrap()).unwrap()).unwrap()
}

/// How many images a split gives to each place.
fn members(project: &Project) -> [usize; 3] {
    let split = stored(project, "membership.json");
    let all = split["assignments"].as_array().unwrap();
    let count = |place: &str| all.iter().filter(|a| **a == *place).count();
    ["train", "validation", "test"].map(count)
}

/// The images of a split by path and where they are.
fn places(project: &Project) -> Vec<(String, String)> {
    let images = stored(project, "images.json");
    let split = stored(project, "membership.json");
    let paths = images["paths"].as_array().unwrap().iter();
    let paths = paths.map(|path| path.as_str().unwrap().to_owned());
    let all = split["assignments"].as_array().unwrap().iter();
    paths.zip(all.map(Value::to_string)).collect()
}

/// The paths of a data set, as stored.
fn paths(project: &Project) -> Vec<String> {
    let images = stored(project, "images.json");
    let paths = images["paths"].as_array().unwrap().iter();
    paths
        .map(|path| path.as_str().unwrap().to_owned())
        .collect()
}

/// A project with a list and the pictures that it may name: `a/0.png` to `a/3.png`, `b/0.png` to `b/3.png`.
fn with_list(list: &[u8]) -> (Project, Ran) {
    let project = Project::new();
    project.dishes("data", &["a", "b"], 4);
    fs::write(project.path("data/list.csv"), list).unwrap();
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\nmanifest = \"data/list.csv\"\n",
    );
    let ran = project.kfood(&["run", "pipelines/p.toml"]);
    (project, ran)
}

#[track_caller]
fn told(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.stderr.contains(word), "{word}\n{}", ran.stderr);
    }
}

#[track_caller]
fn listed(list: &[u8]) -> (Vec<String>, Ran) {
    let (project, ran) = with_list(list);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    (paths(&project), ran)
}

#[track_caller]
fn refused(list: &[u8], words: &[&str]) -> Ran {
    let (_, ran) = with_list(list);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    told(&ran, words);
    ran
}

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
fn the_given_validation_part_is_taken_where_nothing_is_asked_for() {
    let project = Project::new();
    project.dishes("data/train", &["a", "b"], 8);
    project.dishes("data/val", &["a", "b"], 3);
    let pipeline = "[dataset.d]\ntrain = \"data/train\"\nvalidation = \"data/val\"\n[split.s]\ndataset = \"d\"\n";
    project.write("pipelines/p.toml", pipeline);
    let ran = project.ok(&["run", "pipelines/p.toml"]);
    assert_eq!(members(&project), [16, 6, 0]);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    // Asking for the share that is the default otherwise is another split, with another key.
    project.write("pipelines/p.toml", &format!("{pipeline}validation = 0.2\n"));
    let ran = project.ok(&["run", "pipelines/p.toml"]);
    assert_eq!(members(&project), [18, 4, 0]);
    told(&ran, &["divides them anew"]);
    // A list may have such a part or not.
    let (listed, _) = with_list(
        b"path,label,part\na/000.png,a,\na/001.png,a,val\nb/000.png,b,\nb/001.png,b,\nb/002.png,b,\n",
    );
    let pipeline = "[dataset.d]\nmanifest = \"data/list.csv\"\n[split.s]\ndataset = \"d\"\n";
    listed.write("pipelines/p.toml", pipeline);
    listed.ok(&["run", "pipelines/p.toml"]);
    assert_eq!(members(&listed), [4, 1, 0]);
    listed.edit("data/list.csv", ",val", ",");
    listed.ok(&["run", "pipelines/p.toml"]);
    assert_eq!(members(&listed)[1], 2);
}

/// A project of one training folder, with a split.
fn with_split(split: &str) -> (Project, Ran) {
    let project = Project::new();
    project.dishes("data", &["a", "b"], 20);
    project.write(
        "pipelines/p.toml",
        &format!("seed = 7\n[dataset.d]\ntrain = \"data\"\n[split.s]\ndataset = \"d\"\n{split}\n"),
    );
    let ran = project.kfood(&["run", "pipelines/p.toml"]);
    (project, ran)
}

fn test_part(project: &Project) -> Vec<String> {
    let places = places(project).into_iter();
    let test = places.filter(|(_, place)| place == "\"test\"");
    test.map(|(path, _)| path).collect()
}

#[test]
fn a_test_part_is_drawn_stratified_and_stays_what_it_is_whatever_validates() {
    let (plain, ran) = with_split("test = 0.1\nvalidation = 0.2");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(members(&plain), [28, 8, 4]);
    let drawn = test_part(&plain);
    let of_a = drawn.iter().filter(|path| path.starts_with("train/a/"));
    assert_eq!(of_a.count(), 2);
    for other in [
        "test = 0.1",
        "test = 0.1\nvalidation = 0.5",
        "test = 0.1\nfolds = 3",
    ] {
        let (project, ran) = with_split(other);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(test_part(&project), drawn, "{other}");
    }
    let (project, _) = with_split("test = 0.1\nseed = 8");
    assert_ne!(test_part(&project), drawn);
}

#[test]
fn a_stable_test_part_is_moved_by_no_further_image() {
    let (project, ran) = with_split("test = 0.2\nstable = true");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let before = places(&project);
    for i in 20..40 {
        project.picture(&format!("data/a/{i:03}.png"), 0, 100 + i);
    }
    project.ok(&["run", "pipelines/p.toml"]);
    let after = places(&project);
    assert_eq!(after.len(), 60);
    assert!(before.iter().all(|one| after.contains(one)));
    assert!(test_part(&project).len() > 3);
}

#[test]
fn a_drawn_test_part_keeps_groups_together() {
    let mut list = "path,label,group\n".to_owned();
    for class in ["a", "b"] {
        for i in 0..20 {
            list += &format!("{class}/{i:03}.png,{class},{}\n", i / 2);
        }
    }
    let project = Project::new();
    project.dishes("data", &["a", "b"], 20);
    project.write("data/list.csv", &list);
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\nmanifest = \"data/list.csv\"\n[split.s]\ndataset = \"d\"\ngroup_by = \"group\"\ntest = 0.2\n",
    );
    project.ok(&["run", "pipelines/p.toml"]);
    let test = test_part(&project);
    assert_eq!(test.len(), 8);
    let number = |path: &String| path[8..11].parse::<usize>().unwrap() / 2;
    for (path, place) in places(&project) {
        let together = test.iter().any(|t| number(t) == number(&path));
        assert_eq!(place == "\"test\"", together, "{path}");
    }
}

#[test]
fn a_second_test_part_is_a_mistake_at_its_place() {
    let project = Project::new();
    project.dishes("data/train", &["a", "b"], 4);
    project.dishes("data/test", &["a", "b"], 2);
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\ntrain = \"data/train\"\ntest = \"data/test\"\n[split.s]\ndataset = \"d\"\ntest = 0.1\n",
    );
    let ran = project.fails(2, &["check", "pipelines/p.toml"]);
    told(
        &ran,
        &[
            "p.toml:6:8",
            "`test` in a split of `d`, which has a test part",
        ],
    );
    let (listed, _) = with_list(
        b"path,label,part\na/000.png,a,\na/001.png,a,test\nb/000.png,b,\nb/001.png,b,test\n",
    );
    listed.write(
        "pipelines/p.toml",
        "[dataset.d]\nmanifest = \"data/list.csv\"\n[split.s]\ndataset = \"d\"\ntest = 0.1\n",
    );
    let ran = listed.kfood(&["run", "pipelines/p.toml"]);
    assert_ne!(ran.code, 0);
    told(
        &ran,
        &["p.toml:5:8", "the data set has a test part of 2 images"],
    );
    let (_, ran) = with_split("test = 0.9");
    assert_eq!(ran.code, 2);
    told(&ran, &["leaves nothing to train on"]);
}

#[test]
fn parts_that_share_a_folder_are_a_mistake() {
    let project = Project::new();
    project.dishes("data", &["a", "b"], 2);
    std::os::unix::fs::symlink(project.path("data"), project.path("link")).unwrap();
    for (test, how) in [
        ("data", "are one folder"),
        ("./data/../data", "are one folder"),
        ("link", "are one folder"),
        ("data/a", "lie inside one another"),
    ] {
        project.write(
            "pipelines/p.toml",
            &format!("[dataset.d]\ntrain = \"data\"\ntest = \"{test}\"\n"),
        );
        for command in ["check", "run"] {
            let ran = project.fails(2, &[command, "pipelines/p.toml"]);
            told(&ran, &["p.toml:3:1", how]);
        }
    }
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\ntrain = \"data\"\ntest = \"data_test\"\n",
    );
    project.ok(&["check", "pipelines/p.toml"]);
}

#[test]
fn photographs_are_left_out_by_whatever_name_they_have() {
    let project = Project::new();
    project.dishes("data/train", &["a", "b"], 4);
    project.dishes("data/test", &["a", "b"], 2);
    project.write(
        "out.csv",
        "path,reason\ntrain/a/000.png,x\nb/003.png,\"y, z\"\ndata/test/a/001.png,\ngone/1.png,\n",
    );
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\ntrain = \"data/train\"\ntest = \"data/test\"\nexclude = \"out.csv\"\n",
    );
    let ran = project.ok(&["run", "pipelines/p.toml"]);
    told(
        &ran,
        &[
            "3 images are left out",
            "1 row of",
            "names no image of the data set",
            "line 5: `gone/1.png`",
        ],
    );
    let left = paths(&project);
    assert_eq!(left.len(), 9);
    for out in ["train/a/000.png", "train/b/003.png", "test/a/001.png"] {
        assert!(!left.contains(&out.to_owned()), "{out}");
    }
    // The list is an input.
    project.write("out.csv", "train/a/001.png\ntrain/a/002.png\n");
    project.ok(&["run", "pipelines/p.toml"]);
    assert_eq!(paths(&project).len(), 10);
    // A name that two parts have says which it means.
    project.write("out.csv", "path\nb/001.png\n");
    let ran = project.fails(1, &["run", "pipelines/p.toml"]);
    told(
        &ran,
        &["`b/001.png` may be `train/b/001.png` or `test/b/001.png`"],
    );
    fs::remove_file(project.path("out.csv")).unwrap();
    let ran = project.kfood(&["run", "pipelines/p.toml"]);
    told(&ran, &["p.toml:4:", "--exclude-list"]);
}

#[test]
fn what_a_look_at_the_data_found_is_written_as_a_list_that_leaves_it_out() {
    let project = Project::new();
    project.dishes("data/train", &["a", "b"], 4);
    project.dishes("data/another_test_part", &["a", "b"], 2);
    let copy = |from: &str, to: &str| {
        fs::copy(project.path(from), project.path(to)).unwrap();
    };
    copy("data/another_test_part/a/000.png", "data/train/a/900.png");
    copy("data/train/a/001.png", "data/train/b/901.png");
    copy("data/train/b/000.png", "data/train/b/902.png");
    fs::write(project.path("data/train/b/=903.png"), b"no image").unwrap();
    let pipeline = "[dataset.d]\ntrain = \"data/train\"\ntest = \"data/another_test_part\"\n[preprocess.p]\ndataset = \"d\"\nresize = { width = 24, height = 24 }\n";
    project.write("pipelines/p.toml", pipeline);
    project.ok(&["data", "pipelines/p.toml", "--exclude-list", "out.csv"]);
    let list = project.read("out.csv");
    let rows: Vec<&str> = list.lines().collect();
    assert_eq!(
        rows,
        [
            "path,reason,like",
            "train/a/001.png,the same picture has another class,train/b/901.png",
            "train/a/900.png,looks like a test image,test/a/000.png",
            "train/b/901.png,the same picture has another class,train/a/001.png",
            "train/b/902.png,the same picture is there before,train/b/000.png",
            "train/b/=903.png,cannot be decoded: not an image: starts with `no image`,",
        ]
    );
    project.write(
        "pipelines/p.toml",
        &pipeline.replace("[preprocess", "exclude = \"out.csv\"\n[preprocess"),
    );
    let ran = project.ok(&["run", "pipelines/p.toml"]);
    told(&ran, &["5 images are left out"]);
}

const NET: &str =
    "arch = \"resnet18\"\nepochs = 1\nbatch_size = 8\noptimizer.adam = { lr = 0.001 }\n";

/// A picture of 64 blocks of any brightness: no two look alike.
fn blocks(path: &Path, seed: u32) {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as u8
    };
    let of: Vec<u8> = (0..80).map(|_| next()).skip(16).collect();
    let image = image::GrayImage::from_fn(32, 32, |x, y| {
        image::Luma([of[(y / 4 * 8 + x / 4) as usize]])
    });
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image.save(path).unwrap();
}

#[test]
fn copies_in_a_test_part_are_told_where_they_are_more_than_one_in_a_hundred() {
    let project = Project::new();
    // Noise: no picture looks like another.
    for (part, n) in [("train", 8), ("test", 3)] {
        for class in ["a", "b"] {
            for i in 0..n {
                let seed = 1000 * u32::from(part == "test") + 100 * u32::from(class == "b") + i;
                blocks(&project.path(&format!("data/{part}/{class}/{i}.png")), seed);
            }
        }
    }
    let pipeline = format!(
        "[dataset.d]\ntrain = \"data/train\"\ntest = \"data/test\"\n[split.s]\ndataset = \"d\"\n\
         [preprocess.p]\ndataset = \"d\"\nresize = {{ width = 32, height = 32 }}\n\
         [train.net]\ndata = \"p\"\nsplit = \"s\"\n{NET}[evaluate.e]\nmodel = \"net\"\n"
    );
    project.write("pipelines/p.toml", &pipeline);
    let ran = project.ok(&["run", "pipelines/p.toml"]);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    // Whether it is trained on or validates: the split has seed 0 and gives 4 of 16 to validation.
    for i in 0..4 {
        let copy = project.path(&format!("data/test/b/copy{i}.png"));
        fs::copy(project.path(&format!("data/train/b/{i}.png")), copy).unwrap();
    }
    let ran = project.ok(&["run", "pipelines/p.toml"]);
    let trained = places(&project)
        .into_iter()
        .filter(|(path, place)| {
            place == "\"train\"" && (0..4).any(|i| *path == format!("train/b/{i}.png"))
        })
        .count();
    assert!(trained > 0);
    told(
        &ran,
        &[
            "warning",
            &format!("{trained} of 10 test images ({trained}0.0%)"),
            "like images that were trained on",
            "`leaks = \"group\"`",
        ],
    );
}

#[test]
fn a_transfer_is_not_trained_on_a_split_that_draws_another_test_part_than_its_source() {
    let (project, _) = with_split("test = 0.2");
    let text = project.read("pipelines/p.toml")
        + "[split.other]\ndataset = \"d\"\ntest = 0.2\nseed = 8\n\
           [preprocess.p]\ndataset = \"d\"\nresize = { width = 32, height = 32 }\n"
        + &format!("[train.net]\ndata = \"p\"\nsplit = \"s\"\n{NET}")
        + "[transfer.more]\nmodel = \"net\"\ndata = \"p\"\nsplit = \"other\"\nepochs = 1\nbatch_size = 8\n\
           optimizer.adam = { lr = 0.001 }\ntrain_layers = \"all\"\n";
    project.write("pipelines/p.toml", &text);
    let ran = project.fails(2, &["check", "pipelines/p.toml"]);
    told(
        &ran,
        &[
            "`net` was trained on another split of this dataset",
            "`other` draws for its test part",
            "p.toml:",
            "help: train both on one split",
        ],
    );
    project.edit("pipelines/p.toml", "split = \"other\"", "split = \"s\"");
    project.ok(&["check", "pipelines/p.toml"]);
}

#[test]
fn a_list_to_leave_out_keeps_what_it_names_and_overwrites_nothing_else() {
    let project = Project::new();
    for (i, name) in ["a/0", "a/1", "b/0", "b/1"].into_iter().enumerate() {
        blocks(&project.path(&format!("data/{name}.png")), 1 + i as u32);
    }
    fs::copy(project.path("data/a/0.png"), project.path("data/b/x.png")).unwrap();
    let pipeline = "[dataset.d]\ntrain = \"data\"\n[preprocess.p]\ndataset = \"d\"\nresize = { width = 32, height = 32 }\n";
    project.write("pipelines/p.toml", pipeline);
    let look = ["data", "pipelines/p.toml", "--exclude-list", "bad.csv"];
    let ran = project.ok(&look);
    told(
        &ran,
        &["1 file is there under another class too, byte for byte"],
    );
    let before = project.read("bad.csv");
    assert_eq!(before.lines().count(), 3, "{before}");
    project.edit(
        "pipelines/p.toml",
        "train = \"data\"",
        "train = \"data\"\nexclude = \"bad.csv\"",
    );
    told(&project.ok(&look), &["nothing more is better left out"]);
    assert_eq!(project.read("bad.csv"), before);
    blocks(&project.path("data/b/9.png"), 2);
    told(
        &project.ok(&look),
        &["2 photographs better left out, beside the 2 that it named already"],
    );
    assert!(project.read("bad.csv").starts_with(&before));
    for (kept, content) in [
        ("pipelines/p.toml", project.read("pipelines/p.toml")),
        ("mine.csv", "path\na/0.png\n".to_owned()),
    ] {
        project.write(kept, &content);
        let refused = project.fails(2, &["data", "pipelines/p.toml", "--exclude-list", kept]);
        told(
            &refused,
            &[
                "is no list that `--exclude-list` wrote",
                "help: name a new file",
            ],
        );
        assert_eq!(project.read(kept), content);
    }
    let refused = project.fails(2, &["data", "pipelines/p.toml", "--sheet", "data/a"]);
    told(&refused, &["a sheet there would be taken for a photograph"]);
}

#[test]
fn a_split_that_refuses_the_given_validation_part_draws_anew() {
    let project = Project::new();
    project.dishes("data/train", &["a", "b"], 8);
    project.dishes("data/val", &["a", "b"], 3);
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\ntrain = \"data/train\"\nvalidation = \"data/val\"\n[split.s]\ndataset = \"d\"\ngiven = false\n",
    );
    let ran = project.ok(&["run", "pipelines/p.toml"]);
    assert_eq!(members(&project), [18, 4, 0]);
    told(&ran, &["divides them anew"]);
}
