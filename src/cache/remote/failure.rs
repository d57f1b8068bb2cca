//! What went wrong with a store, in words, without anything secret.

use std::error;

use object_store::Error as Cause;

use crate::error::Error;

/// An error of a store. Addresses of requests are left out: some are signed in the address itself.
pub(super) fn failure(remote: &str, doing: &str, cause: Cause) -> Error {
    let text = innermost(&cause);
    let refused = matches!(
        cause,
        Cause::PermissionDenied { .. } | Cause::Unauthenticated { .. }
    );
    let (what, help) = if refused {
        (
            format!("the remote cache `{remote}` refuses to let you {doing}"),
            "check the credentials in the environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, GOOGLE_APPLICATION_CREDENTIALS, or AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
        )
    } else if names_no_bucket(&cause)
        || (matches!(cause, Cause::NotFound { .. }) && remote.contains("://"))
    {
        // Of objects that are not there nobody is told as of an error.
        match remote.starts_with("az://") {
            true => (
                format!("the remote cache `{remote}` is in a container that is not there"),
                "make the container, or correct its name",
            ),
            false => (
                format!("the remote cache `{remote}` is in a bucket that is not there"),
                "make the bucket, or correct its name",
            ),
        }
    } else {
        (
            format!("cannot {doing} in the remote cache `{remote}`"),
            "look whether the store can be reached from here, and do it again: what has arrived is not sent twice",
        )
    };
    Error::failed(what).because(text).help(help)
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
