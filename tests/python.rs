//! The package of `src/python`, by the Python of this machine with the program as it was built. `make wheel` tries what needs PyTorch.

use std::process::Command;

#[test]
fn the_python_package_runs_pipelines_and_says_what_kfood_says() {
    let newer = "import sys; sys.exit(sys.version_info < (3, 10))";
    let found = Command::new("python3").args(["-c", newer]).status();
    if !found.is_ok_and(|status| status.success()) {
        println!("passed over: there is no python3 of 3.10 or later here");
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python_package.py");
    let settings = tempfile::tempdir().unwrap();
    let ran = Command::new("python3")
        .args(["-B", script, env!("CARGO_BIN_EXE_kfood")])
        .env_remove("KFOOD_CACHE")
        .env("XDG_CONFIG_HOME", settings.path())
        .env("PYTHONIOENCODING", "utf-8")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    assert!(said.contains("test_a_missing_file"), "{said}");
}
