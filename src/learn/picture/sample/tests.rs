use rand::RngExt;

use super::super::{augment::Window, geometry::Map};
use super::*;
use crate::{native::kernels_on_host, seed::stream};

/// What augmentations make of an image of this size, one of each way that the kernel has to go.
fn geometries(size: Size, to: Size) -> Vec<Geometry> {
    let window = Window {
        left: 3.5,
        top: 2.25,
        width: 20.5,
        height: 17.75,
    };
    let sheared = Map {
        angle: 17.0,
        translate: [2.0, -1.5],
        scale: 0.8,
        shear: [11.0, -6.0],
        centre: [0.0; 2],
    };
    let make = |change: &dyn Fn(&mut Geometry)| {
        let mut geometry = Geometry::new(size);
        change(&mut geometry);
        geometry
    };
    vec![
        make(&|g| g.center_crop(to)),
        make(&|g| g.resized_crop(window, to)),
        make(&|g| {
            g.resized_crop(window, to);
            g.horizontal_flip();
            g.rotate(30.0);
        }),
        make(&|g| {
            g.affine(&sheared);
            g.vertical_flip();
            g.resize(to);
        }),
        make(&|g| {
            g.affine(&Map {
                scale: 0.2,
                ..Map::default()
            });
            g.center_crop(to);
        }),
        make(&|g| {
            g.resized_crop(window, size);
            g.affine(&sheared);
            g.resized_crop(window, to);
            g.rotate(-12.0);
        }),
    ]
}

#[test]
fn the_gpu_samples_the_floats_of_the_host() {
    let mut rng = stream(2, "pixels", &[]);
    let (source, to, images) = (Size::new(37, 29), Size::new(16, 18), 3);
    let length = 3 * source.width * source.height;
    let pixels: Vec<u8> = (0..images * length).map(|_| rng.random()).collect();
    let geometries = geometries(source, to);
    let (n, of) = (geometries.len(), |i: usize| 2 - i % images);
    assert!(geometries.iter().any(|g| g.samples() > 1));
    let levels = Levels::of(&MeanStd {
        mean: [0.5, 0.4, 0.3],
        std: [0.2, 0.25, 0.3],
    });
    let image = |i: usize| Ok(Cow::Borrowed(&pixels[of(i) * length..][..length]));
    let wanted = sample(image, source, &geometries, |_| levels).unwrap();

    let (numbers, pieces) = numbers(&geometries);
    assert!(pieces > 1);
    let rows: Vec<_> = (0..n).map(|i| of(i) as i64).collect();
    let inputs = [
        &Tensor::from_slice(&pixels),
        &Tensor::from_slice(&rows),
        &Tensor::from_slice(&numbers),
        &Tensor::from_slice(&levels.scale),
        &Tensor::from_slice(&levels.shift),
    ];
    let [images, n, pieces] = [images, n, pieces].map(|v| v as i64);
    let [height, width] = [source.height, source.width].map(|v| v as i64);
    let [h, w] = [to.height, to.width].map(|v| v as i64);
    let sizes = [images, height, width, n, pieces, h, w];
    let result = [(Kind::Float, &[n, h, w, 3][..])];
    let found = kernels_on_host("sample", &sizes, &inputs, &result);
    let off = (found[0].permute([0, 3, 1, 2]) - wanted).abs().max();
    // Of values that go from -2 to 2.
    let off = off.double_value(&[]);
    assert!(off < 1e-3, "{off}");
}

#[test]
fn eight_points_at_a_time_have_the_bits_of_one() {
    let mut rng = stream(1, "points", &[]);
    let source = Size::new(23, 17);
    let pixels: Vec<u8> = (0..3 * 23 * 17).map(|_| rng.random()).collect();
    let Some(wide) = Bilinear::new(&pixels, source.width, source.height) else {
        return; // This processor takes them one by one.
    };
    let (mut together, mut apart) = (0, 0);
    for reach in [0.0, 1.0, 40.0] {
        for _ in 0..2000 {
            let mut side = |length: usize| {
                let (low, high) = (-reach, length as f32 - 1.0 + reach);
                std::array::from_fn(|_| rng.random_range(low..high))
            };
            let (x, y) = (side(source.width), side(source.height));
            let mut sums = [[0.5; 4]; POINTS];
            let added = wide.add(&x, &y, &mut sums);
            for (i, sum) in sums.iter().enumerate() {
                let value = bilinear(&pixels, source, [x[i], y[i]]);
                for c in 0..3 {
                    let expected = if added { 0.5 + value[c] } else { 0.5 };
                    assert_eq!(sum[c].to_bits(), expected.to_bits());
                }
            }
            *(if added { &mut together } else { &mut apart }) += 1;
        }
    }
    assert!(together > 1000 && apart > 1000, "{together} {apart}");
}
