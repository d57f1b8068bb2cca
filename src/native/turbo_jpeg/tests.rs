use rand::RngExt;

use super::*;
use crate::seed::stream;

/// How the codes of a picture lie in the file.
const PLAIN: c_int = 0;
const PROGRESSIVE: c_int = 1;

/// A picture with edges, slopes and noise as a JPEG.
fn jpeg(
    coding: c_int,
    width: u32,
    height: u32,
    sampling: raw::TJSAMP,
    quality: c_int,
    restart: c_int,
) -> Vec<u8> {
    let mut rng = stream(1, "jpeg", &[u64::from(width)]);
    let pixels: Vec<u8> = (0..width * height * 3)
        .map(|i| {
            let (x, y) = (i / 3 % width, i / 3 / width);
            let edge = if (x / 19 + y / 23) % 2 == 0 { 90 } else { 0 };
            (edge + (x * (i % 3) + y) % 120 + rng.random_range(0..40)) as u8
        })
        .collect();
    let parameters = [
        (raw::TJPARAM_TJPARAM_RESTARTBLOCKS, restart),
        (raw::TJPARAM_TJPARAM_PROGRESSIVE, coding),
    ];
    compressed_with(&pixels, width, height, sampling, quality, &parameters)
}

fn bytes_of(header: &TurboHeader, shrink: u32) -> usize {
    (header.width.div_ceil(shrink) * header.height.div_ceil(shrink) * 3) as usize
}

#[test]
fn plain_and_progressive_jpegs_are_decoded_fast_and_to_the_bit_as_by_libjpeg_turbo() {
    let mut turbo = TurboJpeg::new().unwrap();
    for (i, sampling) in SAMPLINGS.into_iter().enumerate() {
        for (coding, width, height, quality, restart) in [
            (PLAIN, 1, 1, 90, 0),
            (PLAIN, 67, 45, 100, 0),
            (PLAIN, 160, 131, 75, 3),
            (PLAIN, 200, 90, 20, 0),
            (PLAIN, 333, 250, 97, 7),
            (PROGRESSIVE, 1, 1, 90, 0),
            (PROGRESSIVE, 67, 45, 100, 0),
            (PROGRESSIVE, 160, 131, 75, 3),
            (PROGRESSIVE, 161, 130, 85, 1),
            (PROGRESSIVE, 200, 90, 20, 0),
            (PROGRESSIVE, 333, 250, 97, 7),
        ] {
            let bytes = jpeg(coding, width, height, sampling, quality, restart);
            let header = turbo.header(&bytes).unwrap();
            for shrink in [1, 2, 4, 8] {
                assert!(turbo.decode_planes(&bytes, shrink), "{i}: {width}x{height}");
                let mut fast = vec![0; bytes_of(&header, shrink)];
                let mut alone = fast.clone();
                let name = format!("{i}: {width}x{height} / {shrink}");
                assert!(
                    turbo.scan.decode(&bytes, &header, shrink, None, &mut fast),
                    "{name}"
                );
                let warning = turbo.decode_alone(&bytes, &header, shrink, None, &mut alone);
                assert_eq!(warning, Ok(None), "{name}");
                assert!(fast == alone, "{name}");
            }
        }
    }
}

#[test]
fn a_region_is_the_same_both_ways() {
    let mut turbo = TurboJpeg::new().unwrap();
    let codings = [PLAIN, PROGRESSIVE].map(|coding| {
        let bytes = jpeg(coding, 400, 300, raw::TJSAMP_TJSAMP_420, 90, 0);
        let header = turbo.header(&bytes).unwrap();
        (bytes, header)
    });
    let regions = [
        (1, 64, 33, 100, 120),
        (2, 0, 17, 99, 133),
        (2, 16, 0, 60, 150),
        (1, 0, 280, 400, 20),
        (1, 160, 100, 32, 8),
    ];
    for (i, (shrink, x, y, width, height)) in (0..2).flat_map(|i| regions.map(|part| (i, part))) {
        let (bytes, header) = &codings[i];
        let region = Some(TurboRegion {
            x,
            y,
            width,
            height,
        });
        let mut fast = vec![0; (width * height * 3) as usize];
        let mut alone = fast.clone();
        assert!(turbo.scan.decode(bytes, header, shrink, region, &mut fast));
        assert_eq!(
            turbo.decode_alone(bytes, header, shrink, region, &mut alone),
            Ok(None)
        );
        assert!(fast == alone, "{region:?}");
    }
}

#[test]
fn what_is_not_whole_is_left_to_libjpeg_turbo() {
    let mut turbo = TurboJpeg::new().unwrap();
    let mut rng = stream(1, "broken", &[]);
    let mut refused = 0;
    for i in 0..1200_usize {
        let mut bytes = jpeg(
            if i < 600 { PLAIN } else { PROGRESSIVE },
            120,
            88,
            SAMPLINGS[i % SAMPLINGS.len()],
            80,
            if i % 4 == 0 { 2 } else { 0 },
        );
        match i % 3 {
            0 => bytes.truncate(rng.random_range(100..bytes.len())),
            1 => {
                let at = rng.random_range(20..bytes.len());
                bytes[at] = rng.random();
            }
            _ => {
                let at = rng.random_range(20..bytes.len());
                bytes.remove(at);
            }
        }
        let Ok(header) = turbo.header(&bytes) else {
            turbo = TurboJpeg::new().unwrap();
            continue;
        };
        if header.cmyk || header.width.max(header.height) > 4000 {
            continue;
        }
        let mut fast = vec![0; bytes_of(&header, 1)];
        let mut alone = fast.clone();
        let in_planes = turbo.decode_planes(&bytes, 1);
        assert!(!in_planes || turbo.scan.decode(&bytes, &header, 1, None, &mut fast));
        if turbo.scan.decode(&bytes, &header, 1, None, &mut fast) {
            let warning = turbo.decode_alone(&bytes, &header, 1, None, &mut alone);
            assert_eq!(warning, Ok(None), "{i}");
            assert!(fast == alone, "{i}");
        } else {
            refused += 1;
        }
    }
    assert!(refused > 500, "{refused}");
}

#[test]
fn the_components_of_a_progressive_jpeg_are_those_of_the_plain_one() {
    let (mut one, mut other) = (TurboJpeg::new().unwrap(), TurboJpeg::new().unwrap());
    for sampling in SAMPLINGS {
        let [plain, progressive] =
            [PLAIN, PROGRESSIVE].map(|coding| jpeg(coding, 155, 98, sampling, 88, 0));
        for shrink in [1, 2, 4, 8] {
            assert!(one.decode_planes(&plain, shrink) && other.decode_planes(&progressive, shrink));
            let rows = |planes: JpegPlanes<'_>| -> Vec<Vec<u8>> {
                let planes = match planes {
                    JpegPlanes::Grey(luma) => vec![luma],
                    JpegPlanes::Colour(planes) => planes.to_vec(),
                };
                let rows = planes
                    .iter()
                    .flat_map(|plane| (0..plane.height()).map(|y| plane.row(y)));
                rows.map(<[u8]>::to_vec).collect()
            };
            assert!(rows(one.planes().unwrap()) == rows(other.planes().unwrap()));
        }
    }
}

/// What a camera or a program writes once in a thousand files; none of it may be taken for what it is not.
#[test]
fn an_odd_order_of_scans_is_left_to_libjpeg_turbo_or_decoded_as_by_it() {
    let mut turbo = TurboJpeg::new().unwrap();
    let bytes = jpeg(PROGRESSIVE, 120, 88, raw::TJSAMP_TJSAMP_420, 90, 0);
    let header = turbo.header(&bytes).unwrap();
    let starts: Vec<usize> = (0..bytes.len() - 1)
        .filter(|at| bytes[*at..].starts_with(&[0xff, 0xda]))
        .collect();
    assert!(starts.len() > 5);
    let end = bytes.len() - 2;
    let mut refused = 0;
    // Without one of the scans, or with one of them twice; tables that lie between stay with the scan before.
    for (i, from) in starts.iter().enumerate() {
        let to = starts.get(i + 1).copied().unwrap_or(end);
        let without = [&bytes[..*from], &bytes[to..]].concat();
        let twice = [&bytes[..to], &bytes[*from..]].concat();
        for odd in [without, twice] {
            let mut fast = vec![0; bytes_of(&header, 1)];
            let mut alone = fast.clone();
            if turbo.scan.decode(&odd, &header, 1, None, &mut fast) {
                let warning = turbo.decode_alone(&odd, &header, 1, None, &mut alone);
                assert_eq!(warning, Ok(None), "{i}");
                assert!(fast == alone, "{i}");
            } else {
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 2 * starts.len());
}
