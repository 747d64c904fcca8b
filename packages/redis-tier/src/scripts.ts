/**
 * What must happen at once in Redis. The last two arguments of a script that changes what others may
 * hold are a channel and a message for them: empty where Redis tells of changes itself.
 *
 * `head` is what a value begins with: empty for no value, `false` for what is no string at all. The
 * offsets are those of `envelope.ts`.
 */
const HELPERS = {
  head: `
local function head(key, length)
  local bytes = redis.pcall('GETRANGE', key, 0, length - 1)
  return type(bytes) == 'string' and bytes
end`,
  isEntry: `
local function isEntry(bytes)
  return bytes and #bytes == 32 and string.sub(bytes, 1, 4) == '\\172\\202\\1\\2'
end`,
  // Those of a whole namespace are two, and stay: all of it dies with them.
  stamp: `
local function stamp(key, bytes)
  redis.call('SET', key, bytes)
  if not string.find(key, '}%*?$') then redis.call('PEXPIRE', key, ARGV[#KEYS + 1]) end
end`,
  // Where nothing was, Redis tells nobody of a removal, though somebody may be loading it, or remember
  // that it failed.
  sendWord: `
local function sendWord(key)
  redis.pcall('SET', key, '', 'PX', 1)
  redis.pcall('UNLINK', key)
end`,
  tell: `
local function tell()
  if ARGV[#ARGV] ~= '' then redis.pcall('PUBLISH', ARGV[#ARGV - 1], ARGV[#ARGV]) end
end`,
};

const scripts = {
  /**
   * Sets a value, unless the caller has given up on it by now: what was held up on its way must not
   * replace what came after it. Answers with the server's time in milliseconds, below 0 when refused.
   * KEYS value; ARGV envelope, life in ms, server time in ms after which it is too late.
   */
  set: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now > tonumber(ARGV[3]) then return -now end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
tell()
return now`,

  /** Removes a value, or a placeholder. KEYS value, word. Answers with how many were there. */
  remove: `
local removed = redis.call('UNLINK', KEYS[1])
if removed == 0 then sendWord(KEYS[2]) end
tell()
return removed`,

  /**
   * Ends the freshness of a value now, and the load that runs for it. KEYS value, lock, word; ARGV now, the
   * head of an entry that is stale from now on. Answers with what the value began with, and begins with
   * afterwards.
   */
  expire: `
redis.call('DEL', KEYS[2])
tell()
local bytes = head(KEYS[1], 56)
if bytes == '' then sendWord(KEYS[3]) end
if not bytes or #bytes < 20 or string.sub(bytes, 1, 3) ~= '\\172\\202\\1' then return { bytes or '', bytes or '' } end
if not isEntry(string.sub(bytes, 1, 32)) or #bytes < 56 then
  redis.call('UNLINK', KEYS[1])
elseif struct.unpack('>d', bytes, 21) > tonumber(ARGV[1]) then
  local windows = math.max(struct.unpack('>d', bytes, 41), struct.unpack('>d', bytes, 49))
  windows = math.min(windows, 1e14)
  if windows >= 1 then
    redis.call('SETRANGE', KEYS[1], 0, ARGV[2])
    redis.call('PEXPIRE', KEYS[1], string.format('%.0f', windows))
  else
    redis.call('UNLINK', KEYS[1])
  end
else
  local left = redis.call('PTTL', KEYS[1])
  if left > 0 then redis.call('PEXPIRE', KEYS[1], left) end
end
return { string.sub(bytes, 1, 20), head(KEYS[1], 20) or '' }`,

  /**
   * Puts a placeholder where nothing is that could be served. KEYS value; ARGV what was seen there,
   * placeholder, its life in ms. Answers 1, or 2 where it took the place of something that is no
   * string, or with the value that came between.
   */
  acquire: `
local seen = head(KEYS[1], 32)
if seen and seen ~= ARGV[1] then return redis.call('GET', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return seen and 1 or 2`,

  /**
   * Takes the right to load over from whoever has it. KEYS value, lock; ARGV the head of an entry
   * that counts as nothing, placeholder, token, life of either in ms. Answers with the entry that
   * stays while it is loaded anew, or 1 where a placeholder was put.
   */
  take: `
local seen = head(KEYS[1], 32)
if isEntry(seen) and seen ~= ARGV[1] then
  redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
  local left = redis.call('PTTL', KEYS[1])
  if left >= 0 and left < ARGV[4] * 2 then redis.call('PEXPIRE', KEYS[1], ARGV[4] * 2) end
  return redis.call('GET', KEYS[1])
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
tell()
return 1`,

  /**
   * Locks the refresh of an entry, which must not die meanwhile: its own end is another matter than
   * a removal, and here they would look alike. KEYS value, lock; ARGV token, life in ms.
   */
  lock: `
if not redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then
  if redis.call('PTTL', KEYS[2]) == -1 then redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
  return 0
end
local left = redis.call('PTTL', KEYS[1])
if left >= 0 and left < ARGV[2] * 2 then redis.call('PEXPIRE', KEYS[1], ARGV[2] * 2) end
return 1`,

  /** Gives what blocks a key and would stay for ever an end. KEYS value; ARGV its life in ms. */
  limit: `
if redis.call('PTTL', KEYS[1]) == -1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1`,

  /** Prolongs a lease. KEYS value, lock; ARGV placeholder or '', token or '', life in ms. */
  renew: `
if ARGV[1] ~= '' then
  if head(KEYS[1], 20) ~= ARGV[1] then return 0 end
  return redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
local left = redis.call('PTTL', KEYS[1])
if left >= 0 and left < ARGV[3] * 2 then redis.call('PEXPIRE', KEYS[1], ARGV[3] * 2) end
return redis.call('PEXPIRE', KEYS[2], ARGV[3])`,

  /**
   * Stores what was loaded if what stood there before the load still does. KEYS value, lock; ARGV
   * placeholder or the head of the entry, token or '', envelope, life in ms. Answers 1 when stored.
   */
  commit: `
if ARGV[2] ~= '' then
  if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
  redis.call('DEL', KEYS[2])
end
if head(KEYS[1], #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
tell()
return 1`,

  /** Gives a lease back. KEYS value, lock; ARGV placeholder or '', token or ''. */
  release: `
if ARGV[1] ~= '' and head(KEYS[1], 20) == ARGV[1] then
  redis.call('DEL', KEYS[1])
  tell()
end
if ARGV[2] ~= '' and redis.call('GET', KEYS[2]) == ARGV[2] then redis.call('DEL', KEYS[2]) end
return 1`,

  /** What values begin with: nothing for what is no string. KEYS values. */
  heads: `
local heads = {}
for at, key in ipairs(KEYS) do heads[at] = head(key, 20) end
return heads`,

  /** Changes stamps. KEYS stamps; ARGV one for each, their life in ms. */
  restamp: `
for at, key in ipairs(KEYS) do stamp(key, ARGV[at]) end
tell()
return 1`,

  /** Prolongs stamps that do not live long enough. KEYS stamps; ARGV what is enough, what they get, in ms. */
  prolong: `
for _, key in ipairs(KEYS) do
  local left = redis.call('PTTL', key)
  if left >= 0 and left < tonumber(ARGV[1]) then redis.call('PEXPIRE', key, ARGV[2]) end
end
return 1`,

  /** Reads stamps, and makes those that are missing or damaged. KEYS stamps; ARGV one for each, their life in ms. */
  stamps: `
local stamps = {}
for at, key in ipairs(KEYS) do
  local present = redis.pcall('GET', key)
  if type(present) ~= 'string' or #present ~= 8 then
    present = ARGV[at]
    stamp(key, present)
  end
  stamps[at] = present
end
return stamps`,
};

export type ScriptName = keyof typeof scripts;

/** Scripts that are run for many keys at once where there are many. */
export type BulkScriptName = 'acquire' | 'lock' | 'commit';
const BULK_SCRIPTS: readonly BulkScriptName[] = ['acquire', 'lock', 'commit'];

/** The texts of the scripts, by the names that the client knows them by. */
export const SCRIPTS: readonly (readonly [name: string, lua: string])[] = [
  ...Object.entries(scripts).map(([name, lua]) => [name, withHelpers(lua)] as const),
  ...BULK_SCRIPTS.map((name) => [bulkNameOf(name), inBulk(withHelpers(scripts[name]))] as const),
];

export function bulkNameOf(script: BulkScriptName): string {
  return `${script}Bulk`;
}

/**
 * A script run once after the other, none held up by the error of another. ARGV: how many keys and how
 * many arguments each run takes; then the arguments. Answers with a list of the replies.
 */
function inBulk(script: string): string {
  return `
local function one(KEYS, ARGV)
${script}
end
local function part(list, from, length)
  local items = {}
  for at = 1, length do items[at] = list[from + at] end
  return items
end
local keys, args = tonumber(ARGV[1]), tonumber(ARGV[2])
local replies = {}
for nth = 0, #KEYS / keys - 1 do
  local ok, reply = pcall(one, part(KEYS, nth * keys, keys), part(ARGV, 2 + nth * args, args))
  if not ok and type(reply) ~= 'table' then reply = redis.error_reply(tostring(reply)) end
  replies[nth + 1] = reply
end
return replies`;
}

/** A script with the helpers that it calls. */
function withHelpers(script: string): string {
  const called = Object.entries(HELPERS).filter(([name]) => script.includes(`${name}(`));
  return called.map(([, helper]) => helper).join('') + script;
}
