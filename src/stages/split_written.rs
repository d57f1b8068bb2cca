//! How a split stands in its key, and how in a pipeline file.

use crate::stage::ChangedSetting;

/// What `given` is in a key where a file leaves open how to divide: `validation` is then the default, and nobody wrote either.
pub(super) const OPEN: &str = "where there is";

/// The value in a file; `None` where nobody wrote it.
pub(super) fn value(setting: &str, value: &str) -> Option<String> {
    (setting != "given" || value != as_json(OPEN)).then(|| value.to_owned())
}

/// Changed settings as a file has them; `share` is that of validation now.
pub(super) fn changed(mut changed: Vec<ChangedSetting>, share: f64) -> Vec<ChangedSetting> {
    let mut take = |name: &str| {
        let place = changed.iter().position(|c| c.name == name)?;
        Some(changed.remove(place))
    };
    let Some(given) = take("given") else {
        return changed;
    };
    let shares = match take("validation") {
        Some(found) => [found.old, found.new],
        // The same on both sides, of which one leaves it open: it is the default.
        None => [Some(share.to_string()), Some(share.to_string())],
    };
    let is = |of: &Option<String>, what: &str| of.as_deref() == Some(what);
    let sides = [given.old, given.new];
    let taken = sides.clone().map(|side| side.filter(|side| side == "true"));
    let [old, new] = shares;
    let asked = [(old, &sides[0]), (new, &sides[1])]
        .map(|(share, side)| share.filter(|_| !is(side, &as_json(OPEN)) && !is(side, "true")));
    for (name, [old, new]) in [("given", taken), ("validation", asked)] {
        if old != new {
            let name = name.to_owned();
            changed.push(ChangedSetting { name, old, new });
        }
    }
    changed
}

fn as_json(word: &str) -> String {
    format!("\"{word}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(of: &[(&str, Option<&str>, Option<&str>)]) -> Vec<String> {
        let one = |(name, old, new): &(&str, Option<&str>, Option<&str>)| ChangedSetting {
            name: (*name).to_owned(),
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
        };
        let found = changed(of.iter().map(one).collect(), 0.2);
        let told = found
            .iter()
            .map(|c| format!("{} {:?} {:?}", c.name, c.old, c.new));
        told.collect()
    }

    #[test]
    fn what_a_file_leaves_open_is_no_value_that_somebody_wrote() {
        let open = Some("\"where there is\"");
        assert_eq!(
            told(&[("given", open, None)]),
            [r#"validation None Some("0.2")"#]
        );
        assert_eq!(
            told(&[("given", None, open)]),
            [r#"validation Some("0.2") None"#]
        );
        assert_eq!(
            told(&[
                ("given", open, None),
                ("validation", Some("0.2"), Some("0.3"))
            ]),
            [r#"validation None Some("0.3")"#]
        );
        assert_eq!(
            told(&[
                ("given", open, Some("true")),
                ("validation", Some("0.2"), None)
            ]),
            [r#"given None Some("true")"#]
        );
        assert_eq!(told(&[("seed", Some("1"), Some("2"))]).len(), 1);
    }
}
