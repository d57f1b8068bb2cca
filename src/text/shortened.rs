//! Names in little room.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A text in at most so many columns of a terminal. Of the name of an instance, `net[seed=3,augment=none]`, what its settings are called is
/// cut first and what they are last, for that tells it from its siblings. Of any other text the middle is left out, for names tell apart at
/// both ends.
#[must_use]
pub fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let instance = Instance::of(text).and_then(|instance| instance.shortened(columns));
    instance.unwrap_or_else(|| without_middle(text, columns))
}

fn without_middle(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(1) else {
        return String::new();
    };
    let front = taken(text.chars(), room.div_ceil(2));
    let back = taken(text.chars().rev(), room / 2);
    let back: String = back.chars().rev().collect();
    format!("{front}…{back}")
}

/// The name of an instance taken apart.
struct Instance<'a> {
    stage: &'a str,
    /// Names of settings with their values.
    settings: Vec<(&'a str, &'a str)>,
}

/// A name or value with fewer columns says nothing.
const LEAST: usize = 2;

impl<'a> Instance<'a> {
    /// `None` where it is none.
    fn of(text: &'a str) -> Option<Self> {
        let (stage, rest) = text.split_once('[')?;
        let settings = rest.strip_suffix(']')?.split(',');
        let settings: Option<Vec<_>> = settings.map(|one| one.split_once('=')).collect();
        let settings = settings?;
        (!text.contains(char::is_whitespace)).then_some(Self { stage, settings })
    }

    /// `None` where there is no room for so much as its values.
    fn shortened(&self, columns: usize) -> Option<String> {
        let names = self.settings.iter().map(|(name, _)| name.width());
        let values = self.settings.iter().map(|(_, value)| value.width());
        let (names, values) = (names.max()?, values.max()?);
        let stage = self.stage.width();
        let with_names = (LEAST..names).rev().map(|most| (Some(most), values, stage));
        let alone = (LEAST + 1..=values).rev().map(|most| (None, most, stage));
        let least = values.min(LEAST + 1);
        let of_stage = (LEAST + 1..stage).rev().map(|most| (None, least, most));
        let forms = with_names.chain(alone).chain(of_stage);
        let mut forms = forms.map(|(names, values, stage)| self.form(names, values, stage));
        forms.find(|form| form.width() <= columns)
    }

    /// With names of settings, values and the stage in at most so many columns each; without names where they have none.
    fn form(&self, names: Option<usize>, values: usize, stage: usize) -> String {
        let setting = |(name, value): &(&str, &str)| {
            let value = without_middle(value, values);
            match names {
                Some(most) if name.width() <= most => format!("{name}={value}"),
                Some(most) => format!("{}={value}", cut(name, most)),
                None => value,
            }
        };
        let settings: Vec<String> = self.settings.iter().map(setting).collect();
        let stage = without_middle(self.stage, stage);
        format!("{stage}[{}]", settings.join(","))
    }
}

/// The name of a setting without its end, or, where it has a dot (`optimizer.adam.lr`), without its beginning.
fn cut(name: &str, columns: usize) -> String {
    let room = columns.saturating_sub(1);
    if !name.contains('.') {
        return format!("{}…", taken(name.chars(), room));
    }
    let back = taken(name.chars().rev(), room);
    format!("…{}", back.chars().rev().collect::<String>())
}

/// As many characters as fit.
fn taken(chars: impl Iterator<Item = char>, room: usize) -> String {
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= room
    };
    chars.take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_in_the_middle() {
        assert_eq!(shortened("김치찌개", 8), "김치찌개");
        assert_eq!(
            shortened("a message that is too long", 15),
            "a messa…oo long"
        );
        // Syllables are two columns wide.
        assert_eq!(shortened("김치찌개된장", 8), "김치…장");
        for columns in 0..12 {
            assert!(shortened("김치찌개된장", columns).width() <= columns);
        }
    }

    #[test]
    fn of_an_instance_the_names_of_settings_are_cut_before_their_values() {
        let told = [
            (23, "net[seed=3,augme…=none]"),
            (19, "net[se…=3,au…=none]"),
            (17, "net[s…=3,a…=none]"),
            (16, "net[3,none]"),
            (10, "net[3,n…e]"),
        ];
        for (columns, expected) in told {
            assert_eq!(shortened("net[seed=3,augment=none]", columns), expected);
        }
        assert_eq!(
            shortened("net[optimizer.adam.lr=0.001,seed=3]", 28),
            "net[…r.adam.lr=0.001,seed=3]"
        );
        let name = "deeper[arch=resnet50,seed=3]";
        assert_eq!(shortened(name, 15), "deeper[re…50,3]");
        assert_eq!(shortened(name, 13), "deeper[r…0,3]");
        assert_eq!(shortened(name, 11), "de…r[r…0,3]");
        assert_eq!(
            shortened("먹음직한[접시=그릇,seed=3]", 16),
            "먹음직한[그릇,3]"
        );
        for columns in 0..30 {
            assert!(shortened(name, columns).width() <= columns);
        }
    }

    #[test]
    fn instances_of_one_sweep_stay_apart_in_little_room() {
        let sweep = |columns| {
            let names = (1..=12).flat_map(|seed| {
                let of = |augment| format!("net[seed={seed},augment={augment}]");
                ["none", "mild", "strong"].map(of)
            });
            let names: std::collections::BTreeSet<String> =
                names.map(|name| shortened(&name, columns)).collect();
            names.len()
        };
        for columns in 15..40 {
            assert_eq!(sweep(columns), 36, "{columns}");
        }
    }
}
