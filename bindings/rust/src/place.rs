//! Where a gate keeps its state: a folder of its own, or a database that nodes share.

use std::path::Path;
use std::sync::Arc;

use placet_core::clock::Clock;
use placet_core::error::Error;
use placet_core::store::Store;
use placet_store_sled::SledStore;

/// What is opened, and how.
#[derive(Debug)]
pub(crate) enum Place {
    Sled(placet_store_sled::Options),
    #[cfg(feature = "postgres")]
    Postgres {
        url: String,
        options: Box<placet_store_postgres::Options>,
    },
}

/// What was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    /// The clock of the store, where it has one that all nodes share.
    pub(crate) clock: Option<Arc<dyn Clock>>,
    /// Whether other nodes write to it.
    pub(crate) is_shared: bool,
}

impl Place {
    /// Opens it. The folder is there afterwards, whatever it keeps.
    pub(crate) fn open(&self, folder: &Path) -> Result<Opened, Error> {
        match self {
            // It makes the folders, syncs them, and keeps other processes out.
            Self::Sled(options) => {
                let store = SledStore::open_with(folder.join("store"), options)?;
                Ok(Opened { store: Arc::new(store), clock: None, is_shared: false })
            }
            #[cfg(feature = "postgres")]
            Self::Postgres { url, options } => {
                use placet_core::error::Code;
                use placet_store_postgres::PostgresStore;

                std::fs::create_dir_all(folder).map_err(|source| {
                    let text = format!("the folder `{}` cannot be created", folder.display());
                    Error::new(Code::StoreUnavailable, text)
                        .with_help("let this process write there: the log's key is kept in it")
                        .with_source(source)
                })?;
                let store = PostgresStore::open_with(url, options)?;
                let clock: Arc<dyn Clock> = Arc::new(store.clock());
                Ok(Opened { store: Arc::new(store), clock: Some(clock), is_shared: true })
            }
        }
    }
}
