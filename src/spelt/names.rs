//! Names on disks and in zips: bytes that are UTF-8, or CP949 from a Korean Windows. One encoding holds for all names of an
//! archive or of a folder.

use encoding_rs::EUC_KR;

use crate::name::nfc;

/// How the names of one archive, or below one folder, are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Whether what is not plainly UTF-8 is CP949.
    cp949: bool,
}

impl Names {
    /// The encoding in which the names of a zip were written that does not say it, each of them one component of a path.
    ///
    /// A name that is no UTF-8 makes it CP949. Where all of them are UTF-8 it may be by chance (`회` in CP949 are the bytes of
    /// `ȸ` in UTF-8): then the reading with Hangul is taken, unless the other one has it too or reads as a Western word.
    #[must_use]
    pub fn of<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self::where_by_chance(names, |_| true)
    }

    /// The same for names on a disk, which are UTF-8 unless something speaks against it: names of letters that European languages
    /// write (`Ž`, `ő`) stay, whatever else their bytes could be. Rare signs alone (`ȸ`) are taken for Hangul.
    #[must_use]
    pub fn on_disk<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self::where_by_chance(names, |text| !text.chars().all(is_written))
    }

    /// `odd` says of a name in UTF-8 that also reads as Hangul whether it is more likely that; where it is not it says nothing.
    fn where_by_chance<'a>(
        names: impl IntoIterator<Item = &'a [u8]>,
        odd: impl Fn(&str) -> bool,
    ) -> Self {
        let (mut by_chance, mut plain) = (0_usize, false);
        for name in names {
            if name.is_ascii() {
                continue;
            }
            match std::str::from_utf8(name) {
                Err(_) => return Self { cp949: true },
                Ok(text) if text.chars().any(is_hangul) => plain = true,
                Ok(text) => match cp949(name) {
                    Some(other) if is_korean(&other) && !is_word(text) => {
                        by_chance += usize::from(odd(text));
                    }
                    _ => plain = true,
                },
            }
        }
        Self {
            cp949: by_chance > 0 && !plain,
        }
    }

    /// One component of a path, NFC; `None` where it is neither UTF-8 nor CP949.
    #[must_use]
    pub fn read(self, name: &[u8]) -> Option<String> {
        let utf8 = std::str::from_utf8(name).ok();
        if let Some(text) = utf8
            && (!self.cp949 || text.is_ascii() || text.chars().any(is_hangul))
        {
            return Some(nfc(text));
        }
        let text = cp949(name);
        text.as_deref().or(utf8).map(nfc)
    }

    /// A path of components between `/` and, where `windows` says so, `\`, as [`Self::read`] reads each of them.
    #[must_use]
    pub fn read_path(self, path: &[u8], windows: bool) -> Option<String> {
        // Neither sign is ever the second byte of a letter in CP949.
        let parts = path.split(|b| *b == b'/' || windows && *b == b'\\');
        let parts: Option<Vec<_>> = parts.map(|part| self.read(part)).collect();
        Some(parts?.join("/"))
    }

    /// Whether names are read as CP949.
    #[must_use]
    pub fn is_cp949(self) -> bool {
        self.cp949
    }
}

fn cp949(bytes: &[u8]) -> Option<String> {
    let text = EUC_KR.decode_without_bom_handling_and_without_replacement(bytes)?;
    Some(text.into_owned())
}

/// A syllable, or a letter that syllables are made of, composed or not.
fn is_hangul(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}')
}

/// Whether all that is not ASCII is Hangul.
fn is_korean(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii() || is_hangul(c))
}

/// Whether a letter is one of a language that many people write in Latin letters: those of Latin-1, of the languages of Europe, of
/// Vietnamese and of Pinyin.
fn is_written(c: char) -> bool {
    c.is_ascii()
        || matches!(c, '\u{c0}'..='\u{17f}' | 'Ơ' | 'ơ' | 'Ư' | 'ư' | '\u{1cd}'..='\u{1dc}' | 'Ș' | 'ș' | 'Ț' | 'ț')
            && !matches!(c, '×' | '÷' | 'ĸ' | 'ŉ' | 'ſ')
}

/// Whether a sign beyond ASCII stands beside a Latin letter, as in `café` and `Käse`.
fn is_word(text: &str) -> bool {
    let signs: Vec<char> = text.chars().collect();
    signs.windows(2).any(|pair| {
        let [a, b] = [pair[0], pair[1]];
        a.is_ascii_alphabetic() && !b.is_ascii() || !a.is_ascii() && b.is_ascii_alphabetic()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(names: &[&[u8]]) -> Vec<String> {
        let of = Names::of(names.iter().copied());
        let read = names.iter().map(|name| of.read(name).unwrap());
        read.collect()
    }

    #[test]
    fn one_name_that_is_no_utf8_makes_all_of_them_cp949() {
        let three: [&[u8]; 3] = [b"\xb1\xe8\xb9\xe4", b"\xc8\xb8", b"\xc8\xad\xc3\xa4"];
        assert_eq!(read(&three), ["김밥", "회", "화채"]);
    }

    #[test]
    fn what_is_utf8_by_chance_is_read_as_hangul_and_western_words_are_not() {
        assert_eq!(
            read(&[b"\xc8\xb8", b"\xc8\xad\xc3\xa4", b"0.jpg"])[..2],
            ["회", "화채"]
        );
        assert_eq!(read(&["café".as_bytes()]), ["café"]);
        assert_eq!(read(&["Käse".as_bytes(), "ä".as_bytes()]), ["Käse", "ä"]);
        let both = ["김밥".as_bytes(), b"\xc8\xb8"];
        assert_eq!(read(&both), ["김밥", "\u{238}"]);
    }

    #[test]
    fn on_a_disk_letters_of_europe_stay_and_rare_signs_are_hangul() {
        let read = |names: &[&[u8]]| -> Vec<String> {
            let of = Names::on_disk(names.iter().copied());
            let read = names.iter().map(|name| of.read(name).unwrap());
            read.collect()
        };
        for name in ["ő", "Ž", "šš", "ČĎ", "ı", "ä", "ș", "Éé"] {
            assert_eq!(read(&[name.as_bytes(), b"a"])[0], name);
        }
        let three: [&[u8]; 3] = [b"\xc8\xb8", b"\xc8\xad\xc3\xa4", b"\xc4\xa1"];
        assert_eq!(read(&three), ["회", "화채", "치"]);
        // What cannot be Korean says that nothing is.
        assert_eq!(
            read(&[b"\xc8\xb8", "я".as_bytes(), "ß1".as_bytes()])[0],
            "ȸ"
        );
        assert_eq!(read(&[b"\xb1\xe8", b"\xc4\xa1"]), ["김", "치"]);
    }

    #[test]
    fn hangul_in_utf8_stays_so_beside_cp949_and_other_bytes_are_told() {
        assert_eq!(
            read(&["김밥".as_bytes(), b"\xc8\xb8", b"\xb9\xe4"]),
            ["김밥", "회", "밥"]
        );
        assert_eq!(Names::of([&b"\xff\xff"[..]]).read(b"\xff\xff"), None);
        let path = Names { cp949: true }.read_path(b"a\\\xb1\xe8/1.jpg", true);
        assert_eq!(path.as_deref(), Some("a/김/1.jpg"));
    }
}
