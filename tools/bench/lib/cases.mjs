import { agentBehaviour } from '../cases/agent-behaviour.mjs';
import { agentCall } from '../cases/agent-call.mjs';
import { behaviour } from '../cases/behaviour.mjs';
import { burst } from '../cases/burst.mjs';
import { dataloaderBytes } from '../cases/dataloader-bytes.mjs';
import { dataloader } from '../cases/dataloader.mjs';
import { expiry } from '../cases/expiry.mjs';
import { growth } from '../cases/growth.mjs';
import { hit } from '../cases/hit.mjs';
import { keys } from '../cases/keys.mjs';
import { memory } from '../cases/memory.mjs';
import { missBytes } from '../cases/miss-bytes.mjs';
import { miss } from '../cases/miss.mjs';
import { peek } from '../cases/peek.mjs';
import { persistOpen } from '../cases/persist-open.mjs';
import { persistStall } from '../cases/persist-stall.mjs';
import { persistWrite } from '../cases/persist-write.mjs';
import { redisBulk } from '../cases/redis-bulk.mjs';
import { redisFrozen, redisKilled } from '../cases/redis-away.mjs';
import { redisHit } from '../cases/redis-hit.mjs';
import { redisMemoryHit } from '../cases/redis-memory-hit.mjs';
import { set } from '../cases/set.mjs';

/**
 * In the order of the table.
 *
 * @type {readonly import('./case.mjs').Case[]}
 */
export const cases = [
  hit,
  peek,
  miss,
  missBytes,
  burst,
  set,
  memory,
  expiry,
  growth,
  keys,
  dataloader,
  dataloaderBytes,
  redisHit,
  redisBulk,
  redisMemoryHit,
  redisFrozen,
  redisKilled,
  persistOpen,
  persistStall,
  persistWrite,
  agentCall,
  agentBehaviour,
  behaviour,
];
