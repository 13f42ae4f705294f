//! Which methods each path of the API accepts.

use poem_openapi::OpenApi;

/// The methods that one path of the API accepts.
pub struct AllowedMethods {
    /// The path with its parameters in braces.
    pub pattern: String,
    /// The path's segments; `None` matches any segment.
    segments: Vec<Option<String>>,
    /// The `Allow` header's value.
    pub allow: String,
}

/// All paths of the API with their methods, for the `Allow` header, which the framework omits.
pub fn allowed_methods<T: OpenApi>() -> Vec<AllowedMethods> {
    T::meta()
        .into_iter()
        .flat_map(|api| api.paths)
        .map(|path| {
            let mut methods: Vec<&str> =
                path.operations.iter().map(|operation| operation.method.as_str()).collect();
            if methods.contains(&"GET") {
                methods.push("HEAD");
            }
            methods.push("OPTIONS");
            let segments = segments(&path.path)
                .map(|segment| (!segment.starts_with('{')).then(|| segment.to_owned()))
                .collect();
            AllowedMethods { pattern: path.path.clone(), segments, allow: methods.join(", ") }
        })
        .collect()
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

impl AllowedMethods {
    /// Whether this is the entry for `path`.
    pub fn matches(&self, path: &str) -> bool {
        let mut actual = segments(path);
        self.segments.iter().all(|expected| match (actual.next(), expected) {
            (Some(actual), Some(expected)) => actual == expected,
            (Some(_), None) => true,
            (None, _) => false,
        }) && actual.next().is_none()
    }

    /// The first parameter in `path`, which must match this entry.
    pub fn parameter<'p>(&self, path: &'p str) -> Option<&'p str> {
        segments(path).zip(&self.segments).find(|(_, known)| known.is_none()).map(|(text, _)| text)
    }
}
