//! Folders and zips as people have them: what systems leave in them, which folder is the class, names in other encodings,
//! files that cannot be read, archives that are no zips.

mod zips;

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, os::unix::fs::symlink, path::Path};

use crate::{
    data::jpeg,
    layouts::{Names, zip_of},
    support::Project,
};

const FILE: &str = "pipelines/p.toml";

/// A data set with these fields, and a preprocess stage with those.
fn project(dataset: &str, preprocess: &str) -> Project {
    let project = Project::new();
    let text = format!(
        "[dataset.d]\n{dataset}\n\n[preprocess.p]\ndataset = \"d\"\nresize = {{ width = 8, height = 8 }}\n{preprocess}\n"
    );
    project.write(FILE, &text);
    project
}

/// Writes pictures, each of a colour of its own.
fn put(project: &Project, files: &[&str]) {
    for file in files {
        let path = project.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, picture(file)).unwrap();
    }
}

fn picture(name: &str) -> Vec<u8> {
    let sum = |by: u8| name.bytes().fold(by, |sum, b| sum.wrapping_mul(31) ^ b);
    jpeg([sum(1), sum(2), sum(3)])
}

/// Three class folders of two pictures.
const SET: [&str; 6] = [
    "data/a/0.jpg",
    "data/a/1.jpg",
    "data/b/0.jpg",
    "data/b/1.jpg",
    "data/c/0.jpg",
    "data/c/1.jpg",
];

/// The names of the classes that `kfood data` shows, and their images.
fn classes(project: &Project) -> Vec<(String, u64)> {
    let shown = project.json(&["data", FILE]);
    let classes = shown["data"][0]["classes"].as_array().unwrap().iter();
    let one = |class: &serde_json::Value| {
        let name = class["name"].as_str().unwrap().to_owned();
        (name, class["train"].as_u64().unwrap())
    };
    classes.map(one).collect()
}

fn names(project: &Project) -> Vec<String> {
    classes(project).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn what_systems_leave_behind_is_passed_over_in_folders_and_in_zips() {
    let project = project("train = \"data\"", "");
    put(&project, &SET);
    let left = [
        "data/a/@eaDir/0.jpg/SYNOPHOTO_THUMB_M.jpg",
        "data/#Recycle/b/deleted.jpg",
        "data/lost+found/1.jpg",
        "data/System Volume Information/1.jpg",
        "data/$RECYCLE.BIN/1.jpg",
        "data/a/Icon\r",
        "data/a/@__thumb/0.jpg",
        "data/a/0.jpg:Zone.Identifier",
        "data/Thumbs.db:encryptable",
        "data/a/2.jpg.part",
        "data/a/2.jpg.CRDOWNLOAD",
        "data/b/0.jpg.md5",
        "data/b/0.jpg~",
        "data/b/0.bak",
        "data/b/film.MP4",
    ];
    put(&project, &left);
    let told = project.ok(&["run", FILE]).stderr;
    let summary = "passed over 15 entries: 2 backup or temporary files, 1 checksum, 9 left behind by systems, 2 unfinished downloads, 1 video";
    assert!(told.contains(summary), "{told}");
    let of_three = ["a", "b", "c"].map(|name| (name.to_owned(), 2));
    assert_eq!(classes(&project), of_three);
    let shown = project.ok(&["data", FILE]).stdout;
    assert!(shown.contains(summary), "{shown}");

    let files = SET.iter().chain(&left);
    let files: Vec<_> = files
        .map(|file| (file["data/".len()..].to_owned(), picture(file)))
        .collect();
    fs::write(project.path("data.zip"), zip_of(&files, Names::Flagged)).unwrap();
    project.edit(FILE, "\"data\"", "\"data.zip\"");
    let told = project.ok(&["run", FILE]).stderr;
    assert!(told.contains(summary), "{told}");
    assert_eq!(classes(&project), of_three);
}

#[test]
fn folders_of_european_letters_alone_keep_their_names_and_rare_signs_are_hangul() {
    let project = project("train = \"data\"", "");
    put(&project, &["data/šš/0.jpg", "data/ő/0.jpg", "data/Ž/0.jpg"]);
    assert_eq!(names(&project), ["ő", "šš", "Ž"]);
    let told = project.ok(&["run", FILE]).stderr;
    assert!(!told.contains("CP949"), "{told}");
    let project = self::project("train = \"data\"", "");
    for class in [&b"\xc8\xb8"[..], b"\xc8\xad\xc3\xa4", b"\xc4\xa1"] {
        let folder = project.path("data").join(OsStr::from_bytes(class));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("0.jpg"), picture(&format!("{class:?}"))).unwrap();
    }
    assert_eq!(names(&project), ["치", "화채", "회"]);
}

#[test]
fn the_folders_of_a_camera_below_each_class_are_not_offered_as_classes() {
    let project = project("train = \"data\"", "");
    for class in ["a", "b"] {
        put(&project, &[&format!("data/{class}/DCIM/100CANON/x.jpg")]);
    }
    let told = project.fails(1, &["run", FILE]).stderr;
    assert!(
        told.contains("say it in the dataset: `class = \"first\"` for `a`, `b`, or"),
        "{told}"
    );
    assert!(!told.contains("`DCIM`"), "{told}");
    project.edit(FILE, "\"data\"", "\"data\"\nclass = \"first\"");
    assert_eq!(names(&project), ["a", "b"]);
    // Where the same dishes stand below two restaurants either may be meant.
    let project = self::project("train = \"data\"", "");
    for place in ["x", "y"] {
        for class in ["a", "b"] {
            put(&project, &[&format!("data/{place}/{class}/2024/1.jpg")]);
        }
    }
    let told = project.fails(1, &["run", FILE]).stderr;
    let offers = "`class = \"first\"` for `x`, `y`, `class = { level = 2 }` for `a`, `b`, or";
    assert!(told.contains(offers), "{told}");
}

#[test]
fn a_class_that_is_not_clear_is_asked_for_and_a_level_answers() {
    let project = project("train = \"data\"", "");
    for class in ["a", "b"] {
        for day in ["2024-05-01", "2024-05-02"] {
            put(&project, &[&format!("data/{class}/{day}/1.jpg")]);
        }
    }
    let told = project.fails(1, &["run", FILE]).stderr;
    assert!(
        told.contains("the same 2 folders are found in each of 2 folders"),
        "{told}"
    );
    assert!(told.contains("`class = \"first\"` for `a`, `b`"), "{told}");
    let with = |class: &str| {
        project.edit(
            FILE,
            "train = \"data\"",
            &format!("train = \"data\"\n{class}"),
        );
        let found = names(&project);
        project.edit(FILE, &format!("\n{class}"), "");
        found
    };
    assert_eq!(with("class = \"first\""), ["a", "b"]);
    assert_eq!(with("class = { level = 2 }"), ["2024-05-01", "2024-05-02"]);
    assert_eq!(with("class = \"deepest\""), ["2024-05-01", "2024-05-02"]);

    // No day is in two classes, and days are no classes all the same.
    fs::rename(
        project.path("data/a/2024-05-01"),
        project.path("data/a/2024-04-30"),
    )
    .unwrap();
    fs::remove_dir_all(project.path("data/b/2024-05-02")).unwrap();
    let told = project.fails(1, &["run", FILE]).stderr;
    assert!(told.contains("which no class is"), "{told}");
}

#[test]
fn an_inner_folder_that_is_called_images_is_no_class() {
    let project = project("train = \"data\"", "");
    put(&project, &["data/a/images/1.jpg", "data/b/images/1.jpg"]);
    let told = project.fails(1, &["run", FILE]).stderr;
    assert!(
        told.contains("`images` is found in each of 2 folders"),
        "{told}"
    );
    project.edit(
        FILE,
        "train = \"data\"",
        "train = \"data\"\nclass = \"first\"",
    );
    assert_eq!(names(&project), ["a", "b"]);
}

#[test]
fn a_folder_with_images_and_class_folders_is_told_and_so_is_one_name_in_two_places() {
    let project = project("train = \"data\"", "");
    put(&project, &SET);
    put(&project, &["data/a/more/2.jpg"]);
    let told = project.ok(&["run", FILE]).stderr;
    assert!(
        told.contains("warning: in") && told.contains("`more` in `a`"),
        "{told}"
    );
    project.edit(
        FILE,
        "train = \"data\"",
        "train = \"data\"\nclass = \"first\"",
    );
    let told = project.ok(&["run", FILE]).stderr;
    assert!(!told.contains("warning"), "{told}");
    assert_eq!(names(&project), ["a", "b", "c"]);
}

#[test]
fn the_folder_above_a_class_can_be_kept_as_the_group_of_its_images() {
    let project = project(
        "train = \"data\"\nclass = \"first\"\ngroup = { level = 2 }",
        "",
    );
    let mut files = Vec::new();
    for class in ["a", "b"] {
        for dish in 0..4 {
            files.extend([0, 1].map(|i| format!("data/{class}/dish{dish}/{i}.jpg")));
        }
    }
    let files: Vec<_> = files.iter().map(String::as_str).collect();
    put(&project, &files);
    let split = "\n[split.s]\ndataset = \"d\"\nvalidation = 0.25\ngroup_by = \"group\"\n";
    project.write(FILE, &(project.read(FILE) + split));
    project.ok(&["run", FILE]);
    let told = project.ok(&["explain", FILE, "d"]).stdout;
    assert!(told.contains("group"), "{told}");
}

#[test]
fn an_empty_class_folder_is_told_and_no_class() {
    let project = project("train = \"data\"", "");
    put(&project, &SET);
    fs::create_dir_all(project.path("data/d/e")).unwrap();
    let told = project.ok(&["run", FILE]).stderr;
    assert!(
        told.contains("holds no image and is no class:\n  `d`"),
        "{told}"
    );
    assert_eq!(names(&project), ["a", "b", "c"]);
}

#[test]
fn cp949_names_are_read_as_such_all_together_in_zips_and_in_folders() {
    let dishes = ["김밥", "화채", "회"];
    for some in [&dishes[..], &dishes[1..]] {
        let project = project("train = \"data.zip\"", "");
        let files: Vec<_> = some
            .iter()
            .map(|dish| (format!("{dish}/0.jpg"), picture(dish)))
            .collect();
        fs::write(project.path("data.zip"), zip_of(&files, Names::Cp949)).unwrap();
        let told = project.ok(&["run", FILE]).stderr;
        assert_eq!(told.matches("CP949").count(), 1, "{told}");
        assert_eq!(names(&project), some);

        for (name, bytes) in &files {
            let (name, _, _) = encoding_rs::EUC_KR.encode(name);
            let path = project.path("data").join(OsStr::from_bytes(&name));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        project.edit(FILE, "data.zip", "data");
        let told = project.ok(&["run", FILE]).stderr;
        assert_eq!(told.matches("CP949").count(), 1, "{told}");
        assert_eq!(names(&project), some);
    }
}

#[test]
fn files_that_cannot_be_read_are_judged_with_those_that_are_no_images() {
    let project = project("train = \"data\"", "");
    put(&project, &SET);
    symlink("/nowhere/1.jpg", project.path("data/a/dead.jpg")).unwrap();
    symlink("circle.jpg", project.path("data/b/circle.jpg")).unwrap();
    project.write("data/c/text.jpg", "hello");
    let told = project.fails(1, &["run", FILE]).stderr;
    for part in [
        "3 of 9 files cannot be used",
        "`train/a/dead.jpg`: a symbolic link that leads nowhere",
        "`train/b/circle.jpg`: a symbolic link that leads in a circle",
        "`train/c/text.jpg`: not an image",
        "unreadable = \"drop\"",
    ] {
        assert!(told.contains(part), "no `{part}` in\n{told}");
    }
    project.write(FILE, &(project.read(FILE) + "unreadable = \"drop\"\n"));
    let told = project.ok(&["run", FILE]).stderr;
    assert!(told.contains("dropped 3 of 9 files"), "{told}");
    let shown = project.ok(&["data", FILE]).stdout;
    assert!(
        shown.contains("dropped: 3") && shown.contains("leads nowhere"),
        "{shown}"
    );
    let again = project.ok(&["run", FILE]).stdout + &project.ok(&["run", FILE]).stderr;
    assert!(again.contains("2 cached"), "{again}");

    // Once it is there it is another content.
    fs::remove_file(project.path("data/a/dead.jpg")).unwrap();
    put(&project, &["data/a/dead.jpg"]);
    let told = project.ok(&["run", FILE]).stderr;
    assert!(told.contains("dropped 2 of 9 files"), "{told}");

    symlink("/nowhere", project.path("data/d")).unwrap();
    let told = project.fails(1, &["run", FILE]).stderr;
    assert!(
        told.contains("data/d` is a symbolic link that leads nowhere"),
        "{told}"
    );
}

#[test]
fn a_link_that_leads_nowhere_in_a_list_is_judged_with_the_other_files() {
    let project = project("train = \"data\"", "unreadable = \"drop\"");
    put(&project, &SET);
    symlink("/nowhere/1.jpg", project.path("data/a/dead.jpg")).unwrap();
    let rows = SET.map(|path| format!("{},{}\n", &path[5..], &path[5..6]));
    let list = format!("path,label\n{}a/dead.jpg,a\n", rows.concat());
    project.write("data/list.csv", &list);
    let text = project
        .read(FILE)
        .replace("train = \"data\"", "manifest = \"data/list.csv\"");
    project.write(FILE, &text);
    let told = project.ok(&["run", FILE]).stderr;
    assert!(told.contains("dropped 1 of 7 files"), "{told}");
    project.write(FILE, &text.replace("unreadable = \"drop\"\n", ""));
    let told = project.fails(1, &["run", FILE]).stderr;
    assert!(
        told.contains("a/dead.jpg`: a symbolic link that leads nowhere"),
        "{told}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn links_to_devices_and_to_what_the_system_shows_of_itself_hang_nothing() {
    let project = project("train = \"data\"", "unreadable = \"drop\"");
    put(&project, &SET);
    symlink("/proc/kmsg", project.path("data/a/kmsg.jpg")).unwrap();
    symlink("/dev/zero", project.path("data/a/zero.jpg")).unwrap();
    let told = project.ok(&["run", FILE]).stderr;
    assert!(told.contains("1 special file"), "{told}");
    assert!(told.contains("dropped 1 of 7 files"), "{told}");
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn predict_takes_what_a_data_set_takes_and_any_name() {
    let project = Project::new();
    project.dishes("data", &["a", "b"], 6);
    project.write(
        FILE,
        "[dataset.d]\ntrain = \"data\"\n[split.s]\ndataset = \"d\"\nvalidation = 0.3\n[preprocess.p]\ndataset = \"d\"\nresize = { width = 16, height = 16 }\n[train.t]\ndata = \"p\"\nsplit = \"s\"\narch = \"resnet18\"\nepochs = 1\nbatch_size = 8\noptimizer.adam = { lr = 0.001 }\n",
    );
    project.ok(&["run", FILE]);
    let picture = fs::read(project.path("data/a/000.png")).unwrap();
    let some = project.path("some");
    fs::create_dir_all(some.join("@eaDir")).unwrap();
    fs::write(some.join("@eaDir/t.png"), &picture).unwrap();
    fs::write(some.join(OsStr::from_bytes(b"\xb1\xe8.png")), &picture).unwrap();
    symlink(project.path("data/a"), some.join("link")).unwrap();
    symlink("/nowhere", some.join("dead.png")).unwrap();
    let ran = project.kfood(&["predict", "--model", "pipelines/p.toml:t", "some", "--json"]);
    let rows: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let rows = rows.as_array().unwrap();
    assert!(ran.stderr.contains("passed over 1 entry"), "{}", ran.stderr);
    assert_eq!((rows.len(), ran.code), (8, 1));
    let guessed = rows.iter().filter(|row| row["error"].is_null()).count();
    assert_eq!(guessed, 7);
    let odd = rows
        .iter()
        .find(|row| !row["path_bytes"].is_null())
        .unwrap();
    assert!(
        odd["path"]
            .as_str()
            .unwrap()
            .ends_with(r"some/\xb1\xe8.png"),
        "{odd}"
    );
    assert!(Path::new(rows[0]["path"].as_str().unwrap()).is_absolute());
    let table = project
        .kfood(&["predict", "--model", "pipelines/p.toml:t", "some"])
        .stdout;
    assert_eq!(table.lines().count(), 10, "{table}");
    assert!(
        table.contains("dead.png`: a symbolic link that leads nowhere"),
        "{table}"
    );
}

#[test]
fn folders_that_are_parts_are_no_classes_and_the_way_out_names_them() {
    for (train, valid) in [
        ("train", "valid"),
        ("1.Training", "2.Validation"),
        ("kfood_train", "kfood_val"),
    ] {
        let project = project("train = \"data\"", "");
        // The second part lacks a class, as it may.
        put(
            &project,
            &[
                &format!("data/{train}/a/1.jpg"),
                &format!("data/{train}/b/1.jpg"),
                &format!("data/{valid}/a/2.jpg"),
            ],
        );
        let told = project.fails(1, &["run", FILE]).stderr;
        assert!(
            told.contains("are parts of a data set and no classes"),
            "{told}"
        );
        assert!(
            told.contains(&format!("data/{train}\"`, `validation = \""))
                && told.contains(&format!("data/{valid}\"`")),
            "{told}"
        );
    }
    let project = project("train = \"data\"", "");
    put(&project, &["data/train/1.jpg", "data/test/2.jpg"]);
    let told = project.fails(1, &["run", FILE]).stderr;
    assert!(
        told.contains("put a folder for each class into each of them"),
        "{told}"
    );
    project.edit(
        FILE,
        "train = \"data\"",
        "train = \"data\"\nclass = \"deepest\"",
    );
    assert!(
        project
            .ok(&["run", FILE])
            .stderr
            .contains("2 images in 2 classes")
    );
}

#[test]
fn pieces_of_a_class_are_no_classes_of_their_own() {
    let project = project("train = \"data\"", "");
    put(
        &project,
        &[
            "data/a/a_batch0/1.jpg",
            "data/a/a_batch1/2.jpg",
            "data/b/b_batch0/3.jpg",
        ],
    );
    let told = project.fails(1, &["run", FILE]).stderr;
    assert!(told.contains("`class = \"first\"` for `a`, `b`"), "{told}");
    project.edit(
        FILE,
        "train = \"data\"",
        "train = \"data\"\nclass = \"first\"",
    );
    assert!(
        project
            .ok(&["run", FILE])
            .stderr
            .contains("3 images in 2 classes")
    );
}

#[test]
fn classes_beside_the_pipeline_file_are_read_without_what_runs_leave_there() {
    let project = Project::new();
    put(&project, &["a/1.jpg", "b/2.jpg"]);
    project.write("p.toml", "[dataset.d]\ntrain = \".\"\n");
    for _ in 0..2 {
        let told = project.ok(&["run", "p.toml"]).stderr;
        assert!(!told.contains("appeared"), "{told}");
    }
    assert!(project.path("p.lock").is_file() && project.path("cache/CACHEDIR.TAG").is_file());
    let told = project.ok(&["run", "p.toml", "--force", "d"]).stderr;
    assert!(told.contains("2 images in 2 classes"), "{told}");
}

#[test]
fn parts_are_parts_beside_folders_of_other_names_too_and_classes_may_be_called_so() {
    for beside in ["data/seg_pred/3.jpg", "data/unlabeled/a/3.jpg"] {
        let project = project("train = \"data\"", "");
        let parts = ["seg_train/a", "seg_train/b", "seg_test/a", "seg_test/b"];
        let files = parts.map(|part| format!("data/{part}/1.jpg"));
        put(&project, &files.each_ref().map(String::as_str));
        put(&project, &[beside]);
        let told = project.fails(1, &["run", FILE]).stderr;
        assert!(
            told.contains("the folders `seg_test`, `seg_train` of `"),
            "{told}"
        );
        assert!(told.contains("lies beside them"), "{told}");
        assert!(
            told.contains("data/seg_train\"`, `test = \"") && !told.contains("deepest"),
            "{told}"
        );
    }
    let project = project("train = \"data\"", "");
    put(
        &project,
        &["data/train/1.jpg", "data/test/2.jpg", "data/plane/3.jpg"],
    );
    let told = project.ok(&["run", FILE]).stderr;
    assert!(told.contains("3 images in 3 classes"), "{told}");
}

#[test]
fn what_programs_write_beside_parts_and_classes_is_no_photograph() {
    let project = project("train = \"data\"", "");
    put(&project, &["data/a/1.jpg", "data/b/2.jpg"]);
    project
        .write("data/a.cache", "x")
        .write("data/b/x.arrow", "x");
    project.write("data/b/2.jpg.dvc", "outs:");
    let told = project.ok(&["run", FILE]).stderr;
    assert!(
        told.contains("passed over 3 entries: 1 `.arrow`, 1 `.cache`, 1 `.dvc`"),
        "{told}"
    );
}

#[test]
fn a_part_among_the_classes_is_told_before_it_is_trained_on() {
    for (part, setting) in [("val", "validation"), ("1.Test", "test")] {
        let project = project("train = \"data\"", "");
        put(&project, &["data/a/1.jpg", "data/b/2.jpg"]);
        put(&project, &[&format!("data/{part}/a/3.jpg")]);
        let told = project.fails(1, &["run", FILE]).stderr;
        assert!(
            told.contains(&format!("the folder `{part}` of `"))
                && told.contains("too, such as `a`")
                && told.contains(&format!("name it in the dataset: `{setting} = …`")),
            "{told}"
        );
        project.edit(FILE, "train", "class = \"deepest\"\ntrain");
        let told = project.ok(&["run", FILE]).stderr;
        assert!(told.contains("3 images in 2 classes"), "{told}");
    }
    // A class may be called so, with folders of its own that others have too.
    let nested = project("train = \"data\"", "");
    put(&nested, &["data/bus/red/1.jpg", "data/bus/blue/2.jpg"]);
    put(&nested, &["data/train/red/3.jpg", "data/train/green/4.jpg"]);
    let told = nested.ok(&["run", FILE]).stderr;
    assert!(told.contains("warning"), "{told}");
    put(&nested, &["data/bus/green/5.jpg", "data/train/blue/6.jpg"]);
    let told = nested.fails(1, &["run", FILE]).stderr;
    assert!(told.contains("class = \"first\""), "{told}");
    let project = project("train = \"data\"", "");
    put(
        &project,
        &["data/a/1.jpg", "data/test/2.jpg", "data/plane/3.jpg"],
    );
    let told = project.ok(&["run", FILE]).stderr;
    assert!(told.contains("3 images in 3 classes"), "{told}");
}
