//! The table of rooms as a picture, in `docs/contributing.md`.

use std::{collections::BTreeSet, env, fs, path::Path};

use super::{L0, MAY, allowed};

const PAGE: &str = "docs/contributing.md";
/// What stands around the picture on the page.
const BEGIN: &str = "<!-- rooms -->\n\n```text\n";
const END: &str = "\n```\n\n<!-- end -->";
/// What the rooms of [`L0`] are called together.
const GROUND: &str = "the ground floor";

/// All that a room may come to by imports of imports.
fn reached(room: &str) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let mut open = allowed(room).unwrap();
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(allowed(next).unwrap());
        }
    }
    found
}

/// The rooms above the ground floor that this one may import.
fn above_ground(room: &str) -> BTreeSet<&'static str> {
    let rooms = allowed(room).unwrap().into_iter();
    rooms.filter(|room| !L0.contains(room)).collect()
}

/// One more than the highest of what it may import; the ground floor is 0.
fn floor(room: &str) -> usize {
    let below = above_ground(room).into_iter();
    below.map(floor).max().unwrap_or(0) + 1
}

/// What a room may import: those that no other of them leads to, and what of the rest it may not.
fn arrow(room: &str) -> String {
    let may = above_ground(room);
    if !allowed(room).unwrap().iter().any(|to| L0.contains(to)) {
        return format!("{} alone", listed(may));
    }
    let led_to = |to: &&str| may.iter().any(|other| reached(other).contains(to));
    let first = listed(may.iter().copied().filter(|to| !led_to(to)));
    let not = listed(
        reached(room)
            .into_iter()
            .filter(|to| !L0.contains(to) && !may.contains(to)),
    );
    match (first.as_str(), not.as_str()) {
        ("", _) => GROUND.to_owned(),
        (first, "") => first.to_owned(),
        (first, not) => format!("{first}, not {not}"),
    }
}

fn listed(rooms: impl IntoIterator<Item = &'static str>) -> String {
    let rooms: Vec<_> = rooms.into_iter().collect();
    rooms.join(", ")
}

/// A line for each room, the highest floor first.
fn picture() -> String {
    let rooms = MAY.iter().map(|(room, _)| *room);
    let mut rooms: Vec<_> = rooms
        .filter(|room| !L0.contains(room))
        .map(|room| (floor(room), room))
        .collect();
    rooms.sort_by_key(|(floor, room)| (usize::MAX - floor, *room));
    let mut lines = vec!["floor  room      may import".to_owned()];
    let mut before = None;
    for (floor, room) in rooms {
        let number = match before {
            Some(before) if before == floor => String::new(),
            _ => floor.to_string(),
        };
        lines.push(format!("{number:>5}  {room:<8}  {}", arrow(room)));
        before = Some(floor);
    }
    lines.push(format!("    0  {}", listed(L0.iter().copied())));
    lines.join("\n")
}

#[test]
fn the_table_of_rooms_has_no_circle() {
    assert_no_circle();
}

fn assert_no_circle() {
    for (room, _) in MAY {
        assert!(
            !reached(room).contains(room),
            "`{room}` comes back to itself"
        );
    }
}

#[test]
fn the_picture_on_the_page_is_that_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    // In a circle there is no highest floor.
    assert_no_circle();
    let picture = picture();
    if env::var_os("KFOOD_WRITE_REFERENCE").is_some() {
        let page = format!("{before}{BEGIN}{picture}{END}{after}");
        return fs::write(&path, page).unwrap();
    }
    assert_eq!(
        found, picture,
        "Draw it anew: KFOOD_WRITE_REFERENCE=1 cargo test --release layering"
    );
}
