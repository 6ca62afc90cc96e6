//! One connection, and how to wait for it without waiting for ever.

use core::pin::pin;
use core::time::Duration;

use placet_target::{SqlFailure, StopReason, StopSignal};
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::fault::{Trouble, of_connecting, unavailable};
use crate::place::Place;

/// Between two looks at the stop signal.
const LOOK: Duration = Duration::from_millis(25);

/// How long to wait for a statement to end before it is cancelled once more: a cancel that comes before its
/// statement cancels nothing.
const CANCEL_AGAIN: Duration = Duration::from_millis(250);

/// How often a statement is cancelled before its connection is given up.
const CANCELS_MAX: u32 = 40;

/// How long the host's own clean-up may take.
const CLEAN_UP: Duration = Duration::from_secs(10);

/// A connection that is set up.
pub(crate) struct Link {
    pub(crate) client: Client,
    connector: Option<MakeRustlsConnect>,
    task: JoinHandle<()>,
    pub(crate) stop: StopSignal,
}

impl Link {
    /// Connects, encrypted or not, unless somebody says stop.
    pub(crate) async fn open(
        place: &Place,
        stop: &StopSignal,
        limit_ms: u32,
    ) -> Result<Self, SqlFailure> {
        let connector = match &place.trust {
            Some(trust) => Some(trust.connector()?),
            None => None,
        };
        let connecting = async {
            let link = |client, task| Self {
                client,
                connector: connector.clone(),
                task,
                stop: stop.clone(),
            };
            if let Some(tls) = connector.clone() {
                let (client, connection) = place.config.connect(tls).await?;
                // Errors reach whoever waits for an answer.
                return Ok(link(client, tokio::spawn(async { drop(connection.await) })));
            }
            let (client, connection) = place.config.connect(NoTls).await?;
            Ok(link(client, tokio::spawn(async { drop(connection.await) })))
        };
        // The handshake too must end, not only the connection of the socket.
        let limit = Duration::from_millis(u64::from(limit_ms));
        let mut connecting = pin!(timeout(limit, connecting));
        let mut looks = interval(LOOK);
        loop {
            tokio::select! {
                biased;
                made = &mut connecting => return match made {
                    Ok(made) => made.map_err(|error: Error| of_connecting(&error)),
                    Err(_late) => Err(unavailable(
                        "the target's server does not answer in time",
                        "check that it is up, and host and port in the target's URL",
                    )),
                },
                _ = looks.tick() => if let Some(reason) = stop.raised() {
                    return Err(SqlFailure::Stopped(reason));
                },
            }
        }
    }

    /// Waits for an answer, and has the statement cancelled when somebody says stop.
    pub(crate) async fn watched<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Trouble> {
        let mut work = pin!(work);
        let mut looks = interval(LOOK);
        let reason = loop {
            tokio::select! {
                biased;
                answer = &mut work => return answer.map_err(Trouble::Said),
                _ = looks.tick() => if let Some(reason) = self.stop.raised() {
                    break reason;
                },
            }
        };
        for _ in 0..CANCELS_MAX {
            self.cancel().await;
            match timeout(CANCEL_AGAIN, &mut work).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) if error.code() == Some(&SqlState::QUERY_CANCELED) => {
                    return Err(Trouble::Stopped(reason));
                }
                Ok(Err(error)) => return Err(Trouble::Said(error)),
                Err(_late) => {}
            }
        }
        Err(self.give_up(Some(reason)))
    }

    /// Waits for an answer whether or not somebody says stop, but not for ever. For what the host does itself.
    pub(crate) async fn bounded<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Trouble> {
        match timeout(CLEAN_UP, work).await {
            Ok(answer) => answer.map_err(Trouble::Said),
            Err(_late) => Err(self.give_up(None)),
        }
    }

    /// Asks the server to end the statement that runs. It does not say whether it did.
    pub(crate) async fn cancel(&self) {
        let token = self.client.cancel_token();
        let asked = async {
            match self.connector.clone() {
                Some(tls) => token.cancel_query(tls).await,
                None => token.cancel_query(NoTls).await,
            }
        };
        // Where nobody can be asked, the connection is given up in the end.
        drop(timeout(CANCEL_AGAIN.saturating_mul(8), asked).await);
    }

    /// Ends the connection at once. Nothing that was not sent will be.
    fn give_up(&self, reason: Option<StopReason>) -> Trouble {
        self.task.abort();
        Trouble::Silent(reason)
    }

    /// Closes a connection that only looked, and gives up its locks before: who waits for them need not wait until the
    /// server notices.
    pub(crate) async fn close(mut self) {
        let unlock = self.client.batch_execute("SELECT pg_catalog.pg_advisory_unlock_all()");
        drop(self.bounded(unlock).await);
        self.task.abort();
        // An aborted task goes away when it is looked after, and that is done while somebody waits.
        drop((&mut self.task).await);
    }

    /// Lets what was just handed over go to the server. On a runtime of one thread, that is done by others.
    pub(crate) async fn let_it_go() {
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}
