//! Scripts as served: the modules of a page in one file, minified. Their sources also run unchanged,
//! since they depend on nothing but the platform.

use std::error::Error;
use std::path::Path;
use std::{fmt, fs};

use oxc_allocator::Allocator;
use oxc_ast::ast::{ImportDeclaration, ImportDeclarationSpecifier, Statement};
use oxc_codegen::{Codegen, CodegenOptions};
use oxc_mangler::{MangleOptions, Mangler};
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::{GetSpan, SourceType};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Joins a module and everything it imports, dependencies first.
///
/// All modules share one scope, so their top-level names must differ, and imports must not rename.
/// Anything else fails the build.
pub struct Bundle<'a> {
    /// The folder that paths are relative to.
    root: &'a Path,
    code: String,
    /// Paths of the modules that have been added or are being added.
    pub modules: Vec<String>,
}

impl<'a> Bundle<'a> {
    pub fn new(root: &'a Path, entry: &str) -> Result<Self> {
        let mut bundle = Self { root, code: String::new(), modules: Vec::new() };
        bundle.add(entry)?;
        Ok(bundle)
    }

    pub fn minified(&self) -> Result<String> {
        minified(&self.code, SourceType::mjs())
    }

    fn add(&mut self, path: &str) -> Result<()> {
        if self.modules.iter().any(|added| added == path) {
            return Ok(());
        }
        self.modules.push(path.to_owned());
        let source = fs::read_to_string(self.root.join(path))?;
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, &source, SourceType::mjs()).parse();
        refuse(&parsed.errors)?;
        let mut own = String::new();
        for statement in &parsed.program.body {
            let mut span = statement.span();
            match statement {
                Statement::ImportDeclaration(import) => {
                    self.add(&imported(path, import)?)?;
                    continue;
                }
                Statement::ExportNamedDeclaration(export) => match &export.declaration {
                    Some(declaration) => span = declaration.span(),
                    None => return Err("only declarations may be exported".into()),
                },
                Statement::ExportDefaultDeclaration(_) | Statement::ExportAllDeclaration(_) => {
                    return Err("only declarations may be exported".into());
                }
                _ => {}
            }
            own.push_str(span.source_text(&source));
            own.push('\n');
        }
        self.code.push_str(&own);
        Ok(())
    }
}

/// The path of the module that `import` in the module `from` refers to.
fn imported(from: &str, import: &ImportDeclaration<'_>) -> Result<String> {
    let plain = import.specifiers.iter().flatten().all(|specifier| match specifier {
        ImportDeclarationSpecifier::ImportSpecifier(one) => one.imported.name() == one.local.name,
        _ => false,
    });
    let name = import.source.value.as_str().strip_prefix("./");
    let (Some(name), true) = (name.filter(|name| !name.contains('/')), plain) else {
        return Err(
            format!("import {{names}} from './file.js', not {}", import.source.value).into()
        );
    };
    let (folder, _) = from.rsplit_once('/').ok_or("a module stands in a folder")?;
    Ok(format!("{folder}/{name}"))
}

/// Minifies a module or a script.
pub fn minified(source: &str, kind: SourceType) -> Result<String> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, source, kind).parse();
    refuse(&parsed.errors)?;
    let checked = SemanticBuilder::new().with_check_syntax_error(true).build(&parsed.program);
    refuse(&checked.errors)?;
    let options = MangleOptions { top_level: Some(kind.is_module()), ..MangleOptions::default() };
    let names = Mangler::new().with_options(options).build(&parsed.program);
    let code = Codegen::new()
        .with_options(CodegenOptions::minify())
        .with_scoping(Some(names.scoping))
        .build(&parsed.program);
    Ok(code.code)
}

fn refuse(errors: &[impl fmt::Display]) -> Result<()> {
    errors.first().map_or(Ok(()), |error| Err(error.to_string().into()))
}
