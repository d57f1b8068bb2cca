use super::*;
use crate::report::{Align, Cell, Drawing, Grid, Matrix, Shot};

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
