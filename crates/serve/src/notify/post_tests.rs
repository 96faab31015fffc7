use tachograph_model::alert::{Condition, Notice, Rule};

use super::*;
use crate::notify::Given;

/// Channels of one kind, and what they said.
struct Heard {
    said: Arc<Mutex<Vec<String>>>,
    channels: Channels,
}

impl Heard {
    fn new() -> Self {
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let hears = said.clone();
        let all = json!({"a": {"kind": "terminal", "group_seconds": 0},
            "b": {"kind": "terminal", "group_seconds": 0}});
        let given = Given {
            channels: &all,
            say: Arc::new(move |line: &str| {
                let mut said = hears.lock().expect("nobody broke");
                said.push(line.to_owned());
            }),
            ..Given::default()
        };
        let channels = Channels::from_config(&given).expect("channels");
        Self { said, channels }
    }

    fn count(&self) -> usize {
        self.said.lock().expect("nobody broke").len()
    }

    fn post(&self, root: &Path, kept: KeptPost) -> Arc<Post> {
        let post = Arc::new(Post::new(root, &self.channels));
        post.resume(kept).expect("it is read");
        post.start(|| {}, &Arc::default()).expect("threads");
        post
    }
}

fn firing(name: &str) -> Told {
    let condition = Condition::parse("avg > 10").expect("a condition");
    let now = UnixNanos::now();
    Told {
        rule: Arc::new(Rule::new("r", "*", "s", condition)),
        series: ("s".into(), name.into()),
        notice: Notice::Firing,
        value: Some(11.0),
        at: now,
        fired_at: Some(now),
    }
}

fn until(so: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !so() {
        assert!(Instant::now() < patience, "it takes too long");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until nobody is being told any more.
fn leave(post: &Post) {
    post.leave(Duration::from_secs(20));
}

#[test]
fn a_kill_right_after_somebody_was_told_repeats_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let heard = Heard::new();
    let counters = Counters::default();
    let post = heard.post(home.path(), KeptPost::default());
    post.take(&[firing("x")], &counters);
    // On the disk before anybody is told; and then nothing more is.
    let kept = post.kept();
    post.release();
    until(|| heard.count() == 2);
    leave(&post);
    let again = |kept: &KeptPost, wanted: usize| {
        let post = heard.post(home.path(), kept.clone());
        post.release();
        until(|| post.waiting() == 0);
        leave(&post);
        assert_eq!(heard.count(), wanted);
        post
    };
    let next = again(&kept, 2);
    // What it tells of comes after what is known.
    let next_kept = next.kept();
    assert!(next_kept.told > kept.told);
    again(&next_kept, 2);
    // Once it is kept with the rest, the lines are gone.
    next.noted(next_kept.told).expect("forgotten");
    let path = home.path().join("alerts/told.jsonl");
    assert_eq!(std::fs::metadata(&path).expect("there").len(), 0);
    again(&next_kept, 2);
    // Without either it is told again: this is what is prevented.
    again(&kept, 4);
}

#[test]
fn what_is_given_up_for_want_of_room_is_noted_at_once_and_whole() {
    let home = tempfile::tempdir().expect("a folder");
    let heard = Heard::new();
    let counters = Counters::default();
    let post = Post::new(home.path(), &heard.channels);
    let many = super::super::outbox::MOST_WAITING + 3;
    let news: Vec<Told> = (0..many).map(|at| firing(&at.to_string())).collect();
    post.take(&news, &counters);
    let path = home.path().join("alerts/undelivered.jsonl");
    let text = std::fs::read_to_string(path).expect("noted");
    let of = |channel: &str| {
        let channel = format!("\"channel\":\"{channel}\"");
        text.lines().filter(|line| line.contains(&channel)).count()
    };
    assert_eq!((of("a"), of("b")), (3, 3), "{text}");
    assert_eq!(counters.alerts_undelivered.get(), 6);
}

#[test]
fn what_cannot_be_noted_is_counted_as_what_it_is() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("alerts/undelivered.jsonl");
    std::fs::create_dir_all(path).expect("a folder in its place");
    let counters = Counters::default();
    let post = Post::new(home.path(), &Heard::new().channels);
    let many = 0..=super::super::outbox::MOST_WAITING;
    let news: Vec<Told> = many.map(|at| firing(&at.to_string())).collect();
    post.take(&news, &counters);
    let Counters {
        undelivered_unwritten,
        alert_states_unkept,
        ..
    } = &counters;
    // One for each channel.
    let counted = (undelivered_unwritten.get(), alert_states_unkept.get());
    assert_eq!(counted, (2, 0));
    assert!(
        undelivered_unwritten
            .why()
            .is_some_and(|why| !why.is_empty())
    );
}
