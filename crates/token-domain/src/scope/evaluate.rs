//! Why a set of scopes does or does not do: what is missing, what matched what, and what would do.
//!
//! **Invariant:** nothing here decides about a request; [`super::Requirement::check`] does, and the answers agree. This
//! allocates, so it runs when something was refused or somebody asks.

use std::collections::HashSet;

use super::catalogue::ScopeCatalogue;
use super::requirement::{Missing, Requirement};
use super::set::{ScopeId, ScopeSet};

/// The most sufficient sets that are listed. A longer list would help nobody.
const MOST_TRIED: usize = 64;
/// How many of them are told.
const MOST_TOLD: usize = 8;

/// What a list of granted names makes of a list of required ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation<'n> {
    /// Required scopes, companions included, that nothing granted covers; names the catalogue lacks among them.
    pub missing: Vec<&'n str>,
    /// Each required name that is covered, with the first granted name that covers it.
    pub matched: Vec<(&'n str, &'n str)>,
    /// Names of either list that the catalogue does not have. They grant nothing and nothing grants them.
    pub unknown: Vec<&'n str>,
    /// The smallest sets that would do; none when a required name is unknown, because nothing would.
    pub sufficient: Vec<Vec<&'n str>>,
}

impl ScopeCatalogue {
    /// Compares what is granted with what is required.
    pub fn evaluate<'n>(&'n self, granted: &'n [String], required: &'n [String]) -> Evaluation<'n> {
        let mut unknown = Vec::new();
        let grants = self.known(granted, &mut unknown);
        let granted_unknown = unknown.len();
        let needs = self.known(required, &mut unknown);
        let lacks_entry = unknown.len() > granted_unknown || required.iter().any(|name| self.find(name).is_none());
        let requirement = needs.iter().fold(ScopeSet::EMPTY, |all, (_, scope)| all.union(self.needs[scope.index()]));
        let effective = self.expand(grants.iter().map(|(_, scope)| *scope));
        let lacking = Requirement::all(requirement).check(&effective).err().map_or(ScopeSet::EMPTY, |Missing(set)| set);
        let mut missing = self.names(lacking);
        missing.extend(distinct(required).filter(|name| self.find(name).is_none()));
        let covering = |scope: ScopeId| grants.iter().find(|(_, granted)| self.covers[granted.index()].contains(scope));
        let matched = needs.iter().filter_map(|(name, scope)| Some((*name, covering(*scope)?.0))).collect();
        let sufficient = if lacks_entry { Vec::new() } else { self.sufficient_names(requirement) };
        Evaluation { missing, matched, unknown, sufficient }
    }

    /// The smallest sets of scopes that cover all of these: none can spare a member. The one that permits least comes
    /// first; at most eight.
    pub fn sufficient(&self, scopes: ScopeSet) -> Vec<ScopeSet> {
        let mut found = Vec::new();
        self.search(scopes, ScopeSet::EMPTY, ScopeSet::EMPTY, &mut found);
        let mut minimal: Vec<ScopeSet> = found.into_iter().map(|set| self.without_spares(set, scopes)).collect();
        minimal.sort_by_key(|set| {
            let permits = self.expand(set.iter()).len();
            (permits, set.len(), set.iter().collect::<Vec<_>>())
        });
        minimal.dedup();
        minimal.truncate(MOST_TOLD);
        minimal
    }

    /// The same by name.
    pub fn sufficient_names(&self, scopes: ScopeSet) -> Vec<Vec<&str>> {
        self.sufficient(scopes).into_iter().map(|set| self.names(set)).collect()
    }

    /// Covers what is not covered yet in every way there is, the way that permits least first.
    fn search(&self, scopes: ScopeSet, chosen: ScopeSet, covered: ScopeSet, found: &mut Vec<ScopeSet>) {
        let Some(next) = scopes.difference(covered).iter().next() else {
            found.push(chosen);
            return;
        };
        let mut ways: Vec<ScopeId> = self.ids().filter(|scope| self.covers[scope.index()].contains(next)).collect();
        ways.sort_by_key(|scope| (self.covers[scope.index()].len(), *scope));
        for way in ways {
            if found.len() >= MOST_TRIED {
                return;
            }
            self.search(scopes, chosen.union(ScopeSet::of(way)), covered.union(self.covers[way.index()]), found);
        }
    }

    /// The set without members that the others make up for; among several it is the widest that goes.
    fn without_spares(&self, set: ScopeSet, scopes: ScopeSet) -> ScopeSet {
        let mut members: Vec<ScopeId> = set.iter().collect();
        members.sort_by_key(|scope| std::cmp::Reverse(self.covers[scope.index()].len()));
        members.into_iter().fold(set, |kept, member| {
            let rest = kept.difference(ScopeSet::of(member));
            if self.expand(rest.iter()).covers(&scopes) { rest } else { kept }
        })
    }

    /// The names that the catalogue has, once each, in order; the others go to `unknown`.
    fn known<'n>(&self, names: &'n [String], unknown: &mut Vec<&'n str>) -> Vec<(&'n str, ScopeId)> {
        let mut known: Vec<(&str, ScopeId)> = Vec::with_capacity(names.len());
        let mut noted: HashSet<&str> = unknown.iter().copied().collect();
        for name in distinct(names) {
            match self.find(name) {
                Some(scope) => known.push((name, scope)),
                None if noted.insert(name) => unknown.push(name),
                None => {}
            }
        }
        known
    }
}

/// Each name once, where it first stands. A set, not a search of the names before it: a request may carry sixteen thousand.
fn distinct(names: &[String]) -> impl Iterator<Item = &str> {
    let mut seen = HashSet::with_capacity(names.len());
    names.iter().map(String::as_str).filter(move |name| seen.insert(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn an_evaluation_says_what_is_missing_what_matched_and_what_would_do() {
        type Row = (
            &'static [&'static str],
            &'static [&'static str],
            &'static [&'static str],
            &'static [(&'static str, &'static str)],
            &'static [&'static [&'static str]],
        );
        let rows: [Row; 8] = [
            (&["execute"], &["read"], &[], &[("read", "execute")], &[&["read"], &["execute"], &["admin"]]),
            (&["read"], &["execute"], &["execute"], &[], &[&["execute"], &["admin"]]),
            (&["scans"], &["scans:read"], &[], &[("scans:read", "scans")], &[&["scans:read"], &["scans"], &["admin"]]),
            (
                &["scans:run"],
                &["scans:run"],
                &["projects:read"],
                &[("scans:run", "scans:run")],
                &[&["projects:read", "scans:run"], &["projects:read", "scans"], &["admin"]],
            ),
            (
                &["org", "org:read"],
                &["org.memberships:read"],
                &["org.memberships:read"],
                &[],
                &[&["org.memberships:read"], &["admin"]],
            ),
            (&["admin", "bot"], &["bot"], &[], &[("bot", "admin")], &[&["bot"], &["admin"]]),
            (&["execute"], &["Execute"], &["Execute"], &[], &[]),
            (&["execute"], &[], &[], &[], &[&[]]),
        ];
        let catalogue = ScopeCatalogue::built_in().unwrap();
        for (granted, required, missing, matched, sufficient) in rows {
            let (granted, required) = (list(granted), list(required));
            let found = catalogue.evaluate(&granted, &required);
            assert_eq!(found.missing, missing, "{granted:?} {required:?}");
            assert_eq!(found.matched, matched, "{granted:?} {required:?}");
            assert_eq!(found.sufficient, sufficient, "{granted:?} {required:?}");
        }
        let (granted, required) = (list(&["nothing", "Read", "nothing"]), list(&["read", "Read"]));
        let found = catalogue.evaluate(&granted, &required);
        assert_eq!(
            (found.unknown.as_slice(), found.missing.as_slice()),
            (&["nothing", "Read"][..], &["read", "Read"][..])
        );
        assert!(found.sufficient.is_empty(), "nothing covers a name that the catalogue does not have");
    }

    #[test]
    fn the_sets_that_would_do_stay_few() {
        let catalogue = ScopeCatalogue::built_in().unwrap();
        let everything: Vec<String> = catalogue.entries().iter().map(|entry| entry.name.to_string()).collect();
        assert_eq!(catalogue.evaluate(&[], &everything).sufficient, [["admin"]]);
        let actions: Vec<String> = everything.into_iter().filter(|name| name.contains(':')).collect();
        let found = catalogue.evaluate(&[], &actions);
        assert_eq!((found.missing.len(), found.sufficient.len()), (actions.len(), MOST_TOLD));
    }
}
