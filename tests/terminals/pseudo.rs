//! Runs in a pseudo-terminal, whose bytes an emulator turns into what is on the screen.

use std::{
    fs::File,
    io::{Read, Write},
    os::unix::{ffi::OsStrExt, fs::OpenOptionsExt},
    path::Path,
    process::{Child, Command},
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use crate::{
    commands::{FILE, small},
    support::Project,
};

const ROWS: u16 = 80;

/// What was on the screen: after each piece that the program wrote, and at last.
struct Seen {
    screens: Vec<String>,
    last: String,
    /// The rows of the last one.
    rows: Vec<String>,
}

/// Starts a command in a terminal that is that of a session of its own, as a keyboard's is: Ctrl-C reaches it. Nobody here holds the terminal
/// open for it.
fn started(project: &Project, args: &[&str], terminal: File) -> Child {
    let own = project.command(args);
    let mut command = Command::new("setsid");
    command
        .args(["--ctty", "--wait"])
        .arg(own.get_program())
        .args(own.get_args());
    command.current_dir(own.get_current_dir().unwrap());
    for (name, value) in own.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
        .env("TERM", "xterm-256color")
        .env("LC_ALL", "C.UTF-8")
        .stdin(terminal.try_clone().unwrap())
        .stdout(terminal.try_clone().unwrap())
        .stderr(terminal)
        .spawn()
        .unwrap()
}

/// Runs a command in a terminal so many columns wide, which must never have to break a line.
fn run(project: &Project, columns: u16, args: &[&str]) -> Seen {
    run_until(project, columns, args, &|_| false)
}

/// Likewise, and presses Ctrl-C once `enough` says so of the screen.
fn run_until(
    project: &Project,
    columns: u16,
    args: &[&str],
    enough: &dyn Fn(&str) -> bool,
) -> Seen {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let path = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    let terminal = File::options()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOCTTY)
        .open(path)
        .unwrap();
    let size = Winsize {
        ws_row: ROWS,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&terminal, size).unwrap();
    let mut child = started(project, args, terminal);
    let mut pressed = false;
    let mut parser = vt100::Parser::new(ROWS, columns, 0);
    let mut controller = File::from(controller);
    let (mut buffer, mut screens) = ([0; 4096], Vec::new());
    // Once the last one who could write is gone, reading is an error.
    while let Ok(n @ 1..) = controller.read(&mut buffer) {
        parser.process(&buffer[..n]);
        let screen = parser.screen();
        for row in 0..ROWS {
            // A line that is filled up with blanks goes on in the next row too, and nobody sees it.
            let last = screen.cell(row, columns - 1).unwrap();
            let broken = screen.row_wrapped(row) && !matches!(last.contents(), "" | " ");
            let text = screen.rows(0, columns).nth(row.into()).unwrap();
            // A path that is longer than a line stands in one of its own.
            let is_one_word = !text.trim().contains(' ');
            assert!(
                !broken || is_one_word,
                "{columns} columns, {args:?}: {text:?} goes on"
            );
        }
        screens.push(screen.contents());
        if !pressed && screens.last().is_some_and(|screen| enough(screen)) {
            controller.write_all(b"\x03").unwrap();
            pressed = true;
        }
    }
    let code = child.wait().unwrap().code();
    let expected = if pressed { 130 } else { 0 };
    assert_eq!(code, Some(expected), "{}", parser.screen().contents());
    let rows = parser.screen().rows(0, columns);
    Seen {
        rows: rows.map(|row| row.trim_end().to_owned()).collect(),
        last: parser.screen().contents(),
        screens,
    }
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn a_run_shows_how_far_it_is_and_never_more_than_fits() {
    let project = small();
    project.edit(FILE, "[train.net]", "[train.a_network_with_a_long_name]");
    project.edit(
        FILE,
        "from = [\"net\"]",
        "from = [\"a_network_with_a_long_name\"]",
    );
    project.edit(
        FILE,
        "arch = \"resnet18\"\nepochs = 2",
        "arch = \"resnet18\"\nepochs = 3",
    );
    for columns in [60, 80] {
        let force = if columns == 60 {
            "dishes"
        } else {
            "a_network_with_a_long_name"
        };
        let seen = run(&project, columns, &["run", FILE, "--force", force]);
        let count = |screen: &String, what: &str| screen.matches(what).count();
        // One line for the whole run, never twice, and gone at the end.
        let whole = |screen: &String| count(screen, " of 8 stages");
        assert!(seen.screens.iter().all(|screen| whole(screen) <= 1));
        // It is there from the first to the last time without a gap: nothing flickers.
        let there: Vec<_> = seen.screens.iter().map(|s| whole(s) == 1).collect();
        let first = there.iter().position(|there| *there).expect("the line");
        let last = there.iter().rposition(|there| *there).unwrap();
        let gone = there[first..=last].iter().position(|there| !there);
        let gone = gone.map(|at| &seen.screens[first + at]);
        assert!(last > first + 5 && gone.is_none(), "{there:?} {gone:?}");
        assert_eq!(whole(&seen.last), 0, "{}", seen.last);
        let course = |screen: &&String| screen.contains("loss ") && screen.contains("epoch 2/3");
        assert!(seen.screens.iter().any(|s| course(&s)), "{}", seen.last);
        assert!(seen.last.contains("✓ a_network_with"), "{}", seen.last);
        assert!(seen.last.contains("8 stages: "), "{}", seen.last);
        // What is not as wide as the results has them one below the other.
        assert!(seen.last.contains("  test top-1"), "{}", seen.last);
        let result = format!("{FILE}:result");
        for args in [
            &["mistakes", &result][..],
            &["show", &result],
            &["report", FILE],
            &["compare", FILE],
            &["data", FILE],
            &["explain", FILE, "result"],
        ] {
            run(&project, columns, args);
        }
    }
    let seen = run(&project, 80, &["run", FILE]);
    assert!(seen.last.contains("8 stages: 8 cached; "), "{}", seen.last);
    assert!(!seen.last.contains("✓"), "{}", seen.last);
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn ctrl_c_at_the_keyboard_leaves_no_line_behind_that_moved() {
    let project = small();
    project.edit(FILE, "epochs = 2", "epochs = 40");
    let seen = run_until(&project, 60, &["run", FILE], &|s| s.contains("epoch 2/40"));
    assert!(seen.last.contains("✗ net: interrupted"), "{}", seen.last);
    assert!(!seen.last.contains("^C"), "{}", seen.last);
    let moving = |row: &&String| row.contains("epoch ") || row.contains(" of 8 stages");
    let left: Vec<_> = seen.rows.iter().filter(moving).collect();
    assert!(left.is_empty(), "{left:#?} in {}", seen.last);
}

#[test]
fn tables_fit_a_terminal_of_60_and_of_80_columns() {
    let project = Project::with_dishes();
    let long = "a_split_of_the_dishes_that_has_a_rather_long_name";
    project.write(
        FILE,
        &super::NINE.replace("holdout", long).replace("8, 9", "8"),
    );
    project.ok(&["run", FILE]);
    for columns in [60, 80] {
        let plan = run(&project, columns, &["plan", FILE]).last;
        assert!(plan.contains("9 cached, 0 to run"), "{plan}");
        for args in [
            &["cache", "ls"][..],
            &["cache", "gc", "--dry-run"],
            &["cache", "verify"],
            &["runs", FILE],
            &["check", FILE],
            &["explain", FILE, "dishes"],
            &["graph", FILE],
            &["report", FILE],
            &["config"],
            &["fetch"],
            &["help"],
            &["help", "train"],
        ] {
            run(&project, columns, args);
        }
        let name = format!("first_{columns}");
        run(&project, columns, &["new", "data", "--name", &name]);
    }
}

#[test]
fn each_entry_of_a_list_below_a_stage_has_its_own_line() {
    let project = small();
    for i in 0..30 {
        let name = format!("data/train/김밥/a_broken_picture_with_a_long_name_{i:02}.png");
        project.write(&name, "no image");
    }
    project.edit(
        FILE,
        "resize = { width = 32, height = 32 }",
        "resize = { width = 32, height = 32 }\nunreadable = \"drop\"",
    );
    let rows = run(&project, 60, &["run", FILE, "pixels"]).rows;
    let named = |row: &&String| row.starts_with("  `train/김밥/a_broken");
    let names = rows.iter().filter(named).count();
    let rest = format!("  … and {} more", 30 - names);
    assert!(names > 2 && rows.contains(&rest), "{rows:#?}");
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn the_trainings_of_a_sweep_are_told_apart_in_sixty_columns() {
    let project = small();
    project.edit(FILE, "\"dataset\"\n\n[select", "\"dataset\"\nmatrix.seed = [1, 2]\nmatrix.augment.named = { none = [], turned = [{ random_horizontal_flip = 0.5 }] }\n\n[select");
    let seen = run(&project, 60, &["run", FILE, "best"]);
    for name in [
        "se…=1,au…=none",
        "se…=2,au…=none",
        "s…=1,a…=turned",
        "s…=2,a…=turned",
    ] {
        let line = format!("net[{name}]: epoch 1/2, loss");
        let mut screens = seen.screens.iter();
        assert!(screens.any(|s| s.contains(&line)), "{line}\n{}", seen.last);
    }
}
