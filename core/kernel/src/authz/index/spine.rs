//! A list that is never changed: a new version copies two short arrays and shares everything else.

use std::sync::Arc;

/// How many items stand in one group. The square of it is about how many items cost least to change.
const WIDTH: usize = 128;

#[derive(Debug, Eq, PartialEq)]
pub(super) struct Spine<T> {
    groups: Arc<[Arc<[Arc<T>]>]>,
}

impl<T> Clone for Spine<T> {
    fn clone(&self) -> Self {
        Self { groups: Arc::clone(&self.groups) }
    }
}

impl<T> Default for Spine<T> {
    fn default() -> Self {
        Self { groups: Arc::from([]) }
    }
}

impl<T> FromIterator<T> for Spine<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let items: Vec<Arc<T>> = items.into_iter().map(Arc::new).collect();
        Self { groups: items.chunks(WIDTH).map(Arc::from).collect() }
    }
}

impl<T> Spine<T> {
    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        let group = self.groups.get(at / WIDTH)?;
        group.get(at % WIDTH).map(|item| &**item)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.groups.iter().flat_map(|group| group.iter()).map(|item| &**item)
    }

    pub(super) fn len(&self) -> usize {
        let full = self.groups.len().saturating_sub(1).saturating_mul(WIDTH);
        self.groups.last().map_or(0, |last| full.saturating_add(last.len()))
    }

    /// This list with `item` in the place of the one at `at`, or behind the last one where `at` is past it.
    #[must_use]
    pub(super) fn with(&self, at: usize, item: T) -> Self {
        let at = at.min(self.len());
        let mut groups: Vec<Arc<[Arc<T>]>> = self.groups.to_vec();
        let group = groups.get(at / WIDTH).map(|group| group.to_vec());
        let mut group = group.unwrap_or_default();
        match group.get_mut(at % WIDTH) {
            Some(place) => *place = Arc::new(item),
            None => group.push(Arc::new(item)),
        }
        match groups.get_mut(at / WIDTH) {
            Some(place) => *place = group.into(),
            None => groups.push(group.into()),
        }
        Self { groups: groups.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_list() {
        let mut spine: Spine<usize> = (0..300).collect();
        for at in 300..600 {
            spine = spine.with(at, at);
        }
        let before = spine.clone();
        spine = spine.with(7, 1_000).with(599, 2_000);
        assert_eq!((before.get(7), before.get(599)), (Some(&7), Some(&599)));
        assert_eq!(
            (spine.get(7), spine.get(599), spine.get(600)),
            (Some(&1_000), Some(&2_000), None)
        );
        assert_eq!((spine.len(), spine.iter().count()), (600, 600));
        assert_eq!((0..300).collect::<Spine<usize>>().with(0, 0), (0..300).collect());
    }
}
