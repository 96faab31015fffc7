// When what is shown is asked for again: all of it at once, and shown at once, so
// that no figure of a view is of another moment than the one beside it. Pure.

/**
 * What is asked again and again.
 * @typedef {object} Member
 * @property {() => number} asked when it was asked last, milliseconds since 1970
 * @property {() => number} wait milliseconds in which its answer is good enough although there is more by now
 * @property {() => Promise<void>} ask asks, and keeps the answer to itself; never fails
 * @property {() => void} show shows what came
 */

/**
 * What rounds need of the world, so that tests can be the world.
 * @typedef {object} World
 * @property {() => number} now
 * @property {(call: () => void, ms: number) => any} later
 * @property {(id: any) => void} cancel
 * @property {() => boolean} unseen whether nobody looks
 */

/** Seconds between two times that most things are asked while nothing new comes. */
export const USUAL = 30;
/** Of the time, one part in so many is spent on asking again for what grows. */
const SHARE = 25;

/**
 * How long an answer is good enough while work goes on, milliseconds: longer
 * where it is dear, and where the range is so long that little is seen of it.
 * What is asked more rarely than most is never asked sooner.
 * @param {{every: number, took: number, length: number | null}} of
 *   every: seconds between two times; took: milliseconds of the last answer;
 *   length: milliseconds of the range; null: not known
 */
export function patience({ every, took, length }) {
  if (every > USUAL) return every * 1000;
  const least = length !== null && length <= 6 * 3600e3 ? 1000 : 5000;
  return Math.max(least, took * SHARE);
}

/** For what takes longer the others do not wait. */
const TOGETHER_MS = 2000;

/**
 * @param {World} world
 * @param {number} every milliseconds between two rounds while nothing new comes
 */
export function createRounds(world, every) {
  /** @type {Set<Member>} */
  const members = new Set();
  /** Those that were asked and have not answered. @type {Set<Member>} */
  const slow = new Set();
  /** @type {any} */
  let timer = null;
  let going = false;
  let grown = false;

  const show = (/** @type {Member} */ member) => members.has(member) && member.show();

  function plan() {
    if (timer !== null) world.cancel(timer);
    timer = null;
    const all = [...members].filter((member) => !slow.has(member));
    if (going || all.length === 0) return;
    const usual = Math.min(...all.map((member) => member.asked())) + every;
    // As the dearest of them allows.
    const early = Math.max(...all.map((member) => member.asked() + member.wait()));
    const at = grown ? Math.min(early, usual) : usual;
    timer = world.later(() => void round(), Math.max(at - world.now(), 0));
  }

  async function round() {
    timer = null;
    // Whoever looks again plans anew.
    if (going || world.unseen()) return;
    going = true;
    grown = false;
    const asked = [...members].filter((member) => !slow.has(member));
    let together = true;
    const each = asked.map(async (member) => {
      slow.add(member);
      await member.ask();
      slow.delete(member);
      if (together) return;
      show(member);
      plan();
    });
    /** @type {any} */
    let late;
    const enough = new Promise((done) => (late = world.later(() => done(null), TOGETHER_MS)));
    await Promise.race([Promise.all(each), enough]);
    world.cancel(late);
    together = false;
    for (const member of asked) if (!slow.has(member)) show(member);
    going = false;
    plan();
  }

  return {
    /**
     * From now on it is asked again, until what is returned is called.
     * @param {Member} member
     */
    join(member) {
      members.add(member);
      plan();
      return () => {
        members.delete(member);
        plan();
      };
    },
    /** There is more than was told of. */
    grow() {
      grown = true;
      plan();
    },
    /** Somebody looks again. */
    plan,
  };
}
