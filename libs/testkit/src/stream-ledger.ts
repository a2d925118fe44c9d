import type { LeaseRow } from '@wherry/core/coordination';
import { laneOf } from '@wherry/core/stream/lanes';
import { compareSequenceNumbers } from '@wherry/core/stream/sequence-number';
import { readPosition } from '@wherry/core/stream/stored-position';
import type { StartingPosition } from '@wherry/core/stream/starting-set';
import { shardUnitId, streamKey } from '@wherry/core/stream/stream-identity';
import type { SimClock } from './sim-clock.ts';
import type { SimulatedRecord, SimulatedStream } from './simulated-stream.ts';
import type { ShardRowWitness } from './simulation-leases.ts';
import type { SimulationTrace } from './simulation-trace.ts';
import { LeaseAccount, placeOf, ShardAccount, type RecordAccount } from './stream-account.ts';

/** What is promised about one mapping. */
export interface StreamPromises {
  readonly mappingUuid: string;
  readonly startingPosition: StartingPosition;
  /** The largest of all versions of the configuration. */
  readonly parallelizationFactor: number;
  readonly batchSize: number;
  /** False where a reload changes the factor: then nobody can tell from outside which lane a record went to. */
  readonly areLanesKnown: boolean;
  /** `OrderKey` of a record with this key. */
  readonly orderKey: (key: string) => string;
  /** What may be given up, by the mapping's settings. */
  readonly mayExhaustRetries: boolean;
  readonly mayGrowTooOld: boolean;
  /** Tries after which a failure record that nobody takes is dropped; Infinity where it is kept. */
  readonly deliveryTries: number;
}

/** One invocation as its caller asked for it. */
export interface AskedInvocation {
  readonly poller: string;
  readonly epoch: number;
  readonly numbers: readonly string[];
  /** Asked again and again: whether the caller may believe that its lease is good. */
  readonly isLeaseHeld: () => boolean;
  /** And whether it is, as the store knows it now. */
  readonly isOwner: () => boolean;
}

interface RunningInvocation extends AskedInvocation {
  readonly shard: ShardAccount;
  readonly keys: ReadonlySet<string>;
}

/**
 * The one who knows the truth about one stream and its mapping: told by the servers' side of every port what really happened,
 * it checks each fact against the fleet's promises as it comes in.
 */
export class StreamLedger implements ShardRowWitness {
  readonly #sim: SimClock;
  readonly #trace: SimulationTrace;
  readonly #stream: SimulatedStream;
  readonly #promises: StreamPromises;
  readonly #unitPrefix: string;
  readonly #records = new Map<string, RecordAccount>();
  readonly #shards = new Map<string, ShardAccount>();
  readonly #leases = new Map<string, LeaseAccount>();
  readonly #firstDelivered = new Map<string, string>();
  readonly #running = new Set<RunningInvocation>();
  readonly #failedDeliveries = new Map<string, number>();
  #hasRegister = false;
  /** Deliveries of records that had ended before. */
  duplicates = 0;
  delivered = 0;
  givenUp = 0;

  constructor(sim: SimClock, trace: SimulationTrace, stream: SimulatedStream, promises: StreamPromises) {
    this.#sim = sim;
    this.#trace = trace;
    this.#stream = stream;
    this.#promises = promises;
    this.#unitPrefix = shardUnitId(promises.mappingUuid, streamKey(stream.identity), '');
  }

  /** The lease unit of a shard. */
  unitOf(shardId: string): string {
    return `${this.#unitPrefix}${shardId}`;
  }

  account(sequenceNumber: string): RecordAccount {
    const account = this.#records.get(sequenceNumber);
    if (account === undefined) throw new Error(`the ledger does not know record ${sequenceNumber}`);
    return account;
  }

  sent(shardId: string, record: SimulatedRecord, about: Pick<RecordAccount, 'isWanted' | 'isPoison'>): void {
    const shard = this.#shard(shardId);
    const account: RecordAccount = {
      record,
      shard,
      place: shard.records.length,
      sentAtMs: this.#sim.nowMs(),
      ...about,
      deliveries: 0,
      ending: undefined,
      endedUnder: undefined,
      isExcused: this.#sim.nowMs() < shard.beginsAtMs,
      isUncounted: false,
    };
    shard.records.push(account);
    this.#records.set(record.sequenceNumber, account);
    this.#trace.note(`sent ${shardId} ${short(record.sequenceNumber)} ${record.key}`);
  }

  /** Records that came before a position at which reading was allowed to begin. */
  excuse(shardId: string, isMissed: (account: RecordAccount) => boolean): void {
    for (const account of this.#shard(shardId).records) if (account.ending === undefined && isMissed(account)) account.isExcused = true;
  }

  /** A poller asks its invoker to run a batch: the moment at which its lease and its checkpoint have to be good. */
  invokeAsked(asked: AskedInvocation): RunningInvocation | undefined {
    const accounts = asked.numbers.map((number) => this.account(number));
    const [first] = accounts;
    const what = `${asked.poller} epoch ${asked.epoch} ${asked.numbers.map(short).join(',')}`;
    if (!asked.isLeaseHeld()) this.#trace.broken('no invoke without a valid lease', what);
    if (first === undefined) return undefined;
    const lease = this.#lease(first.shard, asked.poller, asked.epoch);
    const lane = this.#laneOf(first);
    const uncovered = this.#promises.areLanesKnown ? lease?.uncovered(lane) : undefined;
    if (uncovered !== undefined) {
      const detail = `${what}: ${first.shard.shardId} is done to ${short(uncovered)}, stored is ${short(first.shard.stored ?? 'nothing')}`;
      this.#trace.broken('no batch before the checkpoint of the last one', detail);
    }
    for (const account of accounts) {
      if (!account.isWanted) this.#trace.broken('nothing is delivered that the filter does not match', what);
      if (account.endedUnder !== undefined && account.endedUnder === lease)
        this.#trace.broken('nothing is done twice under one lease', what);
      if (account.shard !== first.shard) this.#trace.broken('a batch is of one shard', what);
    }
    if (accounts.some((account, index) => index > 0 && account.place <= accounts[index - 1]!.place))
      this.#trace.broken('a batch has the order of the shard', what);
    const keys = new Set(accounts.map(({ record }) => record.key));
    const running = { ...asked, shard: first.shard, keys };
    this.#checkConcurrency(running, what);
    this.#running.add(running);
    return running;
  }

  #checkConcurrency(running: RunningInvocation, what: string): void {
    if (!running.isOwner()) return;
    const beside = [...this.#running].filter((other) => other.shard === running.shard && other.isOwner());
    for (const other of beside) {
      const key = [...running.keys].find((one) => other.keys.has(one));
      if (key !== undefined) this.#trace.broken('one batch in flight per key', `${what} while ${other.poller} has ${key} in flight`);
    }
    if (beside.length >= this.#promises.parallelizationFactor)
      this.#trace.broken('no more batches in flight than ParallelizationFactor', `${what}, beside ${beside.length}`);
  }

  /** The function begins to run. */
  invokeStarted({ poller, numbers }: AskedInvocation): void {
    this.#trace.note(`invoke ${poller} ${numbers.map(short).join(',')}`);
    for (const number of numbers) this.#deliver(this.account(number));
  }

  #deliver(account: RecordAccount): void {
    const { record, shard } = account;
    account.deliveries += 1;
    this.delivered += 1;
    if (account.ending !== undefined) this.duplicates += 1;
    if (account.deliveries > 1 || account.isExcused) return;
    const before = this.#firstDelivered.get(record.key);
    if (before !== undefined && compareSequenceNumbers(record.sequenceNumber, before) < 0)
      this.#trace.broken(
        'first deliveries of a key are in order',
        `${short(record.sequenceNumber)} after ${short(before)} of ${record.key}`,
      );
    this.#firstDelivered.set(record.key, record.sequenceNumber);
    for (const parentId of this.#stream.shards.get(shard.shardId)?.parentShardIds ?? []) {
      const open = this.#shard(parentId).firstOpen;
      if (open !== undefined)
        this.#trace.broken(
          'a child comes after its parents',
          `${short(record.sequenceNumber)} of ${shard.shardId} before ${parentId} is done`,
        );
    }
  }

  /** The function has ended, or was never reached. */
  invokeEnded(running: RunningInvocation | undefined): void {
    if (running !== undefined) this.#running.delete(running);
  }

  /** The caller hears of it. @param done how many records, from the first, need no further work */
  invokeHeard({ poller, epoch, numbers }: AskedInvocation, done: number): void {
    this.#trace.note(`heard ${poller} ${done} of ${numbers.length}`);
    const accounts = numbers.slice(0, done).map((number) => this.account(number));
    this.#end(accounts, 'succeeded', (shard) => this.#lease(shard, poller, epoch));
  }

  /** A poller wants to deliver a failure record. */
  deliveryAsked(poller: string, numbers: readonly string[], condition: string, isLeaseHeld: boolean): void {
    const what = `${poller} ${numbers.map(short).join(',')}`;
    if (!isLeaseHeld) this.#trace.broken('no failure record without a valid lease', what);
    const { mayExhaustRetries, mayGrowTooOld } = this.#promises;
    if (condition === 'RecordAgeExceeded' ? !mayGrowTooOld : !mayExhaustRetries)
      this.#trace.broken('nothing is given up that the mapping keeps', `${what}: ${condition}`);
  }

  /** The destination has confirmed a failure record, or has not, and the poller hears of it. */
  deliveryHeard(poller: string, numbers: readonly string[], id: string, isConfirmed: boolean): void {
    this.#trace.note(`failure record ${poller} ${isConfirmed ? 'confirmed' : 'refused'} ${numbers.map(short).join(',')}`);
    const failures = (this.#failedDeliveries.get(id) ?? 0) + (isConfirmed ? 0 : 1);
    this.#failedDeliveries.set(id, failures);
    if (!isConfirmed && failures < this.#promises.deliveryTries) return;
    this.givenUp += numbers.length;
    const accounts = numbers.map((number) => this.account(number));
    this.#end(accounts, 'givenUp', (shard) => [...this.#leases.values()].findLast((one) => one.shard === shard && one.poller === poller));
  }

  #end(
    accounts: readonly RecordAccount[],
    ending: 'succeeded' | 'givenUp',
    leaseOf: (shard: ShardAccount) => LeaseAccount | undefined,
  ): void {
    const [first] = accounts;
    if (first === undefined) return;
    const lease = leaseOf(first.shard);
    for (const account of accounts) {
      account.ending ??= ending;
      if (ending === 'givenUp') account.isUncounted = true;
      account.endedUnder = lease;
    }
    lease?.finish(accounts, this.#laneOf(first));
  }

  /** A window has its last call with this state, which names the records that the function has counted. */
  windowEnded(shardId: string, [startMs, endMs]: readonly [number, number], counted: readonly string[]): void {
    this.#trace.note(`window ${shardId} ${startMs} ${counted.length}`);
    const promise = 'a window counts each of its records once';
    const names = new Set(counted);
    if (names.size < counted.length) this.#trace.broken(promise, `${shardId}: ${counted.map(short).join(',')}`);
    for (const { record, ending, isExcused, isUncounted } of this.#shard(shardId).records) {
      const isInside = startMs <= record.arrivedAtMs && record.arrivedAtMs < endMs;
      if (!isInside || ending !== 'succeeded' || isExcused || isUncounted || names.has(record.sequenceNumber)) continue;
      if (!this.#stream.isTrimmed(record)) this.#trace.broken(promise, `${short(record.sequenceNumber)} of ${shardId} is missing`);
    }
  }

  acquired(id: string, owner: string, epoch: number, checkpoint: string | undefined): void {
    const shard = this.#shardOf(id);
    if (shard === undefined) return;
    // An owner that asks again begins anew from what is stored: with another version of the mapping, or because it missed the answer.
    const position = checkpoint === undefined ? undefined : readPosition(checkpoint);
    const number = position?.kind === 'AFTER_SEQUENCE_NUMBER' ? position.sequenceNumber : undefined;
    // DynamoDB has no iterator for a time: whoever comes later reads from the oldest record, and some of what came before.
    const isFromTheOldest = position?.kind === 'AT_TIMESTAMP' && this.#stream.options.kind === 'dynamodb';
    const place = isFromTheOldest ? 0 : placeOf(shard, position);
    this.#leases.set(`${shard.shardId} ${owner} ${epoch}`, new LeaseAccount(shard, owner, epoch, place));
    if (position === undefined) return;
    shard.stored = number;
    const { parallelizationFactor, batchSize } = this.#promises;
    if (parallelizationFactor > 1) return;
    const repeated = shard.endedBehind(number);
    if (repeated === 0) shard.mayRepeat = false;
    else if (repeated > batchSize && !shard.mayRepeat)
      this.#trace.broken('a new owner repeats at most one batch of a lane', `${owner} ${shard.shardId}: ${repeated} of ${batchSize}`);
  }

  checkpointed(id: string, owner: string, epoch: number, checkpoint: string): void {
    const shard = this.#shardOf(id);
    const position = readPosition(checkpoint);
    if (shard === undefined || position?.kind !== 'AFTER_SEQUENCE_NUMBER') return;
    const { sequenceNumber } = position;
    this.#trace.note(`checkpoint ${shard.shardId} ${owner} ${epoch} ${short(sequenceNumber)}`);
    const open = shard.firstOpen?.record.sequenceNumber;
    if (open !== undefined && compareSequenceNumbers(open, sequenceNumber) <= 0)
      this.#trace.broken('nothing below a checkpoint is unfinished', `${short(open)} of ${shard.shardId}, at ${short(sequenceNumber)}`);
    if (shard.stored !== undefined && compareSequenceNumbers(sequenceNumber, shard.stored) < 0)
      this.#trace.broken('a checkpoint never falls', `${shard.shardId} from ${short(shard.stored)} to ${short(sequenceNumber)}`);
    shard.stored = sequenceNumber;
    if (shard.mayRepeat && shard.endedBehind(sequenceNumber) === 0) shard.mayRepeat = false;
  }

  created(rows: readonly LeaseRow[]): void {
    for (const row of rows) {
      this.#begin(row);
      const position = readPosition(row.checkpoint);
      if (this.#shardOf(row.id) === undefined || position?.kind !== 'AT_TIMESTAMP') continue;
      const { startingPosition: start } = this.#promises;
      const isChosen = start.kind === 'AT_TIMESTAMP' && start.timestampMs === position.timestampMs;
      const isFirstLook = start.kind === 'LATEST' && !this.#hasRegister;
      if (!isChosen && !isFirstLook) this.#trace.broken('reading begins where the mapping says', `${row.id} at ${row.checkpoint}`);
    }
  }

  /** The mapping's register was written: whatever has no checkpoint from now on is new, or has lost it. */
  registered(mappingUuid: string): void {
    if (mappingUuid === this.#promises.mappingUuid) this.#hasRegister = true;
  }

  repositioned(rows: readonly LeaseRow[]): void {
    for (const row of rows) {
      const shard = this.#shardOf(row.id);
      if (shard === undefined) continue;
      shard.stored = undefined;
      shard.mayRepeat = true;
      this.#begin(row);
    }
    this.#forgetLeases();
  }

  ended(id: string): void {
    const shard = this.#shardOf(id);
    if (shard === undefined) return;
    shard.isEnded = true;
    this.#trace.note(`ended ${shard.shardId}`);
    const open = shard.firstOpen;
    if (open !== undefined)
      this.#trace.broken('a shard ends behind its last record', `${short(open.record.sequenceNumber)} of ${shard.shardId}`);
  }

  /** The store lost everything, or what was written lately. */
  storeForgot(): void {
    this.#hasRegister = false;
    for (const shard of this.#shards.values()) {
      shard.stored = undefined;
      shard.mayRepeat = true;
    }
    this.#forgetLeases();
  }

  /** Records that still need work, and shards that are not at their end although they are closed. */
  unsettled(): string[] {
    const open = [...this.#shards.values()].flatMap(({ firstOpen }) =>
      firstOpen === undefined ? [] : [`${firstOpen.shard.shardId} at ${short(firstOpen.record.sequenceNumber)}`],
    );
    const closed = [...this.#stream.shards.values()].filter((shard) => shard.closedAtMs < Infinity && !this.#stream.isGone(shard));
    const unended = closed.filter(({ shardId }) => !this.#shard(shardId).isEnded).map(({ shardId }) => `${shardId} has not ended`);
    return [...open, ...unended];
  }

  /** Epochs may come again, and nobody owes a checkpoint that covers what was written before. */
  #forgetLeases(): void {
    this.#leases.clear();
    for (const account of this.#records.values()) {
      account.endedUnder = undefined;
      account.isUncounted ||= account.ending !== undefined;
    }
  }

  /** A row allows reading to begin somewhere: what stands before is not promised. */
  #begin({ id, checkpoint, ended }: LeaseRow): void {
    const shard = this.#shardOf(id);
    if (shard === undefined) return;
    if (ended) shard.isEnded = true;
    const position = readPosition(checkpoint);
    this.#trace.note(`row ${shard.shardId} ${position?.kind} ${ended}`);
    // The clock that named this time may be ahead of the stream's.
    if (position?.kind === 'AT_TIMESTAMP') shard.beginsAtMs = Math.max(shard.beginsAtMs, position.timestampMs);
    const place = placeOf(shard, position);
    this.excuse(shard.shardId, (account) => ended || account.place < place);
  }

  #laneOf({ record }: RecordAccount): number {
    return laneOf(this.#promises.orderKey(record.key), this.#promises.parallelizationFactor);
  }

  #lease(shard: ShardAccount, poller: string, epoch: number): LeaseAccount | undefined {
    return this.#leases.get(`${shard.shardId} ${poller} ${epoch}`);
  }

  #shardOf(unitId: string): ShardAccount | undefined {
    return unitId.startsWith(this.#unitPrefix) ? this.#shard(unitId.slice(this.#unitPrefix.length)) : undefined;
  }

  #shard(shardId: string): ShardAccount {
    const known = this.#shards.get(shardId);
    if (known !== undefined) return known;
    const shard = new ShardAccount(shardId, (record) => this.#stream.isTrimmed(record));
    this.#shards.set(shardId, shard);
    return shard;
  }
}

/** A sequence number without the digits that all of them have. */
function short(sequenceNumber: string): string {
  return sequenceNumber.replace(/^490*(?=\d)/, '');
}
