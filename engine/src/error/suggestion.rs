//! "Did you mean": which of the names that there are was probably meant.

/// The candidate that `name` was probably meant to be.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| {
            let shorter = name.len().min(candidate.len());
            // One letter is like any other.
            *distance > 0 && *distance < shorter && *distance <= (shorter / 3).max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names() {
        assert_eq!(nearest("stauts", ["status", "state"].into_iter()), Some("status"));
        assert_eq!(nearest("x", ["status"].into_iter()), None);
    }
}
