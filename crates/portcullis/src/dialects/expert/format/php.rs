//! PHP's `serialize()`: texts and arrays, of which every length is written before.

use super::shape::Shape;

/// The array with `shape` under `name`.
pub(super) fn write(name: &str, shape: &Shape) -> Vec<u8> {
    let mut out = String::from("a:1:{");
    text(&mut out, name);
    value(&mut out, shape);
    out.push('}');
    out.into_bytes()
}

fn value(out: &mut String, shape: &Shape) {
    match shape {
        Shape::Text(it) => text(out, it),
        Shape::List(shapes) => array(out, shapes.iter().enumerate(), |out, number: usize| {
            out.push_str(&format!("i:{number};"));
        }),
        Shape::Pairs(pairs) => {
            array(out, pairs.iter().map(|(name, shape)| (name, shape)), |out, name: &String| {
                text(out, name);
            });
        }
    }
}

fn array<'s, K>(
    out: &mut String,
    entries: impl ExactSizeIterator<Item = (K, &'s Shape)>,
    mut key: impl FnMut(&mut String, K),
) {
    out.push_str(&format!("a:{}:{{", entries.len()));
    for (name, shape) in entries {
        key(out, name);
        value(out, shape);
    }
    out.push('}');
}

/// Its length is that of its bytes, so that nothing in it needs to be escaped.
fn text(out: &mut String, text: &str) {
    out.push_str(&format!("s:{}:\"{text}\";", text.len()));
}
