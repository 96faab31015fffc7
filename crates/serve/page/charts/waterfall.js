// What happened within what, and when: a row an event, of which only those in
// sight are drawn. See waterfall-rows.js for the nesting, waterfall-scale.js for time.

import { duration } from '../format.js';
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from '../html.js';
import { flatten } from './waterfall-rows.js';
import { pan, place, says, ticks, zoom } from './waterfall-scale.js';

/** @typedef {import('./waterfall-rows.js').Node} Node */
/** @typedef {import('./waterfall-rows.js').Row} Row */
/** @typedef {{low: number, high: number}} View */

export const ROW_PX = 24;
/** Rows drawn beyond what is in sight, so that scrolling shows no holes. */
const SPARE = 8;
/** One mark of the axis takes so much. */
const TICK_PX = 84;
/** Nearer to the end there is no room for words. */
const LAST_PX = 56;
/** A letter on the axis takes so much at most. */
const LETTER_PX = 6.5;
/** A drag shorter than this is a click. */
const DRAG_PX = 4;

/**
 * @param {{roots: Node[], time: import('./waterfall-scale.js').Scale, label: string,
 *   shown?: ((node: Node) => boolean) | undefined, selected: string | null,
 *   onSelect: (key: string | null) => void, onEnter: () => void,
 *   closed: ReadonlySet<string>, onClose: (closed: Set<string>) => void,
 *   zoomed: View | null, onZoom: (view: View | null) => void}} props
 *   `selected`, `closed`: keys of rows; `zoomed`: what is in sight of the scale; null: all
 */
export function Waterfall({ roots, time, label, shown, selected, onSelect, onEnter, closed, onClose, zoomed, onZoom }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const axis = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [top, setTop] = useState(0);
  const [size, setSize] = useState({ height: 480, lane: 600 });
  const [drag, setDrag] = useState(/** @type {[number, number] | null} */ (null));

  const rows = useMemo(() => flatten(roots, closed, shown), [roots, closed, shown]);
  const view = zoomed ?? { low: 0, high: time.length };
  const share = (/** @type {number} */ at) => ((at - view.low) / (view.high - view.low)) * 100;

  useLayoutEffect(() => {
    const measure = () => {
      const height = box.current?.clientHeight ?? 0;
      const lane = axis.current?.clientWidth ?? 0;
      if (height && lane) setSize((old) => (old.height === height && old.lane === lane ? old : { height, lane }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);

  const at = rows.findIndex((row) => row.key === selected);
  // What is selected is in sight, whoever selected it.
  useEffect(() => {
    const element = box.current;
    if (!element || at < 0) return;
    const head = ROW_PX + 4;
    const y = at * ROW_PX;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + ROW_PX + head > element.scrollTop + element.clientHeight) {
      element.scrollTop = y + ROW_PX + head - element.clientHeight;
    }
  }, [at, selected]);

  const zoomTo = (/** @type {View} */ next) => {
    const all = next.low <= 0 && next.high >= time.length;
    onZoom(all ? null : next);
  };
  const nearer = (/** @type {number} */ factor, /** @type {number | undefined} */ around) => {
    const row = rows[at];
    const middle = row && row.from !== null && row.to !== null ? place(time, (row.from + row.to) / 2) : null;
    const inSight = middle !== null && middle >= view.low && middle <= view.high;
    zoomTo(zoom(view, factor, around ?? (inSight ? middle : (view.low + view.high) / 2), time.length));
  };

  // Ctrl and the wheel zooms; it must be able to say that the page does not.
  const wheel = useRef(/** @type {(event: WheelEvent) => void} */ (() => {}));
  wheel.current = (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    nearer(event.deltaY > 0 ? 1.25 : 0.8, placeOf(event.clientX));
  };
  useEffect(() => {
    const element = box.current;
    const listen = (/** @type {WheelEvent} */ event) => wheel.current(event);
    element?.addEventListener('wheel', listen, { passive: false });
    return () => element?.removeEventListener('wheel', listen);
  }, []);

  /** @param {number} clientX */
  function placeOf(clientX) {
    const lane = axis.current?.getBoundingClientRect();
    if (!lane || lane.width === 0) return view.low;
    const part = Math.min(Math.max((clientX - lane.left) / lane.width, 0), 1);
    return view.low + part * (view.high - view.low);
  }

  const onPointerDown = (/** @type {PointerEvent} */ event) => {
    // Fingers scroll.
    if (event.button !== 0 || event.pointerType === 'touch') return;
    const lane = axis.current?.getBoundingClientRect();
    if (!lane || event.clientX < lane.left) return;
    const begin = event.clientX;
    const start = placeOf(begin);
    let moved = false;
    const move = (/** @type {PointerEvent} */ event) => {
      moved ||= Math.abs(event.clientX - begin) >= DRAG_PX;
      if (moved) setDrag([start, placeOf(event.clientX)]);
    };
    const end = (/** @type {PointerEvent} */ event) => {
      removeEventListener('pointermove', move);
      removeEventListener('pointerup', end);
      removeEventListener('pointercancel', end);
      setDrag(null);
      if (!moved || event.type === 'pointercancel') return;
      const [low, high] = [start, placeOf(event.clientX)].sort((a, b) => a - b);
      if (low !== undefined && high !== undefined && high > low) zoomTo({ low, high });
      // The click that ends a drag chooses no row.
      const stop = (/** @type {Event} */ click) => click.stopPropagation();
      addEventListener('click', stop, { capture: true, once: true });
      setTimeout(() => removeEventListener('click', stop, { capture: true }));
    };
    addEventListener('pointermove', move);
    addEventListener('pointerup', end);
    addEventListener('pointercancel', end);
  };

  const toggle = (/** @type {Row} */ row) => {
    const next = new Set(closed);
    if (row.open) next.add(row.key);
    else next.delete(row.key);
    onClose(next);
  };
  const choose = (/** @type {number} */ index) => {
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    if (!row) return;
    onSelect(row.key);
    // What one walks to comes into sight.
    const [low, high] = [row.from, row.to].map((at) => (at === null ? null : place(time, at)));
    if (zoomed && low !== null && high !== null && low !== undefined && high !== undefined && (high < view.low || low > view.high)) {
      zoomTo(pan(view, ((low + high) / 2 - (view.low + view.high) / 2) / (view.high - view.low), time.length));
    }
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const row = rows[at];
    const page = Math.max(Math.floor(size.height / ROW_PX) - 2, 1);
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => choose(at + 1),
      ArrowUp: () => choose(at < 0 ? 0 : at - 1),
      PageDown: () => choose(at + page),
      PageUp: () => choose(at - page),
      Home: () => choose(0),
      End: () => choose(rows.length - 1),
      ArrowRight: () => {
        if (row && row.children.length > 0 && !row.open) toggle(row);
        else if (row?.open) choose(at + 1);
      },
      ArrowLeft: () => {
        if (!row) return;
        if (row.open) toggle(row);
        else choose(above(rows, at));
      },
      '+': () => nearer(0.5, undefined),
      '=': () => nearer(0.5, undefined),
      '-': () => nearer(2, undefined),
      0: () => onZoom(null),
      Enter: () => row && onEnter(),
      ' ': () => row && row.children.length > 0 && toggle(row),
      Escape: () => (selected === null ? box.current?.blur() : onSelect(null)),
    };
    const shifted = {
      ArrowRight: () => zoomTo(pan(view, 0.25, time.length)),
      ArrowLeft: () => zoomTo(pan(view, -0.25, time.length)),
    };
    const act = (event.shiftKey && shifted[/** @type {keyof typeof shifted} */ (event.key)]) || keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };

  const first = Math.max(Math.floor(top / ROW_PX) - SPARE, 0);
  const last = Math.min(Math.ceil((top + size.height) / ROW_PX) + SPARE, rows.length);
  const marks = ticks(time, view.low, view.high, Math.max(Math.floor(size.lane / TICK_PX), 1));
  const step = Math.min(...marks.slice(1).map((mark, at) => mark.offset - (marks[at]?.offset ?? 0)), time.length);
  let free = -Infinity;
  const words = marks
    .map((mark) => ({ at: mark.at, text: says(mark.offset, step), left: (share(mark.at) * size.lane) / 100 }))
    // Folds bring marks near each other: words stand where they have room.
    .filter(({ text, left }) => {
      if (left < free || left >= size.lane - LAST_PX) return false;
      free = left + text.length * LETTER_PX + ROW_PX;
      return true;
    });
  const folds = time.pieces.filter((piece) => piece.idle && piece.at + piece.length > view.low && piece.at < view.high);
  const band = drag && [Math.min(...drag), Math.max(...drag)];

  return html`<div
    class="wf"
    role="treegrid"
    tabindex="0"
    ref=${box}
    aria-label=${label}
    aria-rowcount=${rows.length + 1}
    aria-activedescendant=${at >= 0 ? `wf-${rows[at]?.id}` : undefined}
    onKeyDown=${onKeyDown}
    onPointerDown=${onPointerDown}
    onDblClick=${() => onZoom(null)}
    onScroll=${(/** @type {Event} */ event) => {
      const y = /** @type {HTMLElement} */ (event.currentTarget).scrollTop;
      // Only another first row is worth drawing again.
      if (Math.floor(y / ROW_PX) !== Math.floor(top / ROW_PX)) setTop(y);
    }}
  >
    <div class="wf-head" role="row" aria-rowindex="1">
      <div class="wf-name" role="columnheader">Event</div>
      <div class="wf-axis" role="columnheader" ref=${axis}>
        <span class="hidden">Time since the beginning</span>
        ${words.map(({ at, text }) => html`<span class="wf-tick" key=${at} style=${{ left: `${share(at)}%` }}>${text}</span>`)}
      </div>
    </div>
    <div class="wf-body" role="rowgroup" style=${{ height: `${rows.length * ROW_PX}px` }}>
      <div class="wf-under" aria-hidden="true">
        ${marks.map((mark) => html`<span class="wf-line" key=${mark.offset} style=${{ left: `${share(mark.at)}%` }}></span>`)}
        ${folds.map(
          (piece) =>
            html`<span
              class="wf-fold"
              key=${piece.from}
              title=${`Nothing ran for ${duration(piece.to - piece.from)}`}
              style=${{ left: `${share(piece.at)}%`, width: `${share(piece.at + piece.length) - share(piece.at)}%` }}
            ></span>`,
        )}
        ${band && html`<span class="wf-band" style=${{ left: `${share(band[0] ?? 0)}%`, width: `${share(band[1] ?? 0) - share(band[0] ?? 0)}%` }}></span>`}
      </div>
      ${rows
        .slice(first, last)
        .map(
          (row, index) =>
            html`<${Line}
              key=${row.key}
              row=${row}
              index=${first + index}
              chosen=${row.key === selected}
              left=${row.from === null ? null : share(place(time, row.from))}
              right=${row.to === null ? null : share(place(time, row.to))}
              onSelect=${onSelect}
              onToggle=${toggle}
            />`,
        )}
    </div>
  </div>`;
}

/**
 * @param {{row: Row, index: number, chosen: boolean, left: number | null, right: number | null,
 *   onSelect: (key: string) => void, onToggle: (row: Row) => void}} props
 */
function Line({ row, index, chosen, left, right, onSelect, onToggle }) {
  const branches = row.children.length > 0;
  const length = row.from !== null && row.to !== null ? row.to - row.from : null;
  const what = row.event ? row.kind : 'group';
  return html`<div
    id=${`wf-${row.id}`}
    class=${`wf-row${chosen ? ' wf-chosen' : ''}`}
    role="row"
    aria-rowindex=${index + 2}
    aria-level=${row.depth + 1}
    aria-selected=${chosen ? 'true' : 'false'}
    aria-expanded=${branches ? String(row.open) : undefined}
    style=${{ transform: `translateY(${index * ROW_PX}px)` }}
    onClick=${() => onSelect(row.key)}
  >
    <div class="wf-name" role="gridcell" style=${{ paddingLeft: `${8 + Math.min(row.depth, 12) * 14}px` }}>
      <span
        class=${`wf-twist${branches ? '' : ' wf-leaf'}${row.open ? ' wf-open' : ''}`}
        onClick=${(/** @type {Event} */ event) => {
          if (!branches) return;
          event.stopPropagation();
          onToggle(row);
        }}
      ></span>
      <span class=${`wf-mark wf-${what}`} title=${what}></span>
      <bdi class="wf-label" title=${row.label.slice(0, 2000)}>${row.label.slice(0, 200)}</bdi>
      ${row.failed && html`<span class="wf-failed">failed</span>`}
    </div>
    <div class="wf-lane" role="gridcell">
      ${left !== null && right !== null && html`<${Bar} row=${row} what=${what} left=${left} right=${right} text=${length === null || length === 0 ? '' : duration(length)} />`}
      ${left === null && html`<span class="wf-no-time">no time</span>`}
    </div>
  </div>`;
}

/** @param {{row: Row, what: string, left: number, right: number, text: string}} props */
function Bar({ row, what, left, right, text }) {
  if (right < -1 || left > 101) return html`<span class=${`wf-beyond${right < 0 ? '' : ' wf-after'}`}>${right < 0 ? '‹' : '›'}</span>`;
  const from = Math.max(left, -1);
  const to = Math.min(right, 101);
  const point = row.from === row.to;
  // The figure stands after the bar, before it where there is no room, on it where it fills the lane.
  const side =
    to < 86 ? { left: `${Math.max(to, 0)}%` } : from > 14 ? { right: `${100 - Math.min(from, 100)}%` } : { right: '0' };
  const class_ = `wf-bar wf-${what}${row.failed ? ' wf-bad' : ''}${point ? ' wf-point' : ''}`;
  return html`<span class=${class_} style=${{ left: `${from}%`, width: point ? undefined : `${to - from}%` }}></span>
    <span class=${`wf-took${to >= 86 && from <= 14 ? ' wf-on' : ''}`} style=${side}>${text}</span>`;
}

/**
 * The row that holds another.
 * @param {Row[]} rows
 * @param {number} at
 */
function above(rows, at) {
  const depth = rows[at]?.depth ?? 0;
  for (let index = at - 1; index >= 0; index -= 1) {
    if ((rows[index]?.depth ?? 0) < depth) return index;
  }
  return at;
}
