//! How look-alikes are written: column by column, for a million photographs may have as many pairs. Results from before are written
//! pair by pair, which is still read.

use serde::{Deserialize, Serialize, Serializer};

use super::{Likeness, LookAlikes, Pair};

/// The columns as they are written.
#[derive(Serialize)]
struct Columns {
    images: u32,
    a: Vec<u32>,
    b: Vec<u32>,
    likeness: Vec<Likeness>,
    correlation: Vec<f32>,
}

/// Everything that was ever written.
#[derive(Deserialize)]
pub(super) struct Written {
    images: u32,
    #[serde(default)]
    a: Vec<u32>,
    #[serde(default)]
    b: Vec<u32>,
    #[serde(default)]
    likeness: Vec<Likeness>,
    #[serde(default)]
    correlation: Vec<f32>,
    /// Pair by pair.
    pairs: Option<Vec<Pair>>,
}

impl Serialize for LookAlikes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pairs = || self.pairs.iter();
        let columns = Columns {
            images: self.images,
            a: pairs().map(|pair| pair.a).collect(),
            b: pairs().map(|pair| pair.b).collect(),
            likeness: pairs().map(|pair| pair.likeness).collect(),
            correlation: pairs().map(|pair| pair.correlation).collect(),
        };
        columns.serialize(serializer)
    }
}

impl TryFrom<Written> for LookAlikes {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let images = written.images;
        if let Some(pairs) = written.pairs {
            return Ok(Self { images, pairs });
        }
        let n = written.a.len();
        let others = [
            written.b.len(),
            written.likeness.len(),
            written.correlation.len(),
        ];
        if others != [n; 3] {
            return Err("its columns are not of one length".to_owned());
        }
        let pair = |i: usize| Pair {
            a: written.a[i],
            b: written.b[i],
            likeness: written.likeness[i],
            correlation: written.correlation[i],
        };
        let pairs = (0..n).map(pair).collect();
        Ok(Self { images, pairs })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn some() -> LookAlikes {
        let pair = |a, b, likeness, correlation| Pair {
            a,
            b,
            likeness,
            correlation,
        };
        LookAlikes {
            images: 9,
            pairs: vec![
                pair(0, 4, Likeness::Bytes, 1.0),
                pair(2, 6, Likeness::Near, 0.875),
            ],
        }
    }

    #[test]
    fn look_alikes_survive_their_columns() {
        let json = serde_json::to_value(some()).unwrap();
        assert_eq!(json["likeness"], json!(["bytes", "near"]));
        assert_eq!(serde_json::from_value::<LookAlikes>(json).unwrap(), some());
        let none = serde_json::to_value(LookAlikes::default()).unwrap();
        let none: LookAlikes = serde_json::from_value(none).unwrap();
        assert_eq!(none, LookAlikes::default());
    }

    #[test]
    fn what_was_written_pair_by_pair_is_read() {
        let pairs = json!([
            { "a": 0, "b": 4, "likeness": "bytes", "correlation": 1.0 },
            { "a": 2, "b": 6, "likeness": "near", "correlation": 0.875 },
        ]);
        let json = json!({ "images": 9, "pairs": pairs });
        assert_eq!(serde_json::from_value::<LookAlikes>(json).unwrap(), some());
    }

    #[test]
    fn columns_that_do_not_belong_together_are_refused() {
        let mut json = serde_json::to_value(some()).unwrap();
        json["b"] = json!([4]);
        assert!(serde_json::from_value::<LookAlikes>(json).is_err());
    }
}
