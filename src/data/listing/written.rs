//! How a path may be written in a list or on a line: as it is, as Windows writes it, or as an address.

/// The paths that may be meant, the likeliest first.
#[must_use]
pub fn forms_of_path(written: &str) -> Vec<String> {
    let of_address = (written.strip_prefix("file://localhost/"))
        .or_else(|| written.strip_prefix("file:///"))
        .map(|path| format!("/{path}"))
        .map(|path| unescaped(&path).unwrap_or(path));
    let path = of_address.unwrap_or_else(|| written.to_owned());
    let others = [Some(path.replace('\\', "/")), unescaped(&path)];
    let mut forms = vec![path];
    for other in others.into_iter().flatten() {
        if !forms.contains(&other) {
            forms.push(other);
        }
    }
    forms
}

/// A name as addresses write it (`%EA%B9%80` for `김`), as it is; `None` where it is none, or nothing of it is written so.
fn unescaped(written: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = written.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok());
        let code = code.filter(|code| *first == b'%' && !code.starts_with('+'));
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    let text = String::from_utf8(bytes).ok()?;
    (text != written && !text.contains('\0')).then_some(text)
}
