//! Draws of an image.

use super::*;
use crate::seed::stream;

fn draw(text: &str, size: Size, sample: u64) -> Augmented {
    let augment: Vec<Augment> = serde_json::from_str(text).unwrap();
    Augmented::draw(
        &augment,
        size,
        |full| full,
        &mut stream(7, "augment", &[3, sample]),
    )
}

const ALL: &str = r#"[{"random_rotation": 15}, {"random_affine": {"degrees": 5, "translate": [0.2, 0.1]}}, {"center_crop": 20},
    {"random_horizontal_flip": 0.5}, {"color_jitter": {"brightness": 0.4, "contrast": 0.3, "saturation": 0.2, "hue": 0.1}},
    {"random_grayscale": 0.2}, {"gaussian_blur": {"kernel_size": 5, "p": 0.5}}, {"rand_augment": {}},
    {"trivial_augment_wide": {}}, {"auto_augment": "imagenet"}, {"random_erasing": {}}]"#;

#[test]
fn draws_of_an_image_do_not_depend_on_its_neighbours() {
    let size = Size::new(24, 24);
    assert_eq!(draw(ALL, size, 5), draw(ALL, size, 5));
    assert_ne!(draw(ALL, size, 5), draw(ALL, size, 6));
    assert_eq!(draw(ALL, size, 5).geometry.result(), Size::new(20, 20));
}

#[test]
fn a_jitter_draws_its_order_and_leaves_out_what_stays() {
    let size = Size::new(8, 8);
    let text = r#"[{"color_jitter": {"brightness": 0.4, "saturation": [0.5, 1.5], "hue": 0.25}}]"#;
    let mut orders = std::collections::BTreeSet::new();
    for sample in 0..100 {
        let colors = draw(text, size, sample).colors;
        for color in &colors {
            let within = match color.operation {
                Operation::Brightness => 0.6..=1.4,
                Operation::Saturation => 0.5..=1.5,
                Operation::Hue => -0.25..=0.25,
                other => panic!("{other:?} was not asked for"),
            };
            assert!(within.contains(&color.amount), "{color:?}");
        }
        let order: Vec<_> = colors
            .iter()
            .map(|c| format!("{:?}", c.operation))
            .collect();
        assert_eq!(order.len(), 3);
        orders.insert(order);
    }
    assert_eq!(orders.len(), 6);
}

#[test]
fn what_acts_with_a_probability_acts_on_that_share() {
    let size = Size::new(8, 8);
    let text = r#"[{"color_jitter": {"hue": 0.1, "p": 0.3}}, {"random_grayscale": 0.2}, {"gaussian_blur": {"kernel_size": 3, "p": 0.6}}]"#;
    let mut counts = [0; 3];
    for sample in 0..500 {
        for color in draw(text, size, sample).colors {
            counts[match color.operation {
                Operation::Hue => 0,
                Operation::Grayscale => 1,
                _ => 2,
            }] += 1;
        }
    }
    for (count, wanted) in counts.into_iter().zip([150, 100, 300]) {
        assert!((wanted - 40..wanted + 40).contains(&count), "{counts:?}");
    }
}

#[test]
fn an_affine_map_stays_within_its_ranges() {
    let text = r#"{"degrees": [5, 10], "translate": [0.1, 0.5], "scale": [0.5, 2], "shear": [-3, 3, 1, 2]}"#;
    let settings: RandomAffine = serde_json::from_str(text).unwrap();
    for sample in 0..100 {
        let map = affine(
            &settings,
            Size::new(50, 30),
            &mut stream(1, "test", &[sample]),
        );
        assert!((5.0..=10.0).contains(&map.angle) && (0.5..=2.0).contains(&map.scale));
        assert!(map.translate[0].abs() <= 5.0 && map.translate[1].abs() <= 15.0);
        assert!(map.translate.iter().all(|t| t.fract() == 0.0));
        assert!(map.shear[0].abs() <= 3.0 && (1.0..=2.0).contains(&map.shear[1]));
    }
}
