//! The job `Functionals`: augmentations with fixed parameters, by the same code as in a training, to be held against torchvision's.

use std::borrow::Cow;

use tch::{Device, Kind, Tensor};

use crate::{
    error::{Error, Result},
    learn::picture::{
        Augmented, Color, Geometry, Levels, Map, Operation, Recipe, Size, Window, render,
    },
    model::{self, DType, StateDict, safetensors},
    record::{Functional, Functionals},
    settings::MeanStd,
};

/// Applies each image's list and writes `images.safetensors` into `job.out`.
///
/// # Errors
/// When a file cannot be read or written, the input is not as [`Functionals`] says, results differ in size, or libtorch refuses.
pub fn functionals(job: &Functionals, device: Device) -> Result<()> {
    let (pixels, [n, height, width]) = read(job)?;
    let source = Size::new(width, height);
    let drawn: Vec<Augmented> = job.calls.iter().map(|calls| drawn(calls, source)).collect();
    let first = drawn.first().map(|d| d.geometry.result());
    if drawn.len() != n || drawn.iter().any(|d| Some(d.geometry.result()) != first) {
        return Err(Error::failed(
            "there must be as many lists as images, and their results must have one size",
        ));
    }
    let levels = Levels::of(&MeanStd::IDENTITY);
    let images = if device.is_cuda() {
        let shape = [n as i64, height as i64, width as i64, 3];
        let pixels = Tensor::f_from_data_size(&pixels, &shape, Kind::Uint8)?.f_to_device(device)?;
        let rows = Tensor::f_arange(n as i64, (Kind::Int64, device))?;
        Recipe::new(&drawn, source, device)?.render(&pixels, &rows, levels)?
    } else {
        let length = 3 * height * width;
        let image = |i: usize| Ok(Cow::Borrowed(&pixels[i * length..][..length]));
        render(image, source, &drawn, levels)?
    };
    let mut output = StateDict::new();
    output.insert("y", model::to_data(&images));
    safetensors::write(&job.out.join("images.safetensors"), &output, None)
}

/// The bytes of all images, and their number, height and width.
fn read(job: &Functionals) -> Result<(Vec<u8>, [usize; 3])> {
    let (input, _) = safetensors::read(&job.input)?;
    let wrong = || {
        Error::failed(format!(
            "`{}` holds no tensor `x` of whole numbers from 0 to 255 of shape [n, height, width, 3]",
            job.input.display()
        ))
    };
    let x = input
        .get("x")
        .filter(|x| x.dtype == DType::I64)
        .ok_or_else(wrong)?;
    let [n, height, width, 3] = x.shape[..] else {
        return Err(wrong());
    };
    let bytes = x.bytes.chunks_exact(8).map(|b| {
        let value = b.try_into().map(i64::from_le_bytes).ok()?;
        u8::try_from(value).ok()
    });
    let bytes: Option<Vec<u8>> = bytes.collect();
    Ok((bytes.ok_or_else(wrong)?, [n, height, width]))
}

fn drawn(calls: &[Functional], source: Size) -> Augmented {
    let mut to = Augmented::from(Geometry::new(source));
    for call in calls {
        to.colors.extend(join(*call, &mut to.geometry));
    }
    to
}

/// Joins a geometric call to the others; hands back any other as a colour.
fn join(call: Functional, geometry: &mut Geometry) -> Option<Color> {
    use Functional as F;
    match call {
        F::Rotate(degrees) => geometry.rotate(degrees),
        F::Affine {
            angle,
            translate,
            scale,
            shear,
            center,
        } => {
            let Size { width, height } = geometry.result();
            let half = [width as f64 / 2.0, height as f64 / 2.0];
            let centre = center.map_or([0.0; 2], |c| std::array::from_fn(|i| c[i] - half[i]));
            geometry.affine(&Map {
                angle,
                translate,
                scale,
                shear,
                centre,
            });
        }
        F::HorizontalFlip => geometry.horizontal_flip(),
        F::VerticalFlip => geometry.vertical_flip(),
        F::CenterCrop([height, width]) => {
            geometry.center_crop(Size::new(width as usize, height as usize));
        }
        F::ResizedCrop {
            top,
            left,
            height,
            width,
            size,
        } => {
            let [left, top, width, height] = [left, top, width, height].map(f64::from);
            let window = Window {
                left,
                top,
                width,
                height,
            };
            geometry.resized_crop(window, Size::new(size[1] as usize, size[0] as usize));
        }
        other => return color(other),
    }
    None
}

/// A call that changes colours.
fn color(call: Functional) -> Option<Color> {
    use Functional as F;
    let (operation, amount) = match call {
        F::AdjustBrightness(factor) => (Operation::Brightness, factor),
        F::AdjustContrast(factor) => (Operation::Contrast, factor),
        F::AdjustSaturation(factor) => (Operation::Saturation, factor),
        F::AdjustHue(factor) => (Operation::Hue, factor),
        F::AdjustSharpness(factor) => (Operation::Sharpness, factor),
        F::Posterize(bits) => (Operation::Posterize, bits),
        F::Solarize(threshold) => (Operation::Solarize, threshold),
        F::Autocontrast => (Operation::Autocontrast, 0.0),
        F::Equalize => (Operation::Equalize, 0.0),
        F::Invert => (Operation::Invert, 0.0),
        F::RgbToGrayscale => (Operation::Grayscale, 0.0),
        F::GaussianBlur { kernel_size, sigma } => (Operation::GaussianBlur(kernel_size), sigma),
        // Geometry, which has been joined.
        F::Rotate(_)
        | F::Affine { .. }
        | F::HorizontalFlip
        | F::VerticalFlip
        | F::CenterCrop(_)
        | F::ResizedCrop { .. } => return None,
    };
    Some(Color::new(operation, amount))
}
