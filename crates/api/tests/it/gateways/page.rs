//! The snippets of a page, with its ports and paths replaced by those of a test.

use std::fs;
use std::path::Path;

/// A page of `docs/gateways`.
pub(super) struct Page(String);

impl Page {
    pub(super) fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/gateways").join(name);
        Self(fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// A chapter of the page.
    pub(super) fn chapter(self, heading: &str) -> Self {
        let begin = self.0.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no chapter {heading}")).1;
        Self(begin.split("\n## ").next().unwrap().to_owned())
    }

    /// The page's only code block in this language.
    pub(super) fn block(&self, language: &str) -> String {
        let fence = format!("```{language}\n");
        let mut blocks = self.0.split(fence.as_str()).skip(1);
        let block = blocks.next().unwrap_or_else(|| panic!("no block of {language}"));
        assert!(blocks.next().is_none(), "one block of {language}");
        block.split_once("```").unwrap().0.to_owned()
    }
}

/// Replaces each text by another; panics if a text is missing.
pub(super) fn replaced(text: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is in the page");
        text.replace(from, to)
    })
}
