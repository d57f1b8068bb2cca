//! What went wrong with a store, in words, without anything secret.

use std::error;

use object_store::Error as Cause;

use super::{
    address::{Address, Kind},
    credentials,
};
use crate::{error::Error, text::shown_path};

/// An error of a store. Addresses of requests are left out: some are signed in the address itself.
pub(super) fn failure(address: &Address, doing: &str, cause: Cause) -> Error {
    let (remote, text) = (address.shown(), innermost(&cause));
    let refused = matches!(
        cause,
        Cause::PermissionDenied { .. } | Cause::Unauthenticated { .. }
    );
    let (what, help) = match address {
        Address::Folder(_) if refused => (
            format!("the remote cache `{remote}` refuses to let you {doing}"),
            format!("ask for leave to {doing} there"),
        ),
        Address::Bucket { store, .. } if refused => (
            format!("the remote cache `{remote}` refuses to let you {doing}"),
            format!(
                "check what the environment gives as credentials, or set {}",
                credentials::to_set(*store)
            ),
        ),
        // Of objects that are not there nobody is told as of an error.
        Address::Bucket { store, .. }
            if names_no_bucket(&cause) || matches!(cause, Cause::NotFound { .. }) =>
        {
            let called = match store {
                Kind::Azure => "container",
                Kind::S3 | Kind::Gcs => "bucket",
            };
            (
                format!("the remote cache `{remote}` is in a {called} that is not there"),
                format!("make the {called}, or correct its name"),
            )
        }
        Address::Bucket { store, .. } if !credentials::are_named(*store) => (
            format!(
                "cannot {doing} in the remote cache `{remote}`, for which the environment names no credentials"
            ),
            format!(
                "set {}, unless this machine has credentials of its own, which could not be had now",
                credentials::to_set(*store)
            ),
        ),
        _ => (
            format!("cannot {doing} in the remote cache `{remote}`"),
            "look whether the store can be reached from here, and do it again: what has arrived is not sent twice".to_owned(),
        ),
    };
    Error::failed(what).because(text).help(help)
}

/// An error of what the environment says of a store, before anything is asked of it.
pub(super) fn unusable(address: &Address, store: Kind, cause: &Cause) -> Error {
    let remote = address.shown();
    let what = match credentials::file(store) {
        Some((file, by)) => format!(
            "cannot take credentials for the remote cache `{remote}` from `{}` ({by})",
            shown_path(&file)
        ),
        None => format!("the environment does not say how to reach the remote cache `{remote}`"),
    };
    Error::failed(what)
        .because(unquoted(&innermost(cause)))
        .help(format!("set {}", credentials::to_set(store)))
}

/// Words without what stands between quotation marks in them: what a key could not be read as may be the key.
fn unquoted(text: &str) -> String {
    let parts: Vec<&str> = text.split('"').collect();
    match parts.as_slice() {
        [first, .., last] => format!("{first}…{last}"),
        _ => text.to_owned(),
    }
}

/// Whether an answer says that it is the bucket which is not there, and not an object in it: in the words of S3, of Azure and of
/// Google's XML and JSON.
pub(super) fn names_no_bucket(error: &Cause) -> bool {
    let text = format!("{error:?}");
    let words = [
        "NoSuchBucket",
        "ContainerNotFound",
        "The specified bucket does not exist",
    ];
    words.iter().any(|words| text.contains(words))
}

/// The words of what began it, in one line.
fn innermost(cause: &Cause) -> String {
    let mut inner: &(dyn error::Error + 'static) = cause;
    while let Some(next) = inner.source() {
        inner = next;
    }
    let text = inner.to_string();
    // Stores answer with a page of XML, of which one word says it.
    let (before, after) = text.split_once('<').unwrap_or((&text, ""));
    let code = after
        .split_once("<Code>")
        .or_else(|| after.split_once("Code>"))
        .and_then(|(_, rest)| rest.split_once('<'))
        .map(|(code, _)| format!("{code}, "));
    let line = before.lines().next().unwrap_or_default();
    let words = line
        .split_whitespace()
        .map(|word| word.split_once('?').map_or(word, |(plain, _)| plain));
    let line = words.collect::<Vec<_>>().join(" ");
    format!("{}{}", code.unwrap_or_default(), line.trim_end_matches(':'))
}
