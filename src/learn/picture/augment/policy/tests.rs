//! Strengths and pairs against torchvision 0.26, as `tests/torchvision_parity.py --strengths` prints them.

use super::super::super::geometry::Geometry;
use super::*;
use crate::seed::stream;

fn strengths(scale: &'static Scale, step: Step, bins: u32) -> Vec<f64> {
    let size = Size::new(224, 200);
    let all = (0..bins).map(|bin| Strength { scale, bin, bins }.amount(step, size));
    all.collect()
}

#[test]
fn shifts_are_cut_off_to_torchvisions_whole_pixels() {
    let pixels = |scale, step, bins| -> Vec<i64> {
        let all = strengths(scale, step, bins).into_iter();
        all.map(|v| v as i64).collect()
    };
    // 15 at the middle of 0..=32: torch's linspace comes to a little less than 16 there.
    let wide = [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25,
        26, 27, 28, 29, 30, 32,
    ];
    assert_eq!(pixels(&WIDE, TranslateX, 31), wide);
    let tall = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90];
    assert_eq!(pixels(&USUAL, TranslateY, 10), tall);
    let usual = [
        0, 3, 6, 10, 13, 16, 20, 23, 27, 30, 33, 37, 40, 43, 47, 50, 54, 57, 60, 64, 67, 71, 74,
        77, 81, 84, 87, 91, 94, 98, 101,
    ];
    assert_eq!(pixels(&USUAL, TranslateX, 31), usual);
}

#[test]
fn bits_and_thresholds_are_torchvisions() {
    let usual = [
        8, 8, 8, 8, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 6, 6, 6, 6, 6, 5, 5, 5, 5, 5, 5, 5, 5, 4, 4, 4, 4,
    ]
    .map(f64::from);
    assert_eq!(strengths(&USUAL, Posterize, 31), usual);
    let wide = [
        8, 8, 8, 7, 7, 7, 7, 7, 6, 6, 6, 6, 6, 5, 5, 5, 5, 5, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 2, 2, 2,
    ]
    .map(f64::from);
    assert_eq!(strengths(&WIDE, Posterize, 31), wide);
    assert_eq!(
        strengths(&USUAL, Posterize, 10),
        [8, 8, 7, 7, 6, 6, 5, 5, 4, 4].map(f64::from)
    );
    let at =
        |scale, step, bins, bin: usize| (strengths(scale, step, bins)[bin] * 1e6).round() / 1e6;
    assert_eq!(at(&USUAL, Solarize, 31, 9), 0.7);
    assert_eq!(at(&USUAL, Solarize, 10, 1), 0.888_889);
    assert_eq!(at(&WIDE, Rotate, 31, 1), 4.5);
    assert_eq!(at(&WIDE, Sharpness, 31, 15), 0.495);
    assert_eq!(at(&USUAL, ShearX, 10, 5), 0.166_667);
}

fn drawn(draw: impl Fn(&mut Augmented, &mut ChaCha8Rng), sample: u64) -> Augmented {
    let mut to = Augmented::from(Geometry::new(Size::new(32, 32)));
    draw(&mut to, &mut stream(1, "test", &[sample]));
    to
}

#[test]
fn a_trivial_augmentation_is_one_operation_and_all_come_up() {
    let settings = serde_json::from_str("{}").unwrap();
    let mut seen = std::collections::BTreeMap::new();
    for sample in 0..1400 {
        let to = drawn(|to, rng| trivial_augment_wide(to, &settings, rng), sample);
        let still = to.geometry == Geometry::new(Size::new(32, 32));
        assert!(to.colors.is_empty() || (to.colors.len() == 1 && still));
        let name = match to.colors.first() {
            Some(color) => format!("{:?}", color.operation),
            None => "geometry or none".to_owned(),
        };
        *seen.entry(name).or_insert(0) += 1;
    }
    // Six of fourteen are geometry or nothing.
    assert!((500..700).contains(&seen["geometry or none"]), "{seen:?}");
    assert_eq!(seen.len(), 9, "{seen:?}");
}

#[test]
fn a_random_augmentation_has_its_number_of_operations_at_one_strength() {
    let settings = serde_json::from_str(r#"{"num_ops": 3, "magnitude": 30}"#).unwrap();
    let mut most = 0;
    for sample in 0..200 {
        let to = drawn(|to, rng| rand_augment(to, &settings, rng), sample);
        most = most.max(to.colors.len());
        for color in to.colors {
            if color.operation == Operation::Brightness {
                let step = (color.amount - 1.0).abs();
                assert!((step - 0.9).abs() < 1e-6, "{}", color.amount);
            }
        }
    }
    assert_eq!(most, 3);
}

#[test]
fn the_pair_of_invert_and_equalize_always_equalizes() {
    let pairs = IMAGENET.iter().filter(|pair| pair[0].0 == Invert);
    assert_eq!(pairs.clone().count(), 2);
    assert!(pairs.into_iter().all(|pair| pair[1] == (Equalize, 1.0, 0)));
    let inverted = (0..500)
        .map(|sample| drawn(|to, rng| auto_augment(to, Policy::Imagenet, rng), sample).colors)
        .filter(|colors| colors.iter().any(|c| c.operation == Operation::Invert));
    for colors in inverted {
        let last = colors.last().map(|c| c.operation);
        assert!(
            matches!(last, Some(Operation::Equalize | Operation::Invert)),
            "{colors:?}"
        );
    }
}
