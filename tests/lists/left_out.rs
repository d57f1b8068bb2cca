//! Photographs that are better left out: copies, lists of them, and what is told.

use std::{fs, path::Path};

use super::{NET, paths, places, told};
use crate::support::Project;

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
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
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
    // Before anything is trained or evaluated, and of all that is no test image.
    told(
        &ran,
        &[
            "4 of 10 test images are there for training too, byte for byte, such as `test/b/copy0.png` (`train/b/0.png`)",
        ],
    );
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
fn an_ending_may_be_left_out_of_what_is_left_out_and_of_what_is_corrected() {
    let project = Project::new();
    project.dishes("data/images", &["a", "b"], 4);
    // As the lists of Food-101 are.
    project.write("data/meta/test.txt", "a/000\nb/003\na/001.PNG\nb/002.jpg\n");
    project.write("corrections.csv", "path,suggested\ndata/images/b/001,a\n");
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\ntrain = \"data/images\"\nexclude = \"data/meta/test.txt\"\ncorrections = \"corrections.csv\"\n",
    );
    let ran = project.ok(&["run", "pipelines/p.toml"]);
    told(
        &ran,
        &[
            "2 images are left out",
            "line 3: `a/001.PNG`, but there is `a/001.png`",
            "line 4: `b/002.jpg`, but there is `b/002.png`",
            "1 label corrected, 0 left out",
        ],
    );
    let left = paths(&project);
    assert_eq!(left.len(), 6);
    for out in ["train/a/000.png", "train/b/003.png"] {
        assert!(!left.contains(&out.to_owned()), "{out}");
    }
    // Two photographs of one name but for the ending are told.
    fs::copy(
        project.path("data/images/a/000.png"),
        project.path("data/images/a/000.jpg"),
    )
    .unwrap();
    let ran = project.fails(1, &["run", "pipelines/p.toml"]);
    told(
        &ran,
        &["line 1: `a/000` may be `train/a/000.jpg` or `train/a/000.png`"],
    );
    project.write("data/meta/test.txt", "a/001\n");
    project.write("corrections.csv", "path,suggested\nb/001.jpg,a\n");
    let ran = project.fails(1, &["run", "pipelines/p.toml"]);
    told(
        &ran,
        &["`b/001.jpg`: no photograph of the data set is called so, but there is `b/001.png`"],
    );
}
