//! Files that cannot be used: refused all together, or dropped and told.

use crate::{
    error::{Error, Result},
    event::{StageEvent, Tell},
    record::{ImageColumns, Photograph, PhotographColumns},
    settings::Unreadable,
    text::{count, first_lines},
};

/// Lines of an error: about a screenful.
const SHOWN: usize = 20;
/// Lines of a warning.
const WARNED: usize = 5;

/// An image, and why it cannot be used.
pub(super) struct Why {
    pub(super) image: usize,
    pub(super) why: String,
}

/// Judges the files that are no usable image, and the `lost` ones that could not even be read. Those could
/// be read when the data set was listed, so that what is wrong is a matter of the moment, and never dropped.
pub(super) fn refuse_or_warn(
    images: &ImageColumns,
    photographs: &PhotographColumns,
    lost: &[Why],
    unreadable: Unreadable,
    tell: Tell<'_>,
) -> Result<()> {
    let dropped = photographs.dropped().into_iter();
    let dropped = dropped.map(|(image, why)| Why {
        image,
        why: why.to_string(),
    });
    let dropped: Vec<_> = dropped.collect();
    let (bad, all) = (dropped.len() + lost.len(), images.len());
    let files = count(all, "file");
    if unreadable == Unreadable::Fail && bad > 0 {
        let text = format!("{bad} of {files} cannot be used:");
        let list = listed(images, lost.iter().chain(&dropped), SHOWN)?;
        return Err(Error::failed(text + &list).help(
            "remove or repair them, and run again; or set `unreadable = \"drop\"` in the preprocess stage to leave them out",
        ));
    }
    if !lost.is_empty() {
        let text = format!("{} of {files} cannot be read:", lost.len());
        return Err(Error::failed(text + &listed(images, lost, SHOWN)?).help(
            "make them readable, and run again: they could be read when the data set was listed",
        ));
    }
    if bad == all && all > 0 {
        let text = format!("none of the {files} can be used:");
        return Err(Error::failed(text + &listed(images, &dropped, SHOWN)?)
            .help("all of them would be dropped; is this the right data set?"));
    }
    if bad > 0 {
        let text = format!("dropped {bad} of {files}: what is dropped belongs to no part:");
        tell(StageEvent::Warning(
            text + &listed(images, &dropped, WARNED)?,
        ));
    }
    Ok(())
}

/// A line for each of the first ones, and how many more.
fn listed<'a>(
    images: &ImageColumns,
    of: impl IntoIterator<Item = &'a Why>,
    shown: usize,
) -> Result<String> {
    let mut of: Vec<_> = of.into_iter().collect();
    of.sort_by_key(|why| why.image);
    // The others are counted alone.
    let mut paths = Vec::with_capacity(shown.min(of.len()));
    for why in of.iter().take(shown) {
        paths.push(images.path(why.image)?);
    }
    let lines = (0..of.len()).map(|i| match paths.get(i) {
        Some(path) => format!("`{path}`: {}", of[i].why),
        None => String::new(),
    });
    Ok(first_lines(lines, shown))
}

/// Adds to a photograph that its name promises another format. The name is no part of what makes a row, so that this is done
/// for rows from earlier packs too.
pub(super) fn misnamed(mut photograph: Photograph, path: &str) -> Photograph {
    photograph.odd.retain(|odd| !odd.starts_with("named ."));
    let extension = path.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    let promised = match extension.as_deref() {
        Some("jpg" | "jpeg" | "jpe" | "jfif") => "JPEG",
        Some("png" | "apng") => "PNG",
        Some("gif") => "GIF",
        Some("webp") => "WebP",
        Some("bmp" | "dib") => "BMP",
        Some("tif" | "tiff") => "TIFF",
        Some("ppm" | "pgm" | "pbm" | "pnm" | "pam") => "PNM",
        _ => return photograph,
    };
    if let (Some(extension), false) = (extension, photograph.format.is_empty())
        && promised != photograph.format
    {
        let odd = format!("named .{extension}, is {}", photograph.format);
        photograph.odd.push(odd);
    }
    photograph
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{
        digest::Digest,
        files::write_json,
        record::{Foreign, Image, Images, Unusable},
    };

    fn images(n: usize) -> ImageColumns {
        let image = |i| Image {
            path: format!("train/a/{i}.jpg"),
            digest: Digest::of(b""),
            bytes: 1,
            crop: None,
        };
        let images = (0..n).map(image).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(Images::FILE);
        write_json(&path, &Images { images }).unwrap();
        ImageColumns::read(&path, folder.path()).unwrap()
    }

    fn seen(dropped: usize, of: usize) -> PhotographColumns {
        let photograph = |i| Photograph {
            dropped: (i < dropped).then_some(Unusable::Is(Foreign::Html)),
            ..Photograph::default()
        };
        let mut columns = PhotographColumns::default();
        (0..of).for_each(|i| columns.push(&photograph(i)));
        columns
    }

    #[test]
    fn a_screenful_is_listed_with_a_count_and_the_way_out() {
        let told =
            refuse_or_warn(&images(40), &seen(30, 40), &[], Unreadable::Fail, &|_| {}).unwrap_err();
        let text = told.to_string();
        assert!(text.starts_with(
            "30 of 40 files cannot be used:\n  `train/a/0.jpg`: an HTML page, not an image\n"
        ));
        assert!(
            text.ends_with("`train/a/19.jpg`: an HTML page, not an image\n  … and 10 more"),
            "{text}"
        );
        assert!(told.help_text().unwrap().contains("unreadable = \"drop\""));
    }

    #[test]
    fn dropping_warns_but_not_of_everything_and_not_of_what_cannot_be_read() {
        let warnings = Mutex::new(Vec::new());
        let judge = |dropped, lost: &[Why]| {
            let tell = |event| warnings.lock().unwrap().push(format!("{event:?}"));
            refuse_or_warn(&images(9), &seen(dropped, 9), lost, Unreadable::Drop, &tell)
        };
        judge(0, &[]).unwrap();
        assert!(warnings.lock().unwrap().is_empty());
        judge(7, &[]).unwrap();
        let warned = warnings.lock().unwrap().concat();
        assert!(warned.contains("dropped 7 of 9 files") && warned.contains("and 2 more"));
        let none = judge(9, &[]).unwrap_err().to_string();
        assert!(
            none.starts_with("none of the 9 files can be used"),
            "{none}"
        );
        let why = "permission denied".to_owned();
        let lost = judge(0, &[Why { image: 3, why }]).unwrap_err().to_string();
        assert!(
            lost.contains("`train/a/3.jpg`: permission denied"),
            "{lost}"
        );
    }

    #[test]
    fn a_wrong_extension_is_told_by_the_name_at_hand() {
        let webp = Photograph {
            format: "WebP".to_owned(),
            odd: vec!["transparent".to_owned(), "named .png, is WebP".to_owned()],
            ..Photograph::default()
        };
        let odd = |path| misnamed(webp.clone(), path).odd;
        assert_eq!(odd("a/1.JPG"), ["transparent", "named .jpg, is WebP"]);
        assert_eq!(odd("a/1.webp"), ["transparent"]);
        assert_eq!(odd("a.jpg/1"), ["transparent"]);
    }
}
