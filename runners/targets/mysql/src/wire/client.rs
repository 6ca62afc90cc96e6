//! Commands, one at a time, and their answers.

use std::sync::Arc;

use placet_target::points::reached;
use placet_target::{SqlValue, StopSignal};

use crate::wire::connect::{PACKET_BYTES_MAX, Server, connect};
use crate::wire::cursor::Cursor;
use crate::wire::link::{Link, Patience};
use crate::wire::trust::Trust;
use crate::wire::{Column, Ending, Fault, Place, value};

/// How long the answer to a statement that was killed may take.
const AFTERMATH_MS: u64 = 10_000;

/// One row in the text protocol: each value as the server wrote it.
pub(crate) type TextRow = Vec<Option<Vec<u8>>>;

/// What a statement without rows did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    /// How many rows it changed.
    pub(crate) changed: u64,
    pub(crate) warnings: u16,
}

/// What comes back first.
#[derive(Debug)]
pub(crate) enum Answer {
    Done(Done),
    /// Rows of these columns follow.
    Rows(Vec<Column>),
}

/// A statement that the server knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prepared {
    id: u32,
    parameters: u16,
}

/// What the server is about to say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Nothing,
    First,
    Prepared,
    /// So many lists of columns, and then perhaps rows.
    Columns(u8, bool),
    Rows,
}

/// A connection that is logged in.
pub(crate) struct Client {
    link: Link,
    pub(crate) server: Server,
    place: Arc<Place>,
    trust: Arc<Trust>,
    stop: StopSignal,
    /// How long a statement may take, in milliseconds.
    pub(crate) statement_ms: Option<u64>,
    /// The status that came last: bits of the manual's `SERVER_STATUS_flags_enum`.
    status: u16,
    phase: Phase,
    is_dead: bool,
}

/// The error in a packet that is one.
pub(crate) fn error_of(packet: &[u8]) -> Fault {
    let mut cursor = Cursor(packet);
    let (Ok(_), Ok(code)) = (cursor.u8(), cursor.u16()) else { return Fault::Malformed };
    if cursor.0.first() == Some(&b'#') {
        cursor.0 = cursor.0.get(6..).unwrap_or_default();
    }
    Fault::Server { code, message: String::from_utf8_lossy(cursor.0).into_owned() }
}

/// Whether nothing follows any more.
fn is_end(packet: &[u8], length: usize) -> bool {
    packet.first() == Some(&0xfe) && length < 9
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
            status: 0,
            phase: Phase::Nothing,
            is_dead: false,
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
        self.run_with(sql, &mut self.patience())
    }

    /// Runs one of the host's own statements and waits for its answer whatever is raised.
    pub(crate) fn run_to_its_end(&mut self, sql: &str, ms: u64) -> Result<Done, Fault> {
        self.run_with(sql, &mut Patience::of_ms(ms))
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
        self.done(&mut Patience::of_ms(ms))
    }

    fn run_with(&mut self, sql: &str, patience: &mut Patience) -> Result<Done, Fault> {
        self.send(Self::QUERY, sql.as_bytes())?;
        self.done(patience)
    }

    fn done(&mut self, patience: &mut Patience) -> Result<Done, Fault> {
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
        self.rows_up_to(sql, u64::MAX)
    }

    /// Runs a query that answers with at most so many rows.
    pub(crate) fn rows_up_to(&mut self, sql: &str, max: u64) -> Result<Vec<TextRow>, Fault> {
        let mut patience = self.patience();
        self.send(Self::QUERY, sql.as_bytes())?;
        let Answer::Rows(columns) = self.first(&mut patience)? else { return Ok(Vec::new()) };
        let (mut rows, mut left) = (Vec::new(), max);
        while let Some(packet) = self.packet(&mut patience)? {
            let Some(fewer) = left.checked_sub(1) else {
                self.abandon();
                return Err(Fault::Limit(format!("there are more than {max} rows")));
            };
            left = fewer;
            let mut cursor = Cursor(&packet);
            let mut row = Vec::with_capacity(columns.len());
            for _ in &columns {
                if cursor.0.first() == Some(&0xfb) {
                    let _null = cursor.u8()?;
                    row.push(None);
                } else {
                    row.push(Some(cursor.counted()?.to_vec()));
                }
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// Runs a statement that the server cannot prepare.
    pub(crate) fn query(&mut self, sql: &str) -> Result<Answer, Fault> {
        self.send(Self::QUERY, sql.as_bytes())?;
        self.first(&mut self.patience())
    }

    /// Lets the server read a statement, without running it.
    pub(crate) fn prepare(&mut self, sql: &str) -> Result<Prepared, Fault> {
        self.send(Self::STMT_PREPARE, sql.as_bytes())?;
        self.phase = Phase::Prepared;
        let mut patience = self.patience();
        let packet = self.hear(&mut patience)?;
        if packet.first() == Some(&0xff) {
            self.phase = Phase::Nothing;
            return Err(error_of(&packet));
        }
        let (prepared, lists) = prepared_of(&packet)?;
        for left in (1..=lists).rev() {
            self.phase = Phase::Columns(left, false);
            while !is_end_of(&self.hear(&mut patience)?) {}
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
        self.first(&mut self.patience())
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
        let patience = &mut self.patience();
        self.packet_of(max.min(Self::packet_max()), patience)
    }

    /// Stops what the server is about to say.
    pub(crate) fn abandon(&mut self) {
        let _ending = self.interrupt();
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

    fn die(&mut self) {
        self.is_dead = true;
        self.phase = Phase::Nothing;
        self.link.close();
    }

    /// The next packet of the server. Whoever gives up waiting kills the statement first.
    fn hear(&mut self, patience: &mut Patience) -> Result<Vec<u8>, Fault> {
        self.hear_at_most(Self::packet_max(), patience)
    }

    fn hear_at_most(&mut self, max: usize, patience: &mut Patience) -> Result<Vec<u8>, Fault> {
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

    fn first(&mut self, patience: &mut Patience) -> Result<Answer, Fault> {
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
                let mut columns = Vec::new();
                loop {
                    let packet = self.hear(patience)?;
                    if is_end_of(&packet) {
                        break;
                    }
                    columns.push(Column::read(&packet).inspect_err(|_| self.die())?);
                }
                self.phase = Phase::Rows;
                Ok(Answer::Rows(columns))
            }
        }
    }

    /// The next row, as it came; none after the last.
    fn packet(&mut self, patience: &mut Patience) -> Result<Option<Vec<u8>>, Fault> {
        self.packet_of(Self::packet_max(), patience)
    }

    fn packet_of(&mut self, max: usize, patience: &mut Patience) -> Result<Option<Vec<u8>>, Fault> {
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

    /// Kills the statement under way over a connection beside this one, and waits until the server has said so.
    fn interrupt(&mut self) -> Ending {
        if self.is_dead || self.phase == Phase::Nothing {
            return Ending::Unheard;
        }
        let unraised = StopSignal::new();
        let killed = Self::connect(&self.place, &self.trust, &unraised, AFTERMATH_MS).and_then(
            |mut beside| {
                beside.run_to_its_end(&format!("KILL QUERY {}", self.server.id), AFTERMATH_MS)
            },
        );
        let heard = killed.and_then(|_| self.aftermath(&mut Patience::of_ms(AFTERMATH_MS)));
        let Ok(ending) = heard else {
            // The server finds out that nobody listens, and undoes what was not committed.
            self.die();
            return Ending::Unheard;
        };
        self.phase = Phase::Nothing;
        // If the statement was over before the order came, the order may hit the next one: this one.
        if let Err(Fault::Broken(_) | Fault::Malformed | Fault::Late(_)) =
            self.run_to_its_end("DO 0", AFTERMATH_MS)
        {
            self.die();
        }
        ending
    }

    /// Reads to the end of an answer that nobody wants.
    fn aftermath(&mut self, patience: &mut Patience) -> Result<Ending, Fault> {
        let mut ending = Ending::Done(0);
        loop {
            let (packet, length) = self.link.skim(patience)?;
            let is_end = is_end(&packet, length);
            if packet.first() == Some(&0xff) {
                let Fault::Server { code, .. } = error_of(&packet) else {
                    return Err(Fault::Malformed);
                };
                return Ok(Ending::Failed(code));
            }
            self.phase = match self.phase {
                Phase::First if packet.first() == Some(&0x00) => {
                    let (done, status) = done_of(&packet)?;
                    self.status = status;
                    ending = Ending::Done(done.changed);
                    Phase::Nothing
                }
                Phase::First => Phase::Columns(1, true),
                Phase::Prepared => Phase::Columns(prepared_of(&packet)?.1, false),
                Phase::Columns(lists, rows) if is_end => match (lists, rows) {
                    (0 | 1, true) => Phase::Rows,
                    (0 | 1, false) => Phase::Nothing,
                    (more, _) => Phase::Columns(more.saturating_sub(1), rows),
                },
                Phase::Rows if is_end => Phase::Nothing,
                same @ (Phase::Columns(..) | Phase::Rows | Phase::Nothing) => same,
            };
            if matches!(self.phase, Phase::Nothing | Phase::Columns(0, _)) {
                return Ok(ending);
            }
        }
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

fn is_end_of(packet: &[u8]) -> bool {
    is_end(packet, packet.len())
}

fn done_of(packet: &[u8]) -> Result<(Done, u16), Fault> {
    let mut cursor = Cursor(packet);
    let _head = cursor.u8()?;
    let changed = cursor.number()?;
    let _last_number = cursor.number()?;
    let (status, warnings) = (cursor.u16()?, cursor.u16()?);
    Ok((Done { changed, warnings }, status))
}

/// A prepared statement, and how many lists of columns follow.
fn prepared_of(packet: &[u8]) -> Result<(Prepared, u8), Fault> {
    let mut cursor = Cursor(packet);
    if cursor.u8()? != 0 {
        return Err(Fault::Malformed);
    }
    let id = cursor.u32()?;
    let (columns, parameters) = (cursor.u16()?, cursor.u16()?);
    let lists = u8::from(columns > 0).saturating_add(u8::from(parameters > 0));
    Ok((Prepared { id, parameters }, lists))
}
