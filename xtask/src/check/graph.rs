//! Draws `docs/crates.svg`: the workspace's packages from the binary down to the format, one arc per dependency.
//!
//! Packages are stacked so that every arrow points down. Arcs run beside the stack, so that none crosses a box, unlike
//! in a layered drawing of this graph. The output depends only on the arguments.

use super::architecture::Architecture;
use super::members::Members;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Height of a box, pixels.
const BOX: usize = 44;
/// Distance from one box's top to the next one's.
const STEP: usize = 64;
/// Left and top margin.
const MARGIN: usize = 16;
/// Width of a box.
const WIDTH: usize = 560;
/// How far an arc swings out for each box it passes.
const SWING: usize = 34;

const HEAD: &str = r#"<style>
text { font: 14px system-ui, sans-serif; fill: #1c2430 }
.name { font-weight: 600 }
.about { font-size: 12px; fill: #56606f }
rect.box { fill: #f4f6f9; stroke: #b6bfcc }
path { fill: none; stroke: #3f6fb5; stroke-width: 1.5 }
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">
<path d="M0 0 8 4 0 8z" style="fill: #3f6fb5; stroke: none"/></marker></defs>
"#;

/// The picture, as SVG.
pub(super) fn draw(architecture: &Architecture, members: &Members) -> String {
    let arrows = arrows(members);
    let stack = stack(&arrows);
    let place: BTreeMap<_, _> = stack.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let farthest = arrows.iter().flat_map(|(from, tos)| tos.iter().map(|to| place[to].abs_diff(place[from]))).max();
    let width = MARGIN * 2 + WIDTH + SWING * farthest.unwrap_or(0);
    let height = MARGIN * 2 + STEP * stack.len();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"Our packages and what they depend on\">\n{HEAD}\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for name in &stack {
        let top = MARGIN + STEP * place[name];
        let about = architecture.packages.get(*name).map_or("", |row| row.about.as_str());
        // Writing to a String cannot fail.
        let _ = writeln!(
            svg,
            "<rect class=\"box\" x=\"{MARGIN}\" y=\"{top}\" width=\"{WIDTH}\" height=\"{BOX}\" rx=\"6\"/>\
             <text class=\"name\" x=\"{x}\" y=\"{name_y}\">{name}</text>\
             <text class=\"about\" x=\"{x}\" y=\"{about_y}\">{about}</text>",
            x = MARGIN + 12,
            name_y = top + 18,
            about_y = top + 35,
            about = escape(about),
        );
    }
    for (from, tos) in &arrows {
        for to in tos {
            let (start, end) = (place[from], place[to]);
            let (x, swing) = (MARGIN + WIDTH, SWING * start.abs_diff(end));
            // Arrows leave from the lower and arrive at the upper half of a box.
            let (y1, y2) = (MARGIN + STEP * start + BOX * 3 / 4, MARGIN + STEP * end + BOX / 4);
            let _ = writeln!(
                svg,
                "<path d=\"M{x} {y1}C{x1} {y1} {x1} {y2} {x2} {y2}\" marker-end=\"url(#tip)\">\
                 <title>{from} uses {to}</title></path>",
                x1 = x + swing,
                x2 = x + 2,
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Normal dependencies between our packages; packages without any arrow are left out.
fn arrows(members: &Members) -> BTreeMap<&str, Vec<&str>> {
    let mut arrows: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for member in &members.all {
        for dependency in member.dependencies.iter().filter(|one| one.ours && !one.dev) {
            arrows.entry(&member.name).or_default().push(&dependency.name);
            arrows.entry(&dependency.name).or_default();
        }
    }
    for tos in arrows.values_mut() {
        tos.sort_unstable();
        tos.dedup();
    }
    arrows
}

/// Packages above their dependencies: by decreasing height over the lowest package, then by name.
fn stack<'a>(arrows: &BTreeMap<&'a str, Vec<&'a str>>) -> Vec<&'a str> {
    let mut heights: BTreeMap<&str, usize> = arrows.keys().map(|name| (*name, 0)).collect();
    // Cargo refuses cycles, so the heights are final after as many passes as there are packages.
    for _ in 0..arrows.len() {
        for (from, tos) in arrows {
            let height = tos.iter().map(|to| heights[to] + 1).max().unwrap_or(0);
            heights.insert(from, height);
        }
    }
    let mut stack: Vec<_> = arrows.keys().copied().collect();
    stack.sort_by_key(|name| (std::cmp::Reverse(heights[name]), *name));
    stack
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::super::architecture::Package;
    use super::super::members::fixtures::{member, members};
    use super::*;

    fn workspace() -> Members {
        let all = vec![
            member("api", &["authority", "domain", "+serde"]),
            member("authority", &["domain"]),
            member("domain", &["~support"]),
            member("support", &["authority"]),
            member("xtask", &["+serde"]),
        ];
        members(all, &[])
    }

    #[test]
    fn packages_stand_above_their_dependencies() {
        let members = workspace();
        assert_eq!(stack(&arrows(&members)), ["api", "support", "authority", "domain"]);
    }

    #[test]
    fn every_normal_dependency_is_one_arc() {
        let mut architecture = Architecture::default();
        architecture.packages.insert("api".into(), Package { about: "A <b> & `c`.".into(), ..Package::default() });
        let picture = draw(&architecture, &workspace());
        for arc in ["api uses authority", "api uses domain", "authority uses domain", "support uses authority"] {
            assert_eq!(picture.matches(&format!("<title>{arc}</title>")).count(), 1, "{arc}");
        }
        assert_eq!(picture.matches("<title>").count(), 4, "dev-dependencies and strangers are not drawn");
        assert!(picture.contains("A &lt;b&gt; &amp; c."), "{picture}");
        assert!(!picture.contains("xtask"));
    }
}
