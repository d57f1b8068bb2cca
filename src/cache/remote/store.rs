//! Folders, S3, GCS and Azure, through `object_store`. Its runtime starts with the first request.

use std::{
    fs::{self, File},
    future::Future,
    io::ErrorKind,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    thread::sleep,
    time::Duration,
};

use object_store::{
    BackoffConfig, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode,
    PutOptions, PutPayload, RetryConfig, aws::AmazonS3Builder, azure::MicrosoftAzureBuilder,
    gcp::GoogleCloudStorageBuilder, local::LocalFileSystem, multipart::MultipartStore,
    path::Path as Name,
};
use tokio::runtime::{Builder, Runtime};

use super::{
    FOLDERS,
    address::{Address, Kind},
    failure::{failure, names_no_bucket, unusable},
    http::Connector,
    objects::{Count, Object, Objects, PIECE},
    upload,
};
use crate::{
    error::{Error, Result},
    files,
    stop::Stop,
    text::shown_path,
};

/// How often what shall only be written where there is nothing is tried, for `object_store` tries it once where a connection breaks.
const AGAIN: u32 = 5;

/// A store of objects by its address.
#[derive(Debug)]
pub(super) struct Store {
    address: Address,
    prefix: String,
    inner: OnceLock<Inner>,
    runtime: OnceLock<Runtime>,
}

#[derive(Clone, Debug)]
struct Inner {
    objects: Arc<dyn ObjectStore>,
    /// Of stores that keep the parts of an upload that did not end.
    parts: Option<Parts>,
}

#[derive(Clone)]
pub(super) struct Parts(pub(super) Arc<dyn MultipartStore>);

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts")
    }
}

impl Store {
    pub(super) fn new(address: Address) -> Self {
        let prefix = match &address {
            Address::Folder(_) => String::new(),
            Address::Bucket { prefix, .. } => prefix.clone(),
        };
        Self {
            address,
            prefix,
            inner: OnceLock::new(),
            runtime: OnceLock::new(),
        }
    }

    fn inner(&self) -> Result<&Inner> {
        if let Some(inner) = self.inner.get() {
            return Ok(inner);
        }
        let inner = match &self.address {
            Address::Folder(folder) => of_folder(folder)?,
            Address::Bucket { store, bucket, .. } => {
                of_bucket(*store, bucket).map_err(|e| unusable(&self.address, *store, &e))?
            }
        };
        Ok(self.inner.get_or_init(|| inner))
    }

    fn runtime(&self) -> Result<&Runtime> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("remote")
            .enable_time()
            .build()
            .map_err(|e| Error::failed("cannot start the threads of a remote cache").because(e))?;
        Ok(self.runtime.get_or_init(|| runtime))
    }

    /// Waits for a request; `None` where the object is not there.
    pub(super) fn wait<T>(
        &self,
        doing: &str,
        asked: impl Future<Output = object_store::Result<T>>,
    ) -> Result<Option<T>> {
        match self.runtime()?.block_on(asked) {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(self.failed(doing, error)),
        }
    }

    /// Waits for a request that makes something: where it finds nothing, there is no bucket, and no folder.
    pub(super) fn wait_made<T>(
        &self,
        doing: &str,
        asked: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T> {
        let made = self.runtime()?.block_on(asked);
        made.map_err(|error| self.failed(doing, error))
    }

    pub(super) fn failed(&self, doing: &str, error: object_store::Error) -> Error {
        failure(&self.address, doing, error)
    }

    fn name(&self, name: &str) -> Name {
        match self.prefix.as_str() {
            "" => Name::from(name),
            prefix => Name::from(format!("{prefix}/{name}")),
        }
    }
}

/// Whether it is only the object that is not there, and not the bucket.
fn is_absent(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. }) && !names_no_bucket(error)
}

/// What is known of an object.
fn object(meta: ObjectMeta) -> Option<Object> {
    Some(Object {
        name: meta.location.filename()?.to_owned(),
        bytes: meta.size,
        modified: meta.last_modified.into(),
    })
}

/// Whether a name is that of what `object_store` writes into a folder before it has its own: `NAME#N`.
fn is_leftover(name: &str) -> bool {
    let number = name.rsplit_once('#').map(|(_, number)| number);
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|digit| digit.is_ascii_digit()))
}

fn of_folder(folder: &Path) -> Result<Inner> {
    if !folder.is_dir() {
        let message = format!("the remote cache `{}` is not there", shown_path(folder));
        return Err(Error::failed(message).help("mount it, or make the folder"));
    }
    let objects = LocalFileSystem::new_with_prefix(folder)
        .map_err(|e| failure(&Address::Folder(folder.to_owned()), "use", e))?;
    Ok(Inner {
        objects: Arc::new(objects.with_fsync(true)),
        parts: None,
    })
}

fn of_bucket(store: Kind, bucket: &str) -> object_store::Result<Inner> {
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            base: 2.0,
        },
        max_retries: 6,
        retry_timeout: Duration::from_secs(30),
    };
    fn both<T: ObjectStore + MultipartStore>(store: T) -> Inner {
        let store = Arc::new(store);
        Inner {
            objects: store.clone(),
            parts: Some(Parts(store)),
        }
    }
    Ok(match store {
        Kind::S3 => both(
            AmazonS3Builder::from_env()
                .with_bucket_name(bucket)
                .with_retry(retry)
                .with_http_connector(Connector)
                .build()?,
        ),
        Kind::Gcs => both(
            GoogleCloudStorageBuilder::from_env()
                .with_bucket_name(bucket)
                .with_retry(retry)
                .with_http_connector(Connector)
                .build()?,
        ),
        Kind::Azure => both(
            MicrosoftAzureBuilder::from_env()
                .with_container_name(bucket)
                .with_retry(retry)
                .with_http_connector(Connector)
                .build()?,
        ),
    })
}

impl Objects for Store {
    fn prepare(&self) -> Result<()> {
        let Address::Folder(folder) = &self.address else {
            return Ok(());
        };
        let make = |path: PathBuf| match fs::create_dir(&path) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(Error::io(
                "create the folder",
                &path,
                e,
            )
            .help(
                "make the folder of the remote cache, with leave to write for everyone who pushes",
            )),
            made => Ok(made.is_ok()),
        };
        make(folder.clone())?;
        let mode = fs::metadata(folder).map(|meta| meta.permissions());
        for name in FOLDERS {
            let inner = folder.join(name);
            if make(inner.clone())?
                && let Ok(mode) = &mode
            {
                // Whoever may write into the folder may write into these: it is a team's.
                let _ = fs::set_permissions(&inner, mode.clone());
            }
        }
        Ok(())
    }

    fn look(&self, name: &str) -> Result<Option<Object>> {
        let name = self.name(name);
        let found = self.wait("read", self.inner()?.objects.head(&name))?;
        Ok(found.and_then(object))
    }

    fn read(&self, name: &str, from: u64, length: u64) -> Result<Option<Vec<u8>>> {
        let name = self.name(name);
        let objects = &self.inner()?.objects;
        let asked = async {
            let range = GetRange::Bounded(from..from.saturating_add(length));
            let options = GetOptions {
                range: Some(range),
                ..GetOptions::default()
            };
            match objects.get_opts(&name, options).await {
                Ok(found) => found.bytes().await.map(|bytes| {
                    // Whatever a store answers.
                    let asked = usize::try_from(length).unwrap_or(usize::MAX);
                    bytes[..bytes.len().min(asked)].to_vec()
                }),
                // A range of nothing is an error of most stores.
                Err(error) if is_absent(&error) => Err(error),
                Err(error) => match objects.head(&name).await {
                    Ok(meta) if meta.size <= from => Ok(Vec::new()),
                    _ => Err(error),
                },
            }
        };
        self.wait("read", asked)
    }

    fn write(&self, name: &str, bytes: Vec<u8>, replace: bool) -> Result<bool> {
        let (name, bytes) = (self.name(name), PutPayload::from(bytes));
        let objects = &self.inner()?.objects;
        let put = |mode| {
            let payload = bytes.clone();
            objects.put_opts(&name, payload, PutOptions::from(mode))
        };
        if replace {
            return self
                .wait_made("write", put(PutMode::Overwrite))
                .map(|_| true);
        }
        let mut pause = Duration::from_millis(100);
        for left in (0..AGAIN).rev() {
            match self.runtime()?.block_on(put(PutMode::Create)) {
                Ok(_) => return Ok(true),
                Err(object_store::Error::AlreadyExists { .. }) => return Ok(false),
                // Where there are no hard links there is only to look first: of two that come at once the last stays, and both
                // are the same.
                Err(_) if matches!(self.address, Address::Folder(_)) => {
                    return match self.wait("read", objects.head(&name))? {
                        Some(_) => Ok(false),
                        None => self
                            .wait_made("write", put(PutMode::Overwrite))
                            .map(|_| true),
                    };
                }
                // Whether it arrived before the connection broke is not known; what is there by now is what was to be written.
                Err(object_store::Error::Generic { .. }) if left > 0 => sleep(pause),
                Err(error) => return Err(self.failed("write", error)),
            }
            pause *= 2;
        }
        Ok(false)
    }

    fn upload(
        &self,
        name: &str,
        file: &Path,
        notes: &Path,
        stop: &Stop,
        count: Count<'_>,
    ) -> Result<()> {
        let name = self.name(name);
        let Inner { objects, parts } = self.inner()?;
        let failed = |e| Error::io("read", file, e);
        let open = File::open(file).map_err(failed)?;
        let length = open.metadata().map_err(failed)?.len();
        if let Some(parts) = parts {
            let whole = upload::Whole {
                name: &name,
                file: (file, &open),
                length,
                notes,
            };
            return whole.upload(self, parts, stop, count);
        }
        // A folder: written beside its place, and renamed.
        let mut writing = self.wait_made("write", objects.put_multipart(&name))?;
        let mut from = 0;
        let mut all = || {
            while from < length {
                stop.check()?;
                let mut piece = vec![0; PIECE.min(length - from) as usize];
                open.read_exact_at(&mut piece, from).map_err(failed)?;
                let n = piece.len() as u64;
                self.wait_made("write", writing.put_part(piece.into()))?;
                count(n);
                from += n;
            }
            Ok(())
        };
        if let Err(error) = all() {
            // What it wrote is of no use; if it stays, gc takes it.
            let _ = self.wait("write", writing.abort());
            return Err(error);
        }
        self.wait_made("write", writing.complete()).map(|_| ())
    }

    fn list(&self, folder: &str) -> Result<Vec<Object>> {
        let folder = self.name(folder);
        let listed = (self.inner()?.objects).list_with_delimiter(Some(&folder));
        let listed = self.wait("list", listed)?;
        let objects = listed.into_iter().flat_map(|listed| listed.objects);
        Ok(objects.filter_map(object).collect())
    }

    fn leftovers(&self, folder: &str) -> Result<Vec<Object>> {
        // Buckets forget uploads that did not end, by a rule of their own.
        let Address::Folder(root) = &self.address else {
            return Ok(Vec::new());
        };
        let folder = root.join(folder);
        let listed = match fs::read_dir(&folder) {
            Ok(listed) => listed,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(Error::io("list", &folder, e)),
        };
        let left = listed.flatten().filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let meta = entry.metadata().ok().filter(|meta| meta.is_file())?;
            is_leftover(&name).then_some(Object {
                name,
                bytes: meta.len(),
                modified: meta.modified().ok()?,
            })
        });
        Ok(left.collect())
    }

    fn remove(&self, name: &str) -> Result<()> {
        if let (Address::Folder(root), true) = (&self.address, is_leftover(name)) {
            return files::remove(&root.join(name));
        }
        let name = self.name(name);
        self.wait("remove", self.inner()?.objects.delete(&name))
            .map(|_| ())
    }
}
