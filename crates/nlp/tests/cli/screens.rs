//! Types the commands of the book's page "In a terminal" into tmux and compares the screen with the page.
//!
//! A `console` block of the page is one screen. Its lines that begin with `$ ` are typed, and the whole block is compared.
//! Ids, secrets, times and addresses differ from run to run and are replaced by samples. `NLP_WRITE_SCREENS=1` rewrites
//! the blocks instead of comparing them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use regex::Regex;

use super::support::{Home, OWNER, PASSWORD, Server, assert_done, finish};

const PAGE: &str = "../../docs/book/src/terminal.md";
const OPEN: &str = "```console\n";
const CLOSE: &str = "```\n";
const PROMPT: &str = "$ ";
const SIZE: [&str; 4] = ["-x", "120", "-y", "60"];
/// How often the screen is read until it is as expected: a minute, which only a failing test waits for.
const TRIES: u32 = 1200;
const PAUSE: Duration = Duration::from_millis(50);

/// A shell in a terminal; closed when dropped.
struct Terminal<'a> {
    home: &'a Home,
    socket: PathBuf,
}

impl<'a> Terminal<'a> {
    fn open(home: &'a Home) -> Self {
        let terminal = Self { home, socket: home.path().join("tmux") };
        let mut start = terminal.tmux();
        start.args(["-f", "/dev/null", "new-session", "-d"]).args(SIZE).args(["env", "PS1=$ ", "sh"]);
        assert_done(&finish(start, ""));
        terminal.wait(|screen| screen == "$");
        terminal
    }

    fn tmux(&self) -> Command {
        let mut command = self.home.command("tmux");
        command.args(["-u", "-S"]).arg(&self.socket).env("TERM", "xterm-256color").env("LANG", "C.UTF-8");
        command
    }

    fn enter(&self, line: &str) {
        for keys in [&["-l", "--", line][..], &["Enter"]] {
            let mut send = self.tmux();
            send.arg("send-keys").args(keys);
            assert_done(&finish(send, ""));
        }
    }

    /// The lines on the screen, without empty ones at the end.
    fn screen(&self) -> String {
        let mut capture = self.tmux();
        capture.args(["capture-pane", "-p", "-J"]);
        let done = finish(capture, "");
        assert_done(&done);
        let text = String::from_utf8(done.stdout).unwrap();
        text.trim_end().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    /// The screen, once it is as expected.
    #[track_caller]
    fn wait(&self, expected: impl Fn(&str) -> bool) -> String {
        for _ in 0..TRIES {
            let screen = self.screen();
            if expected(&screen) {
                return screen;
            }
            std::thread::sleep(PAUSE);
        }
        panic!("the screen stays:\n{}", self.screen());
    }

    /// Types a command, answers its questions, and waits for the prompt.
    #[track_caller]
    fn run(&self, line: &str) {
        let questions = |screen: &str| screen.matches("[y/N]:").count() + screen.matches("Password:").count();
        let before = self.screen();
        let mut answered = questions(&before);
        self.enter(line);
        loop {
            let at_prompt = |screen: &str| screen.lines().last() == Some("$") && screen != before;
            let screen = self.wait(|screen| at_prompt(screen) || questions(screen) > answered);
            if questions(&screen) == answered {
                return;
            }
            answered = questions(&screen);
            self.enter(if screen.ends_with("Password:") { PASSWORD } else { "y" });
        }
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let mut stop = self.tmux();
        stop.arg("kill-server");
        let _ = finish(stop, "");
    }
}

/// Replaces everything that differs from run to run.
fn settled(screen: &str, url: &str) -> String {
    let mut text = screen.replace(url, "https://tokens.example.org");
    for (pattern, sample) in [
        ("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "0190163d-8694-739b-aea5-966c26f8ad91"),
        ("nlp_[0-9a-f]{40}", "nlp_00112233445566778899aabbccddeeff550c911c"),
        ("nlp_[0-9a-f]{4}…", "nlp_0011…"),
        ("org_[0-9a-z]{26}", "org_01jh3vy6b2f8k9w4m0n7q5t1xz"),
        ("request: [0-9a-f]{24}", "request: 5d3c1f0e8a97b64200000001"),
        ("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[.][0-9]{3}Z", "2026-01-31T12:00:00.000Z"),
        ("  [0-9a-f]{16}  ", "  5d3c1f0e8a97b642  "),
        ("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", "2026-01-31T12:00:00Z"),
        ("[0-9]+ ms", "3 ms"),
        ("wrote [0-9]+ bytes", "wrote 5462 bytes"),
        ("/[^ ]*/runtime/nlp", "/run/user/1000/nlp"),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, sample).into_owned();
    }
    text
}

#[test]
fn ctrl_c_at_the_password_leaves_the_terminal_as_it_was() {
    let home = Home::new(Some("http://127.0.0.1:1"));
    let terminal = Terminal::open(&home);
    terminal.enter("nlp login --email ada@acme.example");
    terminal.wait(|screen| screen.ends_with("Password:"));
    let mut interrupt = terminal.tmux();
    interrupt.args(["send-keys", "C-c"]);
    assert_done(&finish(interrupt, ""));
    terminal.wait(|screen| screen.ends_with('$'));
    terminal.enter("stty -a | tr ' ' '\\n' | grep -x -e echo -e -echo");
    let screen = terminal.wait(|screen| screen.lines().any(|line| line == "echo" || line == "-echo"));
    assert!(screen.lines().any(|line| line == "echo"), "{screen}");
}

#[test]
fn the_book_shows_the_screens_of_a_terminal() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = std::fs::read_to_string(&file).unwrap();
    let server = Server::start();
    let home = Home::new(Some(&server.url)).with("OWNER", OWNER);
    let terminal = Terminal::open(&home);
    let mut new = String::new();
    let mut rest = page.as_str();
    while let Some((before, block)) = rest.split_once(OPEN) {
        let (block, after) = block.split_once(CLOSE).unwrap();
        terminal.enter("clear");
        terminal.wait(|screen| screen == "$");
        for line in block.lines().filter_map(|line| line.strip_prefix(PROMPT)) {
            terminal.run(line);
        }
        let screen = terminal.screen();
        let shown = settled(screen.strip_suffix("\n$").unwrap_or(&screen), &server.url);
        new.extend([before, OPEN, shown.as_str(), "\n", CLOSE]);
        rest = after;
    }
    new.push_str(rest);
    if std::env::var_os("NLP_WRITE_SCREENS").is_some() {
        std::fs::write(&file, new).unwrap();
        return;
    }
    assert!(page.contains(OPEN));
    for (screen, shown) in new.split(OPEN).zip(page.split(OPEN)) {
        assert_eq!(screen, shown, "run the test with NLP_WRITE_SCREENS=1 and review the page");
    }
}
