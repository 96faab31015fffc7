//! Names by text, quickly: each thread remembers the last names it used, so
//! that one-shot calls rarely reach the engine's table, which has a lock.

use std::cell::RefCell;

use crate::core::{Core, NameId};

/// Slots per thread; a name that falls into a taken one replaces it.
const SLOTS: usize = 128;

struct Slot {
    recorder: u64,
    text: Box<str>,
    id: NameId,
}

thread_local! {
    static CACHE: RefCell<Vec<Option<Slot>>> = const { RefCell::new(Vec::new()) };
}

/// Resolves `text`. Cost: about 10 ns for a name that this thread used lately,
/// otherwise a lock and a look-up (and an allocation the first time).
/// `recorder` tells recorders of one process apart.
pub(crate) fn resolve(core: &Core, recorder: u64, text: &str) -> NameId {
    // A thread that is ending has lost its cache; the engine still answers.
    let known = CACHE.try_with(|cache| {
        let mut slots = cache.try_borrow_mut().ok()?;
        if slots.is_empty() {
            slots.resize_with(SLOTS, || None);
        }
        let slot = slots.get_mut(place(recorder, text))?;
        if let Some(held) = slot
            && held.recorder == recorder
            && *held.text == *text
        {
            return Some(held.id);
        }
        let id = core.name(text);
        *slot = Some(Slot {
            recorder,
            text: text.into(),
            id,
        });
        Some(id)
    });
    known.ok().flatten().unwrap_or_else(|| core.name(text))
}

/// Multiply and rotate over words of eight bytes, as rustc's FxHash does.
fn place(recorder: u64, text: &str) -> usize {
    const FACTOR: u64 = 0x517c_c1b7_2722_0a95;
    let mut hash = recorder ^ text.len() as u64;
    for chunk in text.as_bytes().chunks(8) {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR);
    }
    (hash >> 57) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::CoreSettings;

    #[test]
    fn names_of_two_recorders_keep_apart() {
        let (one, two) = (
            Core::open(CoreSettings::default()),
            Core::open(CoreSettings::default()),
        );
        two.name("first");
        let a = resolve(&one, 1, "search");
        let b = resolve(&two, 2, "search");
        assert_eq!(resolve(&one, 1, "search"), a);
        assert_eq!(&*one.name_text(a), "search");
        assert_eq!(&*two.name_text(b), "search");
    }

    #[test]
    fn a_thousand_names_resolve_to_themselves() {
        let core = Core::open(CoreSettings::default());
        for _ in 0..2 {
            for n in 0..1_000 {
                let text = format!("name {n}");
                assert_eq!(&*core.name_text(resolve(&core, 7, &text)), text);
            }
        }
    }
}
