//! Hooks: a commit, a push and a tool call with a token in it do not go through.

use super::support::{Home, assert_code, assert_done, said, token};

#[test]
fn a_commit_and_a_push_with_a_token_do_not_go_through() {
    let home = Home::new(None);
    assert_done(&home.git(["init", "-q"]));
    assert_done(&home.git(["init", "-q", "--bare", "remote.git"]));
    assert_done(&home.git(["remote", "add", "origin", "remote.git"]));
    assert_done(&home.nlp(["hooks", "install"]));
    assert_done(&home.nlp(["hooks", "install"]));
    home.write("a.txt", "clean");
    assert_done(&home.git(["add", "a.txt"]));
    assert_done(&home.git(["commit", "-q", "-m", "clean"]));
    assert_done(&home.git(["push", "-q", "origin", "main"]));
    home.write("a.txt", token(1));
    assert_done(&home.git(["add", "a.txt"]));
    let stopped = home.git(["commit", "-q", "-m", "leak"]);
    assert_ne!(stopped.status.code(), Some(0));
    assert!(said(&stopped).contains("a.txt:1:1") && !said(&stopped).contains(&token(1)), "{}", said(&stopped));
    assert_done(&home.git(["commit", "-q", "--no-verify", "-m", "leak"]));
    home.write("a.txt", "clean again");
    assert_done(&home.git(["commit", "-q", "-a", "-m", "removed"]));
    // No file has the token any more, but the pushed history would.
    let stopped = home.git(["push", "-q", "origin", "main"]);
    assert_ne!(stopped.status.code(), Some(0));
    assert!(said(&stopped).contains("a.txt:1:1"), "{}", said(&stopped));
}

#[test]
fn commits_that_only_another_remote_has_are_scanned_before_a_push() {
    let home = Home::new(None);
    assert_done(&home.git(["init", "-q"]));
    for remote in ["private", "public"] {
        assert_done(&home.git(["init", "-q", "--bare", &format!("{remote}.git")]));
        assert_done(&home.git(["remote", "add", remote, &format!("{remote}.git")]));
    }
    home.write("a.txt", token(1));
    assert_done(&home.git(["add", "a.txt"]));
    assert_done(&home.git(["commit", "-q", "-m", "leak"]));
    assert_done(&home.git(["push", "-q", "private", "main"]));
    assert_done(&home.nlp(["hooks", "install"]));
    for to in ["public", "public.git"] {
        let stopped = home.git(["push", "-q", to, "main"]);
        assert_ne!(stopped.status.code(), Some(0), "{to}");
        assert!(said(&stopped).contains("a.txt:1:1"), "{to}: {}", said(&stopped));
    }
    // What a remote has is not scanned again.
    home.write("b.txt", "clean");
    assert_done(&home.git(["add", "b.txt"]));
    assert_done(&home.git(["commit", "-q", "-m", "clean"]));
    assert_done(&home.git(["push", "-q", "private", "main:other"]));
}

#[test]
fn an_existing_pre_push_hook_still_reads_what_is_pushed() {
    let home = Home::new(None);
    assert_done(&home.git(["init", "-q"]));
    assert_done(&home.git(["init", "-q", "--bare", "remote.git"]));
    assert_done(&home.git(["remote", "add", "origin", "remote.git"]));
    home.write(".git/hooks/pre-push", "#!/usr/bin/env -S sh -e\ncat >>pushed\n");
    assert_done(&home.nlp(["hooks", "install"]));
    home.write("a.txt", "clean");
    assert_done(&home.git(["add", "a.txt"]));
    assert_done(&home.git(["commit", "-q", "-m", "clean"]));
    assert_done(&home.git(["push", "-q", "origin", "main", "main:other"]));
    assert_done(&home.git(["push", "-q", "origin", "main"]));
    let pushed = || std::fs::read_to_string(home.path().join("pushed")).unwrap();
    let refs: Vec<_> = pushed().lines().map(|line| line.split(' ').nth(2).unwrap_or(line).to_owned()).collect();
    assert_eq!(refs, ["refs/heads/main", "refs/heads/other"]);
    home.write("a.txt", token(1));
    assert_done(&home.git(["commit", "-q", "--no-verify", "-a", "-m", "leak"]));
    assert_ne!(home.git(["push", "-q", "origin", "main"]).status.code(), Some(0));
    assert_eq!(pushed().lines().count(), 2);
}

#[test]
fn nothing_is_installed_beside_a_hook_that_cannot_be_changed() {
    let home = Home::new(None);
    assert_done(&home.git(["init", "-q"]));
    home.write(".git/hooks/pre-push", "#!/usr/bin/python3\nimport sys\n");
    let refused = home.nlp(["hooks", "install"]);
    assert_code(&refused, 1);
    assert!(said(&refused).contains("its own arguments and standard input"), "{}", said(&refused));
    assert!(!home.path().join(".git/hooks/pre-commit").exists());
}

#[test]
fn a_global_hook_runs_the_hooks_of_the_repository() {
    let home = Home::new(None);
    assert_done(&home.git(["init", "-q"]));
    for name in ["pre-commit", "commit-msg", "pre-push"] {
        home.write(&format!(".git/hooks/{name}"), format!("#!/bin/sh\necho {name} $(wc -l) >>ran\n"));
        let file = home.path().join(".git/hooks").join(name);
        std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let installed = home.nlp(["hooks", "install", "--global"]);
    assert_done(&installed);
    assert!(said(&installed).contains("core.hooksPath points to"), "{}", said(&installed));
    assert_done(&home.git(["init", "-q", "--bare", "remote.git"]));
    home.write("a.txt", "clean");
    assert_done(&home.git(["add", "a.txt"]));
    assert_done(&home.git(["commit", "-q", "-m", "clean"]));
    assert_done(&home.git(["push", "-q", "remote.git", "main"]));
    let ran = std::fs::read_to_string(home.path().join("ran")).unwrap();
    assert_eq!(ran, "pre-commit 0\ncommit-msg 0\npre-push 1\n");
}

#[test]
fn a_global_hook_watches_every_repository() {
    let home = Home::new(None);
    assert_done(&home.nlp(["hooks", "install", "--global"]));
    for name in ["one", "two"] {
        assert_done(&home.git(["init", "-q", name]));
        home.write(&format!("{name}/a.txt"), token(1));
        assert_done(&home.git(["-C", name, "add", "a.txt"]));
        let stopped = home.git(["-C", name, "commit", "-q", "-m", "leak"]);
        assert_ne!(stopped.status.code(), Some(0));
        assert!(said(&stopped).contains("a.txt:1:1"), "{}", said(&stopped));
    }
}

#[test]
fn an_existing_hook_is_kept_and_a_shadowed_one_is_reported() {
    let home = Home::new(None);
    assert_done(&home.git(["init", "-q"]));
    home.write(".git/hooks/pre-commit", "#!/bin/bash -e\necho mine >>ran\n");
    assert_done(&home.nlp(["hooks", "install"]));
    home.write("a.txt", "clean");
    assert_done(&home.git(["add", "a.txt"]));
    assert_done(&home.git(["commit", "-q", "-m", "clean"]));
    assert_eq!(std::fs::read_to_string(home.path().join("ran")).unwrap(), "mine\n");
    assert_done(&home.git(["config", "core.hooksPath", "elsewhere"]));
    let doctor = home.nlp(["doctor"]);
    assert!(said(&doctor).contains("core.hooksPath points to"), "{}", said(&doctor));
    assert_done(&home.nlp(["hooks", "install"]));
    assert!(home.path().join("elsewhere/pre-push").exists());
}

#[test]
fn a_tool_call_with_a_token_is_stopped() {
    let home = Home::new(None);
    let call = |text: &str| {
        let input = serde_json::json!({ "tool_name": "Write", "tool_input": { "content": [text] } });
        home.nlp_with(["hooks", "run", "assistant"], &input.to_string())
    };
    assert_code(&call("clean"), 0);
    let stopped = call(&format!("export T={}", token(1)));
    assert_code(&stopped, 2);
    assert!(!said(&stopped).contains(&token(1)));
    // A call that cannot be scanned does not go through either.
    assert_code(&home.nlp_with(["hooks", "run", "assistant"], "no JSON"), 2);
    assert_code(&call(&"x".repeat(16 * 1024 * 1024)), 2);
}
