//! One connection: made, set up, checked, and closed with its last user.

use core::time::Duration;
use std::sync::Arc;

use placet_core::store::{StoreError, StoreErrorKind};
use tokio::task::JoinHandle;
use tokio_postgres::tls::TlsStream;
use tokio_postgres::types::{FromSqlOwned, ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Row, Socket, Statement};

use crate::fault::{Fault, damaged, gone};
use crate::heard::Heard;
use crate::place::Place;

/// What a connection is for; the server shows it as the application's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    Writer,
    Reader,
    Listener,
    Witness,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Writer => "placet writer",
            Self::Reader => "placet reader",
            Self::Listener => "placet listener",
            Self::Witness => "placet witness",
        }
    }
}

/// A connection that is set up.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) client: Client,
    // Where what is asked becomes bytes, and what the server says becomes answers.
    task: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        // At once, not after what is still queued: nothing that was given up may be sent later.
        self.task.abort();
    }
}

/// A parameter and its type.
pub(crate) type Typed<'a> = (&'a (dyn ToSql + Sync), Type);

/// The one row that a statement must have answered with. None, or more than one, is not an answer: whoever
/// went on without it would take "cannot be told" for "there is nothing".
pub(crate) fn only(place: &Place, what: &str, rows: Vec<Row>) -> Result<Row, Fault> {
    let found = rows.len();
    let mut rows = rows.into_iter();
    match (rows.next(), rows.next()) {
        (Some(row), None) => Ok(row),
        _ => Err(Fault::never(damaged(format!(
            "cannot {what} {place}: {found} rows came back where one was due"
        )))),
    }
}

/// A value of a row; one that is missing or of another type is a failure.
pub(crate) fn cell<T: FromSqlOwned>(
    place: &Place,
    what: &str,
    row: &Row,
    at: usize,
) -> Result<T, Fault> {
    row.try_get(at).map_err(|cause| Fault::new(place, what, cause))
}

/// Texts as parameters.
pub(crate) fn texts<const N: usize>(texts: [&String; N]) -> [Typed<'_>; N] {
    texts.map(|text| -> Typed<'_> { (text, Type::TEXT) })
}

impl Link {
    /// Connects and sets the session up. Notifications go to `heard`.
    pub(crate) async fn make(
        place: &Place,
        role: Role,
        heard: Option<Arc<Heard>>,
    ) -> Result<Self, Fault> {
        let what = "connect to";
        let mut config = place.config.clone();
        config.application_name(role.name());
        // The handshake too must end, not only the connection of the socket.
        let limit = Duration::from_millis(place.options.connect_timeout_ms);
        let made = tokio::time::timeout(limit, begin(place, &config, heard)).await;
        let (client, task) = made.map_err(|_late| Fault::timeout(place, what))??;
        let link = Self { client, task };
        link.batch(place, what, &settings(place, role)).await?;
        link.check(place).await?;
        Ok(link)
    }

    /// Makes sure that what the server acknowledges is on its disk.
    async fn check(&self, place: &Place) -> Result<(), Fault> {
        let names = ["synchronous_commit", "fsync", "full_page_writes"];
        let what = "connect to";
        let text = "SELECT array_agg(current_setting(name, true) ORDER BY place) FROM unnest($1::text[]) WITH ORDINALITY AS t (name, place)";
        let asked = names.map(str::to_owned).to_vec();
        let rows = self.ask(place, what, text, &[(&asked, Type::TEXT_ARRAY)]).await?;
        let values: Vec<Option<String>> = cell(place, what, &only(place, what, rows)?, 0)?;
        if place.options.accepts_unsafe_server {
            return Ok(());
        }
        for (name, value) in names.iter().zip(values) {
            // An engine that does not know a setting cannot have it off.
            if matches!(value.as_deref(), Some("off" | "local")) && *name != "synchronous_commit"
                || *name == "synchronous_commit"
                    && !matches!(value.as_deref(), None | Some("on" | "remote_apply"))
            {
                let message = format!(
                    "the server at {place} runs with `{name}` off: it may lose or damage what it acknowledged"
                );
                let refusal = StoreError::new(StoreErrorKind::Unavailable, message).with_help(
                    format!("set `{name} = on` in the server's configuration; where losing data is acceptable, set the option `accepts_unsafe_server`"),
                );
                return Err(Fault::never(refusal));
            }
        }
        Ok(())
    }

    /// Runs statements without parameters and without answers.
    pub(crate) async fn batch(&self, place: &Place, what: &str, text: &str) -> Result<(), Fault> {
        in_time(place, what, self.client.batch_execute(text)).await
    }

    /// Runs one statement that is not worth preparing.
    pub(crate) async fn ask(
        &self,
        place: &Place,
        what: &str,
        text: &str,
        parameters: &[Typed<'_>],
    ) -> Result<Vec<Row>, Fault> {
        in_time(place, what, self.client.query_typed(text, parameters)).await
    }

    /// Prepares a statement.
    pub(crate) async fn prepare(&self, place: &Place, text: &str) -> Result<Statement, Fault> {
        in_time(place, "connect to", self.client.prepare(text)).await
    }

    /// Returns when the connection is gone.
    pub(crate) async fn gone(&mut self) {
        let _ended = (&mut self.task).await;
    }
}

/// Connects, encrypted or not, and drives the connection from then on.
async fn begin(
    place: &Place,
    config: &Config,
    heard: Option<Arc<Heard>>,
) -> Result<(Client, JoinHandle<()>), Fault> {
    let failed = |cause| Fault::new(place, "connect to", cause);
    let Some(trust) = &place.trust else {
        let (client, connection) = config.connect(NoTls).await.map_err(failed)?;
        return Ok((client, tokio::spawn(drive(connection, heard))));
    };
    let trust = Arc::clone(trust);
    // Beside this thread: it reads files, and others wait for answers here.
    let connector = tokio::task::spawn_blocking(move || trust.connector()).await;
    let connector = connector.map_err(|_panicked| Fault::never(gone()))?.map_err(Fault::never)?;
    let (client, connection) = config.connect(connector).await.map_err(failed)?;
    Ok((client, tokio::spawn(drive(connection, heard))))
}

/// Waits for an answer, but not for ever: a network that swallows packets says nothing.
pub(crate) async fn in_time<T>(
    place: &Place,
    what: &str,
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(place.options.answer_timeout(), answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(cause)) => Err(Fault::new(place, what, cause)),
        Err(_late) => Err(Fault::timeout(place, what)),
    }
}

fn settings(place: &Place, role: Role) -> String {
    let options = &place.options;
    let mut text = format!(
        "SET statement_timeout = {statement};
        SET lock_timeout = {lock};
        SET idle_in_transaction_session_timeout = {idle};
        SET default_transaction_isolation = 'read committed';
        SET search_path = pg_catalog;
        SET client_min_messages = warning;
        SELECT set_config('synchronous_commit',
            CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END,
            false);
        -- Every statement of ours goes by a primary key, also while a table is too new for statistics.
        SET enable_seqscan = off; SET enable_bitmapscan = off; SET jit = off;
        SET plan_cache_mode = force_generic_plan;",
        statement = options.statement_timeout_ms,
        lock = options.lock_timeout_ms,
        idle = options.idle_in_transaction_timeout_ms,
    );
    if matches!(role, Role::Reader | Role::Listener) {
        text.push_str("SET default_transaction_read_only = on;");
    }
    if role == Role::Listener {
        text.push_str(" LISTEN ");
        text.push_str(&place.sql.channel);
    }
    text
}

/// Moves bytes until the connection ends, and passes on what other nodes tell.
async fn drive(
    mut connection: Connection<Socket, impl TlsStream + Unpin>,
    heard: Option<Arc<Heard>>,
) {
    loop {
        let message = core::future::poll_fn(|context| connection.poll_message(context)).await;
        match message {
            Some(Ok(AsyncMessage::Notification(said))) => {
                if let (Some(heard), Ok(log_len)) = (&heard, said.payload().parse()) {
                    heard.tell(log_len);
                }
            }
            Some(Ok(_)) => {}
            // Whoever waits for an answer hears that there will be none.
            Some(Err(_)) | None => return,
        }
    }
}
