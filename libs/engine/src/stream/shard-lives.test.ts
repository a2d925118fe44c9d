import { StoreError } from '@wherry/core/coordination';
import { functionError, success } from '@wherry/testkit/fake-invoker';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { expect, it } from 'vitest';
import { type BenchRun, type Call, ShardBench, numberOfText, reports } from '../../test-data/shard-bench.ts';

const RECORDS = 400;
const KEYS = 12;
const keyOf = (n: number): string => `key-${(n * 7) % KEYS}`;

interface Life {
  /** Chances of a failed invocation, of a crash instead of a hand-over, and of a store that does not answer. */
  readonly failures: number;
  readonly crashes: number;
  readonly outages: number;
}

/** One shard that changes hands every few seconds, until everything is done. */
class ShardLives {
  readonly #random: () => number;
  readonly #life: Life;
  readonly bench: ShardBench;
  /** Broken promises. */
  readonly broken: string[] = [];
  readonly acknowledged = new Set<number>();
  readonly deliveries = new Map<number, number>();
  readonly #firstOfKey = new Map<string, number>();

  constructor(seed: number, life: Life) {
    this.#random = seededRandom(seed);
    this.#life = life;
    const pick = (least: number, most: number): number => least + Math.floor(this.#random() * (most - least + 1));
    this.bench = new ShardBench({
      mapping: {
        parallelizationFactor: pick(1, 5),
        // Lanes of smaller batches may take longer to catch up with one another than a run that is to stop gives them.
        batchSize: pick(4, 40),
        maximumBatchingWindowInSeconds: pick(0, 2),
        bisectBatchOnFunctionError: this.#random() < 0.5,
        reportBatchItemFailures: true,
      },
      random: this.#random,
      durationMs: () => pick(0, 800),
      answer: (call) => this.#answer(call),
      matches: (record) => numberOfText(record.sequenceNumber) % 5 !== 0,
    });
    const { leases } = this.bench;
    const write = leases.checkpoint.bind(leases);
    leases.checkpoint = async (...asked) => {
      await this.bench.clock.sleep(pick(0, 50));
      if (this.#random() < life.outages) throw new StoreError('down');
      this.#judgeCheckpoint(asked[3]);
      return await write(...asked);
    };
  }

  async run(): Promise<void> {
    let run = await this.bench.start();
    for (let n = 1; n <= RECORDS; n += 20) {
      this.bench.put(
        Array.from({ length: 20 }, (_, index) => n + index),
        { key: keyOf },
      );
      await this.bench.pass(Math.floor(this.#random() * 3_000));
      if (this.#random() < 0.4) run = await this.#changeHands(run);
    }
    for (let minutes = 0; minutes < 60 && (await this.bench.checkpoint()) !== RECORDS; minutes += 1) await this.bench.pass(60_000);
    run.lease.yielding.abort();
    await this.bench.pass(60_000);
    if (!run.isOver) this.broken.push('the run does not end');
    if (this.bench.bytes.usedBytes !== 0) this.broken.push(`${this.bench.bytes.usedBytes} bytes stay on the account`);
    if ((await this.bench.checkpoint()) !== RECORDS) this.broken.push(`the checkpoint stays at ${await this.bench.checkpoint()}`);
  }

  async #changeHands(run: BenchRun): Promise<BenchRun> {
    if (this.#random() < this.#life.crashes) {
      await this.bench.crash(run);
      await this.bench.pass(1_000);
    } else {
      run.lease.yielding.abort();
      for (let seconds = 0; seconds < 30 && !run.isOver; seconds += 1) await this.bench.pass(1_000);
      if (!run.isOver) this.broken.push('a run that yields does not end');
      await this.bench.leases.release(run.lease.id, 'poller-1', run.lease.epoch);
    }
    return await this.bench.start();
  }

  #answer({ records, request }: Call) {
    const failed = records[Math.floor(this.#random() * records.length)]!;
    for (const n of records) {
      this.deliveries.set(n, (this.deliveries.get(n) ?? 0) + 1);
      this.#judgeOrder(n);
    }
    if (request.delivery.records !== records.length) this.broken.push('the delivery header counts wrong');
    if (this.#random() >= this.#life.failures) {
      for (const n of records) this.acknowledged.add(n);
      return success();
    }
    if (this.#random() < 0.5) return functionError();
    for (const n of records) if (n < failed) this.acknowledged.add(n);
    return reports(failed);
  }

  /** First deliveries of a key come in the order of the shard. */
  #judgeOrder(n: number): void {
    const last = this.#firstOfKey.get(keyOf(n)) ?? 0;
    if (n <= last) return;
    this.#firstOfKey.set(keyOf(n), n);
    for (let before = n - 1; before > last; before -= 1) {
      if (keyOf(before) === keyOf(n) && before % 5 !== 0) this.broken.push(`${n} was delivered before ${before} of the same key`);
    }
  }

  #judgeCheckpoint(text: string): void {
    if (!/^\d+$/.test(text)) return;
    for (let n = numberOfText(text); n > 0; n -= 1) {
      if (n % 5 !== 0 && !this.acknowledged.has(n)) this.broken.push(`the checkpoint ${numberOfText(text)} leaves out ${n}`);
    }
  }
}

async function lives(life: Life, seeds: number): Promise<ShardLives[]> {
  const all: ShardLives[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const one = new ShardLives(seed, life);
    await one.run();
    expect([seed, one.broken]).toEqual([seed, []]);
    all.push(one);
  }
  return all;
}

it('through crashes, hand-overs, failures and outages nothing is lost, no checkpoint is too high, and keys keep their order', async () => {
  await lives({ failures: 0.15, crashes: 0.5, outages: 0.1 }, 25);
});

it('through hand-overs alone every record is delivered once', async () => {
  for (const { deliveries } of await lives({ failures: 0, crashes: 0, outages: 0 }, 25)) {
    expect([...deliveries].filter(([, times]) => times !== 1)).toEqual([]);
  }
});
