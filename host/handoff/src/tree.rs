//! Lists whose entries name their parents, put in the order in which a tree is read.

/// An entry in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The entry's position in the list.
    pub(crate) index: usize,
    /// How many stand above it.
    pub(crate) depth: usize,
    /// How many stand below it, at any depth.
    pub(crate) below: usize,
}

/// The entries, parents before children; the widest branch first if `widest_first`. Whoever names itself, a later entry or none
/// that exists as its parent stands at the top: no list can make this loop.
pub(crate) fn order(parents: &[Option<usize>], widest_first: bool) -> Vec<Place> {
    let parent = |index: usize| parents.get(index).copied().flatten().filter(|p| *p < index);
    let mut below = vec![0_usize; parents.len()];
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); parents.len()];
    let mut roots = Vec::new();
    for index in (0..parents.len()).rev() {
        let under = below.get(index).copied().unwrap_or(0) + 1;
        match parent(index) {
            Some(up) => {
                if let Some(sum) = below.get_mut(up) {
                    *sum += under;
                }
                if let Some(list) = children.get_mut(up) {
                    list.push(index);
                }
            }
            None => roots.push(index),
        }
    }
    let size = |index: usize| below.get(index).copied().unwrap_or(0);
    // The lists are backwards, as the stack needs them: the last is taken first. The sort is stable.
    if widest_first {
        for list in children.iter_mut().chain([&mut roots]) {
            list.sort_by_key(|index| size(*index));
        }
    }
    let mut stack: Vec<(usize, usize)> = roots.into_iter().map(|index| (index, 0)).collect();
    let mut out = Vec::with_capacity(parents.len());
    while let Some((index, depth)) = stack.pop() {
        out.push(Place {
            index,
            depth,
            below: size(index),
        });
        stack.extend(
            children
                .get(index)
                .into_iter()
                .flatten()
                .map(|child| (*child, depth + 1)),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(parents: &[Option<usize>], widest_first: bool) -> Vec<(usize, usize, usize)> {
        order(parents, widest_first)
            .into_iter()
            .map(|p| (p.index, p.depth, p.below))
            .collect()
    }

    #[test]
    fn the_widest_branch_comes_first() {
        // 0 has 1 and 2; 2 has 3; 4 stands alone.
        let parents = [None, Some(0), Some(0), Some(2), None];
        assert_eq!(
            shape(&parents, true),
            [(0, 0, 3), (2, 1, 1), (3, 2, 0), (1, 1, 0), (4, 0, 0)]
        );
        assert_eq!(
            shape(&parents, false),
            [(0, 0, 3), (1, 1, 0), (2, 1, 1), (3, 2, 0), (4, 0, 0)]
        );
    }

    #[test]
    fn a_list_that_is_no_tree_is_shown_all_the_same() {
        assert_eq!(
            shape(&[Some(0), Some(9), Some(1)], true),
            [(1, 0, 1), (2, 1, 0), (0, 0, 0)]
        );
        let chain: Vec<Option<usize>> = (0..100_000_usize).map(|i| i.checked_sub(1)).collect();
        assert_eq!(order(&chain, true).len(), 100_000);
        assert!(order(&[], true).is_empty());
    }
}
