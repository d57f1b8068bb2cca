//! Outside files: what counts of them, what is remembered, and what a stage's inputs do while it runs.

use std::{
    fs::{self, File},
    os::unix::ffi::OsStrExt,
    path::Path,
    thread,
    time::Duration,
};

use kfood::{
    cache::Cache,
    event::StageEvent,
    exec::{self, Options},
    files::FileList,
    stop::Stop,
};

use super::fake::{Fake, Heard, NoWorker, boxed, ran, run, scratch, status};

fn images(folder: &Path) -> std::path::PathBuf {
    let images = folder.join("images");
    fs::create_dir(&images).unwrap();
    for (name, content) in [("a.jpg", "1"), ("b.jpg", "2"), ("김밥.jpg", "3")] {
        fs::write(images.join(name), content).unwrap();
    }
    images
}

/// Writes content and puts the old times back.
fn edit_unseen(path: &Path, content: &str) {
    let before = fs::metadata(path).unwrap();
    assert_eq!(before.len(), content.len() as u64);
    fs::write(path, content).unwrap();
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(before.modified().unwrap())
        .unwrap();
    assert_eq!(
        fs::metadata(path).unwrap().modified().unwrap(),
        before.modified().unwrap()
    );
}

#[test]
fn an_edit_that_keeps_size_and_mtime_is_seen() {
    let folder = scratch();
    let cache = Cache::open(&folder.path().join("cache")).unwrap();
    let images = images(folder.path());
    let stages = [Fake::new("data", 1).folder(&images)];
    run(&stages, &cache);
    thread::sleep(Duration::from_millis(2100)); // From now on digests are remembered.
    run(&stages, &cache);
    ran(&stages);
    edit_unseen(&images.join("b.jpg"), "7");
    assert_eq!(
        status(&stages, &cache)["data"],
        format!(
            "run: input `images`: 1 file changed: `{}`",
            images.join("b.jpg").display()
        )
    );
    run(&stages, &cache);
    assert_eq!(ran(&stages), ["data"]);
}

#[test]
fn touching_moving_and_the_spelling_of_a_name_do_not_count() {
    let folder = scratch();
    let cache = Cache::open(&folder.path().join("cache")).unwrap();
    let images = images(folder.path());
    let stages = [Fake::new("data", 1).folder(&images)];
    run(&stages, &cache);
    ran(&stages);
    fs::write(images.join("a.jpg"), "1").unwrap();
    fs::rename(
        images.join("김밥.jpg"),
        images.join("\u{1100}\u{1175}\u{11b7}\u{1107}\u{1161}\u{11b8}.jpg"),
    )
    .unwrap();
    let moved = folder.path().join("elsewhere");
    fs::rename(&images, &moved).unwrap();
    let stages = [Fake::new("data", 1).folder(&moved)];
    assert_eq!(status(&stages, &cache)["data"], "cached");
}

#[test]
fn both_spellings_of_a_name_in_one_folder_are_an_error() {
    let folder = scratch();
    let cache = Cache::open(&folder.path().join("cache")).unwrap();
    let images = images(folder.path());
    fs::write(
        images.join("\u{1100}\u{1175}\u{11b7}\u{1107}\u{1161}\u{11b8}.jpg"),
        "x",
    )
    .unwrap();
    let stages = boxed(&[Fake::new("data", 1).folder(&images)]);
    let error = exec::run(
        &stages,
        &Options::default(),
        &cache,
        &NoWorker,
        &Heard::default(),
        &Stop::default(),
    )
    .unwrap_err();
    assert!(
        error
            .message()
            .contains("two files have the name `김밥.jpg`"),
        "{error}"
    );
    assert!(error.help_text().unwrap().contains("NFC"));
}

#[test]
fn added_removed_and_renamed_files_count() {
    let folder = scratch();
    let cache = Cache::open(&folder.path().join("cache")).unwrap();
    let images = images(folder.path());
    let stages = [Fake::new("data", 1).folder(&images)];
    run(&stages, &cache);
    fs::rename(images.join("a.jpg"), images.join("c.jpg")).unwrap();
    fs::write(images.join("d.jpg"), "4").unwrap();
    assert_eq!(
        status(&stages, &cache)["data"],
        format!(
            "run: input `images`: 2 files added: `{}`, `{}`; 1 file removed: `a.jpg`",
            images.join("c.jpg").display(),
            images.join("d.jpg").display()
        )
    );
    fs::rename(images.join("c.jpg"), images.join("a.jpg")).unwrap();
    fs::remove_file(images.join("d.jpg")).unwrap();
    assert_eq!(status(&stages, &cache)["data"], "cached");
    for file in ["a.jpg", "b.jpg", "김밥.jpg"] {
        fs::remove_file(images.join(file)).unwrap();
    }
    assert!(
        status(&stages, &cache)["data"].contains("3 files removed"),
        "an empty folder is one more content"
    );
    assert!(run(&stages, &cache).succeeded());
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_with_its_path() {
    let folder = scratch();
    let cache = Cache::open(&folder.path().join("cache")).unwrap();
    let images = images(folder.path());
    std::os::unix::fs::symlink(images.join("loop.jpg"), images.join("loop.jpg")).unwrap();
    let stages = boxed(&[Fake::new("data", 1).folder(&images)]);
    let error = exec::status(&stages, &Options::default(), &cache, &Heard::default()).unwrap_err();
    assert!(error.to_string().contains("loop.jpg"), "{error}");
    fs::remove_file(images.join("loop.jpg")).unwrap();
    fs::create_dir(images.join("folder.jpg")).unwrap();
    let error = exec::status(&stages, &Options::default(), &cache, &Heard::default()).unwrap_err();
    assert!(error.to_string().contains("folder.jpg"), "{error}");
    // As when it goes away between listing and reading.
    let gone = FileList::of("gone", &images.join("gone"));
    assert!(
        cache
            .digest_each(gone, false, &Stop::default(), &|_| {})
            .unwrap_err()
            .to_string()
            .contains("gone")
    );
}

#[test]
fn an_input_that_changes_while_the_stage_runs_is_not_stored() {
    for (what, change) in [
        (
            "b.jpg",
            (|images| fs::write(images, "9").unwrap()) as fn(&Path),
        ),
        ("b.jpg", |file| fs::remove_file(file).unwrap()),
        ("new.jpg", |file| fs::write(file, "").unwrap()),
        ("b.jpg", |file| edit_unseen(file, "9")),
    ] {
        let folder = scratch();
        let cache = Cache::open(&folder.path().join("cache")).unwrap();
        let images = images(folder.path());
        let path = images.join(what);
        let stages = [Fake::new("data", 1).folder(&images).acts(move |c| {
            fs::write(c.state.join("seen"), "").unwrap();
            // The stage itself must still find its files; it reads them after this, as it may.
            let copy = fs::read(&path).ok();
            change(&path);
            if !path.exists() {
                let (path, copy) = (path.clone(), copy.unwrap());
                fs::write(&path, copy).unwrap();
                fs::write(path.with_file_name("back.jpg"), "").unwrap();
            }
            Ok(())
        })];
        let summary = run(&stages, &cache);
        let error = summary.first_error().expect("the change must be noticed");
        assert!(
            error.message().contains("changed while the stage ran"),
            "{error}"
        );
        assert!(error.message().contains(".jpg"), "{error}");
        assert!(cache.list().is_empty());
        assert_eq!(
            fs::read_dir(folder.path().join("cache/attempts"))
                .unwrap()
                .count(),
            0
        );
    }
}

#[test]
fn an_input_that_changes_and_changes_back_while_the_stage_runs_is_not_stored() {
    // What is done to the file, and then undone.
    let writes = |images: &Path| {
        fs::write(images.join("b.jpg"), "9").unwrap();
        fs::write(images.join("b.jpg"), "2").unwrap();
    };
    let writes_unseen = |images: &Path| {
        edit_unseen(&images.join("b.jpg"), "9");
        edit_unseen(&images.join("b.jpg"), "2");
    };
    let replaces = |images: &Path| {
        fs::rename(images.join("b.jpg"), images.join("../kept")).unwrap();
        fs::write(images.join("b.jpg"), "9").unwrap();
        fs::rename(images.join("../kept"), images.join("b.jpg")).unwrap();
    };
    let links = |images: &Path| {
        let link = images.join("link.jpg");
        for target in ["b.jpg", "a.jpg"] {
            fs::remove_file(&link).unwrap();
            std::os::unix::fs::symlink(target, &link).unwrap();
        }
    };
    let moves_the_folder = |images: &Path| {
        fs::rename(images, images.with_file_name("kept")).unwrap();
        fs::rename(images.with_file_name("kept"), images).unwrap();
    };
    let all: [fn(&Path); 5] = [writes, writes_unseen, replaces, links, moves_the_folder];
    for (number, change) in all.into_iter().enumerate() {
        let folder = scratch();
        let cache = Cache::open(&folder.path().join("cache")).unwrap();
        let images = images(folder.path());
        std::os::unix::fs::symlink("a.jpg", images.join("link.jpg")).unwrap();
        let there = images.clone();
        let stages = [Fake::new("data", 1).folder(&images).acts(move |_| {
            change(&there);
            Ok(())
        })];
        let summary = run(&stages, &cache);
        let error = summary.first_error();
        let error = error.unwrap_or_else(|| panic!("change {number} was not noticed"));
        assert!(
            error.message().contains("put back while the stage ran"),
            "{error}"
        );
        assert!(cache.list().is_empty());
        assert!(run(&[Fake::new("data", 1).folder(&images)], &cache).succeeded());
    }
}

#[test]
fn an_upstream_output_that_changes_while_a_stage_runs_is_noticed() {
    let folder = scratch();
    let cache = Cache::open(folder.path()).unwrap();
    let stages = [
        Fake::new("a", 1),
        Fake::new("b", 1).reads("a", "sum").acts(|c| {
            fs::write(&c.inputs["input0"], "9\n").unwrap();
            Ok(())
        }),
    ];
    let error = run(&stages, &cache);
    assert!(
        error
            .first_error()
            .unwrap()
            .message()
            .contains("changed while")
    );
    assert_eq!(cache.list().len(), 1);
}

#[test]
fn settled_files_are_hashed_once_and_a_damaged_memory_is_ignored() {
    let folder = scratch();
    let cache = Cache::open(&folder.path().join("cache")).unwrap();
    // A look makes no cache to remember in; a run does.
    drop(cache.hold().unwrap());
    let files: FileList = (0..1024)
        .map(|i| {
            let path = folder.path().join(format!("{i}.jpg"));
            fs::write(&path, [1]).unwrap();
            (i.to_string(), path)
        })
        .collect();
    // Hashing is told, remembering is not.
    let hashed = || {
        let heard = std::sync::Mutex::new((0, 0));
        let digests = cache.digest_each(
            files.clone(),
            false,
            &Stop::default(),
            &|event| match event {
                StageEvent::Progress { .. } => heard.lock().unwrap().0 += 1,
                StageEvent::Warning(_) => heard.lock().unwrap().1 += 1,
                _ => {}
            },
        );
        assert!(
            digests
                .unwrap()
                .iter()
                .all(|f| f.digest == kfood::digest::Digest::of(&[1]))
        );
        heard.into_inner().unwrap()
    };
    assert_eq!(hashed(), (2, 0));
    assert_eq!(
        hashed(),
        (2, 0),
        "changed within the last two seconds: not to be remembered"
    );
    thread::sleep(Duration::from_millis(2100));
    assert_eq!(hashed(), (2, 0));
    assert_eq!(hashed(), (0, 0));
    let memory = fs::read_dir(folder.path().join("cache/digests"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    assert_eq!(memory.extension().unwrap().as_bytes(), b"bin");
    let mut bytes = fs::read(&memory).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&memory, bytes).unwrap();
    assert_eq!(hashed(), (2, 1));
    assert_eq!(hashed(), (0, 0), "it heals");
}
