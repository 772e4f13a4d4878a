//! The arguments after the task's name.

use crate::fail::{Fail, Result};

/// Arguments that are not parsed yet.
#[derive(Debug)]
pub struct Args(Vec<String>);

impl Args {
    /// Collects everything after the task's name.
    pub fn new(arguments: impl IntoIterator<Item = String>) -> Self {
        Self(arguments.into_iter().collect())
    }

    /// Whether `word` is the only argument.
    pub fn is_only(&self, word: &str) -> bool {
        self.0 == [word]
    }

    /// All arguments, to pass on to another program.
    pub fn all(self) -> Vec<String> {
        self.0
    }

    /// Removes the flag `name`; returns whether it was there.
    pub fn flag(&mut self, name: &str) -> bool {
        match self.0.iter().position(|argument| argument == name) {
            Some(at) => {
                self.0.remove(at);
                true
            }
            None => false,
        }
    }

    /// Removes `name VALUE` or `name=VALUE` and returns the value.
    ///
    /// # Errors
    /// A usage failure if the value is missing.
    pub fn value(&mut self, name: &str) -> Result<Option<String>> {
        for at in 0..self.0.len() {
            if self.0[at] == name {
                if at + 1 == self.0.len() {
                    return Err(Fail::usage(format!("{name} needs a value")));
                }
                self.0.remove(at);
                return Ok(Some(self.0.remove(at)));
            }
            if let Some(value) = self.0[at].strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
                let value = value.to_owned();
                self.0.remove(at);
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Splits at the first `--`: keeps the arguments before it and returns those after it.
    pub fn after_dashes(&mut self) -> Option<Vec<String>> {
        let at = self.0.iter().position(|argument| argument == "--")?;
        let rest = self.0.split_off(at + 1);
        self.0.pop();
        Some(rest)
    }

    /// The remaining words.
    ///
    /// # Errors
    /// A usage failure if one of them looks like an option.
    pub fn words(self) -> Result<Vec<String>> {
        match self.0.iter().find(|argument| argument.starts_with('-')) {
            Some(option) => Err(Fail::usage(format!("unknown option {option}"))),
            None => Ok(self.0),
        }
    }

    /// # Errors
    /// A usage failure if anything is left.
    pub fn finish(self) -> Result {
        match self.words()?.first() {
            Some(word) => Err(Fail::usage(format!("unexpected argument {word:?}"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Args {
        Args::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_taken_wherever_they_stand() {
        let mut given = args("first --full --listen 127.0.0.1:0 --backend=sqlite second");
        assert!(given.flag("--full"));
        assert!(!given.flag("--full"), "a flag is taken once");
        assert_eq!(given.value("--listen").unwrap().as_deref(), Some("127.0.0.1:0"));
        assert_eq!(given.value("--backend").unwrap().as_deref(), Some("sqlite"));
        assert_eq!(given.value("--absent").unwrap(), None);
        assert_eq!(given.words().unwrap(), ["first", "second"]);
    }

    #[test]
    fn what_follows_two_dashes_is_left_alone() {
        let mut given = args("--durable -- psql --help");
        assert_eq!(given.after_dashes().unwrap(), ["psql", "--help"]);
        assert!(given.flag("--durable"));
        given.finish().unwrap();
    }

    #[test]
    fn mistakes_are_named() {
        assert!(args("--listen").value("--listen").unwrap_err().to_string().contains("--listen needs a value"));
        assert!(args("--quik").words().unwrap_err().to_string().contains("unknown option --quik"));
        assert!(args("extra").finish().unwrap_err().to_string().contains("unexpected argument \"extra\""));
    }
}
