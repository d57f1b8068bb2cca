//! Parts that a data set brings, and those that a split draws.

use super::{NET, members, places, told, with_list};
use crate::support::{Project, Ran};

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
