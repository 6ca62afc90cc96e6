//! A list that is never changed: a new version copies three short arrays and shares everything else.

use std::sync::Arc;

/// How many items stand in one group, and how many groups in one of the groups of those.
const WIDTH: usize = 64;

type Group<T> = Arc<[T]>;

/// Items that are cheap to clone, in groups of groups. What a change copies is what it costs.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Spine<T> {
    groups: Group<Group<Group<T>>>,
    len: usize,
}

impl<T> Clone for Spine<T> {
    fn clone(&self) -> Self {
        Self { groups: Arc::clone(&self.groups), len: self.len }
    }
}

impl<T> Default for Spine<T> {
    fn default() -> Self {
        Self { groups: Arc::from([]), len: 0 }
    }
}

fn grouped<T>(items: impl IntoIterator<Item = T>) -> Vec<Group<T>> {
    let (mut items, mut groups) = (items.into_iter(), Vec::new());
    loop {
        let group: Group<T> = items.by_ref().take(WIDTH).collect();
        if group.is_empty() {
            return groups;
        }
        groups.push(group);
    }
}

impl<T> FromIterator<T> for Spine<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut len = 0_usize;
        let counted = items.into_iter().inspect(|_| len = len.saturating_add(1));
        let groups = grouped(grouped(counted)).into();
        Self { groups, len }
    }
}

impl<T: Clone> Spine<T> {
    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        let wide = self.groups.get(at / (WIDTH * WIDTH))?;
        wide.get(at / WIDTH % WIDTH)?.get(at % WIDTH)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.groups.iter().flat_map(|wide| wide.iter()).flat_map(|group| group.iter())
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// This list with `item` in the place of the one at `at`, or behind the last one where `at` is past it.
    #[must_use]
    pub(super) fn with(&self, at: usize, item: T) -> Self {
        self.with_all([(at, item)])
    }

    /// The same with several, one after the other.
    #[must_use]
    pub(super) fn with_all(&self, items: impl IntoIterator<Item = (usize, T)>) -> Self {
        let mut made = self.clone();
        for (at, item) in items {
            let at = at.min(made.len);
            made.len = made.len.max(at.saturating_add(1));
            // What this one call has made anew is its own already, and not copied again.
            let groups = place(&mut made.groups, at / (WIDTH * WIDTH), || Arc::from([]));
            let group =
                groups.and_then(|groups| place(groups, at / WIDTH % WIDTH, || Arc::from([])));
            if let Some(place) = group.and_then(|group| place(group, at % WIDTH, || item.clone())) {
                *place = item;
            }
        }
        made
    }
}

/// The place of an item, behind the last one where there is none yet.
fn place<T: Clone>(group: &mut Group<T>, at: usize, new: impl FnOnce() -> T) -> Option<&mut T> {
    if at >= group.len() {
        *group = group.iter().cloned().chain([new()]).collect();
    }
    Arc::make_mut(group).get_mut(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_list() {
        let mut spine: Spine<usize> = (0..5_000).collect();
        for at in 5_000..9_000 {
            spine = spine.with(at, at);
        }
        let before = spine.clone();
        spine = spine.with_all([(7, 1_000), (8_999, 2_000), (7, 3_000)]);
        assert_eq!((before.get(7), before.get(8_999)), (Some(&7), Some(&8_999)));
        assert_eq!(
            (spine.get(7), spine.get(8_999), spine.get(9_000)),
            (Some(&3_000), Some(&2_000), None)
        );
        assert_eq!((spine.len(), spine.iter().count()), (9_000, 9_000));
        assert!(before.iter().copied().eq(0..9_000));
        assert_eq!((0..300).collect::<Spine<usize>>().with(0, 0), (0..300).collect());
        assert_eq!(Spine::default().with(5, 1), [1].into_iter().collect());
    }
}
