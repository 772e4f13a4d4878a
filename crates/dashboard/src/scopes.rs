//! The scope picker: the catalogue in groups, with the chosen scopes, and for scopes that the person may not grant the
//! roles that may.

use token_domain::scope::ScopeCatalogue;
use token_domain::token::Kind;
use token_domain::{Requirement, ScopeSet};

/// A group of the catalogue.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) scopes: Vec<Choice>,
}

/// A scope to choose.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) is_chosen: bool,
    /// The other scopes that it includes.
    pub(crate) covers: String,
    /// The scopes that it requires.
    pub(crate) requires: String,
    /// The built-in roles that have it, if the person does not; otherwise empty.
    pub(crate) held_by: String,
}

/// The scopes of the catalogue that tokens of a kind may carry, by group.
pub(crate) fn groups(catalogue: &ScopeCatalogue, kind: Kind, own: ScopeSet, chosen: &[String]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for entry in catalogue.entries().iter().filter(|entry| entry.kinds.contains(&kind)) {
        let name = entry.name.as_str();
        let covered = covered(catalogue, name);
        let is_held = catalogue.find(name).is_some_and(|id| own.covers(&catalogue.expand([id])));
        let choice = Choice {
            name: name.to_owned(),
            description: sentence(&entry.description),
            is_chosen: chosen.iter().any(|chosen| chosen == name),
            covers: some_of(&covered),
            requires: entry.requires.join(", "),
            held_by: if is_held { String::new() } else { holders(catalogue, name) },
        };
        match groups.iter_mut().find(|group| group.name == entry.group) {
            Some(group) => group.scopes.push(choice),
            None => groups.push(Group { name: entry.group.clone(), scopes: vec![choice] }),
        }
    }
    groups
}

/// What a scope permits; empty for one that is not in the catalogue any more.
pub(crate) fn description(catalogue: &ScopeCatalogue, name: &str) -> String {
    let found = catalogue.entries().iter().find(|entry| entry.name.as_str() == name);
    found.map(|entry| sentence(&entry.description)).unwrap_or_default()
}

/// The names that are not in the catalogue.
pub(crate) fn unknown(catalogue: &ScopeCatalogue, names: &[String]) -> Vec<String> {
    names.iter().filter(|name| catalogue.find(name).is_none()).cloned().collect()
}

/// The other scopes that a scope includes.
fn covered<'c>(catalogue: &'c ScopeCatalogue, name: &str) -> Vec<&'c str> {
    let Some(id) = catalogue.find(name) else { return Vec::new() };
    catalogue.names(catalogue.expand([id])).into_iter().filter(|covered| *covered != name).collect()
}

/// The first few names, and how many more there are.
fn some_of(names: &[&str]) -> String {
    const SHOWN: usize = 6;
    match names.len().saturating_sub(SHOWN) {
        0 | 1 => names.join(", "),
        more => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}

/// The built-in roles that permit a scope.
fn holders(catalogue: &ScopeCatalogue, name: &str) -> String {
    let required = catalogue.require_all(&[name]).unwrap_or(Requirement::NOTHING);
    let has =
        |role: &&token_domain::scope::Role| required.check(&catalogue.expand(role.scopes.iter().copied())).is_ok();
    let names: Vec<&str> = catalogue.roles().iter().filter(has).map(|role| role.name.as_str()).collect();
    if names.is_empty() { "no built-in role".to_owned() } else { names.join(", ") }
}

/// One sentence about what scopes permit together: "May run scans and see projects".
pub(crate) fn permits(catalogue: &ScopeCatalogue, names: &[String]) -> String {
    const MOST: usize = 6;
    let mut phrases: Vec<String> = Vec::new();
    for name in names {
        let found = catalogue.entries().iter().find(|entry| entry.name.as_str() == name);
        phrases.push(found.map_or_else(|| name.clone(), |entry| clause(&entry.description)));
    }
    let left = phrases.len().saturating_sub(MOST);
    phrases.truncate(MOST);
    match (phrases.split_last(), left) {
        (None, _) => "No permissions yet: choose at least one scope".to_owned(),
        (Some((last, [])), 0) => format!("May {last}"),
        (Some((last, rest)), 0) => format!("May {}; and {last}", rest.join("; ")),
        (Some(_), left) => format!("May {}; and {left} more", phrases.join("; ")),
    }
}

/// A description, as a part of a sentence.
fn clause(description: &str) -> String {
    let text = description.trim().trim_end_matches('.');
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return String::new() };
    // An abbreviation stays as it is.
    let is_word = letters.clone().next().is_some_and(|second| second.is_lowercase() || second == ' ');
    if is_word { first.to_lowercase().chain(letters).collect() } else { text.to_owned() }
}

fn sentence(description: &str) -> String {
    let text = description.trim().trim_end_matches('.');
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_that_a_person_lacks_is_shown_with_the_roles_that_have_it() {
        let catalogue = ScopeCatalogue::built_in().unwrap();
        let viewer = catalogue.expand(catalogue.role("viewer").unwrap().scopes.iter().copied());
        let groups = groups(&catalogue, Kind::Organization, viewer, &["scans:run".to_owned()]);
        let choice =
            |name: &str| groups.iter().flat_map(|group| &group.scopes).find(|scope| scope.name == name).unwrap();
        assert!(choice("scans:run").is_chosen && !choice("scans:run").held_by.is_empty());
        assert_eq!(choice("scans:run").requires, "projects:read");
        assert!(choice("scans").covers.contains("scans:delete"));
        assert!(choice("tokens:manage").held_by.contains("owner"));
    }

    #[test]
    fn a_sentence_says_what_scopes_permit() {
        let catalogue = ScopeCatalogue::built_in().unwrap();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(permits(&catalogue, &[]).starts_with("No permissions yet"));
        let two = permits(&catalogue, &names(&["scans:run", "projects:read"]));
        assert!(two.starts_with("May ") && two.contains("; and "), "{two}");
        let many = permits(
            &catalogue,
            &names(&[
                "scans",
                "issues:read",
                "files:read",
                "bot",
                "groups:read",
                "user",
                "repeaters:read",
                "scripts:read",
            ]),
        );
        assert!(many.ends_with("and 2 more"), "{many}");
        assert_eq!(unknown(&catalogue, &names(&["scans", "no:such"])), ["no:such"]);
    }
}
