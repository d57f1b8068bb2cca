//! The images of a part that could be decoded.

use crate::{
    data::Pack,
    error::{Error, Result},
    record::Part,
    text::{either, shown},
};

/// Rows without the dropped ones.
#[derive(Debug)]
pub(crate) struct Usable {
    pub(crate) rows: Vec<usize>,
    /// How many are left out.
    pub(crate) dropped: u64,
    /// What is to be told: classes of which nothing is left.
    pub(crate) warning: Option<String>,
}

/// Leaves the dropped rows of a part out. `class_of` has the class of every row of the pack, as a place in `classes`.
///
/// # Errors
/// When nothing is left to train on of a class that the training part has images of. In other parts that is a warning, as for a
/// class of which they never had an image.
pub(crate) fn usable(
    pack: &Pack,
    part: Part,
    rows: Vec<usize>,
    class_of: &[usize],
    classes: &[String],
) -> Result<Usable> {
    let all = rows.len();
    let mut left = vec![0_usize; classes.len()];
    let mut gone = left.clone();
    let count = |counts: &mut Vec<usize>, row: usize| {
        // Labels beyond the classes are told elsewhere.
        if let Some(n) = class_of.get(row).and_then(|class| counts.get_mut(*class)) {
            *n += 1;
        }
    };
    let (dropped, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| pack.is_dropped(*row));
    rows.iter().for_each(|row| count(&mut left, *row));
    dropped.iter().for_each(|row| count(&mut gone, *row));
    let lost: Vec<_> = (0..classes.len())
        .filter(|class| left[*class] == 0 && gone[*class] > 0)
        .map(|class| format!("`{}` ({})", shown(&classes[class]), gone[class]))
        .collect();
    let warning = (!lost.is_empty()).then(|| {
        format!(
            "every image of {} in `{}` was dropped, for none of them can be decoded: {}",
            either(lost.len(), "a class", "some classes"),
            part.name(),
            lost.join(", ")
        )
    });
    if let (Some(lost), Part::Train) = (&warning, part) {
        return Err(Error::failed(lost.clone())
        .help("repair these files or take the class out of the data set; `photographs.json` of the preprocess stage has the reasons"));
    }
    Ok(Usable {
        dropped: (all - rows.len()) as u64,
        rows,
        warning,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{data::PackWriter, digest::Digest, settings::Storage};

    #[test]
    fn dropped_rows_are_left_out_and_a_class_lost_to_training_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pixels.pack");
        let made_of = vec![Digest::of(b""); 4];
        let writer = PackWriter::create(&path, 1, 1, Storage::Raw, made_of).unwrap();
        for row in [0, 1] {
            writer.write(row, &[1, 2, 3]).unwrap();
            writer.drop_row(row + 2).unwrap();
        }
        writer.finish().unwrap();
        let pack = Pack::open(&path).unwrap();
        let classes = ["김밥".to_owned(), "냉면".to_owned()];
        let of_part = |part, rows: &[usize], class_of: &[usize]| {
            usable(&pack, part, rows.to_vec(), class_of, &classes)
        };
        let of = |rows: &[usize], class_of: &[usize]| of_part(Part::Test, rows, class_of);
        let found = of(&[0, 1, 3], &[0, 1, 0, 1]).unwrap();
        assert_eq!((found.rows, found.dropped), (vec![0, 1], 1));
        // A class without any image in the part is nothing that was lost.
        assert_eq!(of(&[0], &[0, 1, 0, 1]).unwrap().dropped, 0);
        let (rows, class_of) = ([0, 2, 3], [0, 0, 1, 1]);
        let told = of(&rows, &class_of).unwrap().warning.unwrap();
        assert!(
            told.contains("every image of a class in `test`") && told.contains("`냉면` (2)"),
            "{told}"
        );
        let told = of_part(Part::Train, &rows, &class_of).unwrap_err();
        assert!(
            told.to_string()
                .contains("every image of a class in `train`")
        );
    }
}
