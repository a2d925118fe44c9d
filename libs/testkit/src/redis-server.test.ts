import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startRedisServer } from './redis-server.ts';

async function ask(port: number, line: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${line}\r\n`);
  const reply: unknown[] = await once(socket, 'data');
  socket.destroy();
  return String(reply[0]);
}

it('starts on a free port, answers, and is gone after kill', async () => {
  const redis = await startRedisServer();
  expect(await ask(redis.port, 'PING')).toBe('+PONG\r\n');
  await redis.kill();
  await redis.kill();
  await expect(ask(redis.port, 'PING')).rejects.toThrow(/ECONNREFUSED/);
});

it('keeps its data through a kill when it has an append-only folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'redis-server-test-'));
  try {
    const first = await startRedisServer({ appendDir: folder, appendfsync: 'always' });
    await ask(first.port, 'SET key kept');
    await first.kill();
    const second = await startRedisServer({ appendDir: folder, port: first.port });
    expect(await ask(second.port, 'GET key')).toBe('$4\r\nkept\r\n');
    await second.kill();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('says what redis-server said when it cannot start', async () => {
  await expect(startRedisServer({ args: ['--no-such-option', '1'] })).rejects.toThrow(/redis-server ended[\s\S]*no-such-option/);
});
