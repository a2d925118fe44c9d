import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { capturedIo } from '@wherry/testkit/captured-io';
import { createMemoryCoordination } from '@wherry/testkit/memory-coordination';
import { sampleConfig, sampleMapping, sampleStreamMapping } from '@wherry/testkit/sample-config';
import { SimClock } from '@wherry/testkit/sim-clock';
import { expect, test } from 'vitest';
import { pauseMapping, resumeMapping, type PauseOptions } from './pause.ts';
import { runProgram } from './program.ts';

const CLICKS = sampleStreamMapping();

const options = (given: Partial<PauseOptions> = {}): PauseOptions => ({ config: 'wherry.yaml', mapping: 'clicks', yes: true, ...given });

function setup({ isAudited = true } = {}) {
  const sim = new SimClock();
  const coordination = createMemoryCoordination(sim.clock());
  const config = sampleConfig({ mappings: [sampleMapping({ enabled: false }), CLICKS], audit: { enabled: isAudited, keep: 10 } });
  const store = { config, coordination, file: 'wherry.yaml' };
  const io = capturedIo();
  const standing = async () => (await coordination.pauses.pauses()).get(CLICKS.uuid);
  return { sim, coordination, store, io, standing };
}

const no = () => Promise.resolve(false);
const yes = () => Promise.resolve(true);
const unasked = () => Promise.reject(new Error('asked'));

test('a pause stands until it is resumed, and both are in the audit trail with who did it', async () => {
  const { coordination, store, io, standing, sim } = setup();
  expect(await pauseMapping(io, store, options({ reason: 'deploy' }))).toBe(0);
  expect(await standing()).toMatchObject({ by: expect.stringMatching(/^.+@.+$/), reason: 'deploy', leftMs: Infinity });
  expect(io.out()).toBe('paused clicks until it is resumed: wherry resume clicks\n');
  await sim.advance(60_000);
  expect(await resumeMapping(io, store, options())).toBe(0);
  expect(await standing()).toBeUndefined();
  const [resumed, paused] = await coordination.audit.newest(9);
  const by = expect.stringMatching(/^.+@.+$/);
  expect(paused).toMatchObject({
    eventName: 'MappingPaused',
    userIdentity: by,
    userAgent: expect.stringMatching(/^wherry\/\d/),
    requestParameters: { mapping: 'clicks', uuid: CLICKS.uuid, reason: 'deploy', forMs: null },
    responseElements: { before: null },
    errorCode: null,
    readOnly: false,
  });
  expect(resumed).toMatchObject({
    eventName: 'MappingResumed',
    requestParameters: { mapping: 'clicks', uuid: CLICKS.uuid },
    responseElements: { before: { by, reason: 'deploy', sinceMs: 60_000 } },
  });
});

test('a pause for a time ends by itself', async () => {
  const { store, io, standing, sim } = setup();
  await pauseMapping(io, store, options({ for: '10m' }));
  expect(io.out()).toBe('paused clicks for 10m 00s\n');
  expect(await standing()).toMatchObject({ leftMs: 600_000 });
  await sim.advance(600_000);
  expect(await standing()).toBeUndefined();
});

test('it says what will happen and asks; a no changes nothing', async () => {
  const { coordination, store, io, standing, sim } = setup();
  expect(await pauseMapping(io, store, options({ yes: false }), no)).toBe(1);
  expect(io.err()).toContain(`pause clicks (kinesis, ${CLICKS.eventSourceArn}) until somebody resumes it:`);
  expect(io.err()).toContain('records wait in the stream');
  expect(io.err()).toMatch(/nothing was changed\n$/);
  expect(await standing()).toBeUndefined();
  expect(await coordination.audit.newest(9)).toEqual([]);
  expect(await pauseMapping(io, store, options({ yes: false, reason: 'first' }), yes)).toBe(0);
  await sim.advance(90_000);
  expect(await pauseMapping(io, store, options({ yes: false }), no)).toBe(1);
  expect(io.err()).toMatch(/replaces an earlier pause: clicks: paused by .+@.+ 1m 30s ago: first/);
  expect(await resumeMapping(io, store, options({ yes: false }), no)).toBe(1);
  expect(await standing()).toMatchObject({ reason: 'first' });
});

test('a mapping that is disabled can be paused, and is told to be disabled', async () => {
  const { store, io } = setup();
  expect(await pauseMapping(io, store, options({ mapping: 'orders', yes: false }), yes)).toBe(0);
  expect(io.err()).toContain('messages wait in the queue');
  expect(io.err()).toContain('it is disabled in the configuration anyway');
});

test('to resume what is not paused changes nothing and asks nobody', async () => {
  const { coordination, store, io } = setup();
  expect(await resumeMapping(io, store, options({ yes: false }), unasked)).toBe(0);
  expect(io.out()).toBe('clicks was not paused\n');
  expect(await coordination.audit.newest(9)).toEqual([]);
});

test('as JSON', async () => {
  const { store, io } = setup();
  await pauseMapping(io, store, options({ json: true, for: '1h', reason: 'deploy' }));
  expect(JSON.parse(io.out())).toEqual({
    mapping: 'clicks',
    uuid: CLICKS.uuid,
    paused: { by: expect.any(String), reason: 'deploy', forMs: 3_600_000 },
  });
  const later = capturedIo();
  await resumeMapping(later, store, options({ json: true }));
  expect(JSON.parse(later.out())).toEqual({ mapping: 'clicks', uuid: CLICKS.uuid, resumed: true });
});

test('without an audit trail nothing is recorded', async () => {
  const { coordination, store, io } = setup({ isAudited: false });
  await pauseMapping(io, store, options());
  expect(await coordination.audit.newest(9)).toEqual([]);
});

test.each([
  [{ mapping: 'click' }, /has no mapping "click"\n\(Did you mean clicks\?\)/],
  [{ for: 'an hour' }, /--for an hour: expected a time such as 30s, 10m, 2h or 7d, at most 365d/],
  [{ for: '0s' }, /--for 0s/],
  [{ for: '366d' }, /--for 366d/],
  [{ reason: 'x'.repeat(257) }, /--reason: expected at most 256 characters, got 257/],
])('%j is bad usage', async (given, message) => {
  const { store, io } = setup();
  await expect(pauseMapping(io, store, options(given))).rejects.toThrow(message);
});

test.each([['pause'], ['resume']])('%s without a terminal and without --yes is bad usage, before anything is read', async (command) => {
  const io = capturedIo();
  expect(await runProgram([command, 'clicks', '--config', 'nowhere.yaml'], io)).toBe(2);
  expect(io.err()).toBe(`error: ${command} asks before it changes anything, and there is no terminal to ask on: add --yes\n`);
});

test('a configuration with errors changes nothing', async () => {
  const io = capturedIo();
  expect(await runProgram(['pause', 'clicks', '--yes', '--config', 'nowhere.yaml'], io)).toBe(1);
  expect(io.err()).toContain('nowhere.yaml');
});

test('a Redis that is not there is an error that says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wherry-pause-'));
  try {
    const file = join(folder, 'wherry.yaml');
    await writeFile(file, 'version: 1\nredis: { url: "redis://127.0.0.1:1" }\nfunctions: {}\nmappings: {}\n');
    const io = capturedIo();
    expect(await runProgram(['pause', 'clicks', '--yes', '--config', file], io)).toBe(1);
    expect(io.err()).toMatch(/^error: Redis cannot be used \(.*ECONNREFUSED.*\): start it, or correct address/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
