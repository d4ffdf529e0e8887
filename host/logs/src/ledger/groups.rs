//! Things that are alike, counted together: at most so many groups of a kind, merged by their ids.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

/// Most groups of one kind that are kept, the first ones.
const MAX_GROUPS: usize = 10_000;

/// What is counted together under one id.
pub(crate) trait Group {
    /// Two lower-case letters, `_` and 16 hex digits.
    fn id(&self) -> &str;
    /// How many things it holds.
    fn count(&self) -> u64;
    /// Adds what a later part counted under the same id.
    fn absorb(&mut self, other: Self);
}

/// The groups of one kind.
#[derive(Debug, Clone)]
pub(super) struct Groups<G> {
    by_key: HashMap<u64, G>,
    dropped: u64,
}

impl<G> Default for Groups<G> {
    fn default() -> Self {
        Self {
            by_key: HashMap::new(),
            dropped: 0,
        }
    }
}

impl<G: Group> Groups<G> {
    /// The group of one thing; none when there is no room for a new one, and the thing is dropped.
    pub(super) fn of_one(&mut self, key: u64, make: impl FnOnce() -> G) -> Option<&mut G> {
        if self.by_key.len() >= MAX_GROUPS && !self.by_key.contains_key(&key) {
            self.dropped += 1;
            return None;
        }
        Some(self.by_key.entry(key).or_insert_with(make))
    }

    /// What did not fit.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// All of them, in no order.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut G> {
        self.by_key.values_mut()
    }

    /// Adds what a later part found.
    pub(super) fn merge(&mut self, other: Self) {
        self.dropped = self.dropped.saturating_add(other.dropped);
        for (key, group) in other.by_key {
            if let Some(known) = self.by_key.get_mut(&key) {
                known.absorb(group);
            } else if self.by_key.len() < MAX_GROUPS {
                self.by_key.insert(key, group);
            } else {
                self.dropped = self.dropped.saturating_add(group.count());
            }
        }
    }

    /// Counts the groups together anew: `change` changes a group, its id too, and gives its new key.
    pub(super) fn regroup(&mut self, change: impl Fn(&mut G) -> u64) {
        let mut groups: Vec<G> = std::mem::take(&mut self.by_key).into_values().collect();
        // Where one of several that become one is kept, it has to be the same one each time.
        groups.sort_by(|one, other| one.id().cmp(other.id()));
        for mut group in groups {
            match self.by_key.entry(change(&mut group)) {
                Entry::Occupied(known) => known.into_mut().absorb(group),
                Entry::Vacant(place) => {
                    place.insert(group);
                }
            }
        }
    }

    /// From a part's file, whose ids were checked.
    pub(super) fn from_list(list: Vec<G>, dropped: u64) -> Self {
        let key = |group: &G| {
            let digits = group.id().get(3..)?;
            u64::from_str_radix(digits, 16).ok()
        };
        Self {
            by_key: list
                .into_iter()
                .filter_map(|group| Some((key(&group)?, group)))
                .collect(),
            dropped,
        }
    }

    /// The groups by rank, largest first; ties by id.
    pub(super) fn into_list<R: Ord>(self, rank: impl Fn(&G) -> R) -> Vec<G> {
        let mut list: Vec<G> = self.by_key.into_values().collect();
        list.sort_by(|one, other| (rank(other), one.id()).cmp(&(rank(one), other.id())));
        list
    }
}

/// Widens a span of time to an instant.
pub(super) fn widen(first_us: &mut i64, last_us: &mut i64, at_us: i64) {
    cover(first_us, last_us, (at_us, at_us));
}

/// Widens a span of time to cover another one.
pub(super) fn cover(first_us: &mut i64, last_us: &mut i64, (other_first_us, other_last_us): (i64, i64)) {
    *first_us = (*first_us).min(other_first_us);
    *last_us = (*last_us).max(other_last_us);
}
