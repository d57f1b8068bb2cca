//! What the environment says of who is asking. `object_store` reads it; here stands what people are told where that is nothing, or of no use.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::address::Kind;

/// Variables that hold credentials, or say where some are.
fn variables(store: Kind) -> &'static [&'static str] {
    match store {
        Kind::S3 => &[
            "AWS_ACCESS_KEY_ID",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_SKIP_SIGNATURE",
        ],
        Kind::Gcs => &[KEY, "GOOGLE_BEARER_TOKEN", "GOOGLE_SKIP_SIGNATURE"],
        Kind::Azure => &[
            "AZURE_STORAGE_ACCOUNT_KEY",
            "AZURE_STORAGE_ACCESS_KEY",
            "AZURE_STORAGE_SAS_KEY",
            "AZURE_STORAGE_SAS_TOKEN",
            "AZURE_STORAGE_TOKEN",
            "AZURE_STORAGE_CLIENT_SECRET",
            "AZURE_CLIENT_SECRET",
            "AZURE_FEDERATED_TOKEN_FILE",
            "AZURE_STORAGE_USE_EMULATOR",
            "AZURE_USE_AZURE_CLI",
            "AZURE_SKIP_SIGNATURE",
        ],
    }
}

/// Variables of Google's that name the file of a service account, in the order in which they count.
const FILES: [&str; 3] = [
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_PATH",
    "SERVICE_ACCOUNT",
];
/// The one that holds what such a file does.
const KEY: &str = "GOOGLE_SERVICE_ACCOUNT_KEY";
/// The one that names a file of either kind, where none of these is set.
const APPLICATION: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// Where Google's own program leaves credentials, below a home.
const LOGIN: &str = ".config/gcloud/application_default_credentials.json";

/// The file that is read for credentials, and what names it.
pub(super) fn file(store: Kind) -> Option<(PathBuf, &'static str)> {
    if store != Kind::Gcs {
        return None;
    }
    let named = |name| Some((PathBuf::from(env::var_os(name)?), name));
    if let Some(found) = FILES.into_iter().find_map(named) {
        return Some(found);
    }
    if env::var_os(KEY).is_some() {
        return None;
    }
    named(APPLICATION).or_else(|| {
        let login = Path::new(&env::var_os("HOME")?).join(LOGIN);
        login.exists().then_some((login, "gcloud"))
    })
}

/// Whether the environment names any; where it does not, only the machine itself may have some.
pub(super) fn are_named(store: Kind) -> bool {
    let set = |name: &&str| env::var_os(name).is_some();
    variables(store).iter().any(set) || file(store).is_some()
}

/// What to set.
pub(super) fn to_set(store: Kind) -> &'static str {
    match store {
        Kind::S3 => "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        Kind::Gcs => "GOOGLE_APPLICATION_CREDENTIALS to the JSON file of a service account",
        Kind::Azure => "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
    }
}
