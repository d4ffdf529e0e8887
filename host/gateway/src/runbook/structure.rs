//! What a component is made of, looked at before anything of it is compiled.
//!
//! **In**: the bytes of a component. **Out**: nothing, or why it is no runbook. **Trusted**: nothing. **Can fail**: with the
//! [`RunbookError`] that says what is wrong; an import that is not ours is said first, because it explains the rest.
//!
//! Fuel and memory limits hold for what runs. Compiling has none: wasmtime unfolds components within components when it compiles them,
//! so that some lines of nested components become a million instances, and the time that a function takes grows with the square of
//! its branches. So what would be unfolded is counted here first, in one pass over the bytes, without unfolding it.

use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentType, ComponentTypeDeclaration, ComponentTypeRef, Encoding, FunctionBody, Instance,
    InstanceTypeDeclaration, Operator, Parser, Payload, TypeBounds,
};

use super::contract::WitVersion;
use super::engine::RunbookError;
use super::limits;
use crate::untrusted::Untrusted;

/// What every module and component begins with.
const MAGIC: &[u8] = b"\0asm";

/// Checks `component`.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn check(component: &[u8]) -> Result<(), RunbookError> {
    if component.len() as u64 > limits::COMPONENT_BYTES {
        return Err(RunbookError::NotAComponent(format!(
            "it has {} bytes, more than {}",
            component.len(),
            limits::COMPONENT_BYTES
        )));
    }
    if !component.starts_with(MAGIC) {
        return Err(RunbookError::NotAComponent(
            "it does not begin with `\\0asm`, as WebAssembly does".to_owned(),
        ));
    }
    let mut survey = Survey::default();
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(unreadable)?;
        if let Payload::ComponentTypeSection(section) = &payload
            && component.get(section.range()).map_or(0, nesting_bound) > limits::TYPE_NESTING
        {
            return Err(RunbookError::OutOfMemory("types within types"));
        }
        survey.take(payload)?;
    }
    if !survey.imports.is_empty() {
        WitVersion::of_imports(survey.imports.iter().map(String::as_str))?;
    }
    survey.flaw.map_or(Ok(()), Err)
}

/// At most so deep do the types of a section contain each other. Readers of types call themselves for a type in a type, ours and wasmtime's,
/// so some megabytes of nothing else would use up the host's stack. An inner type of a component or an instance begins with one of two
/// bytes behind the byte that says that a type follows, so there are no more of them than of these pairs.
fn nesting_bound(section: &[u8]) -> usize {
    const FOLLOWS: u8 = 0x01;
    const COMPONENT: u8 = 0x41;
    const INSTANCE: u8 = 0x42;
    section
        .windows(2)
        .filter(|pair| matches!(pair, [FOLLOWS, COMPONENT | INSTANCE]))
        .count()
}

/// In one line: the reader's messages have lists over several, and names of the guest's.
fn unreadable(error: wasmparser::BinaryReaderError) -> RunbookError {
    let words = error.to_string();
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    RunbookError::NotAComponent(Untrusted::capped(&line, 200).text().to_owned())
}

/// How much one instantiation of a component makes.
#[derive(Debug, Clone, Copy, Default)]
struct Unfolded {
    core_instances: u64,
    component_instances: u64,
}

impl Unfolded {
    fn add(&mut self, other: Self) {
        self.core_instances = self.core_instances.saturating_add(other.core_instances);
        self.component_instances = self.component_instances.saturating_add(other.component_instances);
    }
}

/// A component whose bytes are being read.
#[derive(Debug, Default)]
struct Scope {
    /// What each component of its index space makes; none where it is not written down here but given or taken from elsewhere.
    components: Vec<Option<Unfolded>>,
    made: Unfolded,
}

enum Open {
    Module,
    Component(Scope),
}

/// One pass over the bytes.
#[derive(Default)]
struct Survey {
    /// The innermost last.
    open: Vec<Open>,
    /// What the root imports, but for names of types.
    imports: Vec<String>,
    /// Over all functions so far.
    branch_squares: u64,
    /// The first flaw that is not an import, which is told only when no import is wrong.
    flaw: Option<RunbookError>,
}

impl Survey {
    fn flaw(&mut self, error: RunbookError) {
        self.flaw.get_or_insert(error);
    }

    fn scope(&mut self) -> Option<&mut Scope> {
        match self.open.last_mut() {
            Some(Open::Component(scope)) => Some(scope),
            Some(Open::Module) | None => None,
        }
    }

    fn take(&mut self, payload: Payload<'_>) -> Result<(), RunbookError> {
        match payload {
            Payload::Version { encoding, .. } if self.open.is_empty() => {
                if encoding == Encoding::Module {
                    return Err(RunbookError::NotAComponent("it is a core module".to_owned()));
                }
                self.open.push(Open::Component(Scope::default()));
            }
            Payload::ModuleSection { .. } => self.open.push(Open::Module),
            Payload::ComponentSection { .. } => {
                if self.open.len() >= limits::COMPONENT_DEPTH {
                    return Err(RunbookError::OutOfMemory("components within components"));
                }
                self.open.push(Open::Component(Scope::default()));
            }
            Payload::End(_) => self.close(),
            Payload::CodeSectionEntry(body) => self.function(&body)?,
            Payload::InstanceSection(section) => {
                for instance in section {
                    if let Instance::Instantiate { .. } = instance.map_err(unreadable)? {
                        let one = Unfolded {
                            core_instances: 1,
                            ..Unfolded::default()
                        };
                        self.made(one);
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    if let ComponentInstance::Instantiate { component_index, .. } = instance.map_err(unreadable)? {
                        self.instantiated(component_index);
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.aliased(&alias.map_err(unreadable)?);
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import.map_err(unreadable)?;
                    // The world names types of the `types` interface; a name for a known shape brings nothing in.
                    let names_a_type = matches!(import.ty, ComponentTypeRef::Type(TypeBounds::Eq(_)));
                    if self.open.len() == 1 && !names_a_type {
                        self.imports.push(import.name.name.to_owned());
                    }
                    self.referred(import.ty);
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    // An export is a name of its own for what it exports.
                    let export = export.map_err(unreadable)?;
                    if export.kind == ComponentExternalKind::Component
                        && let Some(scope) = self.scope()
                    {
                        let exported = known(&scope.components, export.index);
                        scope.components.push(exported);
                    }
                }
            }
            Payload::ComponentTypeSection(section) => {
                for ty in section {
                    self.declared(&ty.map_err(unreadable)?);
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    match function.map_err(unreadable)? {
                        CanonicalFunction::Lift { .. } | CanonicalFunction::Lower { .. } => {}
                        CanonicalFunction::ResourceNew { .. }
                        | CanonicalFunction::ResourceDrop { .. }
                        | CanonicalFunction::ResourceRep { .. } => self.flaw(has_resources()),
                        _ => self.flaw(RunbookError::WrongInterface(
                            "it uses threads, tasks or streams, and the contract has none".to_owned(),
                        )),
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn function(&mut self, body: &FunctionBody<'_>) -> Result<(), RunbookError> {
        if body.range().len() > limits::FUNCTION_BYTES {
            self.flaw(RunbookError::OutOfMemory("size of one function"));
            return Ok(());
        }
        let mut branches = 0u64;
        for operator in body.get_operators_reader().map_err(unreadable)? {
            let is_branch = matches!(
                operator.map_err(unreadable)?,
                Operator::Block { .. }
                    | Operator::Loop { .. }
                    | Operator::If { .. }
                    | Operator::Else
                    | Operator::Br { .. }
                    | Operator::BrIf { .. }
                    | Operator::BrTable { .. }
            );
            branches += u64::from(is_branch);
        }
        self.branch_squares = self.branch_squares.saturating_add(branches.saturating_mul(branches));
        if branches > limits::FUNCTION_BRANCHES || self.branch_squares > limits::BRANCH_SQUARES {
            self.flaw(RunbookError::OutOfMemory("branches of its functions"));
        }
        Ok(())
    }

    fn close(&mut self) {
        if let Some(Open::Component(closed)) = self.open.pop()
            && let Some(scope) = self.scope()
        {
            scope.components.push(Some(closed.made));
        }
    }

    /// More is made whenever the innermost component is instantiated. It is judged there, before a component that is never
    /// instantiated is: wasmtime compiles that, too.
    fn made(&mut self, more: Unfolded) {
        let Some(scope) = self.scope() else { return };
        scope.made.add(more);
        let made = scope.made;
        if made.core_instances > limits::INSTANCES as u64 || made.component_instances > limits::INSTANCES as u64 {
            self.flaw(RunbookError::OutOfMemory("number of instances"));
        }
    }

    fn instantiated(&mut self, component: u32) {
        let Some(scope) = self.scope() else { return };
        match known(&scope.components, component) {
            Some(mut unfolded) => {
                unfolded.component_instances = unfolded.component_instances.saturating_add(1);
                self.made(unfolded);
            }
            None => self.flaw(RunbookError::WrongInterface(
                "it instantiates a component that was given to it, and the contract gives none".to_owned(),
            )),
        }
    }

    fn aliased(&mut self, alias: &ComponentAlias<'_>) {
        let component = match *alias {
            ComponentAlias::InstanceExport {
                kind: ComponentExternalKind::Component,
                ..
            } => None,
            ComponentAlias::Outer {
                kind: ComponentOuterAliasKind::Component,
                count,
                index,
            } => {
                let outward = (count as usize).saturating_add(1);
                match self.open.len().checked_sub(outward).and_then(|at| self.open.get(at)) {
                    Some(Open::Component(outer)) => known(&outer.components, index),
                    Some(Open::Module) | None => None,
                }
            }
            _ => return,
        };
        if let Some(scope) = self.scope() {
            scope.components.push(component);
        }
    }

    /// An import, or an export of a type.
    fn referred(&mut self, ty: ComponentTypeRef) {
        match ty {
            ComponentTypeRef::Type(TypeBounds::SubResource) => self.flaw(has_resources()),
            ComponentTypeRef::Component(_) => {
                if let Some(scope) = self.scope() {
                    scope.components.push(None);
                }
            }
            _ => {}
        }
    }

    fn declared(&mut self, ty: &ComponentType<'_>) {
        if has_resource(ty) {
            self.flaw(has_resources());
        }
    }
}

fn known(components: &[Option<Unfolded>], index: u32) -> Option<Unfolded> {
    components.get(index as usize).copied().flatten()
}

fn has_resources() -> RunbookError {
    RunbookError::WrongInterface("it has resources, and the contract has none".to_owned())
}

/// Whether a resource is declared in the type, at any depth.
fn has_resource(ty: &ComponentType<'_>) -> bool {
    let is_resource = |ty: &ComponentTypeRef| matches!(ty, ComponentTypeRef::Type(TypeBounds::SubResource));
    match ty {
        ComponentType::Resource { .. } => true,
        ComponentType::Defined(_) | ComponentType::Func(_) => false,
        ComponentType::Component(declarations) => declarations.iter().any(|declaration| match declaration {
            ComponentTypeDeclaration::Type(ty) => has_resource(ty),
            ComponentTypeDeclaration::Export { ty, .. } => is_resource(ty),
            ComponentTypeDeclaration::Import(import) => is_resource(&import.ty),
            ComponentTypeDeclaration::CoreType(_) | ComponentTypeDeclaration::Alias(_) => false,
        }),
        ComponentType::Instance(declarations) => declarations.iter().any(|declaration| match declaration {
            InstanceTypeDeclaration::Type(ty) => has_resource(ty),
            InstanceTypeDeclaration::Export { ty, .. } => is_resource(ty),
            InstanceTypeDeclaration::CoreType(_) | InstanceTypeDeclaration::Alias(_) => false,
        }),
    }
}
