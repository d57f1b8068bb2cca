//! Colours against torchvision's.

use super::*;

const SIZE: (i64, i64) = (6, 7);

/// A picture whose byte `i` (in height x width x 3) is `(31 i² + 7 i) mod 256`, as values from 0 to 1 in channels_last order.
fn picture() -> Tensor {
    let bytes: Vec<u8> = (0..3 * SIZE.0 * SIZE.1)
        .map(|i| ((i * i * 31 + i * 7) % 256) as u8)
        .collect();
    let bytes = Tensor::from_data_size(&bytes, &[1, SIZE.0, SIZE.1, 3], Kind::Uint8);
    (bytes.to_kind(Kind::Float) / 255.0).permute([0, 3, 1, 2])
}

fn changed(image: &Tensor, colors: &[Color]) -> Tensor {
    let image = image.copy();
    each(&image, &[colors], |_| Ok(())).unwrap();
    image
}

/// torchvision 0.26's functional of `picture`: the values at five places (channel, row, column), and the mean of all.
#[track_caller]
fn is_torchvisions(operation: Operation, amount: f64, image: &Tensor, golden: [f64; 5], mean: f64) {
    let found = changed(image, &[Color::new(operation, amount)]);
    let places = [[0, 0, 0], [1, 2, 3], [2, 4, 1], [0, 5, 6], [1, 1, 5]];
    for ([c, y, x], wanted) in places.into_iter().zip(golden) {
        let found = found.double_value(&[0, c, y, x]);
        assert!(
            (found - wanted).abs() < 2e-6,
            "{operation:?} at {c}, {y}, {x}: {found}, not {wanted}"
        );
    }
    let part = found.narrow(2, 0, SIZE.0).narrow(3, 0, SIZE.1);
    let found = part.mean(Kind::Double).double_value(&[]);
    assert!(
        (found - mean).abs() < 2e-6,
        "{operation:?}: mean {found}, not {mean}"
    );
}

#[test]
fn factors_act_as_torchvisions() {
    let x = &picture();
    is_torchvisions(
        Operation::Brightness,
        1.4,
        x,
        [0.0, 1.0, 0.867451, 0.54902, 1.0],
        0.636981,
    );
    is_torchvisions(
        Operation::Contrast,
        0.3,
        x,
        [0.335963, 0.594786, 0.521845, 0.45361, 0.57361],
        0.484105,
    );
    is_torchvisions(
        Operation::Saturation,
        1.7,
        x,
        [0.0, 0.988485, 0.742511, 0.408578, 0.755553],
        0.503026,
    );
    is_torchvisions(
        Operation::Hue,
        -0.2,
        x,
        [0.0, 0.862745, 0.941176, 0.329412, 0.795294],
        0.480884,
    );
    is_torchvisions(
        Operation::Sharpness,
        1.9,
        x,
        [0.0, 1.0, 0.692368, 0.392157, 0.864917],
        0.499741,
    );
}

#[test]
fn levels_change_as_torchvisions() {
    let x = &picture();
    is_torchvisions(
        Operation::Posterize,
        3.0,
        x,
        [0.0, 0.75, 0.5, 0.375, 0.75],
        0.433532,
    );
    is_torchvisions(
        Operation::Solarize,
        0.4,
        x,
        [0.0, 0.137255, 0.380392, 0.392157, 0.207843],
        0.262309,
    );
    is_torchvisions(
        Operation::Invert,
        0.0,
        x,
        [1.0, 0.137255, 0.380392, 0.607843, 0.207843],
        0.506194,
    );
    is_torchvisions(
        Operation::Grayscale,
        0.0,
        x,
        [0.149169, 0.683117, 0.444031, 0.368698, 0.844449],
        0.479946,
    );
    let dull = &(x * 0.5 + 0.1);
    is_torchvisions(
        Operation::Autocontrast,
        0.0,
        dull,
        [0.0, 0.90678, 0.61157, 0.393701, 0.830508],
        0.493013,
    );
}

#[test]
fn histograms_and_blurs_are_torchvisions() {
    // Equalisation needs 255 pixels: the picture 25 times over.
    let many = &picture().repeat([1, 1, 5, 5]);
    is_torchvisions(
        Operation::Equalize,
        0.0,
        many,
        [0.0, 0.933333, 0.662745, 0.317647, 0.835294],
        0.502179,
    );
    let x = &picture();
    is_torchvisions(
        Operation::GaussianBlur(5),
        0.8,
        x,
        [0.386219, 0.549313, 0.558899, 0.432777, 0.726159],
        0.503433,
    );
}

#[test]
fn an_image_of_one_colour_stays_where_there_is_nothing_to_stretch() {
    let flat = Tensor::full([1, 3, 20, 20], 102.0 / 255.0, (Kind::Float, Device::Cpu));
    for operation in [
        Operation::Autocontrast,
        Operation::Equalize,
        Operation::Hue,
        Operation::Sharpness,
    ] {
        let after = changed(&flat, &[Color::new(operation, 0.3)]);
        let difference = (after - &flat).abs().max().double_value(&[]);
        assert!(difference < 1e-6, "{operation:?}: {difference}");
    }
}

#[test]
fn a_batch_by_groups_and_its_images_one_by_one_are_the_same() {
    let one = |operation, amount| Color::new(operation, amount);
    let lists = [
        vec![one(Operation::Brightness, 0.7), one(Operation::Hue, 0.3)],
        vec![],
        vec![
            one(Operation::Hue, -0.1),
            one(Operation::Brightness, 1.2),
            one(Operation::Equalize, 0.0),
        ],
        vec![
            one(Operation::Brightness, 1.5),
            one(Operation::GaussianBlur(3), 0.4),
        ],
        vec![
            one(Operation::GaussianBlur(3), 1.4),
            one(Operation::Sharpness, 0.2),
        ],
        vec![one(Operation::Contrast, 0.2), one(Operation::Hue, 0.05)],
        vec![
            one(Operation::Posterize, 2.0),
            one(Operation::Saturation, 0.1),
        ],
        vec![
            one(Operation::Posterize, 4.0),
            one(Operation::Autocontrast, 0.0),
        ],
    ];
    let lists: Vec<_> = lists.iter().map(Vec::as_slice).collect();
    let shades: Vec<_> = (0..lists.len())
        .map(|i| picture() * (1.0 - 0.05 * i as f64))
        .collect();
    let images = Tensor::cat(&shades, 0)
        .permute([0, 2, 3, 1])
        .contiguous()
        .permute([0, 3, 1, 2]);
    let mut together = images.copy();
    Plan::new(&lists, Device::Cpu)
        .unwrap()
        .unwrap()
        .apply(&mut together)
        .unwrap();
    each(&images, &lists, |_| Ok(())).unwrap();
    let difference = (together - &images).abs().max().double_value(&[]);
    assert!(difference < 1e-6, "{difference}");
    assert_eq!(images.get(1), shades[1].get(0));
}
