//! Core module to component, and what a component imports.
//!
//! **In**: bytes. **Out**: a validated component; the names of a component's imports. **Trusted**: nothing. **Can fail**: on
//! bytes that are no WebAssembly or no component.

use wasmparser::{ComponentTypeRef, Encoding, Parser, Payload, TypeBounds};
use wit_component::ComponentEncoder;

use crate::Error;

/// All that a runbook may import, whichever version of the contract it was built for. Whether the types are listed of their own is up
/// to the encoder.
pub const OUR_IMPORTS: [&str; 4] = [
    "pg-logstats:runbook/actions@0.1.0",
    "pg-logstats:runbook/types@0.1.0",
    "pg-logstats:runbook/actions@0.2.0",
    "pg-logstats:runbook/types@0.2.0",
];

/// The names of what `component` imports, in its order, but for names of types; nested components and modules are not asked, for they can only import
/// what the outer one gives them.
///
/// # Errors
///
/// When the bytes are not a component.
pub fn component_imports(component: &[u8]) -> Result<Vec<String>, Error> {
    let mut imports = Vec::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(not_a_component)? {
            Payload::Version {
                encoding: Encoding::Module,
                ..
            } if depth == 0 => {
                return Err(Error::NotAComponent {
                    reason: "it is a core module".to_owned(),
                });
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let import = import.map_err(not_a_component)?;
                    // The world names types of our interface; a name for a known shape brings nothing in.
                    if !matches!(import.ty, ComponentTypeRef::Type(TypeBounds::Eq(_))) {
                        imports.push(import.name.name.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(imports)
}

/// The imports of `component` that are not among [`OUR_IMPORTS`].
///
/// # Errors
///
/// When the bytes are not a component.
pub fn foreign_imports(component: &[u8]) -> Result<Vec<String>, Error> {
    let mut imports = component_imports(component)?;
    imports.retain(|name| !OUR_IMPORTS.contains(&name.as_str()));
    Ok(imports)
}

/// Refuses the component of `package` when it imports anything but [`OUR_IMPORTS`].
pub(crate) fn check_imports(package: &str, component: &[u8]) -> Result<(), Error> {
    let foreign = foreign_imports(component)?;
    if foreign.is_empty() {
        return Ok(());
    }
    Err(Error::ForeignImport {
        package: package.to_owned(),
        imports: foreign.join("`, `"),
    })
}

/// Wraps the core module of `package` as the component that its embedded WIT describes, and validates it.
pub(crate) fn encode(package: &str, core: &[u8]) -> Result<Vec<u8>, Error> {
    let encoded = ComponentEncoder::default()
        .module(core)
        .and_then(|encoder| encoder.validate(true).encode());
    encoded.map_err(|error| Error::Encode {
        package: package.to_owned(),
        reason: chain(&error),
    })
}

fn not_a_component(error: wasmparser::BinaryReaderError) -> Error {
    Error::NotAComponent {
        reason: error.to_string(),
    }
}

/// An error and its causes on one line.
fn chain(error: &impl std::fmt::Display) -> String {
    format!("{error:#}")
        .lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests;
