import { pathText, type ResourcePath } from './resource-path.js';

/** A session, as far as answers are concerned. */
export interface AnswerOwner {
  /** Whose answers it sees. */
  readonly partition: string;
  /** Whose changes it sees: its root's, with all that descend from that. */
  readonly family: string;
}

/**
 * Whose answers a tag concerns: `g` those for everybody, `s` those of one family or partition, `*` those
 * of any session.
 */
type Namespace = 'g' | '*' | `s:${string}`;

/**
 * The tags of what was read, so that a change of any part of it, or of what it is part of, finds it.
 *
 * A read of T has `self:T`, `sub:T` and `self:` of each ancestor; a change of T invalidates `self:T` and
 * `sub:` of each ancestor. The two meet exactly when one path is a prefix of the other.
 *
 * @param owner - whose answers these are; `undefined`: everybody's
 */
export function readTags(
  paths: readonly ResourcePath[],
  owner: AnswerOwner | undefined,
  named: readonly string[] = [],
): string[] {
  if (owner === undefined) return inNamespaces(['g'], readWords(paths, named));
  const tags = inNamespaces([...namespacesOf(owner), '*'], readWords(paths, named));
  tags.push(partitionTag(owner.partition));
  return tags;
}

/**
 * The tags that a change invalidates.
 *
 * @param reach - a session: the answers of its family and those for everybody; `everybody`: those and
 *   those of every session; `undefined`: a change without a session, those for everybody
 */
export function mutationTags(
  paths: readonly ResourcePath[],
  reach: AnswerOwner | 'everybody' | undefined,
  named: readonly string[] = [],
): string[] {
  const namespaces: Namespace[] = ['g'];
  if (reach === 'everybody') namespaces.push('*');
  else if (reach !== undefined) namespaces.push(...namespacesOf(reach));
  return inNamespaces(namespaces, mutationWords(paths, named));
}

/** On all that is in a partition, so that it goes together at the end. */
export function partitionTag(partition: string): string {
  return `agent|partition|${partition}`;
}

function readWords(paths: readonly ResourcePath[], named: readonly string[]): string[] {
  const words = named.map((tag) => `tag|${tag}`);
  for (const path of paths) {
    const ways = waysTo(path);
    words.push(`sub|${ways.at(-1)}`, ...ways.map((way) => `self|${way}`));
  }
  return words;
}

function mutationWords(paths: readonly ResourcePath[], named: readonly string[]): string[] {
  const words = named.map((tag) => `tag|${tag}`);
  for (const path of paths) {
    const ways = waysTo(path);
    const own = ways.pop();
    words.push(`self|${own}`, ...ways.map((way) => `sub|${way}`));
  }
  return words;
}

/** The texts of a path and of all it is a part of, the longest last; the first is that of everything. */
function waysTo(path: ResourcePath): string[] {
  const ways = [''];
  let way = '';
  for (const segment of path) {
    way = way === '' ? pathText([segment]) : `${way}:${pathText([segment])}`;
    ways.push(way);
  }
  return ways;
}

/** Two where they differ: elsewhere the same partition may be that of a session without a parent. */
function namespacesOf({ family, partition }: AnswerOwner): Namespace[] {
  return family === partition ? [`s:${family}`] : [`s:${family}`, `s:${partition}`];
}

function inNamespaces(namespaces: readonly Namespace[], words: readonly string[]): string[] {
  return namespaces.flatMap((namespace) => words.map((word) => `agent|${namespace}|${word}`));
}
