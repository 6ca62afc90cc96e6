//! A table in another database that holds the latest heads of logs.

use core::fmt;
use std::sync::Arc;

use placet_core::audit::{HeadStore, SignedNote, WitnessError};
use placet_core::digest::Digest;
use placet_core::store::{StoreError, StoreErrorKind};
use tokio::sync::Mutex;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::engine::Engine;
use crate::fault::{Fault, Worth, gone};
use crate::options::Options;
use crate::place::Place;
use crate::session::{Link, Role, Typed, cell, only, texts};

const WHAT: &str = "ask the witness";

/// How often one question is asked where the connection is lost or others come in between.
const TRIES: usize = 3;

const TABLE: &str = "CREATE TABLE {s}.heads (
    origin text PRIMARY KEY,
    note text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
)";

/// Remembers the latest heads of logs in the table `heads` of a database, which should not be the one whose log it
/// witnesses, nor in one backup with it.
///
/// A head is replaced by one statement that names the one it replaces: of two nodes at once, one is told that the other
/// came first. Connections are made, encrypted and checked as those of [`PostgresStore`](crate::PostgresStore) are.
///
/// ```no_run
/// use placet_core::testing::Office;
/// use placet_store_postgres::PostgresWitness;
///
/// let (gate, _) = Office::in_memory()?;
/// let url = "postgres://placet:secret@db.elsewhere.example/heads?sslmode=verify-full";
/// gate.anchor(&PostgresWitness::open(url)?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PostgresWitness {
    shown: String,
    place: Arc<Place>,
    link: Arc<Mutex<Option<Link>>>,
    engine: Engine,
}

/// What is asked.
#[derive(Clone, Debug)]
enum Question {
    Read { origin: String },
    First { origin: String, new: String },
    Next { origin: String, expected: String, new: String },
}

impl PostgresWitness {
    /// Opens it in the database at `url`, in the schema `placet_witness`, with [`Options::default`] otherwise; the table
    /// is made where it is not there.
    ///
    /// Fails as [`PostgresStore::open`](crate::PostgresStore::open) does.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, &Options::default().with_schema("placet_witness"))
    }

    /// Opens it with `options`. Of these it uses the schema, the encryption and the times.
    pub fn open_with(url: &str, options: &Options) -> Result<Self, StoreError> {
        let place = Arc::new(Place::parse(url, options)?);
        let engine = Engine::start("placet-heads")?;
        let link = {
            let place = Arc::clone(&place);
            engine.wait_for(async move {
                let link = Link::make(&place, Role::Witness, None).await?;
                prepare(&place, &link).await?;
                Ok::<_, Fault>(link)
            })
        };
        let link = link.ok_or_else(gone)?.map_err(|fault| fault.error)?;
        let link = Arc::new(Mutex::new(Some(link)));
        Ok(Self { shown: place.to_string(), place, link, engine })
    }

    fn ask(&self, question: Question) -> Result<Vec<String>, WitnessError> {
        let (place, link) = (Arc::clone(&self.place), Arc::clone(&self.link));
        let answered = self.engine.wait_for(async move { ask(&place, &link, &question).await });
        let answered = answered.ok_or_else(gone).and_then(|it| it.map_err(|fault| fault.error));
        answered.map_err(|error| {
            let is_damaged = error.kind() == StoreErrorKind::Damaged;
            let error = error.into();
            if is_damaged { WitnessError::Refused(error) } else { WitnessError::Unreachable(error) }
        })
    }
}

/// Asks, again on a new connection where the old one is lost. Asking twice is harmless: whoever replaced a head and did
/// not hear it is told that the head is another one by now.
async fn ask(
    place: &Place,
    link: &Mutex<Option<Link>>,
    question: &Question,
) -> Result<Vec<String>, Fault> {
    let mut held = link.lock().await;
    let mut tries = 1..=TRIES;
    loop {
        let is_last = tries.next().is_none_or(|tried| tried == TRIES);
        let answer = try_ask(place, &mut held, question).await;
        match answer {
            Err(fault) if fault.worth == Worth::Never || is_last => return Err(fault),
            Err(fault) if fault.worth == Worth::Lost => *held = None,
            Err(_again) => {}
            Ok(rows) => {
                return rows.iter().map(|row| cell(place, WHAT, row, 0)).collect();
            }
        }
    }
}

async fn try_ask(
    place: &Place,
    held: &mut Option<Link>,
    question: &Question,
) -> Result<Vec<Row>, Fault> {
    let link = match held.take() {
        Some(link) if !link.client.is_closed() => link,
        Some(_) | None => Link::make(place, Role::Witness, None).await?,
    };
    let link = held.insert(link);
    let schema = &place.sql.schema;
    match question {
        Question::Read { origin } => {
            let text = format!("SELECT note FROM \"{schema}\".heads WHERE origin = $1");
            link.ask(place, WHAT, &text, &texts([origin])).await
        }
        Question::First { origin, new } => {
            let text = format!(
                "INSERT INTO \"{schema}\".heads (origin, note) VALUES ($1, $2)
                ON CONFLICT (origin) DO NOTHING RETURNING note"
            );
            link.ask(place, WHAT, &text, &texts([origin, new])).await
        }
        Question::Next { origin, expected, new } => {
            let text = format!(
                "UPDATE \"{schema}\".heads SET note = $3, at = clock_timestamp()
                WHERE origin = $1 AND note = $2 RETURNING note"
            );
            link.ask(place, WHAT, &text, &texts([origin, expected, new])).await
        }
    }
}

/// Makes the table where it is not there; nodes that start together wait for each other.
async fn prepare(place: &Place, link: &Link) -> Result<(), Fault> {
    let what = "open the witness at";
    let name = &place.sql.schema;
    let find = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1::text AND c.relname = 'heads'";
    let is_there = async || {
        let rows = link.ask(place, what, find, &texts([name])).await?;
        Ok::<_, Fault>(cell::<i64>(place, what, &only(place, what, rows)?, 0)? > 0)
    };
    if is_there().await? {
        return Ok(());
    }
    let made = async {
        link.batch(place, what, "BEGIN").await?;
        let digest = Digest::of_parts(&[b"placet witness ", name.as_bytes()]);
        let lock = digest.as_bytes().first_chunk::<8>().copied().unwrap_or_default();
        let lock = i64::from_be_bytes(lock);
        let lock: [Typed<'_>; 1] = [(&lock, Type::INT8)];
        link.ask(place, what, "SELECT pg_advisory_xact_lock($1)", &lock).await?;
        if !is_there().await? {
            // Not `IF NOT EXISTS`: that wants the right to make schemas even where there is one.
            let schema = "SELECT 1 FROM pg_namespace WHERE nspname = $1::text";
            if link.ask(place, what, schema, &texts([name])).await?.is_empty() {
                link.batch(place, what, &format!("CREATE SCHEMA \"{name}\"")).await?;
            }
            link.batch(place, what, &TABLE.replace("{s}", &format!("\"{name}\""))).await?;
        }
        link.batch(place, what, "COMMIT").await
    };
    let made = made.await;
    if made.is_err() {
        // A transaction that failed is over, whatever this answers.
        let _ended = link.batch(place, what, "ROLLBACK").await;
    }
    made
}

impl HeadStore for PostgresWitness {
    fn place(&self) -> &str {
        &self.shown
    }

    fn read(&self, origin: &str) -> Result<Option<SignedNote>, WitnessError> {
        let rows = self.ask(Question::Read { origin: origin.to_owned() })?;
        let note = rows.first().map(|text| SignedNote::parse(text.as_bytes())).transpose();
        note.map_err(|_| {
            let sentence =
                format!("the row of `{origin}` in its table `heads` is not a signed head");
            WitnessError::refused(sentence, "find out who wrote to the table, and restore the row")
        })
    }

    fn replace(
        &self,
        origin: &str,
        expected: Option<&SignedNote>,
        new: &SignedNote,
    ) -> Result<bool, WitnessError> {
        let (origin, new) = (origin.to_owned(), new.to_string());
        let question = match expected {
            None => Question::First { origin, new },
            Some(expected) => Question::Next { origin, expected: expected.to_string(), new },
        };
        Ok(!self.ask(question)?.is_empty())
    }
}

impl fmt::Debug for PostgresWitness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresWitness").field(&self.place).finish()
    }
}
