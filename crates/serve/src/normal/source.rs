//! Where a record comes from: which agent, by resource and scope, and which
//! instance of it.

use std::hash::{DefaultHasher, Hash, Hasher};

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

/// What records of one scope of one resource have in common; made once for them
/// all.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'r> {
    pub agent: Agent,
    /// The resource's `service.name`.
    pub service: Option<&'r str>,
    pub scope: &'r str,
    /// Hash of the resource: one process, or one installation of a program.
    pub instance: u64,
    /// Hash of the resource and the scope.
    pub place: u64,
    /// When it came, Unix nanoseconds: the time of what has none of its own.
    pub received: i64,
}

impl<'r> Origin<'r> {
    /// Reads resource and scope. Costs a look at each of the resource's
    /// attributes.
    pub fn of(resource: &'r Resource<'_>, scope: &'r Scope<'_>, received: i64) -> Self {
        let mut hasher = DefaultHasher::new();
        for (key, value) in &resource.attrs {
            key.hash(&mut hasher);
            value.hash_into(&mut hasher);
        }
        let instance = hasher.finish();
        (&scope.name, &scope.version).hash(&mut hasher);
        Self {
            agent: Agent::of(resource, scope),
            service: service_name(resource),
            scope: &scope.name,
            instance,
            place: hasher.finish(),
            received,
        }
    }

    /// A record's own time, Unix nanoseconds; when it came, if it has none or one
    /// beyond the year 2262.
    pub fn time(&self, own: u64) -> i64 {
        i64::try_from(own)
            .ok()
            .filter(|own| *own > 0)
            .unwrap_or(self.received)
    }
}

impl Agent {
    /// Who serves its models, where a record does not say.
    pub fn provider(self) -> Option<&'static str> {
        match self {
            Self::ClaudeCode => Some("anthropic"),
            Self::Codex => Some("openai"),
            Self::Gemini => Some("gcp.gemini"),
            _ => None,
        }
    }

    /// By what its log records' names begin with, whatever its service is
    /// called.
    pub fn of_event(name: &str) -> Option<Self> {
        match name.split_once('.')?.0 {
            "claude_code" => Some(Self::ClaudeCode),
            "codex" => Some(Self::Codex),
            "gemini_cli" => Some(Self::Gemini),
            "qwen-code" => Some(Self::Qwen),
            _ => None,
        }
    }

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
                name => named(name),
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
