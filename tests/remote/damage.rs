//! Whatever befalls the objects of a remote cache: nothing wrong is used, and the object is named.

use std::{
    fs,
    path::{Path, PathBuf},
};

use kfood::digest::{seal, unseal};

use super::{FILE, dishes, files, how_many, outputs, pushed};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Damage {
    Cut,
    Flipped,
    Emptied,
    Removed,
}

const ALL: [Damage; 4] = [
    Damage::Cut,
    Damage::Flipped,
    Damage::Emptied,
    Damage::Removed,
];

impl Damage {
    fn to(self, path: &Path) {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        match self {
            Self::Cut => bytes.truncate(middle),
            Self::Flipped if bytes.is_empty() => {}
            Self::Flipped => bytes[middle] ^= 4,
            Self::Emptied => bytes.clear(),
            Self::Removed => return fs::remove_file(path).unwrap(),
        }
        fs::write(path, bytes).unwrap();
    }
}

/// The objects and descriptions below a folder.
fn objects(place: &Path) -> Vec<PathBuf> {
    let all = files(place).into_keys();
    all.filter(|name| name.starts_with("objects") || name.starts_with("results"))
        .collect()
}

#[test]
fn one_damaged_object_is_named_not_used_and_mended_by_the_next_push() {
    let (one, _folder, place) = pushed();
    let right = outputs(&one.json(&["run", FILE]));
    let whole = files(place.as_ref());
    for (i, name) in objects(place.as_ref()).iter().enumerate() {
        let damage = ALL[i % ALL.len()];
        let path = Path::new(&place).join(name);
        damage.to(&path);
        let other = dishes();
        let ran = other.kfood(&["run", FILE, "--json", "--remote", &place]);
        let told = format!("{damage:?} {}: {}", name.display(), ran.stderr);
        assert_eq!(ran.code, 0, "{told}");
        let run = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(outputs(&run), right, "{told}");
        let named = ran.stderr.matches(name.to_str().unwrap()).count();
        let gone = damage == Damage::Removed && name.starts_with("results");
        assert_eq!(named, usize::from(!gone), "{told}");
        other.ok(&["cache", "verify"]);
        // What was run was pushed: the outputs are whole again.
        let run = dishes().json(&["run", FILE, "--remote", &place, "--push", "never"]);
        assert_eq!(how_many(&run, "fetched"), 3, "{told}");
        assert_eq!(outputs(&run), right, "{told}");
        for (name, bytes) in &whole {
            fs::write(Path::new(&place).join(name), bytes).unwrap();
        }
    }
}

#[test]
fn where_every_object_is_damaged_everything_is_computed() {
    let (one, _folder, place) = pushed();
    let right = outputs(&one.json(&["run", FILE]));
    let whole = files(place.as_ref());
    for damage in ALL {
        for name in objects(place.as_ref()) {
            if name.starts_with("objects") {
                damage.to(&Path::new(&place).join(name));
            }
        }
        let other = dishes();
        let run = other.json(&["run", FILE, "--remote", &place, "--push", "never"]);
        assert_eq!(how_many(&run, "ran"), 3, "{damage:?}: {run}");
        assert_eq!(outputs(&run), right, "{damage:?}");

        // A pull says so by its exit code, and leaves nothing behind that counts.
        let other = dishes();
        let pull = other.fails(1, &["cache", "pull", &place]);
        assert!(
            pull.stdout.contains("3 results could not be used"),
            "{}",
            pull.stdout
        );
        let listed = other.json(&["cache", "ls"]);
        assert_eq!(listed["entries"].as_array().unwrap().len(), 0, "{listed}");
        for (name, bytes) in &whole {
            fs::write(Path::new(&place).join(name), bytes).unwrap();
        }
    }
}

#[test]
fn verifying_removes_what_is_damaged_and_a_push_brings_it_back() {
    let (one, _folder, place) = pushed();
    let before = one.ok(&["cache", "verify", "--remote", &place]).stdout;
    assert!(before.starts_with("3 sound"), "{before}");
    let pack = largest(place.as_ref());
    Damage::Flipped.to(&Path::new(&place).join(&pack));
    let found = one
        .fails(1, &["cache", "verify", "--remote", &place])
        .stdout;
    assert!(
        found.contains("damaged: pixels: ") && found.contains(pack.to_str().unwrap()),
        "{found}"
    );
    assert!(found.contains("2 sound"), "{found}");
    let pushed = one.json(&["cache", "push", &place, FILE]);
    assert_eq!(
        (&pushed["pushed"], &pushed["objects"]),
        (&1.into(), &1.into()),
        "{pushed}"
    );
    one.ok(&["cache", "verify", "--remote", &place]);
}

fn largest(place: &Path) -> PathBuf {
    let found = files(place).into_iter();
    found.max_by_key(|(_, bytes)| bytes.len()).unwrap().0
}

#[test]
fn a_description_that_leads_elsewhere_is_refused() {
    let (_one, _folder, place) = pushed();
    for lie in ["../../../escape", "/tmp/kfood-escape", "a/b", ".hidden"] {
        for name in objects(place.as_ref()) {
            if !name.starts_with("results") {
                continue;
            }
            let path = Path::new(&place).join(name);
            let text = fs::read_to_string(&path).unwrap();
            let inner = unseal(&text).unwrap();
            let mut value: serde_json::Value = serde_json::from_str(inner).unwrap();
            let outputs = value["record"]["outputs"].as_object_mut().unwrap();
            let first = outputs.keys().next().unwrap().clone();
            let output = outputs.remove(&first).unwrap();
            outputs.insert(lie.to_owned(), output);
            fs::write(&path, seal(&value.to_string())).unwrap();
        }
        let other = dishes();
        let run = other.kfood(&["run", FILE, "--remote", &place, "--push", "never"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(
            run.stderr
                .matches("names a file outside its result")
                .count(),
            3,
            "{lie}: {}",
            run.stderr
        );
        assert!(!Path::new("/tmp/kfood-escape").exists());
        let all = files(&other.path("cache"));
        assert!(
            !all.keys()
                .any(|name| name.ends_with("escape") || name.ends_with(".hidden"))
        );
    }
}
