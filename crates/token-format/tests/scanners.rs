//! The rules shipped for third-party scanners have the crate's expressions.

use std::fs;
use std::path::PathBuf;

use token_format::{PlainToken, pattern};

fn shipped(file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/scanners").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn gitleaks_has_both_expressions() {
    let rules: toml::Table = shipped("gitleaks.toml").parse().unwrap();
    let expressions: Vec<_> =
        rules["rules"].as_array().unwrap().iter().map(|rule| rule["regex"].as_str().unwrap()).collect();
    assert_eq!(expressions, [pattern::ISSUED, pattern::WELL_FORMED]);
    for rule in rules["rules"].as_array().unwrap() {
        assert_eq!(rule["keywords"].as_array().unwrap()[0].as_str(), Some(token_format::PREFIX));
    }
}

#[test]
fn gitleaks_reports_an_issued_token_by_one_rule_only() {
    let rules: toml::Table = shipped("gitleaks.toml").parse().unwrap();
    let [issued, legacy] = rules["rules"].as_array().unwrap().as_slice() else { panic!("two rules") };
    assert!(issued.get("allowlists").is_none());
    let allowed = legacy["allowlists"][0]["regexes"][0].as_str().unwrap();
    assert_eq!(allowed, format!("^{}$", token_alone(pattern::ISSUED)));
}

#[test]
fn gitleaks_lets_the_published_examples_pass_and_nothing_else() {
    let rules: toml::Table = shipped("gitleaks.toml").parse().unwrap();
    let allowed: Vec<_> = rules["allowlist"]["regexes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| regex::Regex::new(&format!("^{}$", text.as_str().unwrap())).unwrap())
        .collect();
    let examples = [
        [0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff],
        [0x00; 16],
        [0xff; 16],
    ];
    for random in examples {
        let token = PlainToken::from_random(random);
        assert_eq!(allowed.iter().filter(|one| one.is_match(token.expose())).count(), 1, "{token:?}");
    }
    assert_eq!(allowed.len(), examples.len());
}

#[test]
fn trufflehog_has_both_expressions() {
    let text = shipped("trufflehog.yaml");
    let expressions: Vec<_> =
        text.lines().filter_map(|line| line.trim().strip_prefix("token: '")?.strip_suffix('\'')).collect();
    assert_eq!(expressions, [pattern::ISSUED, pattern::WELL_FORMED]);
}

/// The expression without the part for what follows the token, which some scanners add themselves.
fn token_alone(expression: &str) -> &str {
    expression.strip_prefix('(').and_then(|rest| rest.split_once(")(?:")).expect("a group, and what must follow it").0
}

#[test]
fn the_expressions_take_a_token_also_before_an_underscore_and_not_inside_a_word() {
    for expression in [pattern::ISSUED, pattern::WELL_FORMED] {
        let expression = regex::bytes::RegexBuilder::new(expression).unicode(false).build().unwrap();
        let token = PlainToken::from_random([7; 16]);
        for (after, taken) in
            [("", true), ("_prod", true), ("\"", true), (".", true), ("é", true), ("0", false), ("Z", false)]
        {
            let text = format!("x{}{after}", token.expose());
            let found = expression.captures(text.as_bytes()).map(|groups| groups[1].to_vec());
            assert_eq!(found, taken.then(|| token.expose_bytes().to_vec()), "{after:?}");
        }
    }
}

#[test]
fn github_has_both_expressions_and_test_strings_that_match() {
    let text = shipped("github-custom-pattern.txt");
    let below = |heading: &str| -> Vec<String> {
        let lines: Vec<_> = text.lines().collect();
        lines.windows(2).filter(|pair| pair[0] == heading).map(|pair| pair[1].trim().to_owned()).collect()
    };
    assert_eq!(below("Secret format"), [pattern::ISSUED, pattern::WELL_FORMED].map(token_alone));
    for (sample, checksum_ok) in below("Test string").iter().zip([true, false]) {
        let found: Vec<_> = pattern::scan(sample.as_bytes()).map(|found| found.checksum_ok).collect();
        assert_eq!(found, [checksum_ok], "{sample}");
    }
}

#[test]
fn the_page_for_people_has_the_expression() {
    assert!(shipped("README.md").contains(&format!("`{}`", pattern::ISSUED)));
}

#[test]
fn betterleaks_and_kingfisher_have_the_expression_for_issued_tokens() {
    let rules: toml::Table = shipped("betterleaks.toml").parse().unwrap();
    assert_eq!(rules["rules"][0]["regex"].as_str(), Some(pattern::ISSUED));
    // Kingfisher checks the checksum, for which the token is a named group.
    let named = pattern::ISSUED.replacen('(', "(?P<TOKEN>", 1);
    assert!(shipped("kingfisher.yaml").contains(&format!("pattern: '{named}'")));
}

#[test]
fn rules_that_check_a_finding_use_documented_paths_on_a_reserved_host() {
    let document = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/openapi.json");
    let document = fs::read_to_string(document).unwrap();
    for file in ["betterleaks.toml", "kingfisher.yaml"] {
        let rules = shipped(file);
        let code = rules.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
        // The example host never resolves (RFC 6761 §6.4), so nothing is sent until a user names their authority.
        let hosts: Vec<_> = code.split("https://").skip(1).collect();
        assert_eq!(hosts.len(), 2, "{file}: one to validate, one to revoke");
        assert!(hosts.iter().all(|host| host.starts_with("tokens.invalid")), "{file}: {hosts:?}");
        for path in ["/v1/auth/validate", "/v1/credentials/revoke"] {
            assert_eq!(code.matches(path).count(), 1, "{file}: {path}");
            assert!(document.contains(&format!("\"{path}\": {{\n      \"post\"")), "{path} is no operation");
        }
    }
}
