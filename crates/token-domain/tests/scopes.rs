//! Scopes as sets, over any choice of the catalogue's names: more never permits less, order, repetition and spelling
//! widen nothing, and no name covers a dotted relative.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use token_domain::scope::ScopeName;
use token_domain::token::Kind;
use token_domain::{ScopeCatalogue, ScopeSet};

fn catalogue() -> &'static ScopeCatalogue {
    static CATALOGUE: LazyLock<ScopeCatalogue> = LazyLock::new(|| ScopeCatalogue::built_in().unwrap());
    &CATALOGUE
}

fn names() -> Vec<String> {
    catalogue().entries().iter().map(|entry| entry.name.to_string()).collect()
}

/// Any choice of names, in the catalogue's order.
fn any_names() -> impl Strategy<Value = Vec<String>> {
    let names = names();
    let most = names.len().min(12);
    subsequence(names, 0..=most)
}

fn effective(catalogue: &ScopeCatalogue, names: &[String]) -> ScopeSet {
    catalogue.restore(names).unwrap().effective()
}

fn allows(catalogue: &ScopeCatalogue, granted: &[String], required: &[String]) -> bool {
    catalogue.require_all(required).unwrap().check(&effective(catalogue, granted)).is_ok()
}

proptest! {
    #[test]
    fn more_never_permits_less(few in any_names(), more in any_names(), required in any_names()) {
        let catalogue = catalogue();
        let both: Vec<String> = few.iter().chain(&more).cloned().collect();
        prop_assert!(effective(catalogue, &both).covers(&effective(catalogue, &few)));
        if allows(catalogue, &few, &required) {
            prop_assert!(allows(catalogue, &both, &required));
        }
        // And asking for more is never easier.
        let asked: Vec<String> = required.iter().chain(&more).cloned().collect();
        if allows(catalogue, &few, &asked) {
            prop_assert!(allows(catalogue, &few, &required));
        }
        // What each gives together is what both give: nothing arises from a combination.
        let apart = effective(catalogue, &few).union(effective(catalogue, &more));
        prop_assert_eq!(effective(catalogue, &both), apart);
    }

    #[test]
    fn order_and_repetition_widen_nothing(
        granted in any_names(),
        shuffled in any_names().prop_shuffle(),
        places in prop::collection::vec(any::<Index>(), 0..8),
    ) {
        let catalogue = catalogue();
        let mut backwards = granted.clone();
        backwards.reverse();
        prop_assert_eq!(effective(catalogue, &backwards), effective(catalogue, &granted));
        let mut repeated = shuffled.clone();
        if !shuffled.is_empty() {
            repeated.extend(places.iter().map(|place| place.get(&shuffled).clone()));
        }
        prop_assert_eq!(effective(catalogue, &repeated), effective(catalogue, &shuffled));
        prop_assert_eq!(catalogue.require_all(&repeated), catalogue.require_all(&shuffled));
        let (once, twice) = (catalogue.restore(&shuffled).unwrap(), catalogue.restore(&repeated).unwrap());
        prop_assert_eq!(once.listed(), twice.listed());
    }

    #[test]
    fn another_spelling_is_another_name(name in prop::sample::select(names()), place in any::<Index>(), how in 0_u8..6) {
        let letters: Vec<usize> = name.char_indices().filter(|(_, c)| c.is_ascii_lowercase()).map(|(at, _)| at).collect();
        let at = *place.get(&letters);
        let spelt = match how {
            0 => name[..at].to_owned() + &name[at..=at].to_uppercase() + &name[at + 1..],
            1 => name.to_uppercase(),
            2 => format!("{name} "),
            3 => format!("{name}\u{200b}"),
            // A Cyrillic letter that looks like the Latin one.
            4 => name.replacen('a', "\u{430}", 1),
            _ => format!("{name}:"),
        };
        prop_assume!(spelt != name);
        let catalogue = catalogue();
        prop_assert!(ScopeName::parse(&spelt).is_err() || catalogue.find(&spelt).is_none());
        prop_assert!(catalogue.grant(&[spelt.as_str()], Kind::Personal).is_err());
        prop_assert_eq!(catalogue.require_all(&[spelt.as_str()]), Err(vec![spelt.clone()]));
        // Beside a right name it adds nothing to an evaluation.
        let (with, without) = (vec![name.clone(), spelt], vec![name]);
        let required = names();
        prop_assert_eq!(catalogue.evaluate(&with, &required).missing, catalogue.evaluate(&without, &required).missing);
    }

    #[test]
    fn an_evaluation_agrees_with_the_check(granted in any_names(), required in any_names()) {
        let catalogue = catalogue();
        let found = catalogue.evaluate(&granted, &required);
        prop_assert_eq!(found.missing.is_empty(), allows(catalogue, &granted, &required));
        prop_assert!(found.unknown.is_empty());
        for (asked, by) in &found.matched {
            prop_assert!(effective(catalogue, &[(*by).to_owned()]).contains(catalogue.find(asked).unwrap()));
        }
        // What is said to do does, and can spare nothing.
        prop_assert!(!found.sufficient.is_empty());
        for set in &found.sufficient {
            let set: Vec<String> = set.iter().map(|name| (*name).to_owned()).collect();
            prop_assert!(allows(catalogue, &set, &required), "{:?} for {:?}", set, required);
            for spare in 0..set.len() {
                let mut rest = set.clone();
                rest.remove(spare);
                prop_assert!(!allows(catalogue, &rest, &required), "{:?} for {:?}", rest, required);
            }
        }
        // The first permits no more than what is asked for itself.
        let least: Vec<String> = found.sufficient[0].iter().map(|name| (*name).to_owned()).collect();
        let asked = catalogue.require_all(&required).unwrap().scopes();
        prop_assert_eq!(effective(catalogue, &least), catalogue.expand(asked.iter()));
    }
}

/// Only `name:<action>` is under the umbrella of `name`; `name.sub` and `name.sub:<action>` are not, nor is `names`.
#[test]
fn an_umbrella_ends_at_its_own_actions() {
    let catalogue = catalogue();
    for umbrella in catalogue.entries() {
        if umbrella.implies.iter().any(|implied| implied == "*") {
            continue;
        }
        let own = umbrella.name.as_str();
        let covered = catalogue.expand(catalogue.find(own));
        for other in catalogue.entries() {
            let name = other.name.as_str();
            let named = name == own || umbrella.implies.iter().any(|implied| implied == name);
            let expected = named || other.name.umbrella() == Some(own);
            assert_eq!(covered.contains(catalogue.find(name).unwrap()), expected, "{own} and {name}");
        }
    }
    for granted in ["org:read", "org:write"] {
        for relative in ["org.memberships:read", "org.memberships:manage"] {
            assert!(!allows(catalogue, &[granted.to_owned()], &[relative.to_owned()]), "{granted} {relative}");
        }
    }
    // A catalogue with a bare `org` says the same.
    let text = include_str!("../../../config/scopes.toml").replace(
        "# --- This service ---",
        "[[scope]]\nname = \"org\"\ndescription = \"d\"\ngroup = \"Organisation\"\n\n# --- This service ---",
    );
    let catalogue = &ScopeCatalogue::parse(&text).unwrap();
    let org = ["org".to_owned()];
    assert!(allows(catalogue, &org, &["org:read".to_owned()]));
    for relative in ["org.memberships:read", "org.memberships:manage"] {
        assert!(!allows(catalogue, &org, &[relative.to_owned()]), "{relative}");
    }
}
