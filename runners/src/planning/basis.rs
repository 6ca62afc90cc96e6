//! What a plan rests on at its target: the objects that its steps name.

/// The names, each once and in order; none where any step does not tell what it touches, for then it is everything.
pub(crate) fn objects(steps: impl Iterator<Item = impl AsRef<[String]>>) -> Vec<String> {
    let mut all = std::collections::BTreeSet::new();
    for step in steps {
        let step = step.as_ref();
        if step.is_empty() {
            return Vec::new();
        }
        all.extend(step.iter().cloned());
    }
    all.into_iter().collect()
}
