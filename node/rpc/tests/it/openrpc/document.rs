//! The OpenRPC document, and the page of documentation, drawn from what the sources declare and from what is written about
//! it in `openrpc/`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::sources::Declared;

/// What is written by hand: schemas of types, summaries of methods whose names say it all, and errors.
pub(crate) struct Written {
    pub(crate) schemas: Map<String, Value>,
    pub(crate) summaries: BTreeMap<String, String>,
    /// By the beginning of a method's name, the longest first.
    pub(crate) errors: BTreeMap<String, Vec<String>>,
    pub(crate) error_objects: Map<String, Value>,
}

/// The document.
pub(crate) fn document(methods: &[Declared], written: &Written) -> Value {
    let methods: Vec<Value> = methods.iter().map(|method| entry(method, written)).collect();
    json!({
        "openrpc": "1.2.6",
        "info": {
            "title": "Parapet",
            "description": "JSON-RPC of a Parapet node. Quantities are hexadecimal and start with 0x where nothing else is said.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "methods": methods,
        "components": { "schemas": written.schemas, "errors": written.error_objects },
    })
}

fn entry(method: &Declared, written: &Written) -> Value {
    let whole =
        if method.doc.is_empty() { written.summaries.get(&method.name).cloned() } else { Some(method.doc.clone()) };
    let whole = whole.unwrap_or_default();
    let summary = first_sentence(&whole);
    let params: Vec<Value> = method.params.iter().map(|(name, kind)| param(name, kind, &written.schemas)).collect();
    let errors = written.errors.iter().filter(|(prefix, _)| method.name.starts_with(prefix.as_str()));
    let errors = errors.max_by_key(|(prefix, _)| prefix.len()).map(|(_, names)| names.clone()).unwrap_or_default();
    let mut entry = json!({
        "name": method.name,
        "summary": summary,
        "paramStructure": "by-position",
        "params": params,
        "result": { "name": "result", "schema": schema(&method.result, &written.schemas) },
    });
    if whole != summary {
        entry["description"] = json!(whole);
    }
    if !errors.is_empty() {
        let errors = errors.iter().map(|name| json!({ "$ref": format!("#/components/errors/{name}") }));
        entry["errors"] = errors.collect();
    }
    entry
}

fn first_sentence(text: &str) -> String {
    text.find(". ").map_or_else(|| text.to_owned(), |end| text[..=end].to_owned())
}

fn param(name: &str, kind: &str, known: &Map<String, Value>) -> Value {
    let (kind, required) = match inside(kind, "Option") {
        Some(inner) => (inner, false),
        None => (kind, true),
    };
    json!({ "name": name, "required": required, "schema": schema(kind, known) })
}

/// The schema of a Rust type.
pub(crate) fn schema(kind: &str, known: &Map<String, Value>) -> Value {
    if let Some(inner) = inside(kind, "Option") {
        return json!({ "oneOf": [schema(inner, known), { "type": "null" }] });
    }
    if let Some(inner) = inside(kind, "Vec") {
        return json!({ "type": "array", "items": schema(inner, known) });
    }
    if let Some((_, value)) = inside(kind, "BTreeMap").and_then(|inner| inner.split_once(',')) {
        return json!({ "type": "object", "additionalProperties": schema(value, known) });
    }
    if let Some(inner) = inside(kind, "Lanes") {
        let lane = json!({ "type": "object", "additionalProperties": schema(inner, known) });
        return json!({ "type": "object", "additionalProperties": lane });
    }
    if let Some(inner) = inside(kind, "Parts") {
        let part = schema(inner, known);
        return json!({ "type": "object", "properties": { "pending": part, "queued": part }, "required": ["pending", "queued"] });
    }
    match kind {
        "()" => json!({ "type": "null" }),
        "bool" => json!({ "type": "boolean" }),
        "u64" | "i64" => json!({ "type": "integer" }),
        "f64" => json!({ "type": "number" }),
        "String" => json!({ "type": "string" }),
        "Value" | "Box<RawValue>" => json!({}),
        known_type if known.contains_key(known_type) => json!({ "$ref": format!("#/components/schemas/{known_type}") }),
        other => json!({ "title": other }),
    }
}

fn inside<'a>(kind: &'a str, outer: &str) -> Option<&'a str> {
    kind.strip_prefix(outer)?.strip_prefix('<')?.strip_suffix('>')
}

/// The page of documentation.
pub(crate) fn page(document: &Value) -> String {
    let mut page = String::from(
        "# JSON-RPC methods\n\nDrawn from the document that `rpc.discover` answers, which is drawn from the sources; a test compares all \
         three.\n`PARAPET_OPENRPC_WRITE=1 cargo nextest run -p parapet-rpc openrpc` writes both anew. Parameters in brackets \
         may be left out.\n",
    );
    let mut namespace = String::new();
    for method in document["methods"].as_array().unwrap() {
        let name = method["name"].as_str().unwrap();
        let (own, _) = name.split_once(['_', '.']).unwrap_or((name, ""));
        if own != namespace {
            namespace = own.to_owned();
            page += &format!("\n## `{namespace}`\n\n| method | parameters | |\n|---|---|---|\n");
        }
        let params: Vec<String> = method["params"]
            .as_array()
            .unwrap()
            .iter()
            .map(|param| {
                let name = param["name"].as_str().unwrap();
                if param["required"] == true { name.to_owned() } else { format!("[{name}]") }
            })
            .collect();
        let text = method.get("description").unwrap_or(&method["summary"]).as_str().unwrap().replace('|', "\\|");
        page += &format!("| `{name}` | {} | {text} |\n", params.join(", "));
    }
    page += "\n## Errors\n\n| code | |\n|---|---|\n";
    let errors = document["components"]["errors"].as_object().unwrap().values();
    let errors: BTreeMap<i64, &str> =
        errors.map(|error| (error["code"].as_i64().unwrap(), error["message"].as_str().unwrap())).collect();
    for (code, message) in errors {
        page += &format!("| `{code}` | {message} |\n");
    }
    page
}
