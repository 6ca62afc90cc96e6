//! Some people with all their rows, in one run of memory: whoever is asked about is mostly somebody nobody asked
//! about lately, and then each line and each page has to be waited for.

use std::sync::Arc;

use super::flags::Flags;
use super::rows::{Line, ROW, RowWords, Rows, Span};
use super::table::spread;
use super::words::{IdWords, id_bits, id_words, narrow, wide};
use crate::id::UserId;

/// For each person, ascending, the id, the flags with the number of projects, and for each project, ascending, a
/// [`GroupWords`] and the rows; last, the ids of all rows. Beside it, in the line of memory that leads to it, where
/// the people stand.
///
/// A person without a flag and without a row is nobody, and left out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[repr(align(64))]
pub(super) struct Shard {
    words: Arc<[u32]>,
    // Where the ids of rows begin.
    ids: u32,
    // Whether everybody has a place in the line; else people are searched for.
    is_placed: bool,
    places: [u16; PLACES],
}

/// How many places fit into the line: a table, in which a search begins where the hash says and ends at a 0, or
/// when it was everywhere.
const PLACES: usize = 20;

/// A place is counted in so many words.
const UNIT: usize = 4;

/// The bits of a place; above them is a part of the hash, so that of others mostly nothing is read.
const PLACE_BITS: u32 = 10;

/// What the line says of somebody who stands at `at`, which is no 0; `None` where that cannot be said.
fn place(user: UserId, at: usize) -> Option<u16> {
    let at = u16::try_from(at.checked_div(UNIT)?.checked_add(1)?).ok()?;
    (at < 1 << PLACE_BITS).then(|| at | part_of_hash(user))
}

/// That part which stands above the place.
#[inline]
fn part_of_hash(user: UserId) -> u16 {
    let [_, _, _, _, low, high, ..] = spread(user.as_u128()).to_le_bytes();
    u16::from_le_bytes([low, high]) >> PLACE_BITS << PLACE_BITS
}

/// The places to be looked at for somebody, each once.
#[inline]
fn search(user: UserId) -> impl Iterator<Item = usize> {
    let [_, _, low, high, ..] = spread(user.as_u128()).to_le_bytes();
    let start = usize::from(u16::from_le_bytes([low, high])).wrapping_mul(PLACES) >> 16;
    (start..PLACES).chain(0..start)
}

/// The id; the flags in the lowest byte, and above them how many projects there are.
type HeadWords = [u32; 5];

/// The number of a project, how many rows there are in it, and how many rows of the shard stand before.
type GroupWords = [u32; 3];

/// What goes into one shard.
pub(super) type Lot = (Vec<(UserId, Flags)>, Vec<Line>);

impl Shard {
    /// Packs people and their rows, which come in any order. Of two flags of one user the first counts.
    pub(super) fn build((mut people, mut lines): Lot) -> Self {
        lines.sort_unstable();
        // Somebody who has rows and does not exist is nobody yet: no flag is set.
        people.extend(
            lines
                .chunk_by(|a, b| a.user == b.user)
                .filter_map(|of_one| of_one.first().map(|line| (line.user, Flags::default()))),
        );
        people.sort_by_key(|(id, _)| *id);
        people.dedup_by_key(|(id, _)| *id);
        let (mut rest, mut words, mut places) = (&*lines, Vec::new(), Vec::new());
        for (id, flags) in people {
            let count = rest.partition_point(|line| line.user == id);
            let (own, others) = rest.split_at_checked(count).unwrap_or_default();
            let before = lines.len().saturating_sub(rest.len());
            rest = others;
            if !own.is_empty() || flags != Flags::default() {
                places.push((id, place(id, words.len())));
                push_record(&mut words, (id, flags), own, before);
            }
        }
        let ids = narrow(words.len());
        words.extend(lines.iter().flat_map(|line| id_words(line.id)));
        let mut made = Self { words: words.into(), ids, ..Self::default() };
        made.is_placed = places.into_iter().all(|(user, place)| made.put(user, place).is_some());
        made
    }

    /// Puts somebody into the line, where there is a place left.
    fn put(&mut self, user: UserId, place: Option<u16>) -> Option<()> {
        let at = search(user).find(|at| self.places.get(*at) == Some(&0))?;
        *self.places.get_mut(at)? = place?;
        Some(())
    }

    #[inline]
    fn parts(&self) -> (&[u32], &[u32]) {
        self.words.split_at_checked(wide(self.ids)).unwrap_or_default()
    }

    #[inline]
    pub(super) fn find(&self, user: UserId) -> Option<Person<'_>> {
        let (records, ids) = self.parts();
        let (part, id) = (part_of_hash(user), id_words(user.as_u128()));
        if !self.is_placed {
            return self.everybody().find(|person| person.id == user);
        }
        for at in search(user) {
            let place = *self.places.get(at)?;
            if place == 0 {
                return None;
            }
            if place >> PLACE_BITS << PLACE_BITS == part {
                let at = usize::from(place & ((1 << PLACE_BITS) - 1)).wrapping_sub(1);
                let record = records.get(at.wrapping_mul(UNIT)..)?;
                if record.first_chunk() == Some(&id) {
                    return Person::at(record, ids);
                }
            }
        }
        None
    }

    /// Everybody, in ascending order.
    pub(super) fn everybody(&self) -> impl Iterator<Item = Person<'_>> {
        let (mut records, ids) = self.parts();
        core::iter::from_fn(move || {
            let person = Person::at(records, ids)?;
            let mut groups = person.groups();
            groups.by_ref().for_each(drop);
            let end = records.len().saturating_sub(groups.words.len()).next_multiple_of(UNIT);
            records = records.get(end..).unwrap_or_default();
            Some(person)
        })
    }

    /// What is in it.
    pub(super) fn unpack(&self) -> Lot {
        let mut lot = Lot::default();
        for person in self.everybody() {
            lot.0.push((person.id, person.flags));
            lot.1.extend(person.lines());
        }
        lot
    }

    /// How many people there are.
    pub(super) fn len(&self) -> usize {
        self.everybody().count()
    }

    /// How many bytes this takes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.words)
    }
}

fn push_record(
    records: &mut Vec<u32>,
    (id, flags): (UserId, Flags),
    lines: &[Line],
    mut before: usize,
) {
    let groups = || lines.chunk_by(|a, b| a.project == b.project);
    records.extend(id_words(id.as_u128()));
    records.push(narrow(groups().count()) << 8 | u32::from(flags.bits()));
    for group in groups() {
        let project = group.first().map_or(0, |line| line.project);
        records.extend::<GroupWords>([project, narrow(group.len()), narrow(before)]);
        records.extend(group.iter().flat_map(|line| line.span.words()));
        before = before.saturating_add(group.len());
    }
    records.resize(records.len().next_multiple_of(UNIT), 0);
}

/// Somebody in a shard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person<'a> {
    pub(super) id: UserId,
    pub(super) flags: Flags,
    projects: u32,
    groups: &'a [u32],
    ids: &'a [u32],
}

impl<'a> Person<'a> {
    /// The person whose record begins here.
    #[inline]
    fn at(records: &'a [u32], ids: &'a [u32]) -> Option<Self> {
        let (head, groups): (&HeadWords, _) = records.split_first_chunk()?;
        let [a, b, c, d, rest] = head;
        let id = UserId::from_u128(id_bits(&[*a, *b, *c, *d]));
        let [flags, ..] = rest.to_le_bytes();
        Some(Self { id, flags: Flags::from_bits(flags), projects: rest >> 8, groups, ids })
    }

    #[inline]
    fn groups(&self) -> Groups<'a> {
        Groups { left: self.projects, words: self.groups }
    }

    /// The numbers of the projects that they have rows in, in ascending order.
    pub(super) fn projects(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.groups().map(|group| group.project)
    }

    /// Their rows in a project: memberships, then grants.
    #[inline]
    pub(super) fn spans(&self, project: u32) -> impl Iterator<Item = Span> + use<'a> {
        let group = self.groups().find(|group| group.project == project);
        group.map_or(&[][..], |group| group.rows).iter().map(Span::of)
    }

    /// The same, with the ids of the rows.
    pub(super) fn rows(&self, project: u32) -> impl Iterator<Item = (u128, Span)> + use<'a> {
        let (ids, _) = self.ids.as_chunks();
        let group = self.groups().find(|group| group.project == project);
        group.into_iter().flat_map(move |group| group.with_ids(ids))
    }

    /// The same, of one kind.
    pub(super) fn rows_of(
        &self,
        project: u32,
        kind: Rows,
    ) -> impl Iterator<Item = (u128, Span)> + use<'a> {
        self.rows(project).filter(move |(_, row)| row.is_grant() == (kind == Rows::Grants))
    }

    /// All their rows.
    pub(super) fn lines(&self) -> impl Iterator<Item = Line> + use<'a> {
        let (user, whole) = (self.id, *self);
        self.projects().flat_map(move |project| {
            whole.rows(project).map(move |row| Line::of(user, project, row))
        })
    }
}

/// The rows of somebody in one project.
#[derive(Clone, Copy, Debug)]
struct Group<'a> {
    project: u32,
    rows: &'a [RowWords],
    before: u32,
}

impl<'a> Group<'a> {
    fn with_ids(self, ids: &'a [IdWords]) -> impl Iterator<Item = (u128, Span)> + use<'a> {
        let ids = ids.get(wide(self.before)..).unwrap_or_default();
        ids.iter().map(id_bits).zip(self.rows.iter().map(Span::of))
    }
}

/// Somebody's projects, one after the other.
#[derive(Debug)]
struct Groups<'a> {
    left: u32,
    words: &'a [u32],
}

impl<'a> Iterator for Groups<'a> {
    type Item = Group<'a>;

    #[inline]
    fn next(&mut self) -> Option<Group<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (head, rest): (&GroupWords, _) = self.words.split_first_chunk()?;
        let [project, count, before] = *head;
        let words = wide(count).saturating_mul(ROW);
        let (rows, rest) = rest.split_at_checked(words)?;
        self.words = rest;
        Some(Group { project, rows: rows.as_chunks().0, before })
    }
}
