//! What holds of all metadata, topics and pages, on generated ones. Seeds are fixed: a failure is the same everywhere.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;
use token_domain::access::{InvalidMetadata, Metadata, Paging, Topic, may_use, namespaced};
use token_domain::id::{AccessScopeId, ActorId, ProjectId, Uuid};
use token_domain::tenant::{AccessScopeStanding, ActorStanding};
use token_domain::text::Slug;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 1_024,
        rng_seed: RngSeed::Fixed(0x6163_635f),
        failure_persistence: None,
        ..Default::default()
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        "[^\\x00]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(9, 48, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[^\\x00]{0,6}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// A chain of one-entry objects and lists around a value: depth to order.
fn wrapped() -> impl Strategy<Value = Value> {
    (value(), prop::collection::vec(any::<bool>(), 0..9), 0_usize..5_000).prop_map(|(value, levels, padding)| {
        let inner = levels.into_iter().fold(value, |inner, is_list| {
            if is_list { Value::from(vec![inner]) } else { [("k".to_owned(), inner)].into_iter().collect() }
        });
        // Two in three stay small, so that the depth decides as often as the size does.
        let padding = if padding % 3 == 0 { padding } else { 0 };
        [("v".to_owned(), inner), ("p".to_owned(), Value::from("x".repeat(padding)))].into_iter().collect()
    })
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(entries) => 1 + entries.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The canonical text by the obvious way, which has no bounds.
fn canonical(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_bytes().to_vec());
            let entries =
                entries.iter().map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

fn actor(access_scope: Option<(Slug, bool)>) -> ActorStanding {
    ActorStanding {
        actor_id: ActorId::from_uuid(Uuid::from_u128(1)),
        project_id: ProjectId::from_uuid(Uuid::from_u128(2)),
        disabled_at: None,
        expires_at: None,
        access_scope: access_scope.map(|(slug, active)| AccessScopeStanding {
            id: AccessScopeId::from_uuid(Uuid::from_u128(3)),
            slug,
            active,
        }),
    }
}

proptest! {
    #![proptest_config(config())]

    /// Accepted exactly when the text and the nesting are within bounds, and kept as the canonical text.
    #[test]
    fn metadata_is_bounded_and_canonical(value in wrapped()) {
        let text = canonical(&value);
        let (too_deep, too_large) = (depth(&value) > Metadata::DEEPEST, text.len() > Metadata::LARGEST);
        for json in [value.to_string(), serde_json::to_string_pretty(&value).expect("a value")] {
            match Metadata::parse(&json) {
                Ok(metadata) => {
                    prop_assert!(!too_deep && !too_large);
                    prop_assert_eq!(metadata.as_json(), &text);
                    prop_assert_eq!(serde_json::to_value(&metadata).expect("an object"), value.clone());
                }
                Err(InvalidMetadata::TooDeep) => prop_assert!(too_deep),
                Err(InvalidMetadata::TooLarge) => prop_assert!(too_large),
                Err(other) => prop_assert!(false, "{}: {}", other, json),
            }
            prop_assert_eq!(serde_json::from_str::<Metadata>(&json).ok(), Metadata::parse(&json).ok());
        }
    }

    /// Nothing breaks it, and what it accepts any other reader does too.
    #[test]
    fn metadata_takes_any_text(text in prop_oneof![any::<String>(), "[{}\\[\\]\":,a0-9.eE\\\\u -]{0,40}"]) {
        if Metadata::parse(&text).is_ok() {
            let is_object = serde_json::from_str::<Value>(&text).is_ok_and(|value| value.is_object());
            prop_assert!(is_object, "{}", text);
        }
    }

    /// Each tenant's topics are its own: what one may use under its slug, no other may.
    #[test]
    fn tenants_never_meet(
        (mine, theirs) in prop_oneof![
            ("[a-z0-9]{1,3}", "[a-z0-9]{1,3}"),
            ("[a-c]{1,2}", "[a-c]{1,2}-[a-c]{1,2}"),
            "[a-z]{1,4}".prop_map(|slug| (slug.clone(), format!("{slug}x"))),
        ],
        topic in prop_oneof!["[a-c]{1,3}(/[a-c]{1,3}){0,3}", "[ -~]{1,12}", "\\PC{1,12}"],
    ) {
        let (mine, theirs) = (Slug::parse(&mine).expect("a slug"), Slug::parse(&theirs).expect("a slug"));
        let Ok(topic) = Topic::parse(&topic) else { return Ok(()) };
        let effective = namespaced(&mine, &topic).expect("short");
        prop_assert_eq!(effective.as_str(), format!("{mine}/{topic}"));
        prop_assert_eq!(&Topic::parse(effective.as_str()), &Ok(effective.clone()));
        let reaches = |slug: &Slug, active| may_use(&actor(Some((slug.clone(), active))), &effective);
        prop_assert!(reaches(&mine, true) && !reaches(&mine, false) && !reaches(&theirs, false));
        prop_assert_eq!(reaches(&theirs, true), mine == theirs);
        prop_assert!(may_use(&actor(None), &effective));
    }

    #[test]
    fn offsets_saturate(page in 1..=Paging::LAST_PAGE, limit in 1_u64.., total in any::<u64>()) {
        let paging = Paging::parse(Some(&page.to_string()), Some(&limit.to_string())).expect("in range");
        let granted = limit.min(100);
        prop_assert_eq!((paging.page(), u64::from(paging.limit())), (page, granted));
        let before = u128::from(page - 1) * u128::from(granted);
        prop_assert_eq!(i128::from(paging.offset()), i128::try_from(before).expect("small").min(i128::from(i64::MAX)));
        let pages = u128::from(paging.total_pages(total));
        let holds = pages * u128::from(granted);
        prop_assert!(holds >= u128::from(total) && holds < u128::from(total) + u128::from(granted));
    }
}
