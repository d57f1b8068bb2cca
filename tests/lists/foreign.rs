//! Lists as other programs write them: other names of columns, other texts than CSV, addresses for paths, labels that are none.

use std::fs;

use super::{listed, paths, refused, told};
use crate::support::Project;

#[test]
fn a_column_that_tells_the_part_under_another_name_is_refused() {
    // Its test images would be trained on.
    for (column, test) in [("set", "test"), ("구분", "시험"), ("phase", "val")] {
        let rows = format!("a/000,a,train\na/001,a,{test}\n\nb/000,b,TRAIN\n");
        refused(
            format!("path,label,{column}\n{rows}").as_bytes(),
            &[
                &format!("the column `{column}` tells the part of each image"),
                "help: call it `part`",
            ],
        );
    }
    // fastai's way.
    refused(
        b"path,label,is_valid\na/000,a,False\na/001,a,True\nb/000,b,False\n",
        &["the column `is_valid` tells the part of each image"],
    );
    // A note here and there is no such column, and neither is one that says the same of all.
    for list in [
        "path,label,note\na/000,a,test\na/001,a,\nb/000,b,\n",
        "path,label,set\na/000,a,train\nb/000,b,train\n",
        "path,label,is_test\na/000,a,0\nb/000,b,0\n",
        "path,label,blurred\na/000,a,0\nb/000,b,1\n",
    ] {
        listed(list.as_bytes());
    }
}

#[test]
fn columns_by_other_names_are_told_by_the_names_that_they_need() {
    refused(
        "file_name;class\na/000.png;a\n".as_bytes(),
        &[
            "no column `path`",
            "rename `file_name` to `path` and `class` to `label`",
        ],
    );
    refused(
        "파일,라벨\na/000.png,a\n".as_bytes(),
        &["rename `파일` to `path` and `라벨` to `label`"],
    );
    refused(
        b"path|label\na/000.png|a\n",
        &[
            "no column `path`, only `path|label`\n",
            "separate the columns by commas",
        ],
    );
}

#[test]
fn a_column_for_each_class_is_told_as_such() {
    refused(
        b"filename, cat, dog\na/000.png, 0, 1\nb/000.png, 1, 0\n",
        &[
            "no column `path`",
            "each class is a column of 0 and 1 here (`cat`, `dog`)",
            "into one column `label`, and rename `filename` to `path`",
        ],
    );
    refused(
        b"path,cat,dog\na/000.png,0.0,1.0\nb/000.png,1.0,0.0\n",
        &[
            "no column `label`",
            "the one that is 1 into one column `label`\n",
        ],
    );
    // Numbers that are no flags, or a single flag, are no classes.
    for list in [
        "path,x,y2\na/000.png,0,2\nb/000.png,1,3\n",
        "path,blurred\na/000.png,0\nb/000.png,1\n",
    ] {
        let told = refused(list.as_bytes(), &["no column `label`"]);
        assert!(!told.stderr.contains("each class"), "{}", told.stderr);
    }
}

#[test]
fn a_list_that_lies_beside_the_folder_of_its_photographs_is_told_where_they_are() {
    for row in ["7.png", "7"] {
        let project = Project::new();
        project.dishes("data", &["train"], 1);
        project.dishes("data", &["other"], 1);
        let picture = fs::read(project.path("data/train/000.png")).unwrap();
        fs::write(project.path("data/train/7.png"), picture).unwrap();
        project.write(
            "data/train.csv",
            &format!("path,label\n{row},a\nno.png,b\n"),
        );
        project.write(
            "pipelines/p.toml",
            "[dataset.d]\nmanifest = \"data/train.csv\"\n",
        );
        let ran = project.fails(1, &["run", "pipelines/p.toml"]);
        told(
            &ran,
            &[
                &format!("no file `{row}`"),
                "are relative to the list's folder",
                &format!(
                    "`train/{row}` is there: move the list into `train`, or write `train/` before its paths"
                ),
            ],
        );
    }
    refused(
        b"path,label\n/data/upload/1/abcdef00-000.png,a\n",
        &["is a place in Label Studio's own storage; paths are relative"],
    );
}

#[test]
fn json_and_web_pages_are_called_what_they_are() {
    for (text, what) in [
        (
            "{\"file_name\": \"a/000.png\", \"label\": \"a\"}\n{\"file_name\": \"b/000.png\", \"label\": \"b\"}\n",
            "is JSON Lines, and no CSV",
        ),
        (
            "[\n  {\"path\": \"a/000.png\", \"label\": \"a\"}\n]\n",
            "is JSON, and no CSV",
        ),
        (
            "<!DOCTYPE html>\n<html>404</html>\n",
            "is an HTML page, and no CSV",
        ),
    ] {
        refused(text.as_bytes(), &[what, "names the columns: `path,label`"]);
    }
}

#[test]
fn addresses_of_this_machine_and_names_as_addresses_write_them_are_files() {
    let project = Project::new();
    project.dishes("data", &["a b", "김밥", "50%25"], 1);
    let folder = fs::canonicalize(project.path("data")).unwrap();
    let list = format!(
        "path,label\nfile://{}/a%20b/000.png,a\n%EA%B9%80%EB%B0%A5/000.png,김밥\n50%25/000.png,half\n",
        folder.display()
    );
    project.write("data/list.csv", &list);
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\nmanifest = \"data/list.csv\"\n",
    );
    project.ok(&["run", "pipelines/p.toml"]);
    assert_eq!(
        paths(&project),
        [
            "train/50%25/000.png",
            "train/a b/000.png",
            "train/김밥/000.png"
        ]
    );
    // So they are in a list of what is left out.
    let out = format!(
        "path\nfile://{}/a%20b/000.png\ntrain/%EA%B9%80%EB%B0%A5/000.png\n",
        folder.display()
    );
    project.write("out.csv", &out);
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\ntrain = \"data\"\nexclude = \"out.csv\"\n",
    );
    project.dishes("data", &["b"], 1);
    project.ok(&["run", "pipelines/p.toml"]);
    assert_eq!(paths(&project), ["train/50%25/000.png", "train/b/000.png"]);
    // And in a list of corrected labels.
    let corrections = format!(
        "path,label\nfile://{}/a%20b/000.png,b\ntrain/%EA%B9%80%EB%B0%A5/000.png,b\n",
        folder.display()
    );
    project.write("corrections.csv", &corrections);
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\ntrain = \"data\"\ncorrections = \"corrections.csv\"\n",
    );
    let ran = project.ok(&["run", "pipelines/p.toml"]);
    told(&ran, &["2 labels corrected"]);
}

#[test]
fn one_whole_number_written_in_two_ways_is_no_two_classes() {
    refused(
        b"path,label\na/000,0\na/001,0.0\nb/000,1\nb/001,1.0\n",
        &[
            "two classes look the same: `0` (1 image in `train`) and `0.0` (1 image in `train`), and 1 such name more",
        ],
    );
}

#[test]
fn labels_that_programs_write_where_there_is_none_are_told() {
    refused(
        b"path,label\na/000,a\na/001,#N/A\nb/000,b\n",
        &["line 3: the label of `a/001` is `#N/A`, which a spreadsheet writes"],
    );
    let (_, ran) = listed(b"path,label\na/000,a\na/001,nan\nb/000,nan\nb/001,b\n");
    told(
        &ran,
        &[
            "warning: 2 images have a label that programs write where none is known, such as `nan` of `train/a/001.png`",
        ],
    );
}

#[test]
fn an_image_that_is_listed_twice_comes_with_what_the_rows_say_otherwise() {
    refused(
        b"path,label,part\na/000.png,a,\n./a/000.png,b,\na/001.png,a,\na//001.png,a,test\nb/000,b,\nb/000.png,b,\n",
        &[
            "line 3: `a/000.png` is already on line 2, with the label `a`",
            "line 5: `a/001.png` is already on line 4, in `train`",
            "line 7: `b/000.png` is already on line 6\n",
        ],
    );
}

#[test]
fn photographs_without_class_folders_come_with_the_list_that_may_tell_their_classes() {
    let project = Project::new();
    project.dishes("data", &["train"], 3);
    project.write("data/train.csv", "id,label\n000,a\n001,b\n");
    project.write("pipelines/p.toml", "[dataset.d]\ntrain = \"data/train\"\n");
    let ran = project.fails(1, &["run", "pipelines/p.toml"]);
    told(
        &ran,
        &[
            "3 files lie directly in",
            "/data/train.csv\"` if it is that",
        ],
    );
    fs::remove_file(project.path("data/train.csv")).unwrap();
    let ran = project.fails(1, &["run", "pipelines/p.toml"]);
    told(&ran, &["or write a list of `path,label`"]);
}

#[test]
fn labels_that_seem_to_be_several_are_told() {
    let (_, ran) = listed(b"path,label\na/000,a|b\na/001,\"['a', 'b']\"\nb/000,b\nb/001,b;x\n");
    told(
        &ran,
        &[
            "warning: the label of 3 images seems to be several, such as `a|b` of `train/a/000.png`: it is trained as one class of its own",
        ],
    );
    // A dish may have such signs in its name.
    let (_, ran) =
        listed(b"path,label\na/000,\"rice, brown\"\na/001,rice\nb/000,x|y\nb/001,rice soup\n");
    assert!(!ran.stderr.contains("several"), "{}", ran.stderr);
}

#[test]
fn a_parquet_file_is_called_so() {
    refused(
        b"PAR1\x15\x04\x15\xffPAR1",
        &["is Parquet, and no CSV", "read_parquet"],
    );
}

#[test]
fn groups_that_programs_write_where_there_is_none_are_told() {
    let (_, ran) = listed(b"path,label,group\na/000,a,nan\na/001,a,g\nb/000,b,NaN\nb/001,b,\n");
    told(
        &ran,
        &[
            "warning: 2 images have a group that programs write where none is known, such as `nan`: they are taken as one group",
        ],
    );
}
