//! The catalogue: every scope there is, what covers what, and the built-in roles, read from data and checked whole.

use std::collections::HashMap;

use serde::Serialize;

use super::name::ScopeName;
use super::requirement::Requirement;
use super::set::{ScopeId, ScopeSet};
use crate::token::Kind;

/// How many scopes one token may name.
const MOST_PER_TOKEN: usize = 64;

/// One scope, as `GET /v1/scopes/catalog` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct ScopeEntry {
    /// The name tokens carry.
    pub name: ScopeName,
    /// What it permits, one sentence.
    pub description: String,
    /// The heading it stands under.
    pub group: String,
    /// Entries it covers besides its own `name:<action>` relatives.
    pub implies: Vec<String>,
    /// Companions without which it does not work.
    pub requires: Vec<String>,
    /// Whether a personal key gets it when no scopes are named.
    pub default: bool,
    /// The kinds of token that may carry it.
    pub kinds: Vec<Kind>,
}

/// A built-in, read-only role.
#[derive(Clone, Debug)]
pub struct Role {
    /// `owner`, `admin`, `member` or `viewer`.
    pub name: String,
    /// What the role may do, one sentence.
    pub description: String,
    /// The scopes it names.
    pub scopes: Vec<ScopeId>,
}

/// A ready choice of scopes for a common need.
#[derive(Clone, Debug)]
pub struct Preset {
    /// What it is called.
    pub name: String,
    /// Whom it is for, one sentence.
    pub description: String,
    /// The scopes, companions included.
    pub scopes: Vec<ScopeId>,
    /// The kinds of token it is meant for; each may carry all its scopes.
    pub kinds: Vec<Kind>,
}

/// A text in the catalogue's form, and what to call it in a complaint.
#[derive(Clone, Copy, Debug)]
pub struct Source<'t> {
    /// A file's name; empty for the catalogue itself.
    pub name: &'t str,
    /// Its text.
    pub text: &'t str,
}

/// A token's scopes: as listed (order kept, duplicates dropped) and as a set with everything they cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    listed: Vec<ScopeId>,
    effective: ScopeSet,
}

/// Why a list of names cannot be granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// No scope at all.
    #[error("must name at least one scope; GET /v1/scopes/catalog lists them")]
    Empty,
    /// More than a token may carry.
    #[error("must name at most {MOST_PER_TOKEN} scopes")]
    TooMany,
    /// A name the catalogue does not have.
    #[error("must not name the unknown scope {0:?}; GET /v1/scopes/catalog lists the scopes")]
    Unknown(String),
    /// A scope that this kind of token may not carry.
    #[error("must leave out {name}, which {kind} tokens cannot have")]
    WrongKind {
        /// The scope.
        name: ScopeName,
        /// The kind of token it was asked for.
        kind: Kind,
    },
}

/// Everything wrong with a catalogue's text, each with its line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scope catalogue cannot be used:\n{}", .0.join("\n"))]
pub struct CatalogueError(pub(super) Vec<String>);

/// Every scope, preset and built-in role of this deployment.
#[derive(Debug)]
pub struct ScopeCatalogue {
    pub(super) entries: Vec<ScopeEntry>,
    pub(super) by_name: HashMap<Box<str>, ScopeId>,
    /// For each entry, itself and everything it covers, transitively.
    pub(super) covers: Vec<ScopeSet>,
    /// For each entry, itself and every companion it needs, transitively.
    pub(super) needs: Vec<ScopeSet>,
    pub(super) roles: Vec<Role>,
    pub(super) presets: Vec<Preset>,
}

impl ScopeCatalogue {
    /// All entries in the order of the file.
    pub fn entries(&self) -> &[ScopeEntry] {
        &self.entries
    }

    /// The built-in roles, strongest first.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Ready choices of scopes, in the order of the file.
    pub fn presets(&self) -> &[Preset] {
        &self.presets
    }

    /// A built-in role by name.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// The entry of that name.
    pub fn find(&self, name: &str) -> Option<ScopeId> {
        self.by_name.get(name).copied()
    }

    /// The name of an entry of this catalogue.
    pub fn name(&self, scope: ScopeId) -> &ScopeName {
        &self.entries[scope.index()].name
    }

    /// The names in a set, in catalogue order.
    pub fn names(&self, set: ScopeSet) -> Vec<&str> {
        set.iter().filter(|scope| scope.index() < self.entries.len()).map(|scope| self.name(scope).as_str()).collect()
    }

    /// The scopes a personal key gets when none are named.
    pub fn defaults(&self) -> Vec<ScopeId> {
        self.ids().filter(|scope| self.entries[scope.index()].default).collect()
    }

    /// Everything a set of entries covers, itself included.
    pub fn expand(&self, scopes: impl IntoIterator<Item = ScopeId>) -> ScopeSet {
        scopes.into_iter().fold(ScopeSet::EMPTY, |set, scope| set.union(self.covers[scope.index()]))
    }

    /// Reads the scopes asked for a token of some kind: checks each, drops duplicates, keeps the order.
    ///
    /// # Errors
    /// None or too many, an unknown name, a scope the kind may not carry.
    pub fn grant<S: AsRef<str>>(&self, names: &[S], kind: Kind) -> Result<Grants, GrantError> {
        if names.is_empty() {
            return Err(GrantError::Empty);
        }
        // Counted as listed, before any is looked up: a list of one name a thousand times is nobody's intention.
        if names.len() > MOST_PER_TOKEN {
            return Err(GrantError::TooMany);
        }
        let grants = self.restore(names)?;
        let misplaced = grants.listed.iter().find(|scope| !self.entries[scope.index()].kinds.contains(&kind));
        match misplaced {
            Some(&scope) => Err(GrantError::WrongKind { name: self.name(scope).clone(), kind }),
            None => Ok(grants),
        }
    }

    /// Reads scopes as stored with a token made earlier. A name that is gone from the catalogue is an error, never
    /// dropped in silence: the token would then mean something nobody granted.
    ///
    /// # Errors
    /// [`GrantError::Unknown`] with the name.
    pub fn restore<S: AsRef<str>>(&self, names: &[S]) -> Result<Grants, GrantError> {
        let mut seen = ScopeSet::EMPTY;
        let mut listed = Vec::with_capacity(names.len());
        for name in names {
            let scope = self.find(name.as_ref()).ok_or_else(|| GrantError::Unknown(name.as_ref().to_owned()))?;
            if !seen.contains(scope) {
                seen.insert(scope);
                listed.push(scope);
            }
        }
        Ok(Grants { effective: self.expand(listed.iter().copied()), listed })
    }

    /// What it takes to be allowed everything named; a single entry.
    pub fn require(&self, scope: ScopeId) -> Requirement {
        Requirement::all(self.needs[scope.index()])
    }

    /// What it takes to be allowed everything named.
    ///
    /// # Errors
    /// The names the catalogue does not have, which no credential can satisfy.
    pub fn require_all<S: AsRef<str>>(&self, names: &[S]) -> Result<Requirement, Vec<String>> {
        let mut all = ScopeSet::EMPTY;
        let mut unknown = Vec::new();
        for name in names {
            match self.find(name.as_ref()) {
                Some(scope) => all = all.union(self.needs[scope.index()]),
                None => unknown.push(name.as_ref().to_owned()),
            }
        }
        if unknown.is_empty() { Ok(Requirement::all(all)) } else { Err(unknown) }
    }

    /// Listed scopes that will not work for want of a companion: `(scope, what it also needs)`.
    pub fn warnings(&self, grants: &Grants) -> Vec<(&ScopeName, Vec<&str>)> {
        grants
            .listed
            .iter()
            .filter_map(|&scope| {
                let wanting = self.needs[scope.index()].difference(grants.effective);
                (!wanting.is_empty()).then(|| (self.name(scope), self.names(wanting)))
            })
            .collect()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = ScopeId> {
        (0..self.entries.len()).filter_map(ScopeId::new)
    }
}

impl Grants {
    /// The scopes as listed.
    pub fn listed(&self) -> &[ScopeId] {
        &self.listed
    }

    /// The scopes with everything they cover.
    pub const fn effective(&self) -> ScopeSet {
        self.effective
    }

    /// The names as listed, for the wire and the database.
    pub fn names<'c>(&self, catalogue: &'c ScopeCatalogue) -> Vec<&'c str> {
        self.listed.iter().map(|&scope| catalogue.name(scope).as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::reader::ROLE_NAMES;
    use super::*;

    const ROLES: &str = r#"
        [[role]]
        name = "owner"
        description = ""
        scopes = []
        [[role]]
        name = "admin"
        description = ""
        scopes = []
        [[role]]
        name = "member"
        description = ""
        scopes = []
        [[role]]
        name = "viewer"
        description = ""
        scopes = []
    "#;

    fn entry(name: &str, rest: &str) -> String {
        format!("[[scope]]\nname = \"{name}\"\ndescription = \"d\"\ngroup = \"g\"\n{rest}\n")
    }

    fn problems(scopes: &str) -> String {
        ScopeCatalogue::parse(&format!("{scopes}{ROLES}")).unwrap_err().to_string()
    }

    fn built_in() -> ScopeCatalogue {
        ScopeCatalogue::built_in().unwrap()
    }

    fn allowed(catalogue: &ScopeCatalogue, granted: &[&str], required: &str) -> Result<(), Vec<String>> {
        let effective = catalogue.restore(granted).unwrap().effective();
        let requirement = catalogue.require_all(&[required]).unwrap();
        requirement
            .check(&effective)
            .map_err(|missing| catalogue.names(missing.0).into_iter().map(Into::into).collect())
    }

    #[test]
    fn the_shipped_catalogue_is_sound() {
        let catalogue = built_in();
        for name in ["execute", "read", "admin", "tokens:read", "tokens:manage", "self:rotate", "scans:run", "user"] {
            assert!(catalogue.find(name).is_some(), "{name}");
        }
        assert_eq!(catalogue.roles().iter().map(|role| role.name.as_str()).collect::<Vec<_>>(), ROLE_NAMES);
    }

    #[test]
    fn an_umbrella_covers_its_actions_and_not_its_dotted_relatives() {
        let catalogue = built_in();
        assert_eq!(allowed(&catalogue, &["scans"], "scans:read"), Ok(()));
        assert_eq!(allowed(&catalogue, &["scans:read"], "scans"), Err(vec!["scans".into()]));
        assert_eq!(
            allowed(&catalogue, &["org:read"], "org.memberships:read"),
            Err(vec!["org.memberships:read".into()])
        );
        assert_eq!(allowed(&catalogue, &["tokens:manage"], "tokens:read"), Err(vec!["tokens:read".into()]));
        assert_eq!(allowed(&catalogue, &["execute"], "read"), Ok(()));
        assert_eq!(allowed(&catalogue, &["read"], "execute"), Err(vec!["execute".into()]));
        assert_eq!(allowed(&catalogue, &["admin"], "org.memberships:manage"), Ok(()));
    }

    #[test]
    fn a_companion_is_asked_for_at_use_and_warned_of_at_creation() {
        let catalogue = built_in();
        assert_eq!(allowed(&catalogue, &["scans:run"], "scans:run"), Err(vec!["projects:read".into()]));
        assert_eq!(allowed(&catalogue, &["scans:run", "projects:read"], "scans:run"), Ok(()));
        let grants = catalogue.grant(&["scans:run"], Kind::Personal).unwrap();
        let warnings = catalogue.warnings(&grants);
        assert_eq!(warnings.len(), 1);
        assert_eq!((warnings[0].0.as_str(), warnings[0].1.as_slice()), ("scans:run", &["projects:read"][..]));
    }

    #[test]
    fn granting_keeps_order_and_drops_duplicates() {
        let catalogue = built_in();
        let grants = catalogue.grant(&["read", "execute", "read"], Kind::Organization).unwrap();
        assert_eq!(grants.names(&catalogue), ["read", "execute"]);
        assert_eq!(catalogue.grant::<&str>(&[], Kind::Organization), Err(GrantError::Empty));
        assert_eq!(catalogue.grant(&["Execute"], Kind::Organization), Err(GrantError::Unknown("Execute".into())));
        let every: Vec<String> = (0..65).map(|n| entry(&format!("s{n}"), "")).collect();
        let wide = ScopeCatalogue::parse(&format!("{}{ROLES}", every.concat())).unwrap();
        let names: Vec<String> = (0..65).map(|n| format!("s{n}")).collect();
        assert_eq!(wide.grant(&names, Kind::Organization), Err(GrantError::TooMany));
        assert!(wide.grant(&names[..64], Kind::Organization).is_ok());
        assert_eq!(catalogue.grant(&["read"; 65], Kind::Organization), Err(GrantError::TooMany));
    }

    #[test]
    fn every_problem_is_named_with_its_line() {
        let text = problems(&(entry("Bad", "") + &entry("a", "implies = [\"nowhere\"]") + &entry("a", "")));
        assert!(text.contains("line 2: \"Bad\" must be the name of a scope"), "{text}");
        assert!(text.contains("line 10: \"nowhere\" is not a scope of this catalogue"), "{text}");
        assert!(text.contains("line 12: scope \"a\" is defined twice"), "{text}");
    }

    #[test]
    fn cycles_are_refused() {
        let text = problems(
            &(entry("a", "implies = [\"b\"]") + &entry("b", "implies = [\"c\"]") + &entry("c", "implies = [\"a\"]")),
        );
        for name in ["a", "b", "c"] {
            assert!(text.contains(&format!("{name:?} comes back to itself through `implies`")), "{text}");
        }
        assert!(problems(&entry("a", "implies = [\"a\"]")).contains("comes back to itself"));
        assert!(problems(&entry("a", "requires = [\"a\"]")).contains("through `requires`"));
        assert!(problems(&(entry("x", "implies = [\"*\"]") + &entry("b", "implies = [\"x\"]"))).contains("comes back"));
    }

    #[test]
    fn the_four_roles_must_be_there() {
        let text = ScopeCatalogue::parse("").unwrap_err().to_string();
        assert!(text.contains("role \"owner\" is missing") && text.contains("role \"viewer\" is missing"), "{text}");
    }

    const ADDED: &str = r#"
        [[scope]]
        name = "acme"
        description = "Everything at Acme."
        group = "Acme"
        [[scope]]
        name = "acme:read"
        description = "Look."
        group = "Acme"
        requires = ["projects:read"]
        [[role]]
        name = "viewer"
        scopes = ["acme:read"]
        [[preset]]
        name = "Acme reader"
        description = "Looks at Acme."
        scopes = ["acme:read", "projects:read"]
        kinds = ["personal"]
    "#;

    #[test]
    fn an_operator_adds_namespaces_and_takes_none() {
        let source = |text| [Source { name: "acme.toml", text }];
        let catalogue = ScopeCatalogue::built_in_with(&source(ADDED)).unwrap();
        assert_eq!(allowed(&catalogue, &["acme", "projects:read"], "acme:read"), Ok(()));
        assert_eq!(allowed(&catalogue, &["admin"], "acme:read"), Ok(()));
        assert_eq!(allowed(&catalogue, &["acme"], "acme:read"), Err(vec!["projects:read".into()]));
        let may = |role: &str| catalogue.expand(catalogue.role(role).unwrap().scopes.iter().copied());
        let added = catalogue.find("acme:read").unwrap();
        assert!(may("viewer").contains(added) && !may("member").contains(added) && may("owner").contains(added));
        assert_eq!(catalogue.presets().last().unwrap().name, "Acme reader");
        // What was there before has the same place and covers the same.
        let plain = built_in();
        for entry in plain.entries() {
            let (before, now) = (plain.find(entry.name.as_str()), catalogue.find(entry.name.as_str()));
            assert_eq!(before, now);
            if entry.name.as_str() != "admin" {
                assert_eq!(plain.expand(before), catalogue.expand(now), "{}", entry.name);
            }
        }
        let bad = entry("scans:export", "")
            + &entry("beta", "implies = [\"nowhere\"]")
            + "[[role]]\nname = \"guest\"\nscopes = []\n"
            + "[[role]]\nname = \"member\"\nscopes = [\"execute\"]\n";
        let text = ScopeCatalogue::built_in_with(&source(&bad)).unwrap_err().to_string();
        assert!(text.contains("acme.toml line 2: \"scans:export\" is in the catalogue's own namespace"), "{text}");
        assert!(text.contains("acme.toml line 10: \"nowhere\" is not a scope of this catalogue"), "{text}");
        assert!(text.contains("acme.toml line 12: built-in roles are"), "{text}");
        assert!(text.contains("acme.toml line 16: \"execute\" was not added by this file"), "{text}");
    }

    #[test]
    fn a_preset_can_be_granted_as_it_stands() {
        let catalogue = built_in();
        assert!(catalogue.presets().len() >= 3);
        for preset in catalogue.presets() {
            let names: Vec<&str> = preset.scopes.iter().map(|scope| catalogue.name(*scope).as_str()).collect();
            for kind in &preset.kinds {
                let grants = catalogue.grant(&names, *kind).unwrap();
                assert!(catalogue.warnings(&grants).is_empty(), "{}", preset.name);
            }
        }
        let preset = |rest: &str| {
            problems(
                &(entry("a", "requires = [\"b\"]")
                    + &entry("b", "kinds = [\"personal\"]")
                    + &format!("[[preset]]\nname = \"p\"\ndescription = \"d\"\n{rest}\n")),
            )
        };
        let rows = [
            ("scopes = [\"c\"]\nkinds = [\"personal\"]", "\"c\" is not a scope of this catalogue"),
            ("scopes = [\"a\"]\nkinds = [\"personal\"]", "preset \"p\" lacks \"b\", which its scopes require"),
            ("scopes = [\"b\"]\nkinds = [\"actor\"]", "preset \"p\": actor tokens cannot carry \"b\""),
            ("scopes = []\nkinds = [\"actor\"]", "preset \"p\" names no scope"),
            ("scopes = [\"b\"]\nkinds = []", "preset \"p\" names no kind of token"),
        ];
        for (rest, expected) in rows {
            let text = preset(rest);
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }

    #[test]
    fn more_than_a_set_can_hold_is_refused() {
        let many: String = (0..=ScopeSet::CAPACITY).map(|n| entry(&format!("s{n}"), "")).collect();
        assert!(problems(&many).contains("more than 256 scopes"));
    }
}
