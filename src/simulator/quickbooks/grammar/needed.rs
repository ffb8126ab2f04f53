//! What a message must say, and says empty.
//!
//! The parser lets an empty element through: in a change it clears a field. Where the grammar wants
//! the element, there is nothing to clear, and the request is answered as if it were not there.

use super::Form;
use super::Grammar;
use super::Particle;
use super::Production;
use crate::simulator::quickbooks::xml::Node;

/// Elements that may be empty although they must be there: nothing is a value of theirs.
const MAY_BE_EMPTY: &[&str] = &["DataExtValue"];

impl Grammar {
    /// The first required element of a message that is there and empty.
    pub(crate) fn blank<'n>(&self, message: &'n Node) -> Option<(&'n Node, Form)> {
        self.blank_in(message, self.production(&message.name)?)
    }

    fn blank_in<'n>(&self, node: &'n Node, production: &Production) -> Option<(&'n Node, Form)> {
        node.children.iter().find_map(|child| {
            let form = production.find(&child.name)?.form;
            let inner = match form {
                Form::Aggregate(name) => self.blank_in(child, self.production(name)?),
                _ => None,
            };
            let needed = production.needs(&child.name) && form != Form::Empty;
            inner.or((needed && is_blank(child)).then_some((child, form)))
        })
    }
}

impl Production {
    /// Whether the aggregate cannot do without an element. Of those to choose from none is needed.
    fn needs(&self, name: &str) -> bool {
        !MAY_BE_EMPTY.contains(&name)
            && self.content.iter().any(|particle| match particle {
                Particle::Element(element) => element.name == name && !element.optional,
                Particle::Choice { .. } => false,
            })
    }
}

/// Whether nothing is said in an element.
fn is_blank(node: &Node) -> bool {
    node.text.trim().is_empty() && node.children.iter().all(is_blank)
}
