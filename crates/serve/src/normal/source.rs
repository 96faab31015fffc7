//! Which agent or instrumentation a record comes from, by resource and scope.

use crate::wire::view::{Any, Resource, Scope};

/// Those whose records need rules of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Agent {
    /// Any that follows the conventions.
    #[default]
    Other,
    ClaudeCode,
    Codex,
    Gemini,
    Qwen,
    Copilot,
    OpenCode,
}

impl Agent {
    /// Tells by `service.name`, else by the scope's name.
    pub fn of(resource: &Resource<'_>, scope: &Scope<'_>) -> Self {
        let service = service_name(resource).unwrap_or_default();
        let named = |text: &str| {
            Some(match text {
                _ if text.starts_with("claude-code") => Self::ClaudeCode,
                _ if text.starts_with("codex_") || text == "codex" => Self::Codex,
                _ if text.starts_with("gemini-cli") => Self::Gemini,
                _ if text.starts_with("qwen-code") => Self::Qwen,
                _ if text.starts_with("github-copilot") || text == "copilot-chat" => Self::Copilot,
                _ if text == "opencode" => Self::OpenCode,
                _ => return None,
            })
        };
        named(service)
            .or_else(|| match &*scope.name {
                name if name.starts_with("com.anthropic.claude_code") => Some(Self::ClaudeCode),
                name if name.starts_with("codex_otel.") => Some(Self::Codex),
                _ => None,
            })
            .unwrap_or_default()
    }
}

/// The resource's `service.name`.
pub fn service_name<'r>(resource: &'r Resource<'_>) -> Option<&'r str> {
    resource.attrs.iter().find_map(|(key, value)| match value {
        Any::Str(text) if key == "service.name" && !text.is_empty() => Some(&**text),
        _ => None,
    })
}
