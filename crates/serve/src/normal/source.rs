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

/// What those agents call themselves as services, of which events hold hashes.
pub const SERVICES: [&str; 10] = [
    "claude-code",
    "claude-code-desktop",
    "codex",
    "codex_cli_rs",
    "codex_exec",
    "copilot-chat",
    "gemini-cli",
    "github-copilot",
    "opencode",
    "qwen-code",
];

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
        let agent = Agent::of(resource, scope);
        // The order of attributes means nothing: Rust's SDK has one for each
        // signal.
        let (mut instance, mut place) = (0_u64, 0_u64);
        for (key, value) in &resource.attrs {
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            value.hash_into(&mut hasher);
            let hash = hasher.finish();
            place = place.wrapping_add(hash);
            // Codex names the host to its logs, and not to its spans.
            if !(agent == Agent::Codex && key == "host.name") {
                instance = instance.wrapping_add(hash);
            }
        }
        let mut hasher = DefaultHasher::new();
        (place, &scope.name, &scope.version).hash(&mut hasher);
        Self {
            agent,
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
                // By their whole names: a `claude-code-router` is none, and what it
                // tells must not be taken for noise.
                "claude-code" | "claude-code-desktop" => Self::ClaudeCode,
                "codex" => Self::Codex,
                "gemini-cli" => Self::Gemini,
                "qwen-code" => Self::Qwen,
                "copilot-chat" => Self::Copilot,
                "opencode" => Self::OpenCode,
                // `codex_exec`, `codex_cli_rs`, …
                _ if text.starts_with("codex_") => Self::Codex,
                _ if text.starts_with("github-copilot") => Self::Copilot,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(attrs: &[(&'static str, &'static str)]) -> Resource<'static> {
        let attr = |(key, value): &(&'static str, &'static str)| {
            ((*key).into(), Any::Str((*value).into()))
        };
        Resource {
            attrs: attrs.iter().map(attr).collect(),
        }
    }

    fn instance(attrs: &[(&'static str, &'static str)]) -> u64 {
        Origin::of(&resource(attrs), &Scope::default(), 0).instance
    }

    #[test]
    fn an_instance_is_known_by_what_all_its_signals_say() {
        let name = ("service.name", "codex_exec");
        let (env, host) = (("env", "dev"), ("host.name", "a"));
        let codex = instance(&[name, env]);
        assert_eq!(codex, instance(&[env, name]), "in any order");
        assert_eq!(
            codex,
            instance(&[host, name, env]),
            "its logs name the host"
        );
        assert_ne!(codex, instance(&[name, ("env", "prod")]));
        let name = ("service.name", "claude-code");
        assert_ne!(instance(&[name]), instance(&[name, host]));
        assert_ne!(instance(&[("a", "b")]), instance(&[("b", "a")]));
    }

    #[test]
    fn an_agent_is_known_by_its_whole_name() {
        for (service, agent) in [
            ("claude-code", Agent::ClaudeCode),
            ("claude-code-desktop", Agent::ClaudeCode),
            ("claude-code-router", Agent::Other),
            ("codex_cli_rs", Agent::Codex),
            ("gemini-cli", Agent::Gemini),
            ("gemini-client", Agent::Other),
            ("qwen-code", Agent::Qwen),
            ("github-copilot", Agent::Copilot),
            ("", Agent::Other),
        ] {
            let found = Agent::of(&resource(&[("service.name", service)]), &Scope::default());
            assert_eq!(found, agent, "{service}");
        }
    }
}
