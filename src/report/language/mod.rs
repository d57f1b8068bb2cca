//! Documents in other languages than the one they are written in.
//!
//! Sections and `words` write English. What a person reads of a document is looked up in a catalogue of sentences beside this file, in
//! which what varies stands as `{x}`; a sentence that is not in it stays as it is, and names are never touched.

mod catalogue;

use std::{borrow::Cow, collections::BTreeMap, fmt::Display, sync::LazyLock};

use super::{Axis, Block, Column, Curve, Document, Drawing, Grid, Series, Shot, Text};
use catalogue::Catalogue;

/// In which language a document is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// As it is written.
    #[default]
    English,
    /// With the sentences of `korean.txt`.
    Korean,
}

static KOREAN: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::read(include_str!("korean.txt")));

impl Language {
    /// As HTML names it.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Korean => "ko",
        }
    }

    fn catalogue(self) -> Option<&'static Catalogue> {
        match self {
            Self::English => None,
            Self::Korean => Some(&KOREAN),
        }
    }

    /// What a page says by itself, and its translation.
    pub(super) fn words(self) -> BTreeMap<&'static str, &'static str> {
        self.catalogue()
            .map_or_else(BTreeMap::new, Catalogue::plain)
    }

    /// A sentence of a document, as far as it is known.
    pub(super) fn said(self, english: &str) -> String {
        let found = self.catalogue().and_then(|known| known.sentence(english));
        found.unwrap_or_else(|| english.to_owned())
    }

    /// What a table without a title is called.
    pub(super) fn table(self, number: impl Display) -> String {
        self.word("Table {n}").replace("{n}", &number.to_string())
    }

    /// One sentence of a page's own.
    pub(super) fn word(self, english: &'static str) -> &'static str {
        let found = self
            .catalogue()
            .and_then(|known| known.plain().get(english).copied());
        found.unwrap_or(english)
    }
}

impl Document {
    /// The same in another language, as far as its sentences are known there.
    #[must_use]
    pub fn in_language(self, language: Language) -> Self {
        let Some(known) = language.catalogue() else {
            return self;
        };
        let mut translated = self;
        translated.language = language;
        for block in &mut translated.blocks {
            of_block(known, block);
        }
        translated
    }
}

fn of_block(known: &Catalogue, block: &mut Block) {
    match block {
        Block::Heading { text, .. }
        | Block::Paragraph(text)
        | Block::Warning(text)
        | Block::Picture { alt: text, .. } => of_text(known, text),
        Block::List(items) => items.iter_mut().for_each(|item| of_text(known, item)),
        Block::Table { grid, notes } => {
            of_grid(known, grid);
            notes.iter_mut().for_each(|note| of_text(known, note));
        }
        Block::Curve(curve) => of_curve(known, curve),
        Block::Bars { title, bars } => {
            of_text(known, title);
            bars.iter_mut().for_each(|(name, _)| of_string(known, name));
        }
        Block::Gallery(shots) => shots.iter_mut().for_each(|shot| of_shot(known, shot)),
        Block::Drawn(Drawing::Matrix(matrix)) => {
            let shots = matrix.cells.iter_mut().flat_map(|cell| &mut cell.shots);
            shots.for_each(|shot| of_shot(known, shot));
        }
        Block::Drawn(Drawing::Ranges(ranges)) => of_text(known, &mut ranges.title),
        Block::Drawn(Drawing::Scatter(scatter)) => {
            of_axis(known, &mut scatter.x);
            of_axis(known, &mut scatter.y);
        }
        Block::Drawn(Drawing::Parallel(parallel)) => {
            for axis in &mut parallel.axes {
                of_string(known, &mut axis.name);
            }
        }
        Block::Drawn(Drawing::Multiples(multiples)) => {
            for (name, curve) in &mut multiples.panels {
                of_string(known, name);
                of_curve(known, curve);
            }
        }
        Block::Drawn(Drawing::Flow(flow)) => {
            for node in &mut flow.nodes {
                of_string(known, &mut node.told);
            }
        }
        Block::Drawn(Drawing::Timeline(_)) | Block::Verbatim(_) => {}
    }
}

fn of_text(known: &Catalogue, text: &mut Text) {
    if let Some(found) = known.sentence(&text.in_backticks()) {
        *text = found.into();
    }
}

fn of_string(known: &Catalogue, text: &mut String) {
    if let Some(found) = known.sentence(text) {
        *text = found;
    }
}

fn of_shot(known: &Catalogue, shot: &mut Shot) {
    shot.caption
        .iter_mut()
        .for_each(|line| of_text(known, line));
}

fn of_axis(known: &Catalogue, axis: &mut Axis) {
    of_string(known, &mut axis.name);
}

fn of_curve(known: &Catalogue, curve: &mut Curve) {
    of_axis(known, &mut curve.x);
    of_axis(known, &mut curve.y);
    for Series { name, in_words, .. } in &mut curve.series {
        of_string(known, name);
        of_string(known, in_words);
    }
}

/// Heads, and of the cells what is no name.
fn of_grid(known: &Catalogue, grid: &mut Grid) {
    // Columns of parts, by their heads: elsewhere `test` may be the name of a class.
    let of_parts = |column: &Column| ["part", "on", "from", "to"].contains(&&*column.name);
    let of_parts: Vec<bool> = grid.columns.iter().map(of_parts).collect();
    for column in &mut grid.columns {
        of_string(known, &mut column.name);
        let meaning = column.meaning.as_ref().and_then(|m| known.sentence(m));
        if let Some(meaning) = meaning {
            column.meaning = Some(Cow::Owned(meaning));
        }
    }
    for row in &mut grid.rows {
        for (i, cell) in row.iter_mut().enumerate() {
            let part = of_parts.get(i).is_some_and(|is| *is);
            let found = if part {
                known.sentence(cell)
            } else {
                known.cell(cell)
            };
            if let Some(found) = found {
                *cell = found;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn korean(english: &str) -> String {
        let mut text = Text::from(english);
        of_text(&KOREAN, &mut text);
        text.in_backticks()
    }

    #[test]
    fn a_sentence_with_parts_is_told_in_korean() {
        assert_eq!(
            korean(
                "`baseline`: 24.5% on test (95% interval 20.1 to 29.5; 3 runs, 319 images): overfits by 20.8 points, and underfits."
            ),
            "`baseline`: 테스트 24.5% (95% 구간 20.1–29.5, 3회 실행, 이미지 319장): 20.8점만큼 과적합, 과소적합도 있음."
        );
        assert_eq!(
            korean(
                "The mean top-1 of 3 runs is 98.0% on train and 60.0% on validation, 38.0 percentage points (95% interval 30.1 to 45.9) \
                    apart: overfitting by that much, more than chance allows. The gap makes up most of the 40.0 points of error on validation."
            ),
            "3회 실행의 평균 top-1은 훈련 98.0%, 검증 60.0%로 차이는 38.0퍼센트포인트(95% 구간 30.1–45.9)입니다: 그만큼 과적합이며 우연의 범위를 \
             넘습니다. 검증 오차 40.0점의 대부분이 이 격차입니다."
        );
    }

    #[test]
    fn copies_in_two_parts_are_two_phrases() {
        assert_eq!(
            korean(
                "`a`: 9.0% on test (95% interval 1.0 to 29.5; 48 images): overfits by 4.0 points; 1 of 48 validation images is a copy of a training \
                 image; 2 of 48 test images are copies of training images."
            ),
            "`a`: 테스트 9.0% (95% 구간 1.0–29.5, 이미지 48장): 4.0점만큼 과적합; 검증 이미지 48장 중 1장이 훈련 이미지의 복사본; 테스트 이미지 48장 중 \
             2장이 훈련 이미지의 복사본."
        );
    }

    #[test]
    fn every_part_and_every_doubt_of_the_first_line_is_korean() {
        assert_eq!(
            korean(
                "`a`: 29.4% on test (95% interval 13.3 to 53.1; 2 runs, 17 images) beside 25.0% on validation (10.2 to 49.5) and 40.3% on train \
                 (28.5 to 53.3): underfits; no overfitting is shown on validation; undertrained, for validation still rises at the last \
                 epoch of 1 of 2 trainings; 11 of 17 test images are copies of training images; 1 further test image looks like \
                 training images; 2 to 3 further validation images look like training images."
            ),
            "`a`: 테스트 29.4% (95% 구간 13.3–53.1, 2회 실행, 이미지 17장), 검증 25.0% (10.2–49.5), 훈련 40.3% (28.5–53.3): 과소적합; 검증에서 과적합은 \
             보이지 않음; 훈련 부족: 훈련 2회 중 1회에서 마지막 에포크에도 검증이 오르는 중; 테스트 이미지 17장 중 11장이 훈련 이미지의 복사본; 테스트 \
             이미지 1장이 더 훈련 이미지와 닮음; 검증 이미지 2~3장이 더 훈련 이미지와 닮음."
        );
        assert_eq!(
            korean(
                "`a[seed=1]`: By the model's features (cosine of at least 0.9) 136 further validation images look like training images; \
                 `leaks.json` names them."
            ),
            "`a[seed=1]`: 모델의 특징으로 보면 (코사인 0.9 이상) 검증 이미지 136장이 더 훈련 이미지와 닮았습니다. `leaks.json`에 그 이름이 있습니다."
        );
    }

    #[test]
    fn a_sentence_of_two_halves_is_no_list_of_phrases() {
        assert_eq!(
            korean(
                "`kfood run p.toml` makes what is below again; `kfood run --locked` holds it against the lock file beside it."
            ),
            "`kfood run p.toml`(으)로 아래 것을 다시 만들고, `kfood run --locked`(으)로 옆의 잠금 파일과 견줍니다."
        );
    }

    #[test]
    fn the_first_screen_is_told_in_korean_and_leads_to_chapters_by_their_names() {
        assert_eq!(
            korean(
                "Wrong on test: 25 of 48 images in half of its 3 runs or more, by `result`: “Evaluation `result`”."
            ),
            "테스트 오답: `result`이(가) 이미지 48장 중 25장을 3회 실행의 절반 이상에서 틀립니다: “평가 `result`”."
        );
        assert_eq!(korean("Evaluation `result`"), "평가 `result`");
        let labels = korean("Labels that look wrong, by `labels`");
        let told = korean("7 of 39 labels look wrong: “Labels that look wrong, by `labels`”.");
        assert!(told.contains(&format!("“{labels}”")), "{told}");
        assert_eq!(
            Language::Korean.said("F1 over training images of 7 points"),
            "훈련 이미지에 대한 F1, 점 7개"
        );
    }

    #[test]
    fn names_are_never_touched() {
        let mut grid = Grid::of([Column::left("class")]);
        for name in ["test", "mean", "한식", "3 to 5", "no clear difference"] {
            grid.rows.push(vec![name.to_owned()]);
        }
        of_grid(&KOREAN, &mut grid);
        assert_eq!(grid.columns[0].name, "클래스");
        let cells: Vec<_> = grid.rows.concat();
        assert_eq!(
            cells,
            ["test", "mean", "한식", "3 to 5", "뚜렷한 차이 없음"]
        );
        let mut grid = Grid::of(["part", "top-1"].map(Column::left));
        for name in ["test", "validation (41)"] {
            grid.rows
                .push(vec![name.to_owned(), "80.0% (65.2 to 89.5)".to_owned()]);
        }
        of_grid(&KOREAN, &mut grid);
        let cells: Vec<_> = grid.rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(cells, ["테스트", "검증 (41)"]);
        assert_eq!(grid.rows[0][1], "80.0% (65.2~89.5)");
        assert_eq!(
            korean("`test` taken for 김밥: 3 of 40"),
            "`test` → 김밥: 40장 중 3장"
        );
    }

    #[test]
    fn a_list_that_was_cut_says_so_in_korean_wherever_the_rest_is() {
        for (rest, told) in [("", "… 외 2개"), (" in FILE", "… 외 2개 in FILE")] {
            let items = (1..=5).map(|i| i.to_string()).collect::<Vec<_>>();
            let mut list = Block::first_of(items.into_iter(), 3, rest);
            of_block(&KOREAN, &mut list);
            let Block::List(items) = list else {
                unreachable!("a list stays one")
            };
            assert_eq!(items[3].in_backticks(), told);
        }
    }

    #[test]
    fn what_is_not_known_stays_as_it_is() {
        assert_eq!(korean("A sentence of tomorrow."), "A sentence of tomorrow.");
    }
}
