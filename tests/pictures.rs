//! Pictures of every kind: which way is up, which encodings are taken, what is compared, and going on after an interruption.

mod formats;

use std::{fs, io::Cursor, path::PathBuf};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, imageops};

use kfood::{
    files::read_json,
    record::{LookAlikes, Photograph, Photographs},
};

use crate::{jpegs::Jpeg, support::Project};

/// The file of that name of the newest result that has one.
fn newest(project: &Project, name: &str) -> PathBuf {
    let entries = fs::read_dir(project.path("cache/entries")).unwrap();
    let found = entries.flatten().flat_map(|entry| {
        let outs = fs::read_dir(entry.path()).unwrap().flatten();
        outs.map(|out| out.path().join(name))
    });
    let found = found.filter(|path| path.is_file());
    found
        .max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap())
        .unwrap()
}

/// What was seen of each file by the newest preprocess stage.
fn photographs(project: &Project) -> Vec<Photograph> {
    let seen: Photographs = read_json(&newest(project, "photographs.json")).unwrap();
    seen.photographs
}

fn written(image: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let image = DynamicImage::ImageRgb8(image.clone());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn put(project: &Project, name: &str, bytes: &[u8]) {
    let path = project.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A directory with one tag of type LONG: an orientation of 6.
const TURNED: &[u8] = b"II*\0\x08\0\0\0\x01\0\x12\x01\x04\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
const XMP: &[u8] = br#"<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>"#;

fn jpeg_with(bytes: &[u8], body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u16 + 2).to_be_bytes();
    [&bytes[..2], &[0xff, 0xe1], &length, body, &bytes[2..]].concat()
}

fn png_with(bytes: &[u8], kind: &[u8], body: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(kind);
    sum.update(body);
    let (length, sum) = ((body.len() as u32).to_be_bytes(), sum.sum().to_be_bytes());
    // Behind the header, which is 25 bytes.
    [&bytes[..33], &length, kind, body, &sum, &bytes[33..]].concat()
}

fn webp_with(bytes: &[u8], kind: &[u8], body: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8], body: &[u8]| {
        let length = (body.len() as u32).to_le_bytes();
        let padding: &[u8] = if body.len().is_multiple_of(2) {
            &[]
        } else {
            &[0]
        };
        [kind, &length, body, padding].concat()
    };
    let announced = if kind == b"EXIF" { 8 } else { 4 };
    let flags = [announced, 0, 0, 0, 59, 0, 0, 39, 0, 0];
    let chunks = [
        b"WEBP".to_vec(),
        chunk(b"VP8X", &flags),
        bytes[12..].to_vec(),
        chunk(kind, body),
    ]
    .concat();
    chunk(b"RIFF", &chunks)
}

#[test]
fn a_picture_that_lies_on_its_side_is_turned_whatever_says_so() {
    let project = Project::new();
    let image = RgbImage::from_fn(60, 40, |x, y| Rgb([x as u8 * 4, y as u8 * 6, 90]));
    let [jpeg, png, webp] = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP]
        .map(|format| written(&image, format));
    let exif = [b"Exif\0\0", TURNED].concat();
    let hex: String = exif.iter().map(|byte| format!("{byte:02x}")).collect();
    let raw = format!("\nexif\n{:8}\n{hex}\n", exif.len());
    let mut packed = flate2::read::ZlibEncoder::new(raw.as_bytes(), flate2::Compression::new(6));
    let mut ztxt = b"Raw profile type exif\0\0".to_vec();
    std::io::copy(&mut packed, &mut ztxt).unwrap();
    let itxt = [b"XML:com.adobe.xmp\0\0\0\0\0", XMP].concat();
    let app1 = [b"http://ns.adobe.com/xap/1.0/\0", XMP].concat();
    let files = [
        ("long.jpg", jpeg_with(&jpeg, &exif)),
        ("xmp.jpg", jpeg_with(&jpeg, &app1)),
        ("exif.webp", webp_with(&webp, b"EXIF", TURNED)),
        ("prefixed.webp", webp_with(&webp, b"EXIF", &exif)),
        ("xmp.webp", webp_with(&webp, b"XMP ", XMP)),
        ("exif.png", png_with(&png, b"eXIf", TURNED)),
        ("ztxt.png", png_with(&png, b"zTXt", &ztxt)),
        ("xmp.png", png_with(&png, b"iTXt", &itxt)),
    ];
    for (name, bytes) in &files {
        put(&project, &format!("data/a/{name}"), bytes);
    }
    put(&project, "data/b/upright.png", &png);
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\ntrain = \"data\"\n\n[preprocess.x]\ndataset = \"d\"\nresize = { width = 8, height = 8 }\n",
    );
    project.ok(&["run", "pipelines/p.toml"]);
    let seen = photographs(&project);
    assert_eq!(seen.len(), files.len() + 1);
    for (photograph, mut name) in seen.iter().zip({
        let mut names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.push("upright.png");
        names
    }) {
        let sides = (photograph.width, photograph.height);
        if name == "upright.png" {
            assert_eq!(sides, (60, 40));
            continue;
        }
        assert_eq!(sides, (40, 60), "{name}: {photograph:?}");
        name = if name.starts_with("xmp") {
            "XMP"
        } else {
            "EXIF"
        };
        assert_eq!(photograph.odd[0], format!("turned by {name}"));
    }
}

#[test]
fn a_tiff_with_a_palette_or_of_floats_is_taken_and_what_nobody_can_read_is_told() {
    let project = Project::new();
    // Two pixels beside each other, with as many bits a sample; behind the directory come the colours, then the pixels.
    let tiff = |bits: u16, photometric: u16, format: u16, pixels: &[u8], colours: &[u16]| {
        let mut bytes = b"II*\0\x08\0\0\0\x0a\0".to_vec();
        let map = 8 + 2 + 10 * 12 + 4;
        let at = map + 2 * colours.len() as u32;
        for (tag, kind, count, value) in [
            (256, 3, 1, 2),
            (257, 3, 1, 1),
            (258, 3, 1, bits.into()),
            (259, 3, 1, 1),
            (262, 3, 1, photometric.into()),
            (273, 4, 1, at),
            (278, 3, 1, 1),
            (279, 4, 1, pixels.len() as u32),
            (320, 3, colours.len() as u32, map),
            (339, 3, 1, format.into()),
        ] {
            let (tag, kind): (u16, u16) = (tag, kind);
            bytes.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
            bytes.extend([u32::to_le_bytes(count), u32::to_le_bytes(value)].concat());
        }
        bytes.extend([0; 4]);
        bytes.extend(colours.iter().flat_map(|colour| colour.to_le_bytes()));
        [bytes.as_slice(), pixels].concat()
    };
    let mut colours = [0_u16; 48];
    for (index, rgb) in [(3, [65535, 0, 257 * 100]), (12, [0, 257 * 200, 0])] {
        for (channel, value) in rgb.into_iter().enumerate() {
            colours[channel * 16 + index] = value;
        }
    }
    let float = |values: [f32; 2]| {
        let pixels = values.map(f32::to_le_bytes).concat();
        tiff(32, 1, 3, &pixels, &[0; 3])
    };
    put(
        &project,
        "data/a/palette.tif",
        &tiff(4, 3, 1, &[0x3c], &colours),
    );
    put(&project, "data/a/share.tif", &float([0.0, 1.0]));
    put(&project, "data/b/bytes.tif", &float([7.0, 255.0]));
    put(&project, "data/b/odd.tif", &float([0.0, 3.5]));
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\ntrain = \"data\"\n\n[preprocess.x]\ndataset = \"d\"\nresize = { width = 2, height = 1 }\nunreadable = \"drop\"\n",
    );
    project.ok(&["run", "pipelines/p.toml"]);
    let seen = photographs(&project);
    assert_eq!(seen[0].odd, ["palette"]);
    assert_eq!(seen[1].odd, ["floats", "grey"]);
    let why = seen[3].dropped.as_ref().unwrap().to_string();
    assert!(why.contains("floats from 0 to 3.5"), "{why}");
    let pack = kfood::data::Pack::open(&newest(&project, "pixels.pack")).unwrap();
    let row = |i| pack.row(i).unwrap().to_vec();
    assert_eq!(row(0), [255, 0, 100, 0, 200, 0]);
    assert_eq!(row(1), [0, 0, 0, 255, 255, 255]);
    assert_eq!(row(2), [7, 7, 7, 255, 255, 255]);
}

/// Blobs of a few sizes, so that no part of it looks like another.
fn scene(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (f64::from(x), f64::from(y));
        let wave = |a: f64, b: f64, c: f64| (x / a + y / b + c).sin() * (y / a - x / b).cos();
        let value = |c: f64| {
            let sum = wave(13.0, 29.0, c) + wave(7.0, 11.0, 2.0 * c) + wave(31.0, 5.0, c + 1.0);
            (128.0 + 40.0 * sum) as u8
        };
        Rgb([value(1.2), value(1.3), value(1.4)])
    })
}

fn pairs(project: &Project, preprocess: &str) -> Vec<(u32, u32)> {
    project.write(
        "pipelines/p.toml",
        &format!("[dataset.d]\ntrain = \"data\"\n\n[preprocess.x]\ndataset = \"d\"\n{preprocess}"),
    );
    project.ok(&["run", "pipelines/p.toml"]);
    let alike: LookAlikes = read_json(&newest(project, "look_alikes.json")).unwrap();
    alike.pairs.iter().map(|pair| (pair.a, pair.b)).collect()
}

/// Sides of which no half, quarter or eighth is whole.
fn odd_scene() -> Jpeg {
    Jpeg::new(&scene(207, 157))
}

#[test]
fn a_progressive_photograph_gives_the_rows_of_the_plain_one() {
    let project = Project::new();
    let photograph = odd_scene();
    put(&project, "data/a/plain.jpg", &photograph.plain());
    put(
        &project,
        "data/b/progressive.jpg",
        &photograph.progressive(),
    );
    let mut seen = Vec::new();
    for resize in [
        "{ width = 96, height = 96 }",
        "{ width = 24, height = 16 }",
        "{ short_side = 40, crop = 16 }",
    ] {
        for quality in ["fast", "exact"] {
            project.write(
                "pipelines/p.toml",
                &format!("[dataset.d]\ntrain = \"data\"\n\n[preprocess.x]\ndataset = \"d\"\nresize = {resize}\nquality = \"{quality}\"\n"),
            );
            let ran = project.ok(&["run", "pipelines/p.toml"]);
            let pack = kfood::data::Pack::open(&newest(&project, "pixels.pack")).unwrap();
            let [plain, progressive] = [0, 1].map(|i| pack.row(i).unwrap().to_vec());
            assert!(plain == progressive, "{resize}, {quality}: {}", ran.stderr);
            assert!(!seen.contains(&plain), "{resize}, {quality}");
            seen.push(plain);
            let alike: LookAlikes = read_json(&newest(&project, "look_alikes.json")).unwrap();
            assert_eq!(alike.pairs.len(), 1, "{alike:?}");
        }
    }
    // The program is held against itself above, and against another decoder here.
    let [plain, progressive] = [photograph.plain(), photograph.progressive()].map(|bytes| {
        let decoded = image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg).unwrap();
        decoded.into_rgb8()
    });
    assert!(plain == progressive);
    let far = |(a, b): (&u8, &u8)| f64::from(a.abs_diff(*b)).powi(2);
    let whole = scene(207, 157);
    let squares: f64 = whole.iter().zip(plain.iter()).map(far).sum();
    assert!(squares / (whole.len() as f64) < 60.0, "{squares}");
}

#[test]
fn a_progressive_photograph_that_is_cut_off_is_treated_as_unreadable_says() {
    let project = Project::new();
    let bytes = odd_scene().progressive();
    put(&project, "data/a/whole.jpg", &bytes);
    let scans: Vec<usize> = (0..bytes.len())
        .filter(|at| bytes[*at..].starts_with(&[0xff, 0xda]))
        .collect();
    let all_but_the_end = bytes.len() - 2;
    for (name, length) in [
        ("all_but_the_end", all_but_the_end),
        ("before_the_last_scan", scans[9]),
        ("before_the_second_scan", scans[1]),
        ("within_a_scans_head", scans[5] + 5),
        ("within_the_fifth_scan", (scans[4] + scans[5]) / 2),
        ("within_the_last_scan", bytes.len() - 100),
    ] {
        put(&project, &format!("data/b/{name}.jpg"), &bytes[..length]);
    }
    for quality in ["fast", "exact"] {
        let text = |unreadable| {
            format!(
                "[dataset.d]\ntrain = \"data\"\n\n[preprocess.x]\ndataset = \"d\"\nresize = {{ width = 24, height = 24 }}\nquality = \"{quality}\"\nunreadable = \"{unreadable}\"\n"
            )
        };
        project.write("pipelines/p.toml", &text("fail"));
        let failed = project.fails(1, &["run", "pipelines/p.toml"]).stderr;
        assert!(failed.contains("5 of 7 files cannot be used"), "{failed}");
        project.write("pipelines/p.toml", &text("drop"));
        let dropped = project.ok(&["run", "pipelines/p.toml"]).stderr;
        for said in [
            "before_the_last_scan.jpg`: cut off: the file ends before the image does",
            "before_the_second_scan.jpg`: cut off: the file ends before the image does",
            "within_a_scans_head.jpg`: cut off",
            "within_the_fifth_scan.jpg`: cut off",
            "within_the_last_scan.jpg`: cut off after ",
        ] {
            assert!(failed.contains(said), "{failed}");
            assert!(dropped.contains(said), "{dropped}");
        }
        let seen = photographs(&project);
        let seen: Vec<bool> = seen.iter().map(|one| one.dropped.is_none()).collect();
        assert_eq!(seen, [true, true, false, false, false, false, false]);
    }
}

#[test]
fn no_cut_of_a_progressive_photograph_is_taken_for_all_of_it() {
    let bytes = Jpeg::new(&scene(60, 44)).progressive();
    let first = bytes.windows(2).position(|two| two == [0xff, 0xda]);
    let all_but_the_end = bytes.len() - 2;
    let whole = kfood::data::decode(&bytes).unwrap();
    for length in first.unwrap()..all_but_the_end {
        // Of the last bytes, which are the lowest bits of the last blocks, nothing may be missed.
        if let Ok(cut) = kfood::data::decode(&bytes[..length]) {
            let far = cut.iter().zip(whole.iter()).map(|(a, b)| a.abs_diff(*b));
            let place = format!("{length} of {}", bytes.len());
            assert!(all_but_the_end - length < 20, "{place}");
            assert!(far.max() <= Some(8), "{place}");
        }
    }
    assert_eq!(kfood::data::decode(&bytes[..all_but_the_end]), Ok(whole));
}

#[test]
fn photographs_are_compared_and_not_what_a_row_shows_of_them() {
    let project = Project::new();
    let image = scene(240, 160);
    let cut = imageops::crop_imm(&image, 0, 0, 230, 160).to_image();
    put(&project, "data/a/0.png", &written(&image, ImageFormat::Png));
    put(&project, "data/a/1.jpg", &written(&cut, ImageFormat::Jpeg));
    put(
        &project,
        "data/b/2.png",
        &written(&scene(160, 240), ImageFormat::Png),
    );
    let whole = pairs(&project, "resize = { width = 64, height = 64 }\n");
    assert_eq!(whole, [(0, 1)]);
    for preprocess in [
        "resize = { short_side = 72, crop = 64 }\n",
        "resize = { short_side = 72, crop = 64 }\nquality = \"exact\"\n",
        "resize = { short_side = 40, crop = 16 }\n",
        "resize = { width = 64, height = 64, fit = \"crop\" }\n",
        "resize = { width = 20, height = 90, fit = \"crop\" }\nstorage = \"jpeg\"\n",
    ] {
        assert_eq!(pairs(&project, preprocess), whole, "{preprocess}");
    }
}

#[test]
fn an_interrupted_preprocess_goes_on_from_its_rows_and_ends_as_an_unbroken_one() {
    for settings in [
        "resize = { width = 16, height = 16 }\n",
        "resize = { short_side = 20, crop = 16 }\nstorage = \"jpeg\"\n",
    ] {
        let project = Project::new();
        project.dishes("data/train", &["김밥", "비빔밥"], 6);
        // A file that is no image ends the stage once all others are done, and the folder of the attempt stays.
        project.write("data/train/김밥/broken.png", "<html>404");
        let text = |unreadable| {
            format!(
                "[dataset.d]\ntrain = \"data/train\"\n\n[preprocess.x]\ndataset = \"d\"\nunreadable = \"{unreadable}\"\n{settings}"
            )
        };
        project.write("pipelines/p.toml", &text("drop"));
        project.ok(&["run", "pipelines/p.toml"]);
        let files = ["pixels.pack", "photographs.json", "look_alikes.json"];
        let results = || files.map(|name| fs::read(newest(&project, name)).unwrap());
        let unbroken = results();

        for damaged in [false, true] {
            fs::remove_dir_all(project.path("cache")).unwrap();
            project.write("pipelines/p.toml", &text("fail"));
            project.fails(1, &["run", "pipelines/p.toml"]);
            let planned = project.kfood(&["plan", "pipelines/p.toml"]);
            let said = "goes on from 13 of 13 images";
            assert!(planned.stdout.contains(said), "{}", planned.stdout);
            if damaged {
                damage(&project);
            }
            let again = project.fails(1, &["run", "pipelines/p.toml"]);
            let went_on = again
                .stderr
                .contains(&format!("{said} of an interrupted run"));
            assert_eq!(went_on, !damaged, "{}", again.stderr);
            // Rows are made of photographs: what becomes of unreadable files is no part of them.
            project.write("pipelines/p.toml", &text("drop"));
            let dropped = project.ok(&["run", "pipelines/p.toml"]);
            assert!(dropped.stderr.contains(said), "{}", dropped.stderr);
            assert!(results() == unbroken, "{settings}, damaged: {damaged}");
        }
    }
}

/// Changes a byte here and there in what an unfinished attempt left, and cuts its journal.
fn damage(project: &Project) {
    let attempt = fs::read_dir(project.path("cache/attempts")).unwrap();
    let rows = attempt.flatten().next().unwrap().path().join("state/rows");
    for file in fs::read_dir(rows).unwrap().flatten() {
        let mut bytes = fs::read(file.path()).unwrap();
        if file.file_name() == "journal" {
            bytes.truncate(bytes.len() * 2 / 3);
        } else {
            bytes.iter_mut().step_by(3000).for_each(|byte| *byte ^= 4);
        }
        fs::write(file.path(), bytes).unwrap();
    }
}
