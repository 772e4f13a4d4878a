//! Reads catalogue files: everything is checked before anything is used, and every problem is told with its place.

use std::collections::HashMap;

use serde::Deserialize;
use toml::Spanned;

use super::catalogue::{CatalogueError, Preset, Role, ScopeCatalogue, ScopeEntry, Source};
use super::name::{InvalidScopeName, ScopeName};
use super::set::{ScopeId, ScopeSet};
use crate::token::Kind;

/// The catalogue compiled in; an operator may replace it with a file of the same form.
const BUILT_IN: &str = include_str!("../../../../config/scopes.toml");
/// The roles every catalogue must define, strongest first.
pub(super) const ROLE_NAMES: [&str; 4] = ["owner", "admin", "member", "viewer"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogueFile {
    #[serde(default)]
    scope: Vec<EntryFile>,
    #[serde(default)]
    preset: Vec<PresetFile>,
    #[serde(default)]
    role: Vec<RoleFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryFile {
    name: Spanned<String>,
    description: String,
    group: String,
    #[serde(default)]
    implies: Vec<Spanned<String>>,
    #[serde(default)]
    requires: Vec<Spanned<String>>,
    #[serde(default)]
    default: bool,
    #[serde(default = "every_kind")]
    kinds: Vec<Kind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PresetFile {
    name: Spanned<String>,
    description: String,
    scopes: Vec<Spanned<String>>,
    kinds: Vec<Kind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleFile {
    name: Spanned<String>,
    /// An addition says nothing of the role itself.
    #[serde(default)]
    description: String,
    scopes: Vec<Spanned<String>>,
}

fn every_kind() -> Vec<Kind> {
    Kind::ALL.to_vec()
}

/// Something of a file, with the number of the file.
type Of<T> = (usize, T);

impl ScopeCatalogue {
    /// The catalogue this program ships with.
    ///
    /// # Errors
    /// None in a released build: a test reads it.
    pub fn built_in() -> Result<Self, CatalogueError> {
        Self::parse(BUILT_IN)
    }

    /// The shipped catalogue with further files of an operator's.
    ///
    /// # Errors
    /// As [`ScopeCatalogue::extended`].
    pub fn built_in_with(additions: &[Source<'_>]) -> Result<Self, CatalogueError> {
        Self::extended(BUILT_IN, additions)
    }

    /// Reads a catalogue and checks all of it: names, references, cycles, the four roles.
    ///
    /// # Errors
    /// Every problem found, each with the line it stands on.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        Self::extended(text, &[])
    }

    /// Reads a catalogue and files that add to it: scopes in namespaces of their own, presets, and what the built-in roles
    /// get of those scopes. A namespace is what stands before the first `.` or `:`; one of the catalogue's own cannot be
    /// added to, so that no token made before can do more than it could.
    ///
    /// # Errors
    /// Every problem found, each with the file and line it stands on.
    pub fn extended(text: &str, additions: &[Source<'_>]) -> Result<Self, CatalogueError> {
        read(text, additions)
    }
}

/// Reads the catalogue and what is added to it.
fn read(text: &str, additions: &[Source<'_>]) -> Result<ScopeCatalogue, CatalogueError> {
    let sources: Vec<Source<'_>> =
        std::iter::once(Source { name: "", text }).chain(additions.iter().copied()).collect();
    let (mut scopes, mut presets, mut roles) = (Vec::new(), Vec::new(), Vec::new());
    for (number, source) in sources.iter().enumerate() {
        let file: CatalogueFile = toml::from_str(source.text).map_err(|error| {
            let colon = if source.name.is_empty() { "" } else { ": " };
            CatalogueError(vec![format!("{}{colon}{}", source.name, error.to_string().trim_end())])
        })?;
        scopes.extend(file.scope.into_iter().map(|scope| (number, scope)));
        presets.extend(file.preset.into_iter().map(|preset| (number, preset)));
        roles.extend(file.role.into_iter().map(|role| (number, role)));
    }
    Reader { sources, by_name: HashMap::new(), problems: Vec::new() }.build(scopes, &presets, &roles)
}

/// Collects every problem of the files before it gives up.
struct Reader<'t> {
    sources: Vec<Source<'t>>,
    by_name: HashMap<Box<str>, ScopeId>,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn build(
        mut self,
        scopes: Vec<Of<EntryFile>>,
        presets: &[Of<PresetFile>],
        roles: &[Of<RoleFile>],
    ) -> Result<ScopeCatalogue, CatalogueError> {
        self.name_all(&scopes);
        let implied: Vec<ScopeSet> = scopes.iter().map(|entry| self.implied(entry)).collect();
        let required: Vec<ScopeSet> =
            scopes.iter().map(|(source, entry)| self.resolve(*source, &entry.requires).into_iter().collect()).collect();
        let covers = self.close(&scopes, &implied, "implies");
        let needs = self.close(&scopes, &required, "requires");
        let built_in = self.roles(roles, &scopes);
        let presets = self.presets(presets, &scopes, &covers, &needs);
        if !self.problems.is_empty() {
            return Err(CatalogueError(self.problems));
        }
        let entries = scopes.into_iter().filter_map(|(_, entry)| entry.into_entry().ok()).collect();
        Ok(ScopeCatalogue { entries, by_name: self.by_name, covers, needs, roles: built_in, presets })
    }

    /// Gives every scope its place.
    fn name_all(&mut self, scopes: &[Of<EntryFile>]) {
        let of_catalogue = scopes.iter().filter(|(source, _)| *source == 0);
        let own: Vec<&str> = of_catalogue.map(|(_, entry)| namespace(entry.name.get_ref())).collect();
        for (index, (source, entry)) in scopes.iter().enumerate() {
            let name = entry.name.get_ref();
            match (ScopeName::parse(name), ScopeId::new(index)) {
                (Err(invalid), _) => self.report(*source, &entry.name, &format!("{name:?} {invalid}")),
                (_, None) => {
                    self.report(*source, &entry.name, &format!("more than {} scopes", ScopeSet::CAPACITY));
                }
                (Ok(_), Some(_)) if *source > 0 && own.contains(&namespace(name)) => {
                    let problem = format!("{name:?} is in the catalogue's own namespace; begin it with another word");
                    self.report(*source, &entry.name, &problem);
                }
                (Ok(_), Some(scope)) => {
                    if self.by_name.insert(name.as_str().into(), scope).is_some() {
                        self.report(*source, &entry.name, &format!("scope {name:?} is defined twice"));
                    }
                }
            }
        }
    }

    /// What an entry covers directly: its `implies`, and for a bare name every `name:<action>`.
    fn implied(&mut self, (source, entry): &Of<EntryFile>) -> ScopeSet {
        let name = entry.name.get_ref();
        let own = self.by_name.get(name.as_str()).copied();
        if entry.implies.iter().any(|implied| implied.get_ref() == "*") {
            return self.by_name.values().copied().filter(|&other| Some(other) != own).collect();
        }
        let mut set: ScopeSet = self.resolve(*source, &entry.implies).into_iter().collect();
        for (other, &scope) in &self.by_name {
            if other.split_once(':').is_some_and(|(resource, _)| resource == name) {
                set.insert(scope);
            }
        }
        set
    }

    fn resolve(&mut self, source: usize, names: &[Spanned<String>]) -> Vec<ScopeId> {
        let mut found = Vec::with_capacity(names.len());
        for name in names {
            match self.by_name.get(name.get_ref().as_str()) {
                Some(&scope) => found.push(scope),
                None => {
                    self.report(source, name, &format!("{:?} is not a scope of this catalogue", name.get_ref()));
                }
            }
        }
        found
    }

    /// The transitive closure of a relation, refusing cycles.
    fn close(&mut self, entries: &[Of<EntryFile>], direct: &[ScopeSet], relation: &str) -> Vec<ScopeSet> {
        let mut closed: Vec<ScopeSet> = (0..direct.len())
            .map(|index| ScopeId::new(index).map_or(ScopeSet::EMPTY, ScopeSet::of).union(direct[index]))
            .collect();
        loop {
            let next: Vec<ScopeSet> = closed
                .iter()
                .map(|set| {
                    set.iter().filter(|s| s.index() < closed.len()).fold(*set, |sum, s| sum.union(closed[s.index()]))
                })
                .collect();
            if next == closed {
                break;
            }
            closed = next;
        }
        for (index, (source, entry)) in entries.iter().enumerate() {
            let Some(own) = ScopeId::new(index) else { continue };
            let through = direct[index].iter().find(|s| closed.get(s.index()).is_some_and(|set| set.contains(own)));
            if through.is_some() {
                let name = entry.name.get_ref();
                self.report(*source, &entry.name, &format!("{name:?} comes back to itself through `{relation}`"));
            }
        }
        closed
    }

    fn roles(&mut self, files: &[Of<RoleFile>], scopes: &[Of<EntryFile>]) -> Vec<Role> {
        for (source, file) in files {
            if !ROLE_NAMES.contains(&file.name.get_ref().as_str()) {
                self.report(*source, &file.name, "built-in roles are owner, admin, member and viewer");
            }
        }
        let mut roles = Vec::with_capacity(ROLE_NAMES.len());
        for name in ROLE_NAMES {
            let mut named = files.iter().filter(|(source, file)| *source == 0 && file.name.get_ref() == name);
            match (named.next(), named.next()) {
                (Some((source, file)), None) => roles.push(Role {
                    name: name.to_owned(),
                    description: file.description.clone(),
                    scopes: self.resolve(*source, &file.scopes),
                }),
                (Some(_), Some((source, twice))) => {
                    self.report(*source, &twice.name, &format!("role {name:?} is defined twice"));
                }
                (None, _) => self.problems.push(format!("  role {name:?} is missing")),
            }
        }
        for (source, file) in files.iter().filter(|(source, _)| *source > 0) {
            let added = self.added(*source, &file.scopes, scopes);
            if let Some(role) = roles.iter_mut().find(|role| role.name == *file.name.get_ref()) {
                role.scopes.extend(added);
            }
        }
        roles
    }

    /// The scopes that an addition gives to a role: its own, so that a file of scopes cannot widen a role by others.
    fn added(&mut self, source: usize, names: &[Spanned<String>], scopes: &[Of<EntryFile>]) -> Vec<ScopeId> {
        for name in names {
            let own = scopes.iter().any(|(of, entry)| *of == source && entry.name.get_ref() == name.get_ref());
            if !own {
                self.report(source, name, &format!("{:?} was not added by this file", name.get_ref()));
            }
        }
        self.resolve(source, names)
    }

    fn presets(
        &mut self,
        files: &[Of<PresetFile>],
        entries: &[Of<EntryFile>],
        covers: &[ScopeSet],
        needs: &[ScopeSet],
    ) -> Vec<Preset> {
        let mut presets: Vec<Preset> = Vec::with_capacity(files.len());
        for (source, file) in files {
            let name = file.name.get_ref();
            let scopes = self.resolve(*source, &file.scopes);
            let union = |sets: &[ScopeSet]| scopes.iter().fold(ScopeSet::EMPTY, |all, s| all.union(sets[s.index()]));
            let wanting = union(needs).difference(union(covers));
            let text = |scope: ScopeId| entries[scope.index()].1.name.get_ref();
            if presets.iter().any(|preset| preset.name == *name) {
                self.report(*source, &file.name, &format!("preset {name:?} is defined twice"));
            }
            if file.scopes.is_empty() {
                self.report(*source, &file.name, &format!("preset {name:?} names no scope"));
            }
            if file.kinds.is_empty() {
                self.report(*source, &file.name, &format!("preset {name:?} names no kind of token"));
            }
            for scope in wanting.iter().filter(|scope| scope.index() < entries.len()) {
                let problem = format!("preset {name:?} lacks {:?}, which its scopes require", text(scope));
                self.report(*source, &file.name, &problem);
            }
            for kind in &file.kinds {
                for scope in scopes.iter().filter(|scope| !entries[scope.index()].1.kinds.contains(kind)) {
                    let problem = format!("preset {name:?}: {kind} tokens cannot carry {:?}", text(*scope));
                    self.report(*source, &file.name, &problem);
                }
            }
            let (name, description) = (name.clone(), file.description.clone());
            presets.push(Preset { name, description, scopes, kinds: file.kinds.clone() });
        }
        presets
    }

    fn report(&mut self, source: usize, at: &Spanned<String>, problem: &str) {
        let Source { name, text } = self.sources[source];
        let space = if name.is_empty() { "" } else { " " };
        let line = text[..at.span().start].matches('\n').count() + 1;
        self.problems.push(format!("  {name}{space}line {line}: {problem}"));
    }
}

/// What stands before the first `.` or `:`.
fn namespace(name: &str) -> &str {
    name.split(['.', ':']).next().unwrap_or(name)
}

impl EntryFile {
    fn into_entry(self) -> Result<ScopeEntry, InvalidScopeName> {
        let plain = |names: Vec<Spanned<String>>| names.into_iter().map(Spanned::into_inner).collect();
        Ok(ScopeEntry {
            name: ScopeName::parse(self.name.get_ref())?,
            description: self.description,
            group: self.group,
            implies: plain(self.implies),
            requires: plain(self.requires),
            default: self.default,
            kinds: self.kinds,
        })
    }
}
