//! `kfood cache`.

use super::{FILE, SMALL, having, small};
use crate::support::Project;

#[test]
fn the_cache_can_be_listed_verified_and_cleared_of_what_nobody_needs() {
    let project = small();
    project.ok(&["run", FILE, "pixels", "holdout"]);
    let listed = project.ok(&["cache", "ls"]).stdout;
    assert!(
        listed.contains("preprocess") && listed.contains("split"),
        "{listed}"
    );
    project.ok(&["cache", "verify"]);

    // A flipped byte is found, the result removed, and the next run makes it anew.
    let pack = find(&project.path("cache"), "pixels.pack");
    let mut bytes = std::fs::read(&pack).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let mut permissions = std::fs::metadata(&pack).unwrap().permissions();
    #[expect(
        clippy::permissions_set_readonly_false,
        reason = "a private temporary file"
    )]
    permissions.set_readonly(false);
    std::fs::set_permissions(&pack, permissions).unwrap();
    std::fs::write(&pack, bytes).unwrap();
    let verify = project.fails(1, &["cache", "verify"]);
    assert!(verify.stdout.contains("pixels"), "{}", verify.stdout);
    let healed = project.json(&["run", FILE, "pixels"]);
    assert_eq!(having(&healed, "ran"), ["pixels"]);

    // Nothing refers to the split of another seed any more.
    project.edit(FILE, "seed = 7", "seed = 8");
    project.ok(&["run", FILE, "holdout"]);
    let dry = project.json(&["cache", "gc", "--dry-run"]);
    let done = project.json(&["cache", "gc"]);
    assert_eq!(dry["removed"], done["removed"]);
    assert_eq!(done["removed"].as_array().unwrap().len(), 1, "{done}");
    project.ok(&["plan", FILE, "pixels", "holdout"]);
}

fn find(folder: &std::path::Path, name: &str) -> std::path::PathBuf {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .find(|e| e.file_name() == name)
        .unwrap()
        .into_path()
}

#[test]
fn clearing_keeps_what_it_cannot_judge() {
    // A pipeline in a folder of its own is a project too.
    let project = Project::with_dishes();
    std::fs::remove_dir(project.path("pipelines")).unwrap();
    project.write("small.toml", SMALL);
    project.ok(&["run", "small.toml", "holdout"]);
    let kept = project.json(&["cache", "gc"]);
    assert_eq!(kept["removed"].as_array().unwrap().len(), 0, "{kept}");

    // Another project with the same cache loses nothing to this one.
    let other = small();
    let shared = other.path("cache");
    other.ok(&["run", FILE, "holdout"]);
    let ours = project
        .command(&["cache", "gc", "--json"])
        .env("KFOOD_CACHE", &shared)
        .output()
        .unwrap();
    let ours: serde_json::Value = serde_json::from_slice(&ours.stdout).unwrap();
    assert_eq!(ours["removed"].as_array().unwrap().len(), 0, "{ours}");

    // A file that cannot be understood might refer to anything.
    other.edit(FILE, "seed = 7", "seed = [");
    let refused = other.fails(1, &["cache", "gc"]);
    assert!(refused.stderr.contains("small.toml"), "{}", refused.stderr);
    other.ok(&["cache", "ls"]);
}
