// How things stand, in a word and in a sentence. Pure.

import { NONE, duration, percent } from './format.js';

/** @typedef {'good' | 'warn' | 'bad' | 'none'} Tone */
/** @typedef {{name: string, value: number, unit: string, target: number, status: string}} Check */

/** @param {Check} check @param {number} value */
function figure(check, value) {
  if (check.unit === 'percent') return percent(value / 100);
  return check.unit === 'ms' ? duration(value) : String(value);
}

/** What the first seed calls these is of agents' definitions alone. @type {Record<string, string>} */
const NAMES = { 'cache hit rate': 'hit rate of the agent cache', 'overall p95': 'p95 of agent discovery' };

/** @param {Check} check */
function missed(check) {
  const side = check.unit === 'percent' ? 'above' : 'below';
  return `${NAMES[check.name] ?? check.name} is ${figure(check, check.value)} (target ${side} ${figure(check, check.target)})`;
}

/** @param {readonly string[]} parts */
function listed(parts) {
  return parts.length < 3 ? parts.join(' and ') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

/**
 * What a check is of, as the views of the figures call it: `list_agents p95`.
 * @param {{checks: readonly Check[]} | null | undefined} health
 * @param {string} name
 * @returns {(Check & {says: string}) | null} says: its target in words, `below 5.0 ms`; null: there is none
 */
export function targetOf(health, name) {
  const check = health?.checks.find((one) => one.name === name);
  if (!check) return null;
  const side = check.unit === 'percent' ? 'above' : 'below';
  return { ...check, says: `${side} ${figure(check, check.target)}${check.status === 'good' ? '' : ', missed'}` };
}

/**
 * @param {{verdict: string, checks: readonly Check[]} | null} health the answer to `health`
 * @param {number} firing how many alerts fire
 * @returns {{tone: Tone, word: string, sentence: string, of: 'alerts' | 'discovery' | 'overview'}}
 *   of: where there is more on it; all targets are of agent discovery
 */
export function verdict(health, firing) {
  const missed = health?.verdict === 'missed';
  return { ...told(health, firing), of: firing > 0 ? 'alerts' : missed ? 'discovery' : 'overview' };
}

/**
 * @param {{verdict: string, checks: readonly Check[]} | null} health
 * @param {number} firing
 * @returns {{tone: Tone, word: string, sentence: string}}
 */
function told(health, firing) {
  const alarm =
    firing === 0 ? null : firing === 1 ? '1 alert is firing' : `${firing.toLocaleString('en-US')} alerts are firing`;
  if (health === null) {
    return alarm
      ? { tone: 'bad', word: alarm.replace(/ (is|are) /, ' '), sentence: `${alarm}.` }
      : { tone: 'none', word: NONE, sentence: '' };
  }
  const off = health.checks.filter((check) => check.status !== 'good');
  const word = alarm ? alarm.replace(/ (is|are) /, ' ') : null;
  const tail = alarm ? `${alarm}. ` : '';
  switch (health.verdict) {
    case 'no_data':
      return {
        tone: alarm ? 'bad' : 'none',
        word: word ?? 'No data',
        sentence: `${tail}Nothing was recorded in this time.`,
      };
    case 'no_targets':
      return {
        tone: alarm ? 'bad' : 'none',
        word: word ?? 'No targets',
        sentence: `${tail}What was recorded in this time has no targets to be held against.`,
      };
    case 'missed': {
      const many = `${off.length} of ${health.checks.length} targets ${off.length === 1 ? 'is' : 'are'} missed`;
      const bad = alarm !== null || off.some((check) => check.status === 'bad');
      return {
        tone: bad ? 'bad' : 'warn',
        word: word ?? `${off.length} ${off.length === 1 ? 'target' : 'targets'} missed`,
        sentence: `${tail}${many}: ${listed(off.map(missed))}.`,
      };
    }
    default: {
      const met = health.checks.length === 1 ? 'The one target is met' : `All ${health.checks.length} targets are met`;
      const rest = health.verdict === 'good_so_far' ? ', others have no data yet' : '';
      return { tone: alarm ? 'bad' : 'good', word: word ?? 'Healthy', sentence: `${tail}${met}${rest}.` };
    }
  }
}
