//! Random erasing: a rectangle of a normalised image is set to a value (torchvision's `RandomErasing`).

use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::super::affine::Size;
use super::random::{below, normal, uniform, unit};
use crate::{
    error::Result,
    settings::{Erased, RandomErasing},
};

/// What an image loses.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rectangle {
    left: i64,
    top: i64,
    width: i64,
    height: i64,
    value: Value,
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Constant([f64; 3]),
    /// Normal values from this stream.
    Random(Box<ChaCha8Rng>),
}

impl Rectangle {
    /// torchvision's `RandomErasing.make_params`: ten tries for a rectangle smaller than the image, else none.
    pub(crate) fn draw(settings: &RandomErasing, size: Size, rng: &mut ChaCha8Rng) -> Option<Self> {
        if unit(rng) >= settings.p.get() {
            return None;
        }
        let (width, height) = (size.width as f64, size.height as f64);
        let scale = settings.scale.map(|s| s.get());
        let ratio = settings.ratio.map(|r| r.get().ln());
        for _ in 0..10 {
            let area = width * height * uniform(rng, scale);
            let aspect = uniform(rng, ratio).exp();
            let h = (area * aspect).sqrt().round_ties_even();
            let w = (area / aspect).sqrt().round_ties_even();
            if h < height && w < width {
                let top = below(rng, height - h + 1.0);
                let left = below(rng, width - w + 1.0);
                return Some(Self {
                    left: left as i64,
                    top: top as i64,
                    width: w as i64,
                    height: h as i64,
                    value: match settings.value {
                        Erased::Constant(values) => Value::Constant(values),
                        Erased::Random => Value::Random(Box::new(rng.clone())),
                    },
                });
            }
        }
        None
    }

    /// Erases in `image` of f32 [1, 3, height, width].
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn erase(&self, image: &Tensor) -> Result<()> {
        let part = image.f_narrow(2, self.top, self.height)?;
        let mut part = part.f_narrow(3, self.left, self.width)?;
        match &self.value {
            Value::Constant(values) => {
                for (channel, value) in (0..).zip(values) {
                    let _ = part.f_select(1, channel)?.f_fill_(*value)?;
                }
            }
            Value::Random(rng) => {
                let mut rng = rng.clone();
                let mut values = vec![0.0; (3 * self.height * self.width) as usize];
                for pair in values.chunks_mut(2) {
                    for (value, drawn) in pair.iter_mut().zip(normal(&mut rng)) {
                        *value = drawn as f32;
                    }
                }
                let shape = [1, 3, self.height, self.width];
                let values = Tensor::f_from_slice(&values)?.f_reshape(shape)?;
                part.f_copy_(&values.f_to_device(part.device())?.f_to_kind(Kind::Float)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::seed::stream;

    fn erased(text: &str, sample: u64) -> Tensor {
        let settings = serde_json::from_str(text).unwrap();
        let size = Size::new(30, 20);
        let image = Tensor::full([1, 3, 20, 30], 9.0, (Kind::Float, Device::Cpu));
        let mut rng = stream(1, "test", &[sample]);
        if let Some(rectangle) = Rectangle::draw(&settings, size, &mut rng) {
            rectangle.erase(&image).unwrap();
        }
        image
    }

    fn share(image: &Tensor, value: f64) -> f64 {
        image
            .eq(value)
            .to_kind(Kind::Double)
            .mean(None)
            .double_value(&[])
    }

    #[test]
    fn rectangles_have_their_share_and_their_value() {
        for sample in 0..50 {
            let image = erased(
                r#"{"p": 1, "scale": [0.1, 0.2], "value": [1, 2, 3]}"#,
                sample,
            );
            let shares = [1.0, 2.0, 3.0].map(|value| 3.0 * share(&image, value));
            assert!((0.07..0.23).contains(&shares[0]), "{}", shares[0]);
            assert_eq!([shares[1], shares[2]], [shares[0]; 2]);
            assert!((shares[0] + share(&image, 9.0) - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn half_of_the_images_lose_nothing_by_default() {
        let whole = (0..200)
            .filter(|i| share(&erased("{}", *i), 9.0) == 1.0)
            .count();
        assert!((70..130).contains(&whole), "{whole}");
    }

    #[test]
    fn random_values_are_normal_and_repeat() {
        let text = r#"{"p": 1, "scale": [0.5, 0.5], "ratio": [0.6, 0.7], "value": "random"}"#;
        let image = erased(text, 3);
        assert_eq!(image, erased(text, 3));
        let values = image.masked_select(&image.ne(9.0));
        assert!(values.numel() > 800, "{}", values.numel());
        assert!(values.mean(None).double_value(&[]).abs() < 0.12);
        assert!((values.std(true).double_value(&[]) - 1.0).abs() < 0.1);
    }
}
