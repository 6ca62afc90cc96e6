//! Commands, one at a time, and their answers.

use std::sync::Arc;

use placet_target::points::reached;
use placet_target::{SqlValue, StopSignal};

use crate::wire::answer::{
    Answer, Done, Prepared, TextRow, done_of, error_of, is_end_of, prepared_of,
};
use crate::wire::connect::{PACKET_BYTES_MAX, Server, connect};
use crate::wire::cursor::Cursor;
use crate::wire::link::{Link, Patience};
use crate::wire::trust::Trust;
use crate::wire::{Column, Fault, Place, value};

/// The most that a list of columns or parameters takes: more than any table has, and no more
/// than a host can hold.
const LIST_BYTES_MAX: usize = 32 << 20;

/// What holding a column takes beside its names.
const COLUMN_BYTES: usize = 128;

/// What the server is about to say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    Nothing,
    First,
    Prepared,
    /// So many lists of columns, and then perhaps rows.
    Columns(u8, bool),
    Rows,
}

/// A connection that is logged in.
pub(crate) struct Client {
    pub(super) link: Link,
    pub(crate) server: Server,
    pub(super) place: Arc<Place>,
    pub(super) trust: Arc<Trust>,
    stop: StopSignal,
    /// How long a statement may take, in milliseconds.
    pub(crate) statement_ms: Option<u64>,
    /// How long the rows of the statement under way may take.
    due: Patience,
    /// The status that came last: bits of the manual's `SERVER_STATUS_flags_enum`.
    pub(super) status: u16,
    pub(super) phase: Phase,
    pub(super) is_dead: bool,
    /// Waits for nobody to stop it: it came to stop another one.
    pub(super) is_beside: bool,
}

impl Client {
    const STMT_PREPARE: u8 = 0x16;
    pub(crate) const STMT_EXECUTE: u8 = 0x17;
    const STMT_CLOSE: u8 = 0x19;
    const QUERY: u8 = 0x03;
    const QUIT: u8 = 0x01;

    pub(crate) fn connect(
        place: &Arc<Place>,
        trust: &Arc<Trust>,
        stop: &StopSignal,
        ms: u64,
    ) -> Result<Self, Fault> {
        let (link, server) = connect(place, trust, stop, ms)?;
        Ok(Self {
            link,
            server,
            place: Arc::clone(place),
            trust: Arc::clone(trust),
            stop: stop.clone(),
            statement_ms: None,
            due: Patience::until(stop, None),
            status: 0,
            phase: Phase::Nothing,
            is_dead: false,
            is_beside: false,
        })
    }

    /// Whether there is no connection any more.
    pub(crate) const fn is_dead(&self) -> bool {
        self.is_dead
    }

    /// Whether the last answer said that a transaction is open.
    pub(crate) const fn is_in_transaction(&self) -> bool {
        self.status & 1 == 1
    }

    fn patience(&self) -> Patience {
        Patience::until(&self.stop, self.statement_ms)
    }

    /// Runs one of the host's own statements.
    pub(crate) fn run(&mut self, sql: &str) -> Result<Done, Fault> {
        self.run_with(sql, &self.patience())
    }

    /// Runs one of the host's own statements and waits for its answer whatever is raised.
    pub(crate) fn run_to_its_end(&mut self, sql: &str, ms: u64) -> Result<Done, Fault> {
        self.run_with(sql, &Patience::of_ms(ms))
    }

    /// The same, and says when it was sent.
    pub(crate) fn run_sent(
        &mut self,
        sql: &str,
        ms: u64,
        sent: &'static str,
    ) -> Result<Done, Fault> {
        self.send(Self::QUERY, sql.as_bytes())?;
        reached(sent);
        self.done(&Patience::of_ms(ms))
    }

    fn run_with(&mut self, sql: &str, patience: &Patience) -> Result<Done, Fault> {
        self.send(Self::QUERY, sql.as_bytes())?;
        self.done(patience)
    }

    fn done(&mut self, patience: &Patience) -> Result<Done, Fault> {
        match self.first(patience)? {
            Answer::Done(done) => Ok(done),
            Answer::Rows(_) => {
                while self.packet(patience)?.is_some() {}
                Ok(Done::default())
            }
        }
    }

    /// Runs one of the host's own queries.
    pub(crate) fn rows(&mut self, sql: &str) -> Result<Vec<TextRow>, Fault> {
        self.rows_up_to(sql, u64::MAX, &mut { u64::MAX })
    }

    /// Runs a query that answers with at most so many rows, for which there is so much room in bytes. What they take
    /// is taken from it; the size of each is known before it is read.
    pub(crate) fn rows_up_to(
        &mut self,
        sql: &str,
        max: u64,
        room: &mut u64,
    ) -> Result<Vec<TextRow>, Fault> {
        let patience = self.patience();
        self.send(Self::QUERY, sql.as_bytes())?;
        let Answer::Rows(columns) = self.first(&patience)? else { return Ok(Vec::new()) };
        let (mut rows, mut left) = (Vec::new(), max);
        loop {
            // A value stands behind its length, and what ends the rows has some bytes, too.
            let lengths = 9_usize.saturating_mul(columns.len().saturating_add(1));
            let most = usize::try_from(*room).unwrap_or(usize::MAX).saturating_add(lengths);
            let Some(packet) = self.packet_of(most.min(Self::packet_max()), &patience)? else {
                return Ok(rows);
            };
            let Some(fewer) = left.checked_sub(1) else {
                self.abandon();
                return Err(Fault::Limit(format!("there are more than {max} rows")));
            };
            let (mut cursor, mut row) = (Cursor(&packet), Vec::with_capacity(columns.len()));
            for _ in &columns {
                if cursor.0.first() == Some(&0xfb) {
                    let _null = cursor.u8()?;
                    row.push(None);
                } else {
                    row.push(Some(cursor.counted()?.to_vec()));
                }
            }
            let bytes = row.iter().flatten().map(Vec::len).fold(0, usize::saturating_add);
            let Some(less) = room.checked_sub(u64::try_from(bytes).unwrap_or(u64::MAX)) else {
                self.abandon();
                return Err(Fault::Limit("the rows have more bytes than can be held".to_owned()));
            };
            (left, *room) = (fewer, less);
            rows.push(row);
        }
    }

    /// Runs a statement that the server cannot prepare.
    pub(crate) fn query(&mut self, sql: &str) -> Result<Answer, Fault> {
        self.send(Self::QUERY, sql.as_bytes())?;
        self.first_in_time()
    }

    /// Lets the server read a statement, without running it.
    pub(crate) fn prepare(&mut self, sql: &str) -> Result<Prepared, Fault> {
        self.send(Self::STMT_PREPARE, sql.as_bytes())?;
        self.phase = Phase::Prepared;
        let patience = self.patience();
        let packet = self.hear(&patience)?;
        if packet.first() == Some(&0xff) {
            self.phase = Phase::Nothing;
            return Err(error_of(&packet));
        }
        let (prepared, lists) = prepared_of(&packet)?;
        for left in (1..=lists).rev() {
            self.phase = Phase::Columns(left, false);
            let mut room = LIST_BYTES_MAX;
            while self.column(&mut room, &patience)?.is_some() {}
        }
        self.phase = Phase::Nothing;
        Ok(prepared)
    }

    pub(crate) fn execute(
        &mut self,
        prepared: Prepared,
        values: &[SqlValue],
    ) -> Result<Answer, Fault> {
        if usize::from(prepared.parameters) != values.len() {
            return Err(Fault::Parameters);
        }
        let packet = value::execution(prepared.id, values);
        self.send_packet(&packet)?;
        self.phase = Phase::First;
        self.first_in_time()
    }

    /// From here on the statement takes its time, with all of its rows.
    fn first_in_time(&mut self) -> Result<Answer, Fault> {
        self.due = self.patience();
        self.first(&self.due.clone())
    }

    /// Lets the server forget a statement. There is no answer.
    pub(crate) fn forget(&mut self, prepared: Prepared) {
        if !self.is_dead && self.phase == Phase::Nothing {
            // Where it fails, the next command finds the connection broken.
            drop(self.send(Self::STMT_CLOSE, &prepared.id.to_le_bytes()));
            self.phase = Phase::Nothing;
        }
    }

    /// The next row of a prepared statement, and how many bytes it took; the size is known before it is read.
    pub(crate) fn row(&mut self, bytes_max: u64) -> Result<Option<Vec<u8>>, Fault> {
        let max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        self.packet_of(max.min(Self::packet_max()), &self.due.clone())
    }

    fn packet_max() -> usize {
        usize::try_from(PACKET_BYTES_MAX).unwrap_or(usize::MAX)
    }

    fn send(&mut self, command: u8, rest: &[u8]) -> Result<(), Fault> {
        let mut packet = Vec::with_capacity(rest.len().saturating_add(1));
        packet.push(command);
        packet.extend_from_slice(rest);
        self.send_packet(&packet)?;
        self.phase = Phase::First;
        Ok(())
    }

    fn send_packet(&mut self, packet: &[u8]) -> Result<(), Fault> {
        if self.is_dead || self.phase != Phase::Nothing {
            self.die();
            return Err(Fault::Broken("the connection is gone"));
        }
        self.link.begin();
        self.link.send(packet).inspect_err(|_| self.die())
    }

    pub(super) fn die(&mut self) {
        self.is_dead = true;
        self.phase = Phase::Nothing;
        self.link.close();
    }

    /// The next packet of the server. Whoever gives up waiting kills the statement first.
    fn hear(&mut self, patience: &Patience) -> Result<Vec<u8>, Fault> {
        self.hear_at_most(Self::packet_max(), patience)
    }

    fn hear_at_most(&mut self, max: usize, patience: &Patience) -> Result<Vec<u8>, Fault> {
        match self.link.packet(max, patience) {
            Err(Fault::Stopped(reason, _)) => Err(Fault::Stopped(reason, self.interrupt())),
            Err(Fault::Late(_)) => Err(Fault::Late(self.interrupt())),
            Err(Fault::Limit(why)) => {
                self.abandon();
                Err(Fault::Limit(why))
            }
            Err(fault) => {
                self.die();
                Err(fault)
            }
            Ok(packet) => Ok(packet),
        }
    }

    /// The next column of a list, for which there is so much room; none after the last.
    fn column(&mut self, room: &mut usize, patience: &Patience) -> Result<Option<Vec<u8>>, Fault> {
        let packet = self.hear_at_most(*room, patience)?;
        if is_end_of(&packet) {
            return Ok(None);
        }
        // An empty one takes room, too.
        let Some(left) = room.checked_sub(packet.len().saturating_add(COLUMN_BYTES)) else {
            self.abandon();
            return Err(Fault::Limit("the answer has too many columns".to_owned()));
        };
        *room = left;
        Ok(Some(packet))
    }

    fn first(&mut self, patience: &Patience) -> Result<Answer, Fault> {
        let packet = self.hear(patience)?;
        match packet.first() {
            Some(0x00) => {
                self.phase = Phase::Nothing;
                let (done, status) = done_of(&packet)?;
                self.status = status;
                Ok(Answer::Done(done))
            }
            Some(0xff) => {
                self.phase = Phase::Nothing;
                Err(error_of(&packet))
            }
            // A request for a file, which nobody let the server ask for.
            Some(0xfb) | None => {
                self.die();
                Err(Fault::Malformed)
            }
            Some(_) => {
                self.phase = Phase::Columns(1, true);
                let (mut columns, mut room) = (Vec::new(), LIST_BYTES_MAX);
                while let Some(packet) = self.column(&mut room, patience)? {
                    columns.push(Column::read(&packet).inspect_err(|_| self.die())?);
                }
                self.phase = Phase::Rows;
                Ok(Answer::Rows(columns))
            }
        }
    }

    /// The next row, as it came; none after the last.
    fn packet(&mut self, patience: &Patience) -> Result<Option<Vec<u8>>, Fault> {
        self.packet_of(Self::packet_max(), patience)
    }

    fn packet_of(&mut self, max: usize, patience: &Patience) -> Result<Option<Vec<u8>>, Fault> {
        let packet = self.hear_at_most(max, patience)?;
        if packet.first() == Some(&0xff) {
            self.phase = Phase::Nothing;
            return Err(error_of(&packet));
        }
        if is_end_of(&packet) {
            self.phase = Phase::Nothing;
            let mut cursor = Cursor(&packet);
            let (_end, _warnings, status) = (cursor.u8()?, cursor.u16()?, cursor.u16()?);
            self.status = status;
            return Ok(None);
        }
        Ok(Some(packet))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if !self.is_dead && self.phase == Phase::Nothing {
            // So that the server lets go of the locks at once; where it does not hear it, it sees the end.
            drop(self.send(Self::QUIT, &[]));
        }
    }
}
