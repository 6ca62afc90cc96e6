//! A group as parameters of statements, one array for each column.

use tokio_postgres::types::ToSql;

use crate::group::Group;
use crate::place::Place;
use crate::record::{column, entry_sum, value_sum};

/// The parameters of one statement.
pub(crate) type Parameters<'a> = Vec<&'a (dyn ToSql + Sync)>;

/// Who commits, and which group it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signature<'a> {
    pub(crate) node: &'a String,
    pub(crate) opening: &'a String,
    pub(crate) group: &'a i64,
}

/// The columns.
#[derive(Debug, Default)]
pub(crate) struct Columns<'a> {
    commits_before: i64,
    log_len_before: i64,
    commits: i64,
    log_len: i64,
    sum: Vec<u8>,
    /// The channel and what to say there, where commits are told.
    told: Option<(&'a String, String)>,
    put_keys: Vec<&'a [u8]>,
    put_versions: Vec<i64>,
    put_values: Vec<&'a [u8]>,
    put_sums: Vec<Vec<u8>>,
    removed: Vec<&'a [u8]>,
    indexes: Vec<i64>,
    entries: Vec<&'a [u8]>,
    entry_sums: Vec<Vec<u8>>,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(place: &'a Place, group: &Group<'a>) -> Self {
        let tells = place.options.notifies;
        let mut columns = Self {
            commits_before: column(group.before.commits),
            log_len_before: column(group.before.log_len),
            commits: column(group.after.commits),
            log_len: column(group.after.log_len),
            sum: group.after.sum().to_vec(),
            told: tells.then(|| (&place.sql.channel, group.after.log_len.to_string())),
            ..Self::default()
        };
        for (key, (version, value)) in &group.changes {
            match value {
                Some(value) => {
                    columns.put_keys.push(key.as_bytes());
                    columns.put_versions.push(column(version.get()));
                    columns.put_values.push(value);
                    columns.put_sums.push(value_sum(key, *version, value).to_vec());
                }
                None => columns.removed.push(key.as_bytes()),
            }
        }
        for (index, entry) in (group.before.log_len..).zip(&group.entries) {
            columns.indexes.push(column(index));
            columns.entries.push(entry);
            columns.entry_sums.push(entry_sum(index, entry).to_vec());
        }
        columns
    }

    /// For the statement that moves head and writer.
    pub(crate) fn advance<'p>(
        &'p self,
        signature: &Signature<'p>,
        epoch: &'p i64,
    ) -> Parameters<'p> {
        let Signature { node, opening, group } = *signature;
        let mut parameters: Parameters<'p> = vec![node, opening, epoch, group];
        parameters.extend([&self.commits_before, &self.log_len_before].map(number));
        parameters.extend([&self.commits, &self.log_len].map(number));
        parameters.push(&self.sum);
        if let Some((channel, told)) = &self.told {
            parameters.push(*channel);
            parameters.push(told);
        }
        parameters
    }

    pub(crate) fn put(&self) -> Option<Parameters<'_>> {
        let columns: Parameters<'_> =
            vec![&self.put_keys, &self.put_versions, &self.put_values, &self.put_sums];
        (!self.put_keys.is_empty()).then_some(columns)
    }

    pub(crate) fn remove(&self) -> Option<Parameters<'_>> {
        let columns: Parameters<'_> = vec![&self.removed];
        (!self.removed.is_empty()).then_some(columns)
    }

    pub(crate) fn append(&self) -> Option<Parameters<'_>> {
        let columns: Parameters<'_> = vec![&self.indexes, &self.entries, &self.entry_sums];
        (!self.entries.is_empty()).then_some(columns)
    }
}

fn number(number: &i64) -> &(dyn ToSql + Sync) {
    number
}
