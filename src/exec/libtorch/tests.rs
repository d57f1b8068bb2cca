//! A libtorch in each place, and in none.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;

/// A machine of a few files.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A package `torch` of this version; its folder.
    fn torch(&self, folder: &str, version: &str) -> PathBuf {
        let folder = self.path(folder);
        fs::create_dir_all(folder.join("lib")).unwrap();
        let library = if cfg!(target_os = "macos") {
            "libtorch_cpu.dylib"
        } else {
            "libtorch_cpu.so"
        };
        fs::write(folder.join("lib").join(library), "").unwrap();
        fs::write(
            folder.join("version.py"),
            format!("__version__ = '{version}'\n"),
        )
        .unwrap();
        folder
    }

    /// A Python beside the program that knows a package `torch` in this folder.
    fn python(&self, torch: &Path) {
        fs::create_dir_all(self.path("bin")).unwrap();
        let script = format!("#!/bin/sh\nprintf %s '{}'\n", torch.display());
        fs::write(self.path("bin/python3"), script).unwrap();
        fs::set_permissions(self.path("bin/python3"), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn search(&self, variable: Option<&Path>, built: Option<&Path>) -> Result<Libtorch> {
        let search = Search {
            program: self.path("bin/kfood"),
            variable: variable.map(|folder| folder.as_os_str().to_owned()),
            built: built.map(|folder| folder.join("lib")),
        };
        search.find()
    }
}

fn of(torch: &Path, found: Found) -> Libtorch {
    Libtorch {
        libraries: torch.join("lib"),
        found,
    }
}

#[test]
fn what_lies_beside_goes_before_the_variable_the_build_and_python() {
    let machine = Machine::new();
    let python = machine.torch("elsewhere/torch", "2.11.0+cu130");
    machine.python(&python);
    assert_eq!(
        machine.search(None, None).unwrap(),
        of(&python, Found::Python)
    );
    let built = machine.torch("checkout/.libtorch/torch", "2.11.0+cpu");
    assert_eq!(
        machine.search(None, Some(&built)).unwrap(),
        of(&built, Found::Built)
    );
    assert_eq!(
        machine.search(Some(&built), Some(&built)).unwrap().found,
        Found::Built
    );
    // Any folder of this name beside a `bin` is none of ours.
    machine.torch("torch", "2.11.1");
    assert_eq!(
        machine.search(None, Some(&built)).unwrap().found,
        Found::Built
    );
    fs::remove_dir_all(machine.path("torch")).unwrap();
    fs::create_dir(machine.path("kfood")).unwrap();
    fs::write(machine.path("kfood/__init__.py"), "").unwrap();
    let named = machine.torch("own/torch", "2.11.3");
    assert_eq!(
        machine.search(Some(&named), Some(&built)).unwrap(),
        of(&named, Found::Variable)
    );
    for place in [
        "lib/python3.9/site-packages/torch",
        "lib64/python3.12/site-packages/torch",
        "lib/python3.13/dist-packages/torch",
        "torch",
    ] {
        let beside = machine.torch(place, "2.11.0");
        let found = machine.search(Some(&named), Some(&built)).unwrap();
        assert_eq!(found, of(&beside, Found::Beside));
        fs::remove_dir_all(beside).unwrap();
    }
}

#[test]
fn another_version_is_passed_over_and_told_where_no_other_place_has_one() {
    let machine = Machine::new();
    machine.torch("lib/python3.12/site-packages/torch", "2.12.0+cpu");
    let python = machine.torch("elsewhere/torch", "1.13.1");
    machine.python(&python);
    let gone = machine.path("gone/torch");
    let search = || Search {
        program: machine.path("bin/kfood"),
        variable: None,
        built: Some(gone.join("lib")),
    };
    let error = search().none(&["2.12.0+cpu in `x`".to_owned(), "1.13.1 in `y`".to_owned()]);
    let message = error.to_string();
    for part in [
        "no libtorch 2.11 for",
        "bin/../lib",
        "`LIBTORCH` (not set)",
        "gone/torch/lib`",
        "found 2.12.0+cpu in `x`, 1.13.1 in `y`",
    ] {
        let part = part.replace("bin/../lib", "/lib/python3.*/site-packages/torch");
        assert!(message.contains(&part), "{part}: {message}");
    }
    assert_eq!(
        error.help_text(),
        Some("install it: `pip install 'torch==2.11.*'`")
    );
    // A fitting one further down the list serves.
    let built = machine.torch("checkout/torch", "2.11.0");
    assert_eq!(
        machine.search(None, Some(&built)).unwrap(),
        of(&built, Found::Built)
    );
}

#[test]
fn a_variable_that_names_something_else_is_an_error() {
    let machine = Machine::new();
    let built = machine.torch("checkout/torch", "2.11.0");
    let nothing = machine
        .search(Some(&machine.path("nothing")), Some(&built))
        .unwrap_err();
    assert!(
        nothing
            .to_string()
            .contains("nothing`, and there is no libtorch in it"),
        "{nothing}"
    );
    let old = machine.torch("old/torch", "2.5.1+cu121");
    let old = machine.search(Some(&old), Some(&built)).unwrap_err();
    assert!(
        old.to_string()
            .contains("old/torch`, a libtorch 2.5.1+cu121, and kfood needs 2.11"),
        "{old}"
    );
    assert!(old.help_text().unwrap().contains("PyTorch 2.11"), "{old:?}");
}

#[test]
fn a_plain_archive_says_its_version_in_another_file_or_not_at_all() {
    let machine = Machine::new();
    let archive = machine.torch("archive", "2.11.0");
    fs::remove_file(archive.join("version.py")).unwrap();
    assert_eq!(
        machine.search(Some(&archive), None).unwrap(),
        of(&archive, Found::Variable)
    );
    fs::write(archive.join("build-version"), "2.4.0+cpu\n").unwrap();
    let error = machine.search(Some(&archive), None).unwrap_err();
    assert!(
        error.to_string().contains("a libtorch 2.4.0+cpu"),
        "{error}"
    );
}

#[test]
fn a_worker_is_told_of_it_before_all_else_unless_it_knows() {
    let torch = Path::new("/somewhere/torch");
    let mut told = Command::new("x");
    of(torch, Found::Python).lend(&mut told);
    let (name, value) = told.get_envs().next().unwrap();
    assert_eq!(name, SEARCHED);
    assert!(
        value
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("/somewhere/torch/lib")
    );
    let mut knows = Command::new("x");
    of(torch, Found::Built).lend(&mut knows);
    assert_eq!(knows.get_envs().next(), None);
}
