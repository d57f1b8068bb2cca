//! Zips: as many as there are, what is taken out of them, and archives that are not read.

use std::fs;

use super::{FILE, picture, project, put};
use crate::layouts::{Names, zip_of};

#[test]
fn more_zips_than_files_may_be_open_are_no_matter() {
    let project = project("train = \"data\"", "");
    fs::create_dir(project.path("data")).unwrap();
    for i in 0..80 {
        let zip = zip_of(&[("1.jpg".to_owned(), picture("1"))], Names::Flagged);
        fs::write(project.path(&format!("data/dish_{i}.zip")), zip).unwrap();
    }
    let kfood = env!("CARGO_BIN_EXE_kfood");
    let limited = format!("ulimit -n 64; exec {kfood} run {FILE}");
    let ran = std::process::Command::new("sh")
        .args(["-c", &limited])
        .current_dir(project.path(""))
        .env_remove("KFOOD_CACHE")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{told}");
    assert!(told.contains("80 images in 80 classes"), "{told}");
}

#[test]
fn a_zip_that_holds_a_name_twice_is_refused_with_the_command_that_names_it() {
    let project = project("train = \"data.zip\"", "");
    let files = ["a/1.jpg", "a/1.jpg", "b/1.jpg"].map(|name| (name.to_owned(), picture(name)));
    fs::write(project.path("data.zip"), zip_of(&files, Names::Plain)).unwrap();
    let told = project.fails(1, &["run", FILE]).stderr;
    let command = format!(
        "`unzip -Z1 '{}' | sort | uniq -d` says which",
        project.path("data.zip").display()
    );
    assert!(
        told.contains("holds one name more than once") && told.contains(&command),
        "{told}"
    );
}

#[test]
fn archives_that_are_not_read_come_with_the_command_that_helps() {
    let project = project("train = \"data\"", "");
    for (name, bytes, help) in [
        (
            "X.zip.part1073741824",
            &b"PK\x03\x04"[..],
            "sort -zV | xargs -0 cat > 'X.zip'",
        ),
        ("X.z01", b"x", "zip -s 0 'X.zip'"),
        ("X.7z.001", b"x", "7z x 'X.7z.001'"),
        ("X.tar.gz", b"\x1f\x8b", "tar -xf 'X.tar.gz'"),
        ("X.zip", b"<!DOCTYPE html><html>", "an HTML page"),
    ] {
        let path = project.path("data");
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        fs::write(path.join(name), bytes).unwrap();
        let told = project.fails(1, &["run", FILE]).stderr;
        assert!(told.contains(help), "no `{help}` in\n{told}");
    }
    project.edit(FILE, "\"data\"", "\"X.tar\"");
    project.write("X.tar", "x");
    let told = project.fails(2, &["run", FILE]).stderr;
    assert!(told.contains("tar -xf 'X.tar'"), "{told}");
}

#[test]
fn a_large_entry_of_a_zip_is_unpacked_when_it_begins_as_an_image() {
    let project = project("train = \"data.zip\"", "unreadable = \"drop\"");
    let mut files: Vec<_> = ["a/1.jpg", "b/1.jpg"]
        .map(|name| (name.to_owned(), picture(name)))
        .into();
    files.push(("a/0.jpg".to_owned(), vec![0; 17 << 20]));
    files.rotate_right(1); // The first one is deflated.
    fs::write(project.path("data.zip"), zip_of(&files, Names::Flagged)).unwrap();
    let told = project.ok(&["run", FILE]).stderr;
    assert!(
        told.contains("not an image: 17 MB that start with"),
        "{told}"
    );
}

#[test]
fn an_entry_that_unpacks_to_far_more_than_a_photograph_is_judged_as_the_other_unusable_files() {
    let project = project("train = \"data.zip\"", "unreadable = \"drop\"");
    let mut files = Vec::new();
    for (i, class) in ["김밥", "잡채"].into_iter().enumerate() {
        files.push((format!("{class}/{i}.jpg"), picture(class)));
    }
    files.push(("김밥/bomb.jpg".to_owned(), vec![0; 65 << 20]));
    fs::write(project.path("data.zip"), zip_of(&files, Names::Flagged)).unwrap();
    let told = project.ok(&["run", FILE]).stderr;
    assert!(
        told.contains("dropped 1 of 3 files") && told.contains("times as large unpacked, 65 MB"),
        "{told}"
    );
    project.edit(FILE, "unreadable = \"drop\"", "");
    let told = project.fails(1, &["run", FILE]).stderr;
    assert!(told.contains("times as large unpacked, 65 MB"), "{told}");
}

#[test]
fn a_zip_compressed_in_another_way_is_refused_by_the_name_of_that_way() {
    let project = project("train = \"data.zip\"", "unreadable = \"drop\"");
    let files: Vec<_> = ["김밥/1.jpg", "잡채/1.jpg"]
        .map(|name| (name.to_owned(), picture(name)))
        .into();
    let mut zip = zip_of(&files, Names::Flagged);
    let directory = zip.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    zip[directory + 10] = 12;
    fs::write(project.path("data.zip"), zip).unwrap();
    let told = project.fails(1, &["run", FILE]).stderr;
    assert!(
        told.contains("`김밥/1.jpg`")
            && told.contains("is compressed by bzip2; accepted are stored and deflate"),
        "{told}"
    );
}

#[test]
fn an_archive_beside_class_folders_is_warned_of_where_it_was_not_unpacked_there() {
    let project = project("train = \"data\"", "");
    put(&project, &["data/a/1.jpg", "data/b/2.jpg"]);
    let zip = zip_of(&[("1.jpg".to_owned(), picture("3"))], Names::Flagged);
    fs::write(project.path("data/a.zip"), &zip).unwrap();
    let told = project.ok(&["run", FILE]).stderr;
    assert!(!told.contains("warning"), "{told}");
    fs::write(project.path("data/c.zip"), &zip).unwrap();
    project.write("data/b/more.tar", "x");
    let told = project.ok(&["run", FILE, "--force", "d"]).stderr;
    assert!(
        told.contains("warning: 2 archives in `")
            && told.contains("more.tar`, a tar archive; in `"),
        "{told}"
    );
}
