//! Formats of pictures: which are taken, and what is said of the others.

use image::{ImageFormat, Rgb, RgbImage};

use super::{photographs, put, scene, written};
use crate::support::Project;

const PIPELINE: &str = "[dataset.d]\ntrain = \"data\"\n\n[preprocess.x]\ndataset = \"d\"\nresize = { width = 2, height = 2 }\n";

#[test]
fn portable_maps_are_pictures_as_the_german_traffic_signs_have_them() {
    let project = Project::new();
    let red = RgbImage::from_pixel(2, 2, Rgb([255, 0, 0]));
    put(&project, "data/a/0.ppm", &written(&red, ImageFormat::Pnm));
    put(
        &project,
        "data/a/1.ppm",
        b"P3\n# by hand\n2 2\n255\n0 255 0  0 255 0  0 255 0  0 255 0\n",
    );
    put(&project, "data/b/0.pgm", b"P5 2 2 255\n\x40\x40\x40\x40");
    put(&project, "data/b/1.pbm", b"P1 2 2\n0 0\n0 0\n");
    project.write("pipelines/p.toml", PIPELINE);
    project.ok(&["run", "pipelines/p.toml"]);
    let seen = photographs(&project);
    let formats: Vec<_> = seen.iter().map(|p| p.format.as_str()).collect();
    assert_eq!(formats, ["PNM"; 4]);
    assert!(
        seen.iter()
            .all(|p| !p.odd.iter().any(|odd| odd.starts_with("named")))
    );
    let brightness: Vec<_> = seen.iter().map(|p| p.brightness.round()).collect();
    assert_eq!(brightness[2..], [64.0, 255.0], "{brightness:?}");

    put(&project, "data/a/2.ppm", b"P6 100000 100000 255\n");
    put(&project, "data/a/3.ppm", b"P6 2 2 255\n\0\0\0");
    let told = project.fails(1, &["run", "pipelines/p.toml"]).stderr;
    for part in [
        "2.ppm`: over the size limit of 200 megapixels",
        "3.ppm`: cut off: the file ends before the image does",
    ] {
        assert!(told.contains(part), "{part} in:\n{told}");
    }
}

#[test]
fn what_no_program_of_photographs_writes_is_called_by_its_name_with_a_way_out() {
    let project = Project::new();
    let jpeg = written(&scene(16, 16), ImageFormat::Jpeg);
    // A TIFF of one pixel, whose colours are stored otherwise.
    let mut tiff = written(
        &RgbImage::from_pixel(1, 1, Rgb([9, 9, 9])),
        ImageFormat::Tiff,
    );
    let tag = tiff
        .windows(4)
        .position(|w| w == [0x06, 0x01, 3, 0])
        .unwrap();
    tiff[tag + 8] = 8;
    put(&project, "data/a/0.jpg", &jpeg);
    put(&project, "data/a/lab.tif", &tiff);
    put(
        &project,
        "data/a/twice.jpg",
        &[&[0xff, 0xd8], jpeg.as_slice()].concat(),
    );
    put(
        &project,
        "data/b/0.ico",
        b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0",
    );
    put(&project, "data/b/0.dds", b"DDS \x7c\0\0\0");
    put(&project, "data/b/0.jxl", b"\xff\x0a\0\0");
    project.write("pipelines/p.toml", PIPELINE);
    let told = project.fails(1, &["run", "pipelines/p.toml"]).stderr;
    for line in [
        "lab.tif`: a TIFF of a kind that is not supported: its colours are stored as CIELab; save it as PNG or JPEG",
        "twice.jpg`: a broken JPEG: it begins twice",
        "0.ico`: an image of a format that is not supported, ICO; convert it to JPEG",
        "0.dds`: an image of a format that is not supported, DDS; convert it to JPEG",
        "0.jxl`: a JPEG XL image, not supported; convert it to JPEG",
    ] {
        assert!(told.contains(line), "{line} in:\n{told}");
    }
}

#[test]
fn what_an_earlier_kfood_could_not_read_is_looked_at_anew() {
    let project = Project::new();
    put(
        &project,
        "data/a/0.jpg",
        &written(&scene(16, 16), ImageFormat::Jpeg),
    );
    put(
        &project,
        "data/b/0.ico",
        b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0",
    );
    put(&project, "data/b/1.jpg", b"");
    project.write("pipelines/p.toml", PIPELINE);
    project.fails(1, &["run", "pipelines/p.toml"]);
    // The photograph and the empty file are known; the icon may be one that is supported by now.
    let told = project.fails(1, &["run", "pipelines/p.toml"]).stderr;
    assert!(told.contains("goes on from 2 of 3 images"), "{told}");
    assert!(
        told.contains("0.ico`: an image of a format that is not"),
        "{told}"
    );
}

#[test]
fn a_raw_file_of_a_camera_is_told_and_its_preview_is_not_taken_for_the_photograph() {
    let project = Project::new();
    // A preview of one red pixel in the first directory, as Nikon, Sony and Adobe write it.
    let tiff = |more: &[(u16, u32)]| {
        let mut tags = vec![(256, 1), (257, 1), (258, 8), (259, 1), (262, 2)];
        let at = 8 + 2 + 12 * (9 + more.len() as u32) + 4;
        tags.extend([(273, at), (277, 3), (278, 1), (279, 3)]);
        for (tag, value) in more {
            tags.retain(|(known, _)| known != tag);
            tags.push((*tag, *value));
        }
        tags.sort_unstable();
        let mut bytes = b"II*\0\x08\0\0\0".to_vec();
        bytes.extend((tags.len() as u16).to_le_bytes());
        for (tag, value) in tags {
            bytes.extend([u16::to_le_bytes(tag), 4_u16.to_le_bytes()].concat());
            bytes.extend([1_u32.to_le_bytes(), u32::to_le_bytes(value)].concat());
        }
        bytes.resize(at as usize, 0);
        [bytes.as_slice(), &[255, 0, 0]].concat()
    };
    let raws = [
        ("a.nef", tiff(&[(254, 1), (330, 8)])),
        ("b.dng", tiff(&[(50706, 0x401)])),
        ("c.dng", tiff(&[(262, 32803)])),
        ("d.raf", b"FUJIFILMCCD-RAW 0201".to_vec()),
        ("e.cr3", b"\0\0\0\x18ftypcrx \0\0\0\x01".to_vec()),
    ];
    for (name, bytes) in &raws {
        put(&project, &format!("data/a/{name}"), bytes);
    }
    put(&project, "data/a/plain.tif", &tiff(&[]));
    put(&project, "data/b/page.tif", &tiff(&[(254, 2)]));
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\ntrain = \"data\"\n\n[preprocess.x]\ndataset = \"d\"\nresize = { width = 2, height = 2 }\n",
    );
    let told = project.fails(1, &["run", "pipelines/p.toml"]).stderr;
    for part in [
        "5 of 7 files cannot be used",
        "preview",
        "convert it to JPEG",
    ] {
        assert!(told.contains(part), "{part} in:\n{told}");
    }
    for (name, _) in raws {
        let line = told.lines().find(|line| line.contains(name));
        assert!(
            line.is_some_and(|line| line.contains("camera's raw file")),
            "{name} in:\n{told}"
        );
    }
}

#[test]
fn a_jpeg_of_a_kind_that_no_camera_writes_says_which() {
    let project = Project::new();
    let plain = written(&scene(16, 16), ImageFormat::Jpeg);
    let frame = plain.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    let with = |at: usize, byte: u8| {
        let mut bytes = plain.clone();
        bytes[frame + at] = byte;
        bytes
    };
    put(&project, "data/a/0.jpg", &plain);
    put(&project, "data/a/lossless.jpg", &with(1, 0xc3));
    put(&project, "data/b/0.jpg", &with(4, 12));
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\ntrain = \"data\"\n\n[preprocess.x]\ndataset = \"d\"\nresize = { width = 8, height = 8 }\n",
    );
    let told = project.fails(1, &["run", "pipelines/p.toml"]).stderr;
    for (name, kind) in [
        ("a/lossless.jpg", "coded without loss"),
        ("b/0.jpg", "with other samples than of 8 bits"),
    ] {
        let line = format!(
            "{name}`: a JPEG of a kind that is not supported: {kind}; save it as PNG or JPEG"
        );
        assert!(told.contains(&line), "{told}");
    }
}
