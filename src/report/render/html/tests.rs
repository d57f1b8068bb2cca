use super::*;
use crate::report::{Align, Cell, Column, Drawing, Grid, Matrix, Shot};

fn photograph(path: &str) -> Photograph {
    Photograph {
        dataset: "kfood".to_owned(),
        data: "pixels".to_owned(),
        path: path.to_owned(),
    }
}

fn page(blocks: Vec<Block>, pictures: &Pictures) -> String {
    Document::new(blocks).html(pictures).unwrap()
}

#[test]
fn the_library_is_the_one_that_its_recipe_makes() {
    // `npm ci && npm run build` in `charts/` makes it anew; a change of it is seen here.
    assert!(LIBRARY.starts_with("/*! Apache ECharts 6.1.0, Apache-2.0"));
    let recipe = include_str!("charts/package.json");
    assert!(recipe.contains(r#""echarts": "6.1.0""#));
    assert_eq!(
        blake3::hash(LIBRARY.as_bytes()).to_string(),
        "2cf04ee5763990a5a7d930a608a2d25478cda1d2b2a8b8a795c6f87de97c8af3"
    );
}

#[test]
fn a_page_fetches_nothing_and_evaluates_nothing() {
    let html = page(vec![Block::paragraph("nothing")], &Pictures::default());
    let policy = html
        .split("Content-Security-Policy\" content=\"")
        .nth(1)
        .unwrap();
    let policy = &policy[..policy.find("\">").unwrap()];
    assert!(policy.starts_with("default-src &#39;none&#39;"), "{policy}");
    assert!(
        !policy.contains("eval") && !policy.contains("http"),
        "{policy}"
    );
    for fetched in ["src=\"http", "href=\"http", "@import", "url("] {
        assert!(!html.contains(fetched), "{fetched}");
    }
}

#[test]
fn a_name_is_text_wherever_it_stands() {
    let evil = "</script><img src=x onerror=alert(1)>";
    let mut grid = Grid::new(&[("class", Align::Left)]);
    grid.rows.push(vec![evil.to_owned()]);
    let shot = Shot {
        photograph: photograph(evil),
        caption: vec![evil.into()],
        beside: None,
        guess: None,
    };
    let cell = Cell {
        label: 0,
        predicted: 0,
        count: 1,
        images: 1,
        shots: vec![shot.clone()],
    };
    let blocks = vec![
        Block::heading(1, evil),
        Block::table(grid),
        Block::Gallery(vec![shot]),
        Block::Drawn(Drawing::Matrix(Matrix {
            classes: vec![evil.to_owned()],
            order: vec![0],
            runs: 1,
            cells: vec![cell],
        })),
    ];
    let html = page(blocks, &Pictures::default());
    assert!(!html.contains("<img src=x"));
    // Three of data, two that run.
    assert_eq!(html.matches("</script>").count(), 5);
}

#[test]
fn a_photograph_that_is_shown_twice_is_there_once() {
    let shot = Shot {
        photograph: photograph("test/김밥/1.jpg"),
        caption: vec!["김밥".into()],
        beside: None,
        guess: None,
    };
    let thumbnail = Thumbnail {
        jpeg: b"JPEG".to_vec(),
        from_pack: false,
    };
    let pictures = Pictures {
        thumbnails: [(shot.photograph.clone(), thumbnail)].into(),
        evidence: Evidence::new(),
    };
    let gallery = || Block::Gallery(vec![shot.clone()]);
    let html = page(vec![gallery(), gallery()], &pictures);
    assert_eq!(html.matches("data:image/jpeg;base64,SlBFRw==").count(), 1);
    assert_eq!(html.matches("data-picture=\"1\"").count(), 2);
}

#[test]
fn where_there_is_little_room_each_cell_stands_behind_the_name_of_its_column() {
    let mut grid = Grid::of([
        Column::left("on").heading(),
        Column::left("verdict"),
        Column::right("p"),
    ]);
    grid.rows
        .push(["test", "none", "-"].map(str::to_owned).to_vec());
    let html = page(vec![Block::table(grid)], &Pictures::default());
    assert!(html.contains("<div class=\"table stacked\""), "{html}");
    let row = "<tr><td class=\"head\">test</td><td data-label=\"verdict\">none</td><td class=\"right\" data-label=\"p\">-</td></tr>";
    assert!(html.contains(row), "{html}");
    let plain = page(
        vec![Block::table(Grid::new(&[("class", Align::Left)]))],
        &Pictures::default(),
    );
    assert!(!plain.contains("table stacked\""));
}

#[test]
fn nothing_but_the_page_scrolls_from_above_to_below() {
    for caught in ["max-height", "overflow: auto", "overflow-y"] {
        assert!(!STYLE.contains(caught), "{caught}");
    }
    // Of the charts' library: it keeps the wheel for itself unless it is told not to.
    let zooms: Vec<&str> = SCRIPT
        .lines()
        .filter(|l| l.contains("\"inside\""))
        .collect();
    assert!(
        zooms.iter().all(|line| line.contains("disabled: true")),
        "{zooms:?}"
    );
}

#[test]
fn pictures_that_are_held_against_each_other_stand_in_one_figure() {
    let pair = Shot {
        photograph: photograph("train/a.jpg"),
        beside: Some(photograph("test/b.jpg")),
        caption: vec!["1: equal bytes".into()],
        guess: None,
    };
    let html = page(
        vec![Block::Gallery(vec![pair.clone()])],
        &Pictures::default(),
    );
    let figure = html.split("<figure class=\"pair\">").nth(1).unwrap();
    let figure = &figure[..figure.find("</figure>").unwrap()];
    assert_eq!(figure.matches("<img data-picture=").count(), 2, "{figure}");
    assert!(figure.contains("alt=\"train/a.jpg\"") && figure.contains("alt=\"test/b.jpg\""));
    let told = Document::new(vec![Block::Gallery(vec![pair])]).markdown();
    assert_eq!(told, "- `train/a.jpg` and `test/b.jpg`: 1: equal bytes\n");
}

#[test]
fn a_long_name_may_be_broken_behind_its_commas_and_before_its_bracket_and_a_sentence_at_its_blanks()
{
    let parts = pieces::breakable("net[optimizer.sgd.lr=0.1,seed=3], and 33,593 [low, high]");
    assert_eq!(
        parts,
        [
            "net",
            "[optimizer.sgd.lr=0.1,",
            "seed=3], and 33,593 [low, high]"
        ]
    );
    assert_eq!(pieces::breakable("b\\x1b[31m"), ["b\\x1b[31m"]);
    assert_eq!(pieces::breakable(""), [""]);
}
