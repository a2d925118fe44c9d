import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { StoreError } from '@wherry/core/coordination';
import type { RedisClient } from './redis-client.ts';

/** The files in `lua/`, each one script. */
export type ScriptName =
  | `lease-${'acquire' | 'renew' | 'checkpoint' | 'end' | 'create' | 'reposition' | 'note' | 'release' | 'want' | 'view' | 'remove'}`
  | `member-${'heartbeat' | 'list' | 'leave'}`
  | `permit-${'acquire' | 'count'}`
  | `gate-${'list' | 'open' | 'throttle' | 'probe'}`
  | `scale-${'adjust' | 'desired' | 'note' | 'forgotten' | 'forget'}`
  | `stream-${'versions' | 'change' | 'remove'}`
  | `pause-${'list' | 'set' | 'resume'}`
  | 'audit-append'
  | `failed-${'put' | 'list' | 'remove'}`;

/** Scripts block Redis while they run; at this many keys one stays far below 2 ms. */
export const KEYS_PER_SCRIPT = 300;

interface Script {
  readonly lua: string;
  readonly sha: string;
}

/** Runs the Lua scripts by their digest, sending a script's text only when Redis does not know it (fresh start, failover). */
export class Scripts {
  readonly #client: RedisClient;
  readonly #override: Partial<Record<ScriptName, string>>;
  readonly #loaded = new Map<ScriptName, Script>();

  /** @param override replaces scripts by name; only for tests that prove that a broken script is caught */
  constructor(client: RedisClient, override: Partial<Record<ScriptName, string>> = {}) {
    this.#client = client;
    this.#override = override;
  }

  /**
   * @param keys all of them in one hash slot
   * @throws StoreError when Redis cannot be reached, does not answer in time or refuses
   */
  async run(name: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const script = this.#script(name);
    try {
      return await this.#client.evalsha(script.sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw storeError(name, error);
    }
    try {
      return await this.#client.eval(script.lua, keys.length, ...keys, ...args);
    } catch (error) {
      throw storeError(name, error);
    }
  }

  #script(name: ScriptName): Script {
    let script = this.#loaded.get(name);
    if (script === undefined) {
      const lua = `${luaSource('prelude')}\n${this.#override[name] ?? luaSource(name)}`;
      script = { lua, sha: createHash('sha1').update(lua).digest('hex') };
      this.#loaded.set(name, script);
    }
    return script;
  }
}

/** Text of one file of `lua/`. */
export function luaSource(name: ScriptName | 'prelude'): string {
  return readFileSync(new URL(`lua/${name}.lua`, import.meta.url), 'utf8');
}

/** How ioredis says that it has no connection now; nobody who reads it in a log would guess that. */
const NO_CONNECTION = /^Stream isn't writeable/;

/** Wraps a client's error. The client's own object stays behind: it carries the command with all its arguments. */
export function storeError(doing: string, error: unknown): StoreError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreError(`Redis ${doing}: ${NO_CONNECTION.test(reason) ? 'there is no connection' : reason}`);
}

/** A reply that a script of ours can only give if it was tampered with or misread. */
export function unexpectedReply(doing: string, reply: unknown): StoreError {
  return new StoreError(`Redis ${doing}: unexpected reply of type ${Array.isArray(reply) ? 'array' : typeof reply}`);
}

/** Splits a list into pieces of at most `size`. */
export function chunks<T>(list: readonly T[], size = KEYS_PER_SCRIPT): T[][] {
  const pieces: T[][] = [];
  for (let i = 0; i < list.length; i += size) pieces.push(list.slice(i, i + size));
  return pieces;
}
