//! The fields of a JSON item and the columns that hold them. Fields of objects within the item are
//! columns too, down to [`MAX_LEVELS`].

use std::collections::HashMap;

use super::json_text;
use crate::domain::dataset::Column;

/// The column of items that are not objects.
pub const VALUE: &str = "value";

/// Maximum number of keys that lead to a column, such as `customer`, `address` and `city`. What is
/// nested more deeply is JSON text.
pub const MAX_LEVELS: usize = 3;

/// Whether this is `{}`, which has no fields that could be columns.
pub fn is_empty_object(json: &str) -> bool {
    json.strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|inside| inside.trim_ascii().is_empty())
}

/// Finds the columns of the fields of a JSON item.
pub struct FieldColumns {
    /// The first is the item itself.
    nodes: Vec<Node>,
}

/// The item, or one of its fields.
#[derive(Default)]
struct Node {
    column: Option<usize>,
    /// Fields of the object that it is, in the order of the columns.
    children: Vec<(String, usize)>,
    /// The places of the fields among `children`.
    places: HashMap<String, usize>,
}

impl FieldColumns {
    /// For these columns.
    pub fn new(columns: &[Column]) -> Self {
        let mut nodes = vec![Node::default()];
        for (at, column) in columns.iter().enumerate() {
            let mut node = 0;
            for key in column.keys() {
                node = match nodes[node].places.get(key) {
                    Some(&place) => nodes[node].children[place].1,
                    None => {
                        let (child, place) = (nodes.len(), nodes[node].children.len());
                        nodes.push(Node::default());
                        nodes[node].children.push((key.to_owned(), child));
                        nodes[node].places.insert(key.to_owned(), place);
                        child
                    }
                };
            }
            nodes[node].column = Some(at);
        }
        Self { nodes }
    }

    /// Calls `f` with the column and the JSON of every field of an item that has a column. Of a
    /// duplicate key the last value counts: `f` may be called again for a column, with `null` where
    /// the last value has no such field.
    pub fn each_field<'a>(&self, item: &'a str, f: &mut impl FnMut(usize, &'a str)) {
        if item.starts_with('{') {
            return self.object(0, item, f);
        }
        let value = self.nodes[0].places.get(VALUE).map(|&place| self.nodes[0].children[place].1);
        if let Some(column) = value.and_then(|value| self.nodes[value].column) {
            f(column, item);
        }
    }

    fn object<'a>(&self, node: usize, json: &'a str, f: &mut impl FnMut(usize, &'a str)) {
        let node = &self.nodes[node];
        // The children that the object has had so far; needed once they are not in order.
        let mut seen: Vec<bool> = Vec::new();
        for (hint, (key, json)) in json_text::fields(json).unwrap_or_default().iter().enumerate() {
            let in_order = node.children.get(hint).is_some_and(|(known, _)| known == key);
            if !in_order && seen.is_empty() {
                seen = (0..node.children.len()).map(|place| place < hint).collect();
            }
            let place = if in_order { Some(hint) } else { node.places.get(key.as_ref()).copied() };
            let Some(place) = place else { continue };
            let child = node.children[place].1;
            if let Some(seen) = seen.get_mut(place)
                && std::mem::replace(seen, true)
            {
                self.clear(child, f);
            }
            let field = &self.nodes[child];
            let is_object = json.starts_with('{') && !is_empty_object(json);
            if is_object && !field.children.is_empty() {
                self.object(child, json, f);
            } else if let Some(column) = field.column {
                f(column, json);
            }
        }
    }

    fn clear<'a>(&self, node: usize, f: &mut impl FnMut(usize, &'a str)) {
        let node = &self.nodes[node];
        if let Some(column) = node.column {
            f(column, "null");
        }
        node.children.iter().for_each(|(_, child)| self.clear(*child, f));
    }
}
