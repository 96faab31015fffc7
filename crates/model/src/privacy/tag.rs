//! Tags of a metric (attributes, labels): what may be stored of each, by its key
//! and its value. Every door and the recorder ask here.

use super::value::{is_address, is_plain_word, is_random, is_sole_id};
use super::words::{self, Word};
use super::{MAX_KEPT_NAME_BYTES, is_name};
use crate::column::Privacy;

/// The longest key that is kept, in bytes.
pub const MAX_TAG_KEY_BYTES: usize = 128;

/// What a tag holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagKind<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number,
    /// True or false.
    Flag,
}

/// Returns what may be stored of a tag.
///
/// - Nothing, if its key is no word of letters, digits, `_`, `.` and `-`.
/// - Of a key that is known to hold names of things (`le`, `gen_ai.request.model`):
///   a name.
/// - Of one whose words tell who or where (`user.email`, `clientIP`, `_id`): the hash.
/// - Of one whose words tell a text, a path, a command or a secret: numbers and
///   flags only.
/// - Of any other a short plain word; of an address or an id the hash.
///
/// A last word that tells a kind or an amount (`agent_type`, `token_count`) makes
/// the key one of the others. Costs about 200 ns.
pub fn tag(key: &str, value: TagKind<'_>) -> Privacy {
    if !is_key(key) {
        return Privacy::Dropped;
    }
    match (value, class(key)) {
        (TagKind::Flag, _) | (TagKind::Number, Class::Named | Class::Any | Class::Text) => {
            Privacy::Plain
        }
        (TagKind::Number, Class::Identity { counts: true }) => Privacy::Plain,
        (_, Class::Identity { .. }) => Privacy::Hashed,
        (_, Class::Text | Class::Secret) => Privacy::Dropped,
        (TagKind::Text(text), Class::Named) if is_name(text) => Privacy::Plain,
        (TagKind::Text(text), Class::Named | Class::Any) => by_value(text),
    }
}

/// Whether a tag without a value may be stored: its key is all that it says.
pub fn is_plain_mark(key: &str) -> bool {
    is_key(key) && by_value(key) == Privacy::Plain
}

fn by_value(text: &str) -> Privacy {
    if text.len() > MAX_KEPT_NAME_BYTES {
        Privacy::Dropped
    } else if is_address(text) || is_random(text) {
        Privacy::Hashed
    } else if is_plain_word(text) {
        Privacy::Plain
    } else {
        Privacy::Dropped
    }
}

/// A key that is an id, such as somebody's address, says too much by itself.
fn is_key(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= MAX_TAG_KEY_BYTES
        && key
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'))
        && !is_sole_id(key)
}

#[derive(Clone, Copy, PartialEq)]
enum Class {
    /// Known to hold names of things.
    Named,
    /// Who or where. `counts`: a number there is not one of them.
    Identity {
        counts: bool,
    },
    Text,
    Secret,
    Any,
}

fn class(key: &str) -> Class {
    if is_known(key) {
        return Class::Named;
    }
    let (mut who, mut text, mut secret) = (false, false, false);
    let mut last = Word::Other;
    words::each(key, |word| {
        who |= matches!(word, Word::Who | Word::Many | Word::Id);
        text |= word == Word::Text;
        secret |= word == Word::Secret;
        last = word;
    });
    match last {
        _ if secret => Class::Secret,
        Word::Kind => Class::Any,
        Word::Id => Class::Identity { counts: false },
        _ if text => Class::Text,
        _ if who => Class::Identity {
            counts: !matches!(last, Word::Who | Word::Glue),
        },
        _ => Class::Any,
    }
}

/// Keys that are known: attributes of OpenTelemetry's conventions that name a
/// tool, a model or one of a few things, and common labels of Prometheus.
fn is_known(key: &str) -> bool {
    matches!(
        key,
        "gen_ai.operation.name"
            | "gen_ai.provider.name"
            | "gen_ai.system"
            | "gen_ai.request.model"
            | "gen_ai.response.model"
            | "gen_ai.tool.name"
            | "gen_ai.tool.type"
            | "gen_ai.token.type"
            | "gen_ai.output.type"
            | "error.type"
            | "exception.type"
            | "http.method"
            | "http.request.method"
            | "http.status_code"
            | "http.response.status_code"
            | "network.protocol.name"
            | "network.protocol.version"
            | "rpc.system"
            | "rpc.method"
            | "rpc.grpc.status_code"
            | "db.system"
            | "db.system.name"
            | "db.operation"
            | "db.operation.name"
            | "messaging.system"
            | "messaging.operation.name"
            | "os.type"
            | "os.name"
            | "host.arch"
            | "host.type"
            | "cloud.region"
            | "cloud.provider"
            | "cloud.availability_zone"
            | "deployment.environment"
            | "deployment.environment.name"
            | "service.name"
            | "service.namespace"
            | "service.version"
            | "telemetry.sdk.language"
            | "telemetry.sdk.name"
            | "telemetry.sdk.version"
            | "process.runtime.name"
            | "process.runtime.version"
            | "mcp.method.name"
            | "tool"
            | "tool_name"
            | "tool.name"
            | "model"
            | "model_name"
            | "model.name"
            | "provider"
            | "operation"
            | "le"
            | "quantile"
            | "job"
            | "mode"
            | "code"
            | "status"
            | "status_code"
            | "method"
            | "device"
            | "state"
            | "type"
            | "kind"
            | "reason"
            | "level"
            | "severity"
            | "name"
            | "result"
            | "outcome"
            | "success"
            | "error_type"
            | "region"
            | "zone"
            | "env"
            | "environment"
            | "version"
            | "revision"
            | "branch"
            | "cluster"
            | "namespace"
            | "container"
            | "service"
            | "component"
            | "queue"
            | "shard"
            | "cpu"
            | "core"
            | "gpu"
            | "fstype"
            | "language"
            | "unit"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use Privacy::{Dropped, Hashed, Plain};

    #[test]
    fn a_tag_s_key_tells_what_may_be_stored() {
        for (privacy, keys) in [
            (
                Hashed,
                "user User user.email userEmail USER_EMAIL host.name hostname user_id userId userID \
                 session.id id account projectName agent user_account_uuid account.uuid \
                 email_address e_mail mail userid uid login phone phone_number owner client.address \
                 client_ip clientip clientIP IPAddress ipaddr emailaddress machine instance \
                 exported_instance pod node nodename ip ipv4 user1 users tenant customer_id \
                 device_id deviceid gen_ai.agent.name gen_ai.conversation.id message_id request_id \
                 hostnames useragent server.address k8s.pod.name",
            ),
            (
                Dropped,
                "path file_path filePath url.full http.url prompt user_prompt prompt.text message \
                 errorMessage process.command cwd password DB_PASSWORD client_secret \
                 secret.name api_key apiKey x-api-key access_token token Authorization cookie \
                 gen_ai.input.messages input.value completion tool.parameters question answer \
                 db.statement stack_trace exception.stacktrace process.command_line cmdline argv \
                 code.filepath http_target uri mountpoint dir pwd bearer key cache_key queries \
                 http.request.header filepaths accesstoken apikeys messagebody password_type",
            ),
            (
                Plain,
                "region queue shard agent_type query_type output_format name tool_name host_count \
                 idle valid grid k über tokens token_count le job mode device state kind \
                 gen_ai.token.type gen_ai.request.model error.type http.response.status_code \
                 user_state client_version monkey skip zone",
            ),
        ] {
            for key in keys.split_whitespace() {
                assert_eq!(tag(key, TagKind::Text("alice")), privacy, "{key}");
            }
        }
    }

    #[test]
    fn of_other_keys_the_value_tells() {
        let check = |key: &str, text: &str, privacy| {
            assert_eq!(tag(key, TagKind::Text(text)), privacy, "{key} {text}");
        };
        for plain in [
            "eu-west-1",
            "GET",
            "v1.2.3",
            "+Inf",
            "größe",
            "a:b",
            "0.5",
            "deadbeef",
        ] {
            check("lane", plain, Plain);
        }
        for hashed in [
            "alice@example.org",
            "10.0.0.7",
            "10.0.0.7:9100",
            "fe80::1",
            "aa:bb:cc:dd:ee:ff",
            "550e8400-e29b-41d4-a716-446655440000",
            "0123456789abcdef",
            "sk-proj-aB3dE5gH7jK9mN1pQ3",
            "+49-151-1234567",
            "4915112345678",
        ] {
            check("lane", hashed, Hashed);
            assert!(!is_plain_mark(hashed), "{hashed}");
        }
        for dropped in [
            "two words",
            "/home/alice",
            "a/b",
            "C:\\x",
            "token=abc",
            "https://x.y",
            "",
            &"x".repeat(65),
            &"ab".repeat(200),
        ] {
            check("lane", dropped, Dropped);
            assert!(!is_plain_mark(dropped), "{dropped}");
        }
        check("le", "1073741824", Plain);
        check("gen_ai.request.model", "openai/gpt-oss-20b", Plain);
        check("version", "Python 3.12 (main)", Plain);
        check("type", "/home/alice", Dropped);
        check("type", "alice@example.org", Hashed);
        for key in [
            "",
            "a b",
            "/home/alice",
            "a@b.c",
            "550e8400-e29b-41d4-a716-446655440000",
        ] {
            check(key, "x", Dropped);
            assert_eq!(tag(key, TagKind::Number), Dropped, "{key}");
        }
        check(&"k".repeat(128), "x", Plain);
        check(&"k".repeat(129), "x", Dropped);
    }

    #[test]
    fn numbers_are_kept_but_identities_and_secrets() {
        let check = |key: &str, privacy| assert_eq!(tag(key, TagKind::Number), privacy, "{key}");
        for key in [
            "shard",
            "prompt",
            "input.value",
            "token_count",
            "tokens",
            "active_users",
            "session_duration_ms",
            "host.cpu.load",
            "device",
        ] {
            check(key, Plain);
        }
        for key in [
            "user_id",
            "userId",
            "account",
            "phone_number",
            "uid",
            "message_id",
        ] {
            check(key, Hashed);
        }
        check("password", Dropped);
        assert_eq!(tag("user", TagKind::Flag), Plain);
    }
}
