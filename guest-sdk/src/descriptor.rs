//! The manifest of a runbook.

use crate::{Action, Descriptor, InsightId, MessageTemplate, ReasonCode, Workflow};

/// Builds a [`Descriptor`] from what the declaring macros made.
#[derive(Debug, Clone)]
pub struct DescriptorBuilder(Descriptor);

impl Descriptor {
    /// A descriptor of the runbook `name`, in the version `version` (pass `env!("CARGO_PKG_VERSION")`), that serves `workflow`.
    pub fn builder(name: &str, version: &str, workflow: &str) -> DescriptorBuilder {
        DescriptorBuilder(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            workflow: workflow.to_owned(),
            actions: Vec::new(),
            workflows: Vec::new(),
            reason_codes: Vec::new(),
            insights: Vec::new(),
            messages: Vec::new(),
        })
    }
}

impl DescriptorBuilder {
    /// Catalogue actions that it may request.
    #[must_use]
    pub fn actions(mut self, actions: &[Action]) -> Self {
        self.0
            .actions
            .extend(actions.iter().map(|action| action.as_str().to_owned()));
        self
    }

    /// Workflows that it may send the agent to.
    #[must_use]
    pub fn workflows(mut self, workflows: &[Workflow]) -> Self {
        self.0
            .workflows
            .extend(workflows.iter().map(|workflow| workflow.as_str().to_owned()));
        self
    }

    /// Reason codes of its findings.
    #[must_use]
    pub fn reason_codes(mut self, codes: &[ReasonCode]) -> Self {
        self.0
            .reason_codes
            .extend(codes.iter().map(|code| code.as_str().to_owned()));
        self
    }

    /// Ids of its insights.
    #[must_use]
    pub fn insights(mut self, insights: &[InsightId]) -> Self {
        self.0
            .insights
            .extend(insights.iter().map(|insight| insight.as_str().to_owned()));
        self
    }

    /// Its messages: `templates()` of [`messages!`](crate::messages).
    #[must_use]
    pub fn messages(mut self, messages: Vec<MessageTemplate>) -> Self {
        self.0.messages.extend(messages);
        self
    }

    /// The descriptor.
    pub fn build(self) -> Descriptor {
        self.0
    }
}
