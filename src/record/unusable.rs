//! Why a photograph cannot be used: a code as it is written down, and its words, which may change without a result becoming another.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a file is no photograph that can be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unusable {
    /// No bytes.
    Empty,
    /// Nothing but zeros where its header should be.
    Zeros,
    /// Another kind of file.
    Is(Foreign),
    /// A video or another media file, by the brand in its header.
    Media(String),
    /// Nobody knows what it is; its first bytes, escaped.
    Unknown(String),
    /// It has more than so many million pixels.
    OverMegapixels(u64),
    /// It ends before the picture does; of its rows so many percent do not depend on what is missing.
    CutOffAfter(u8),
    /// It ends before the picture does; the format where it is known.
    CutOff(Option<String>),
    /// A side of 0 pixels.
    NoPixels,
    /// Fewer pixels than its header says.
    FewerPixels,
    /// The decoder panicked.
    DecoderGaveUp,
    /// Its box lies outside the photograph of this width and height in pixels.
    CropOutside(u32, u32),
    /// The format, and what is wrong in it.
    Broken(String, Fault),
    /// The format, and what of it is not supported.
    Unsupported(String, String),
    /// A format that is not decoded at all, by its short name.
    Format(String),
    /// It could not be resized, in the library's words.
    Resize(String),
    /// It cannot even be read, such as a dead link.
    Lost(String),
    /// More bytes than any photograph has, in MB.
    OverMegabytes(u64),
    /// It cannot be taken out of its zip, in the words of what reads zips.
    InZip(String),
    /// In the words of a version of kfood from before the codes.
    Told(String),
}

/// Kinds of files that are found under the names of photographs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their names are the kinds")]
pub enum Foreign {
    GitLfsPointer,
    AppleDouble,
    Pdf,
    Zip,
    Gzip,
    Rar,
    Photoshop,
    Program,
    JpegXl,
    Jpeg2000,
    Heic,
    Avif,
    CameraRaw,
    Json,
    Text,
    Html,
    Svg,
    Xml,
}

/// What is wrong in a file of a known format.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It says that it is larger than its decoder takes.
    Size,
    /// A checksum does not fit its data.
    Checksum,
    /// A chunk that nobody knows.
    Chunk,
    /// A width or height of 0.
    ZeroSide,
    /// A quantization table is missing.
    QuantizationTable,
    /// Huffman codes are wrong.
    HuffmanCodes,
    /// Sizes contradict each other.
    Sizes,
    /// A palette is cut off.
    Palette,
    /// In its decoder's words.
    Decoder(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty file"),
            Self::Zeros => f.write_str("nothing but zero bytes at its start"),
            Self::Is(what) => f.write_str(what.words()),
            Self::Media(brand) => {
                write!(f, "a video or another media file (`{brand}`), not an image")
            }
            Self::Unknown(start) => write!(f, "not an image: starts with `{start}`"),
            Self::OverMegapixels(most) => write!(f, "over the size limit of {most} megapixels"),
            Self::CutOffAfter(0) => f.write_str("cut off before its first row of pixels"),
            Self::CutOffAfter(percent) => write!(f, "cut off after {percent}% of its rows"),
            Self::CutOff(None) => f.write_str(CUT_OFF),
            Self::CutOff(Some(format)) => write!(f, "{CUT_OFF} ({format})"),
            Self::NoPixels => f.write_str("broken: it has no pixels"),
            Self::FewerPixels => f.write_str("broken: fewer pixels than its header says"),
            Self::DecoderGaveUp => f.write_str("broken: the decoder gave up on it"),
            Self::CropOutside(width, height) => write!(
                f,
                "its crop box lies outside the photograph of {width} x {height}"
            ),
            Self::Broken(format, fault) => write!(f, "a broken {format}: {fault}"),
            Self::Unsupported(format, what) => write!(
                f,
                "{} {format} of a kind that is not supported: {what}; save it as PNG or JPEG",
                if format == "image" { "an" } else { "a" },
            ),
            Self::Format(name) => write!(
                f,
                "an image of a format that is not supported, {name}; convert it to JPEG"
            ),
            Self::OverMegabytes(most) => write!(f, "over {most} MB, as no photograph is"),
            Self::Resize(text) | Self::Lost(text) | Self::InZip(text) | Self::Told(text) => {
                f.write_str(text)
            }
        }
    }
}

impl std::error::Error for Unusable {}

impl Unusable {
    /// Whether another version of kfood may find otherwise, so that a file is looked at anew rather than an earlier reason taken over:
    /// kinds of pictures that were not known then, and what was written in words.
    #[must_use]
    pub fn is_for_this_version(&self) -> bool {
        matches!(
            self,
            Self::Told(_) | Self::Unsupported(..) | Self::Format(_) | Self::Unknown(_)
        )
    }
}

const CUT_OFF: &str = "cut off: the file ends before the image does";

impl Foreign {
    fn words(self) -> &'static str {
        match self {
            Self::GitLfsPointer => {
                "a Git LFS pointer, not the image itself (`git lfs pull` fetches it)"
            }
            Self::AppleDouble => "a macOS side file (AppleDouble), not an image",
            Self::Pdf => "a PDF document, not an image",
            Self::Zip => "a zip archive, not an image",
            Self::Gzip => "a gzip archive, not an image",
            Self::Rar => "a RAR archive, not an image",
            Self::Photoshop => "a Photoshop document, not supported; export it as JPEG",
            Self::Program => "a program, not an image",
            Self::JpegXl => "a JPEG XL image, not supported; convert it to JPEG",
            Self::Jpeg2000 => "a JPEG 2000 image, not supported; convert it to JPEG",
            Self::Heic => "a HEIC image, not supported; convert it to JPEG",
            Self::Avif => "an AVIF image, not supported; convert it to JPEG",
            Self::CameraRaw => {
                "a camera's raw file, of which only a small preview could be decoded; convert it to JPEG"
            }
            Self::Json => "JSON text, not an image",
            Self::Text => "text, not an image",
            Self::Html => "an HTML page, not an image",
            Self::Svg => "an SVG drawing, not supported; convert it to PNG",
            Self::Xml => "XML text, not an image",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "it says that it is larger than its decoder takes",
            Self::Checksum => "a checksum that does not fit its data",
            Self::Chunk => "a chunk that nobody knows",
            Self::ZeroSide => "a width or height of 0",
            Self::QuantizationTable => "a quantization table is missing",
            Self::HuffmanCodes => "Huffman codes that are wrong",
            Self::Sizes => "sizes that contradict each other",
            Self::Palette => "its palette is cut off",
            Self::Decoder(text) => text,
        })
    }
}
