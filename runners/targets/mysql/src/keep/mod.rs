//! Rows that are kept before a statement changes them: exactly, or not at all.

mod table; // how a table is made, and whether its rows can be kept
mod sight; // what the target's user gets to see
mod image; // a row, and the texts that mean its values
mod inverse; // the statements that put rows back
mod store; // where they stand

use std::collections::BTreeMap;

use placet_target::points::reached;
use placet_target::{Attempt, KEPT_BYTES_MAX, Keepable, SqlFailure, StepMark, Touch, TouchKind};

use crate::failure::{of, refused};
use crate::guard::{self, Purpose, Statement, Token};
use crate::keep::image::{Image, Key};
use crate::keep::table::Table;
use crate::marks::literal;
use crate::points;
use crate::session::MySqlSession;
use crate::wire::Fault;

/// How many rows are read again at once.
const ROWS_AT_ONCE: usize = 100;

/// Whether what a statement of this kind changes could be put back.
pub(crate) fn can_keep(session: &mut MySqlSession, touch: &Touch) -> Result<Keepable, SqlFailure> {
    Ok(match Table::read(&mut session.client, touch).map_err(of)? {
        Ok(_) => Keepable::Yes,
        Err(why) => Keepable::No(why),
    })
}

/// Runs a statement and keeps what putting its rows back takes.
pub(crate) fn execute(
    session: &mut MySqlSession,
    statement: &Statement<'_>,
    (touch, mark): (&Touch, &StepMark),
    rows_max: u64,
) -> Result<u64, SqlFailure> {
    session.ready_to_execute(statement)?;
    session.owns_or_is_dry(&mark.id)?;
    let read = Table::read(&mut session.client, touch);
    let table = session.settled(read)?.map_err(refused)?;
    fits(statement, touch)?;
    refuse_functions_of_users(session, statement)?;
    let work = Work { table, touch, rows_max };
    let (changed, inverses) = match touch.kind {
        TouchKind::Insert => work.insert(session, statement)?,
        TouchKind::Update => work.update(session, statement)?,
        TouchKind::Delete => work.delete(session, statement)?,
    };
    // What could not be sent then must not be promised now.
    for inverse in &inverses {
        let _fit = guard::check(inverse, Purpose::Transaction)
            .map_err(|why| refused(format!("a row could not be put back: {why}")))?;
    }
    if mark.id.attempt > 0 {
        let stored = store::write(&mut session.client, mark, &inverses);
        session.settled(stored)?;
    }
    reached(points::KEPT);
    Ok(changed)
}

/// The statements that put back what a committed attempt changed, the last change first.
pub(crate) fn inverse(
    session: &mut MySqlSession,
    attempt: &Attempt,
    most: (u64, u64),
) -> Result<Vec<String>, SqlFailure> {
    // Over a connection for writing, like the marks: a replica may not have them yet.
    let mut client = session.connect_beside()?;
    store::read(&mut client, attempt, most).map_err(of)
}

/// Whether the statement is of the kind that was said.
fn fits(statement: &Statement<'_>, touch: &Touch) -> Result<(), SqlFailure> {
    let due = match touch.kind {
        TouchKind::Insert => "insert",
        TouchKind::Update => "update",
        TouchKind::Delete => "delete",
    };
    if statement.word(0) != due {
        return Err(refused("the statement is not what was reviewed"));
    }
    if touch.kind == TouchKind::Insert
        && (statement.holds(&["on", "duplicate"])
            || statement.word(1) == "ignore"
            || statement.word(2) == "ignore"
            || statement.word(1) == "delayed"
            || statement.holds(&["returning"]))
    {
        return Err(refused(
            "rows of an INSERT with IGNORE, DELAYED, RETURNING or ON DUPLICATE KEY cannot be kept",
        ));
    }
    Ok(())
}

/// What a function of the database's users writes, nobody sees.
fn refuse_functions_of_users(
    session: &mut MySqlSession,
    statement: &Statement<'_>,
) -> Result<(), SqlFailure> {
    let calls = statement.tokens.windows(2).filter_map(|pair| match pair {
        [name, Token::Sign('(')] => name.name(),
        _ => None,
    });
    let mut names: Vec<String> = calls.map(literal).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        return Ok(());
    }
    let rows = session.client.rows(&format!(
        "SELECT 1 FROM information_schema.routines WHERE routine_type = 'FUNCTION' \
         AND routine_name IN ({}) LIMIT 1",
        names.join(", ")
    ));
    if session.settled(rows)?.is_empty() {
        return Ok(());
    }
    Err(refused(
        "the statement calls a function of the database, and what that writes cannot be kept",
    ))
}

/// One statement whose rows are kept.
struct Work<'a> {
    table: Table,
    touch: &'a Touch,
    rows_max: u64,
}

type Kept = (u64, Vec<String>);

impl Work<'_> {
    fn insert(
        &self,
        session: &mut MySqlSession,
        statement: &Statement<'_>,
    ) -> Result<Kept, SqlFailure> {
        let sql = format!("{}\n RETURNING {}", statement.text, self.table.images());
        reached(points::EXECUTING);
        let rows = session.client.rows_up_to(&sql, self.rows_max, &mut { KEPT_BYTES_MAX });
        reached(points::EXECUTED);
        let rows = session.settled(rows)?;
        let new = self.images(rows)?;
        let found = self.read_again(session, &new)?;
        let inverses = new.iter().map(|image| {
            if found.get(&image.key(&self.table)) != Some(image) {
                return Err(refused("a row is not there as it was inserted"));
            }
            inverse::of_insert(&self.table, image)
        });
        let inverses = inverses.collect::<Result<Vec<_>, _>>()?;
        Ok((count(new.len()), inverses))
    }

    fn update(
        &self,
        session: &mut MySqlSession,
        statement: &Statement<'_>,
    ) -> Result<Kept, SqlFailure> {
        let (changed, before) = self.execute_over(session, statement)?;
        let after = self.read_again(session, &before)?;
        let mut inverses = Vec::new();
        for old in &before {
            let new = after
                .get(&old.key(&self.table))
                .ok_or_else(|| refused("a row that was kept is gone after the statement"))?;
            if new != old {
                inverses.push(inverse::of_update(&self.table, old, new)?);
            }
        }
        // Rows that an UPDATE leaves as they were do not count, here and there.
        if changed != count(inverses.len()) {
            return Err(refused(format!(
                "the statement changed {changed} rows, and {} that were kept changed",
                inverses.len()
            )));
        }
        Ok((changed, inverses))
    }

    fn delete(
        &self,
        session: &mut MySqlSession,
        statement: &Statement<'_>,
    ) -> Result<Kept, SqlFailure> {
        let (changed, before) = self.execute_over(session, statement)?;
        let left = self.read_again(session, &before)?;
        if changed != count(before.len()) || !left.is_empty() {
            return Err(refused(format!(
                "the statement deleted {changed} rows, and {} were kept",
                before.len()
            )));
        }
        let inverses = before.iter().map(|image| inverse::of_delete(&self.table, image));
        Ok((changed, inverses.collect::<Result<_, _>>()?))
    }

    /// Reads and locks the rows that the statement means, and runs it.
    fn execute_over(
        &self,
        session: &mut MySqlSession,
        statement: &Statement<'_>,
    ) -> Result<(u64, Vec<Image>), SqlFailure> {
        let alias = self.touch.alias.as_deref().map(table::quoted);
        let alias = alias.map(|alias| format!(" AS {alias}")).unwrap_or_default();
        let condition = self.touch.condition.as_deref();
        let condition = condition.map(|text| format!(" WHERE ({text}\n)")).unwrap_or_default();
        let sql = format!(
            "SELECT {} FROM {}{alias}{condition} LIMIT {} FOR UPDATE",
            self.table.images(),
            self.table.path(),
            self.rows_max.saturating_add(1)
        );
        // The condition is somebody else's text.
        let _checked = guard::check(&sql, Purpose::Read).map_err(refused)?;
        let rows = session.client.rows_up_to(&sql, u64::MAX, &mut { KEPT_BYTES_MAX });
        let rows = session.settled(rows)?;
        if count(rows.len()) > self.rows_max {
            let why = format!("more than {} rows would have to be kept", self.rows_max);
            return Err(SqlFailure::Limit(why));
        }
        let before = self.images(rows)?;
        reached(points::ROWS_LOCKED);
        reached(points::EXECUTING);
        let done = session.send_statement(statement.text, &[]);
        reached(points::EXECUTED);
        Ok((session.settled(done)?, before))
    }

    fn images(&self, rows: Vec<Vec<Option<Vec<u8>>>>) -> Result<Vec<Image>, SqlFailure> {
        let width = self.table.kept().count();
        if rows.iter().any(|row| row.len() != width) {
            return Err(of(Fault::Malformed));
        }
        Ok(rows.into_iter().map(Image).collect())
    }

    /// The rows with the keys of `images`, as they are now, by key.
    fn read_again(
        &self,
        session: &mut MySqlSession,
        images: &[Image],
    ) -> Result<BTreeMap<Key, Image>, SqlFailure> {
        let (mut found, mut room) = (BTreeMap::new(), KEPT_BYTES_MAX);
        for part in images.chunks(ROWS_AT_ONCE) {
            let keys = part.iter().map(|image| inverse::key_is(&self.table, image));
            let keys = keys.collect::<Result<Vec<_>, _>>()?.join(" OR ");
            let sql = format!(
                "SELECT {} FROM {} WHERE {keys} FOR UPDATE",
                self.table.images(),
                self.table.path()
            );
            let rows = session.client.rows_up_to(&sql, u64::MAX, &mut room);
            let rows = session.settled(rows)?;
            for image in self.images(rows)? {
                let _none = found.insert(image.key(&self.table), image);
            }
        }
        Ok(found)
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
