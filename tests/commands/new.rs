//! `kfood new`: from photographs as they lie there to a finished run.

use std::{fs, process::Command};

use crate::support::{Project, Ran};

const DISHES: [&str; 3] = ["김밥", "비빔밥", "떡국_만두국"];

/// Makes a pipeline, and runs it as it is but for fewer passes.
#[track_caller]
fn runs(project: &Project, args: &[&str], file: &str) -> Ran {
    let made = project.ok(&[&["new"], args].concat());
    assert!(
        made.stdout.ends_with(&format!("next: kfood run {file}\n")),
        "{}",
        made.stdout
    );
    let text = project.read(file);
    let fewer = text
        .replace("epochs = 40\n", "epochs = 1\n")
        .replace("epochs = 15\n", "epochs = 1\n");
    assert_ne!(text, fewer, "{text}");
    project.write(file, &fewer);
    assert!(
        project
            .ok(&["check", file])
            .stdout
            .ends_with("no mistakes\n")
    );
    project.ok(&["run", file]);
    made
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn a_folder_of_class_folders_becomes_a_pipeline_that_draws_its_own_test_part() {
    let project = Project::new();
    project.dishes("photographs", &DISHES, 10);
    let made = runs(&project, &["photographs"], "pipelines/photographs.toml");
    assert!(
        made.stdout
            .contains("30 photographs in 3 classes, 10 of each"),
        "{}",
        made.stdout
    );
    assert!(
        made.stdout
            .contains("none  a tenth of every class is drawn for it"),
        "{}",
        made.stdout
    );
    let text = project.read("pipelines/photographs.toml");
    assert!(
        text.starts_with("#:schema pipeline.schema.json\n"),
        "{text}"
    );
    assert!(text.contains("test = 0.1"), "{text}");
    let schema = project.read("pipelines/pipeline.schema.json");
    assert_eq!(schema.trim(), project.ok(&["schema"]).stdout.trim());
    // Nothing is written twice.
    let again = project.fails(2, &["new", "photographs"]);
    assert!(
        again
            .stderr
            .contains("is there already, and stays as it is"),
        "{}",
        again.stderr
    );
    project.ok(&["new", "photographs", "--name", "other"]);
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn files_that_are_no_usable_photographs_are_told_and_stop_no_run() {
    let project = Project::new();
    project.dishes("photos", &DISHES, 10);
    let photograph = image::open(project.path("photos/김밥/000.png")).unwrap();
    let photograph = photograph.resize_exact(300, 200, image::imageops::FilterType::Triangle);
    let whole = project.path("photos/김밥/whole.jpg");
    photograph.into_rgb8().save(&whole).unwrap();
    let whole = fs::read(whole).unwrap();
    fs::write(
        project.path("photos/김밥/cut.jpg"),
        &whole[..whole.len() / 2],
    )
    .unwrap();
    project.write("photos/김밥/empty.jpg", "");
    project.write("photos/비빔밥/page.png", "<!DOCTYPE html><html></html>");
    project.write("photos/비빔밥/notes.jpg", "no picture");
    std::os::unix::fs::symlink("nowhere", project.path("photos/비빔밥/link.jpg")).unwrap();
    // What is odd and can be used is no reason to leave anything out.
    fs::write(project.path("photos/떡국_만두국/misnamed.png"), &whole).unwrap();
    let file = "pipelines/photos.toml";
    let made = runs(&project, &["photos"], file).stdout;
    for told in [
        "photos: 32 photographs in 3 classes, 10 to 11 of each",
        "note: 5 of 37 files cannot be used: `train/김밥/cut.jpg`: cut off after ",
        "`train/김밥/empty.jpg`: empty file; `train/비빔밥/link.jpg`: a symbolic link that leads nowhere; … and 2 more",
        "the pipeline leaves them out (`unreadable = \"drop\"`)",
    ] {
        assert!(made.contains(told), "{told}\n{made}");
    }
    let text = project.read(file);
    assert!(
        text.contains("# 5 of 37 files cannot be used, and would stop a run: `train/김밥/cut.jpg`")
            && text.contains("\nunreadable = \"drop\"\n"),
        "{text}"
    );
    // Without any there is not a word of it.
    for bad in [
        "김밥/cut.jpg",
        "김밥/empty.jpg",
        "비빔밥/page.png",
        "비빔밥/notes.jpg",
        "비빔밥/link.jpg",
    ] {
        fs::remove_file(project.path(&format!("photos/{bad}"))).unwrap();
    }
    let made = project.ok(&["new", "photos", "--name", "sound"]).stdout;
    let text = project.read("pipelines/sound.toml");
    assert!(
        !made.contains("cannot be used") && !text.contains("unreadable"),
        "{made}{text}"
    );
}

#[test]
fn a_class_without_one_usable_photograph_is_told() {
    let project = Project::new();
    project.dishes("photos", &DISHES, 4);
    project.write("photos/broken/a.jpg", "no picture");
    let told = project.fails(1, &["new", "photos"]).stderr;
    assert!(
        told.contains("no photograph of the class `broken` can be used, such as `train/broken/a.jpg`: not an image")
            && told.contains("help: repair its files"),
        "{told}"
    );
    for dish in DISHES {
        fs::remove_dir_all(project.path(&format!("photos/{dish}"))).unwrap();
    }
    project.write("photos/other/b.jpg", "");
    let told = project.fails(1, &["new", "photos"]).stderr;
    assert!(
        told.contains("none of 2 files is a photograph that can be used:\n  `train/broken/a.jpg`: not an image"),
        "{told}"
    );
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn parts_by_their_usual_names_are_taken_as_such_in_one_folder_or_named_one_by_one() {
    let project = Project::new();
    project.dishes("data/kfood_train", &DISHES, 8);
    project.dishes("data/kfood_val", &DISHES, 3);
    project.dishes("data/kfood_test", &DISHES, 2);
    // `data` is where they are looked for.
    runs(&project, &[], "pipelines/kfood_train.toml");
    let text = project.read("pipelines/kfood_train.toml");
    for line in [
        "train = \"data/kfood_train\"",
        "validation = \"data/kfood_val\"",
        "test = \"data/kfood_test\"",
        "given = true",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("test = 0.1"), "{text}");
    let args = [
        "new",
        "data/kfood_test",
        "data/kfood_train",
        "--name",
        "two",
    ];
    project.ok(&args);
    let text = project.read("pipelines/two.toml");
    assert!(
        text.contains("test = \"data/kfood_test\"") && text.contains("validation = 0.2"),
        "{text}"
    );
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn a_zip_and_a_list_become_pipelines_too() {
    let project = Project::new();
    project.dishes("x/photos", &DISHES, 8);
    let zipped = Command::new("python3")
        .args(["-m", "zipfile", "-c", "photos.zip", "photos/"])
        .current_dir(project.path("x"))
        .status();
    assert!(zipped.unwrap().success());
    runs(&project, &["x/photos.zip"], "pipelines/photos.toml");

    let mut list = String::from("path,label,part\n");
    for dish in DISHES {
        for i in 0..8 {
            let part = if i < 6 { "train" } else { "val" };
            list += &format!("photos/{dish}/{i:03}.png,{dish},{part}\n");
        }
    }
    project.write("x/list.csv", &list);
    runs(&project, &["x/list.csv"], "pipelines/list.toml");
    let text = project.read("pipelines/list.toml");
    assert!(
        text.contains("manifest = \"x/list.csv\"") && text.contains("given = true"),
        "{text}"
    );
}

#[test]
fn every_template_is_a_pipeline_without_mistakes() {
    let project = Project::with_dishes();
    project.dishes("small", &["잡채", "튀김"], 6);
    for template in ["first", "mission", "sweep", "folds"] {
        let name = format!("{template}.toml");
        project.ok(&["new", "data", "--template", template, "--name", &name]);
        let checked = project.ok(&["check", &format!("pipelines/{name}")]);
        assert!(
            checked.stdout.ends_with("no mistakes\n"),
            "{}",
            checked.stdout
        );
    }
    let two = [
        "new",
        "data",
        "small",
        "--template",
        "transfer",
        "--name",
        "transfer",
    ];
    project.ok(&two);
    let checked = project.ok(&["check", "pipelines/transfer.toml"]);
    assert!(
        checked.stdout.ends_with("no mistakes\n"),
        "{}",
        checked.stdout
    );
    // From published weights, which are not there.
    let weights = ["new", "data", "--template", "transfer", "--name", "weights"];
    let made = project
        .command(&weights)
        .env("TORCH_HOME", project.path("torch"))
        .output();
    let made = Ran::of(made.unwrap());
    assert!(
        made.stdout
            .contains("first: kfood fetch torchvision/resnet18.IMAGENET1K_V1\n"),
        "{}{}",
        made.stdout,
        made.stderr
    );
    let both = project.fails(2, &["new", "data", "small"]);
    assert!(
        both.stderr.contains("--template transfer"),
        "{}",
        both.stderr
    );
}

#[test]
fn what_lies_beside_the_parts_is_told() {
    let project = Project::with_dishes();
    project.dishes("data/more", &DISHES, 2);
    let made = project.ok(&["new", "data"]).stdout;
    assert!(
        made.contains("`more` lies beside the parts and in none of them: left out"),
        "{made}"
    );
}

#[test]
fn a_folder_with_a_list_alone_leads_to_that_list() {
    let project = Project::new();
    project.dishes("pictures", &DISHES, 3);
    project.write(
        "lists/dishes.csv",
        "path,label\n../pictures/김밥/000.png,김밥\n",
    );
    let told = project.fails(1, &["new", "lists"]).stderr;
    assert!(
        told.contains("where `")
            && told.contains("lists/dishes.csv` tells the classes, name that list"),
        "{told}"
    );
}

#[test]
fn what_is_no_data_set_is_told_and_nothing_is_written() {
    let project = Project::new();
    fs::create_dir(project.path("empty")).unwrap();
    project.write("notes.txt", "x");
    project.dishes("one", &["김밥"], 2);
    for (path, told) in [
        ("nowhere", "there is no `nowhere`"),
        ("empty", "holds no images"),
        ("notes.txt", "is no folder, no zip and no CSV list"),
        ("one", "there is only one class"),
    ] {
        let ran = project.kfood(&["new", path]);
        assert!(
            ran.code != 0 && ran.stderr.contains(told),
            "{path}: {}",
            ran.stderr
        );
    }
    let ran = project.fails(2, &["new"]);
    assert!(ran.stderr.contains("kfood sample"), "{}", ran.stderr);
    assert_eq!(fs::read_dir(project.path("pipelines")).unwrap().count(), 0);
}

/// AI Hub's folder is called as the file of settings is.
#[test]
fn a_pipeline_is_never_called_as_the_settings_of_a_place_are() {
    let project = Project::new();
    project.dishes("data/kfood", &DISHES, 3);
    let made = project.ok(&["new", "data/kfood"]).stdout;
    let file = "pipelines/kfood-photographs.toml";
    assert!(
        made.ends_with(&format!("next: kfood run {file}\n")),
        "{made}"
    );
    project.fails(3, &["plan", file]);
    let refused = project.fails(2, &["new", "data/kfood", "--name", "kfood"]);
    let said = "error: a file `kfood.toml` holds settings of a place, and no pipeline\nhelp: give another name: `--name dishes`\n";
    assert_eq!(refused.stderr, said);
}
