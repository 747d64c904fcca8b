/** What a user must be allowed at least, as the README lists it. The prefix is the default one. */

const always =
  'resetkeys ~acache:* -@all +get +mget +getrange +set +setrange +del +unlink +pexpire +pttl ' +
  '+time +eval +evalsha +ping +info';
/** The name is not needed: ioredis tries to set one every few seconds, which would fill `ACL LOG`. */
const inCluster = '+cluster|slots +cluster|info +client|setname';

export const tracking = `resetchannels &__redis__:invalidate ${always} +subscribe +client|id +client|tracking`;
export const pubsub = `resetchannels &acache:i ${always} +subscribe +publish`;
export const none = `resetchannels &acache:i ${always} +publish`;
export const trackingInCluster = `${tracking} ${inCluster}`;
export const pubsubInCluster = `${pubsub} ${inCluster}`;

/** Rules without some of their words. */
export function without(rules: string, ...words: string[]): string {
  return rules
    .split(' ')
    .filter((word) => !words.includes(word))
    .join(' ');
}

/** The commands that rules allow, as `INFO commandstats` names them. */
export function commandsIn(rules: string): string[] {
  return [...rules.matchAll(/\+(\S+)/g)].map(([, name]) => name as string).sort();
}
