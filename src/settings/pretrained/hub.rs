//! Where torch keeps the weights that it downloads.

use std::path::PathBuf;

/// The folder of torch's hub: `TORCH_HOME`, else `XDG_CACHE_HOME`, else `~/.cache`, as `torch.hub.get_dir` says; `None` without a home.
pub fn hub_folder(variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let home = set("HOME").map(PathBuf::from);
    let at = |place: String| match (place.strip_prefix("~/"), &home) {
        (Some(below), Some(home)) => home.join(below),
        _ => PathBuf::from(place),
    };
    let torch = match (set("TORCH_HOME"), set("XDG_CACHE_HOME")) {
        (Some(torch), _) => at(torch),
        (None, Some(cache)) => at(cache).join("torch"),
        (None, None) => home.as_ref()?.join(".cache/torch"),
    };
    Some(torch.join("hub/checkpoints"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_where_torch_looks() {
        let of = |set: &[(&str, &str)]| {
            let set: Vec<_> = set
                .iter()
                .map(|(k, v)| (k.to_string(), v.to_string()))
                .collect();
            let variable =
                move |name: &str| set.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone());
            hub_folder(&variable).map(|folder| folder.display().to_string())
        };
        let hub = |folder: &str| Some(format!("{folder}/hub/checkpoints"));
        assert_eq!(of(&[("HOME", "/h")]), hub("/h/.cache/torch"));
        assert_eq!(
            of(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/c")]),
            hub("/c/torch")
        );
        assert_eq!(
            of(&[
                ("HOME", "/h"),
                ("TORCH_HOME", "~/t"),
                ("XDG_CACHE_HOME", "/c")
            ]),
            hub("/h/t")
        );
        assert_eq!(of(&[]), None);
    }
}
