import type { Inspection } from './inspect.js';

/** So many tags are named, those with most entries first. */
const TAGS_SHOWN = 10;

/** An inspection as lines for people. */
export function describeInspection(found: Inspection): string {
  const { entries, space, damage, lockedBy } = found;
  const lines = [
    `${found.path}: format ${found.version}, ${bytes(found.bytes)}, ${count(found.blocks, 'block')}`,
    `entries   ${entries.live} live, ${entries.expired} expired`,
    `space     ${bytes(space.live)} live, ${bytes(space.garbage)} garbage, ${bytes(space.damaged)} damaged`,
  ];
  if (found.oldest !== null && found.newest !== null) {
    lines.push(`stored    ${instant(found.oldest)} to ${instant(found.newest)}`);
  }
  const { latest, setBack } = found.time;
  if (latest !== null) {
    const back = setBack > 0 ? `, by a clock that was set back by ${setBack} ms in all` : '';
    lines.push(`written   ${instant(latest)}${back}`);
  }
  const tags = Object.entries(found.tags).sort(([, a], [, b]) => b - a);
  if (tags.length > 0) {
    const shown = tags.slice(0, TAGS_SHOWN).map(([tag, of]) => `${JSON.stringify(tag)} ${of}`);
    const more = tags.length > TAGS_SHOWN ? `, and ${tags.length - TAGS_SHOWN} more` : '';
    lines.push(`tags      ${shown.join(', ')}${more}`);
  }
  if (found.torn > 0) lines.push(`torn      ${bytes(found.torn)} at the end, left by a crash`);
  lines.push(`locked    ${lockedBy === null ? 'by nobody' : ownerOf(lockedBy)}`);
  if (damage.length === 0) {
    lines.push('damage    none');
  } else {
    lines.push(
      `damage    ${count(found.lostBlocks, 'block')} lost, ${found.dropped} older entries dropped`,
      ...damage.map(({ kind, offset, length }) => `  ${kind} at ${offset}, ${bytes(length)}`),
    );
  }
  return lines.join('\n');
}

function ownerOf({ pid, host }: { pid: number | null; host: string | null }): string {
  return pid === null ? 'by a process that is not named' : `by process ${pid} on ${host ?? '?'}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function bytes(number: number): string {
  if (number < 10_000) return `${number} B`;
  return number < 10_000_000
    ? `${(number / 1e3).toFixed(1)} kB`
    : `${(number / 1e6).toFixed(1)} MB`;
}

function instant(ms: number): string {
  // A forged file may hold any number.
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}
