//! The words of a key, and what each tells of its value.

/// What a word tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// An identity by itself: `user_id`, `message_uuid`.
    Id,
    /// Who or where: `user`, `host`, `client`.
    Who,
    /// Several of them, or how many: `users`.
    Many,
    /// What somebody wrote, where it lies, what is run.
    Text,
    /// What opens a door.
    Secret,
    /// A kind, a state or an amount of whatever stands before it: `agent_type`,
    /// `token_count`.
    Kind,
    /// Part of a name: `host.name`, `phone_number`.
    Glue,
    /// Anything else.
    Other,
}

/// Calls `each` with what every word of a key tells, in their order. Words stand
/// between other characters than letters and digits, and before a capital; some
/// are run together (`clientip`).
pub(super) fn each(key: &str, mut each: impl FnMut(Word)) {
    for word in split(key) {
        let word = word.to_lowercase();
        match told(&word) {
            Word::Other => {
                let parts = run_together(&word);
                if parts.is_empty() {
                    each(Word::Other);
                }
                parts.into_iter().for_each(&mut each);
            }
            told => each(told),
        }
    }
}

/// The words: what stands between other characters than letters and digits,
/// before a capital that follows a small letter or a digit, and before the last
/// capital of several (`IPAddress`).
fn split(key: &str) -> impl Iterator<Item = &str> {
    let mut rest = key;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let mut before: Option<(usize, char)> = None;
        let mut end = rest.len();
        for (at, c) in rest.char_indices() {
            if !c.is_alphanumeric() {
                end = at;
                break;
            }
            match before {
                Some((_, last)) if c.is_uppercase() && !last.is_uppercase() => {
                    end = at;
                    break;
                }
                Some((last_at, last))
                    if last_at > 0
                        && last.is_uppercase()
                        && c.is_lowercase()
                        && !is_plural(&rest[at..]) =>
                {
                    end = last_at;
                    break;
                }
                _ => {}
            }
            before = Some((at, c));
        }
        let (word, after) = rest.split_at(end);
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}

/// `IDs` is one word.
fn is_plural(rest: &str) -> bool {
    let after = rest.strip_prefix('s');
    after.is_some_and(|after| !after.starts_with(char::is_alphanumeric))
}

/// What a word in small letters tells; one of several (`files`) and one with a
/// number behind it (`user1`) tell the same.
fn told(word: &str) -> Word {
    let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
    match table(word) {
        Word::Other => {}
        told => return told,
    }
    let one = word
        .strip_suffix("ies")
        .map(|stem| format!("{stem}y"))
        .or_else(|| word.strip_suffix('s').map(str::to_owned));
    match one.map(|one| table(&one)) {
        Some(Word::Who | Word::Id) => Word::Many,
        Some(told @ (Word::Text | Word::Secret)) => told,
        _ => Word::Other,
    }
}

/// What the words tell that a word is made of, if all are the table's; else
/// nothing.
fn run_together(word: &str) -> Vec<Word> {
    const MOST_BYTES: usize = 48;
    let mut found = Vec::new();
    if word.len() <= MOST_BYTES && word.is_ascii() && !cut(word, &mut found) {
        found.clear();
    }
    found
}

fn cut(word: &str, found: &mut Vec<Word>) -> bool {
    const MOST_WORDS: usize = 4;
    if found.len() >= MOST_WORDS {
        return false;
    }
    match told(word) {
        Word::Other => {}
        last => {
            found.push(last);
            return true;
        }
    }
    // The longest first word that leaves words.
    for at in (2..word.len().saturating_sub(1)).rev() {
        let (first, rest) = word.split_at(at);
        match table(first) {
            Word::Other => continue,
            first => found.push(first),
        }
        if cut(rest, found) {
            return true;
        }
        found.pop();
    }
    false
}

fn table(word: &str) -> Word {
    match word {
        "id" | "uid" | "uuid" | "guid" | "gid" | "ulid" | "ident" | "identifier" | "identity"
        | "hash" | "fingerprint" => Word::Id,

        "user" | "username" | "login" | "logon" | "nick" | "nickname" | "surname" | "firstname"
        | "lastname" | "fullname" | "realname" | "email" | "mail" | "mailbox" | "phone"
        | "telephone" | "tel" | "mobile" | "fax" | "account" | "acct" | "owner" | "author"
        | "creator" | "assignee" | "reviewer" | "committer" | "sender" | "recipient"
        | "contact" | "member" | "person" | "people" | "employee" | "patient" | "student"
        | "customer" | "subscriber" | "visitor" | "viewer" | "actor" | "principal" | "subject"
        | "enduser" | "tenant" | "org" | "organization" | "organisation" | "company" | "team"
        | "workspace" | "project" | "agent" | "session" | "conversation" | "client" | "caller"
        | "peer" | "remote" | "host" | "hostname" | "node" | "nodename" | "pod" | "instance"
        | "machine" | "computer" | "workstation" | "laptop" | "vm" | "device" | "serial"
        | "imei" | "imsi" | "mac" | "ip" | "ipv" | "addr" | "address" | "fqdn" | "ssn" | "iban"
        | "passport" | "birthday" | "birthdate" | "dob" => Word::Who,

        "prompt" | "message" | "msg" | "input" | "output" | "completion" | "question"
        | "answer" | "content" | "text" | "body" | "payload" | "statement" | "stmt" | "query"
        | "sql" | "stack" | "stacktrace" | "traceback" | "backtrace" | "param" | "params"
        | "parameter" | "argument" | "arg" | "args" | "argv" | "command" | "cmd" | "cmdline"
        | "commandline" | "exe" | "executable" | "path" | "filepath" | "pathname" | "file"
        | "filename" | "dir" | "dirname" | "directory" | "folder" | "pwd" | "cwd" | "workdir"
        | "mountpoint" | "mount" | "url" | "uri" | "urn" | "href" | "link" | "target"
        | "referer" | "referrer" | "location" | "route" | "result" | "response" | "reply"
        | "transcript" | "instruction" | "summary" | "description" | "comment" | "note"
        | "title" | "document" | "snippet" | "keyword" | "header" | "token" | "key" => Word::Text,

        "password" | "passwd" | "passphrase" | "passcode" | "secret" | "credential" | "cred"
        | "creds" | "bearer" | "auth" | "authorization" | "authorisation" | "cookie" | "apikey"
        | "jwt" | "otp" | "pin" | "cert" | "certificate" | "signature" => Word::Secret,

        "type" | "kind" | "class" | "category" | "mode" | "format" | "encoding" | "language"
        | "lang" | "locale" | "status" | "state" | "phase" | "code" | "reason" | "reasons"
        | "level" | "severity" | "version" | "arch" | "size" | "bytes" | "length" | "len"
        | "count" | "total" | "tokens" | "sum" | "avg" | "mean" | "min" | "max" | "limit"
        | "index" | "rate" | "ratio" | "percent" | "duration" | "latency" | "time" | "ms"
        | "seconds" | "sec" | "secs" => Word::Kind,

        "name" | "number" | "num" | "no" | "nr" | "first" | "last" | "full" | "home" | "work"
        | "working" | "root" | "api" | "access" | "private" | "public" | "base" | "sub" | "src"
        | "source" | "dst" | "dest" | "destination" | "real" | "display" | "line" | "point"
        | "trace" | "value" | "data" => Word::Glue,

        _ => Word::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        let check = |key: &str, words: &[&str]| {
            assert_eq!(split(key).collect::<Vec<_>>(), words, "{key}");
        };
        check("", &[]);
        check("user.email", &["user", "email"]);
        check("userEmail2", &["user", "Email2"]);
        check("clientIP", &["client", "IP"]);
        check("IPAddress", &["IP", "Address"]);
        check("userIDs", &["user", "IDs"]);
        check("__DB-PASSWORD", &["DB", "PASSWORD"]);
        check("größeÄ", &["größe", "Ä"]);
    }
}
