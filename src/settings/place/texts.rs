//! Texts with a form, so that what no cluster would take is a mistake where it is written.

use serde::{Deserialize, Deserializer, Serialize};

use super::super::declare::{Refused, Shape, Ways, plain, read_ways};

/// A text that is one of those that fit, and the whole numbers that may stand for one.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $accepts:literal, if $fits:expr, $(or $number:expr)?;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
            #[serde(transparent)]
            pub struct $name(String);

            impl $name {
                /// The text, if it fits.
                #[must_use]
                pub fn new(text: &str) -> Option<Self> {
                    let fits: fn(&str) -> bool = $fits;
                    fits(text).then(|| Self(text.to_owned()))
                }

                /// As it is written.
                #[must_use]
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }

            impl Ways for $name {
                fn expects() -> String {
                    $accepts.to_owned()
                }

                fn word(word: &str) -> Result<Self, Refused> {
                    Self::new(word).ok_or(Refused::Value)
                }

                $(fn whole(number: i64) -> Result<Self, Refused> {
                    let fits: fn(i64) -> bool = $number;
                    match fits(number) {
                        true => Ok(Self(number.to_string())),
                        false => Err(Refused::Value),
                    }
                })?
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    read_ways(deserializer)
                }
            }

            plain! { $name: Shape::Text($accepts) }
        )*
    };
}

texts! {
    /// Where tensors live.
    Device: "a device: `\"auto\"`, `\"cpu\"` or `\"cuda:N\"`", if is_device,;
    /// A name or a place, in one line.
    Plain: "a text without control characters", if is_plain,;
    /// How many GPUs of which type.
    Gpus: "a number of GPUs such as `1`, or `\"a100:1\"`", if is_gpus, or |n| (1..=1024).contains(&n);
    /// An amount of memory as Slurm takes it.
    Memory: "a size such as `\"16G\"` or `\"800M\"`", if is_memory,;
    /// A time limit as Slurm takes it.
    TimeLimit: "a number of minutes, or a time such as `\"4:00:00\"` or `\"1-12:00:00\"`", if is_time, or |n| (1..=5_256_000).contains(&n);
    /// An environment module.
    Module: "a name of a module such as `\"cuda/13.0\"`", if is_module,;
}

impl Memory {
    /// In bytes; a number alone is of mebibytes, as Slurm has it.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let text = self.as_str();
        let number = text.trim_end_matches(|c: char| c.is_ascii_uppercase());
        let shift = match &text[number.len()..] {
            "K" => 10,
            "G" => 30,
            "T" => 40,
            _ => 20,
        };
        // At most nine digits.
        number.parse::<u64>().unwrap_or_default() << shift
    }
}

impl Device {
    /// A default known to fit.
    pub(crate) fn known(text: &str) -> Self {
        Self(text.to_owned())
    }
}

fn is_device(text: &str) -> bool {
    let number = text.strip_prefix("cuda:");
    let numbered = number.is_some_and(|n| n.parse::<u16>().is_ok());
    text == "auto" || text == "cpu" || numbered
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_gpus(text: &str) -> bool {
    let (kind, number) = text.rsplit_once(':').unwrap_or(("gpu", text));
    is_module(kind) && is_number(number) && number.bytes().any(|digit| digit != b'0')
}

fn is_memory(text: &str) -> bool {
    is_number(text.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(text))
}

fn is_time(text: &str) -> bool {
    let (days, rest) = text.split_once('-').unwrap_or(("0", text));
    is_number(days) && rest.split(':').count() <= 3 && rest.split(':').all(is_number)
}

fn is_module(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._/+-".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_of_memory_is_so_many_bytes() {
        for (text, bytes) in [
            ("1", 1 << 20),
            ("800M", 800 << 20),
            ("16G", 16 << 30),
            ("2K", 2048),
        ] {
            assert_eq!(Memory::new(text).unwrap().bytes(), bytes, "{text}");
        }
    }

    #[test]
    fn a_text_fits_or_is_none() {
        for (fits, yes, no) in [
            (
                (|t| Device::new(t).is_some()) as fn(&str) -> bool,
                ["auto", "cpu", "cuda:0"],
                ["", "gpu", "cuda:x"],
            ),
            (
                |t| Gpus::new(t).is_some(),
                ["1", "a100:2", "8"],
                ["", "0", "a100:"],
            ),
            (
                |t| Memory::new(t).is_some(),
                ["16G", "800M", "1024"],
                ["", "G", "16 G"],
            ),
            (
                |t| TimeLimit::new(t).is_some(),
                ["30", "4:00:00", "1-12"],
                ["", "1h", "1:2:3:4"],
            ),
            (
                |t| Module::new(t).is_some(),
                ["cuda/13.0", "gcc", "a+b"],
                ["", "; rm", "-x"],
            ),
        ] {
            assert!(yes.iter().all(|text| fits(text)), "{yes:?}");
            assert!(!no.iter().any(|text| fits(text)), "{no:?}");
        }
    }
}
