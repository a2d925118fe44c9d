import type { Coordination, Member } from '@wherry/core/coordination';
import type { Mapping, WherryConfig } from '@wherry/core/mapping';
import { type MappingLeases, readLeases } from './lease-report.ts';
import type { PauseReport } from './pause-text.ts';
import { type FleetShards, shardsOfLeases, shardsOfPollers } from './shard-report.ts';
import { capacityOf, NOTHING_PROCESSED } from './status.ts';
import type { MappingReport, PollerReport, StatusReport } from './status.ts';

/** How long one poller may take to answer: `status` is looked at by people. */
const ANSWER_MS_MAX = 2_000;

/** One poller in the report of the whole fleet. */
export interface FleetPollerReport extends PollerReport {
  /** Null when the poller could not be asked; `error` says why. */
  readonly ready: boolean | null;
  readonly error: string | null;
}

/** One mapping in the report of the whole fleet: sums over its pollers. Null is "nobody could say". */
export interface FleetMappingReport {
  readonly name: string;
  readonly uuid: string;
  readonly source: Mapping['source'];
  readonly state: MappingReport['state'];
  readonly paused: PauseReport | null;
  /** The newest that any poller tells; absent for queues. */
  readonly lastProcessingResult?: string;
  readonly lastProcessedAt?: string | null;
  readonly eventSourceArn: string;
  readonly functionName: string;
  readonly slots: { readonly desired: number; readonly held: number };
  /** Null for a queue. */
  readonly shards: FleetShards | null;
  readonly capacity: number;
  readonly inFlight: number | null;
  readonly totals: MappingReport['totals'] | null;
  readonly rates: MappingReport['rates'] | null;
  readonly oldestAgeMs: number | null;
  /** Of the worst shard that anybody reads. */
  readonly iteratorAgeMs: number | null;
  readonly backlog: MappingReport['backlog'];
  /** What the pollers say keeps them from fetching, without repeats. */
  readonly problems: readonly string[];
  readonly gate: MappingReport['gate'];
  /** The newest one of all pollers. */
  readonly lastFailure: MappingReport['lastFailure'];
}

/** What `wherry status` shows; printed as it is by `--json`. Names are stable. */
export interface FleetReport {
  readonly fleet: string;
  readonly redis: { readonly up: boolean; readonly latencyMs: number | null; readonly error: string | null };
  /** Hashes of the configurations that live pollers run; one when all agree. */
  readonly configHashes: readonly string[];
  readonly pollers: readonly FleetPollerReport[];
  readonly mappings: readonly FleetMappingReport[];
}

export interface CollectOptions {
  readonly config: WherryConfig;
  readonly coordination: Coordination;
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number;
  /** Replaces the global `fetch`. */
  readonly fetch?: typeof fetch;
}

/** How a poller is asked without a configuration. */
export interface AskOptions {
  /** Bearer token of `admin.auth`, where the pollers want one. */
  readonly token?: string | undefined;
  /** Replaces the global `fetch`. */
  readonly fetch?: typeof fetch;
}

/**
 * The fleet as one of its pollers knows it, for whoever has no configuration at hand: that poller is asked for the members, and each
 * of those for its counts. Whether Redis is up is what the first poller says.
 *
 * @param adminUrl of any poller of the fleet
 * @returns why the first poller could not be asked, as a sentence, in place of a report
 */
export async function collectFleetReportFrom(adminUrl: string, options: AskOptions = {}): Promise<FleetReport | string> {
  const send = options.fetch ?? fetch;
  const first = await askPoller(adminUrl, { token: options.token }, send);
  if (typeof first === 'string') return first;
  const { fleet, redisUp } = first;
  const answers = await Promise.all(
    first.pollers.map(async (poller) =>
      poller.token === first.poller ? Promise.resolve(first) : askPoller(poller.adminUrl, { token: options.token, fleet }, send),
    ),
  );
  const reports = answers.filter((answer) => typeof answer !== 'string');
  const pollers = first.pollers.map((poller, index): FleetPollerReport => ({ ...poller, ...readinessOf(answers[index]!) }));
  return {
    fleet,
    redis: { up: redisUp, latencyMs: null, error: redisUp ? null : `poller ${first.poller} does not reach it` },
    configHashes: hashesOf(pollers),
    pollers,
    mappings: [...partsOf(reports).values()].map((parts) => {
      const { name, uuid, source, eventSourceArn, functionName, capacity, state } = parts[0]!;
      return { name, uuid, source, state, eventSourceArn, functionName, capacity, ...summary(parts) };
    }),
  };
}

/**
 * The whole fleet as it is now: members and leases from Redis, counts and rates from every member's `/v1/status`. A poller that does
 * not answer within two seconds appears with what Redis knows of it. Without Redis the admin address of this configuration is asked,
 * which on a poller's own machine still shows that poller. Never rejects for a poller or a Redis that is away.
 */
export async function collectFleetReport(options: CollectOptions): Promise<FleetReport> {
  const { config } = options;
  const known = await readStore(options);
  const urls = 'error' in known ? [`http://${config.admin.listen}`] : known.members.map((member) => member.info.adminUrl);
  const access = { token: config.admin.bearerTokens[0], fleet: config.fleet.id };
  const answers = await Promise.all(urls.map((url) => askPoller(url, access, options.fetch ?? fetch)));
  const reports = answers.flatMap((answer) => (typeof answer === 'string' ? [] : [answer]));
  const parts = partsOf(reports);
  const pollers = 'error' in known ? pollersOf(reports) : known.members.map((member, index) => fleetPoller(member, answers[index]!));
  return {
    fleet: config.fleet.id,
    redis: 'error' in known ? { up: false, latencyMs: null, error: known.error } : { up: true, latencyMs: known.latencyMs, error: null },
    configHashes: hashesOf(pollers),
    pollers,
    mappings: [...config.mappings.values()].map((mapping) => fleetMapping(mapping, config, parts.get(mapping.uuid) ?? [], known)),
  };
}

/** What Redis knows, or why it could not be asked. */
type StoreView =
  | { readonly error: string }
  | {
      readonly latencyMs: number;
      readonly members: readonly Member[];
      /** By mapping UUID. */
      readonly leases: ReadonlyMap<string, MappingLeases>;
    };

async function readStore({ config, coordination, monotonicMs }: CollectOptions): Promise<StoreView> {
  try {
    const startedAtMs = monotonicMs();
    const members = await coordination.members.members();
    const latencyMs = monotonicMs() - startedAtMs;
    const leases = await readLeases(config, coordination, [...config.mappings.values()]);
    return { latencyMs, members, leases: new Map(leases.map((mapping) => [mapping.uuid, mapping])) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function hashesOf(pollers: readonly FleetPollerReport[]): string[] {
  return [...new Set(pollers.map((poller) => poller.configHash))];
}

/**
 * A poller's own status, or why there is none.
 *
 * @param access the token to show, and the fleet that the poller has to belong to; absent means any
 */
async function askPoller(
  adminUrl: string,
  { token, fleet }: { readonly token: string | undefined; readonly fleet?: string },
  send: typeof fetch,
): Promise<StatusReport | string> {
  try {
    const response = await send(new URL('/v1/status', adminUrl), {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    if (response.status === 401)
      return `${adminUrl} answered 401: ${token === undefined ? 'it wants a bearer token' : 'it refuses the bearer token'}`;
    if (response.status !== 200) return `${adminUrl} answered ${response.status}`;
    const report = (await response.json()) as Partial<StatusReport> | null;
    if (!isReport(report)) return `${adminUrl} answered with something else than a status`;
    if (fleet !== undefined && report.fleet !== fleet) return `${adminUrl} belongs to fleet ${report.fleet}`;
    return report;
  } catch (error) {
    return `${adminUrl} did not answer: ${reasonOf(error)}`;
  }
}

/** Whatever listens at a poller's old address may answer 200 too; the lists are what is read here. */
function isReport(report: Partial<StatusReport> | null): report is StatusReport {
  return typeof report?.fleet === 'string' && Array.isArray(report.mappings) && Array.isArray(report.pollers);
}

/** `fetch` hides the reason in the cause; that of a name with several addresses has a code and no message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${ANSWER_MS_MAX / 1_000} s`;
  const cause = error.cause instanceof Error ? error.cause : error;
  return cause.message || ('code' in cause ? String(cause.code) : cause.name);
}

function fleetPoller({ token, info, silentMs }: Member, answer: StatusReport | string): FleetPollerReport {
  const { version, configHash, adminUrl, startedAtMs, draining, leases, inFlight, bufferedBytes } = info;
  return {
    token,
    version,
    configHash,
    adminUrl,
    startedAt: new Date(startedAtMs).toISOString(),
    silentMs,
    draining,
    leases,
    inFlight,
    bufferedBytes,
    ...readinessOf(answer),
  };
}

function readinessOf(answer: StatusReport | string): Pick<FleetPollerReport, 'ready' | 'error'> {
  return typeof answer === 'string' ? { ready: null, error: answer } : { ready: answer.ready, error: null };
}

/** Without Redis: the members that the answering poller saw last, of which only itself is known to live. */
function pollersOf(reports: readonly StatusReport[]): FleetPollerReport[] {
  return reports.flatMap((report) =>
    report.pollers.map((poller) => {
      const isItself = poller.token === report.poller;
      return { ...poller, ready: isItself ? report.ready : null, error: isItself ? null : 'redis is away' };
    }),
  );
}

/** What each poller says of a mapping, by the mapping's UUID. */
function partsOf(reports: readonly StatusReport[]): Map<string, MappingReport[]> {
  return Map.groupBy(
    reports.flatMap((report) => report.mappings),
    (part) => part.uuid,
  );
}

function fleetMapping(mapping: Mapping, config: WherryConfig, parts: readonly MappingReport[], known: StoreView): FleetMappingReport {
  const { state, ...told } = summary(parts);
  const stored = 'error' in known ? undefined : known.leases.get(mapping.uuid);
  const isStopped = stored !== undefined && (!stored.enabled || stored.paused !== null);
  const slots = stored === undefined ? told.slots : { desired: isStopped ? 0 : stored.slots.length, held: heldOf(stored) };
  const shards = mapping.source === 'sqs' ? null : stored === undefined ? (told.shards ?? shardsOfPollers([])) : shardsOfLeases(stored);
  return {
    name: mapping.name,
    uuid: mapping.uuid,
    source: mapping.source,
    state: state ?? (mapping.enabled ? 'Enabled' : 'Disabled'),
    eventSourceArn: mapping.eventSourceArn,
    functionName: mapping.functionName,
    ...told,
    paused: stored === undefined ? told.paused : stored.paused,
    ...(mapping.source === 'sqs' ? {} : { lastProcessingResult: NOTHING_PROCESSED, lastProcessedAt: null, ...lastProcessing(parts) }),
    slots,
    shards,
    capacity: capacityOf(config, mapping.name, shards?.readable ?? slots.desired),
  };
}

function heldOf({ slots }: MappingLeases): number {
  return slots.filter(({ owner }) => owner !== null).length;
}

type Told =
  | 'paused'
  | 'lastProcessingResult'
  | 'lastProcessedAt'
  | 'slots'
  | 'shards'
  | 'inFlight'
  | 'totals'
  | 'rates'
  | 'oldestAgeMs'
  | 'iteratorAgeMs'
  | 'backlog'
  | 'problems'
  | 'gate'
  | 'lastFailure';

/** What the pollers' parts of one mapping come to together. */
function summary(parts: readonly MappingReport[]): Pick<FleetMappingReport, Told> & { readonly state?: MappingReport['state'] } {
  const state = stateOf(parts);
  const shards = parts.flatMap(({ shards: told }) => told ?? []);
  return {
    ...(state === undefined ? {} : { state }),
    paused: parts.find(({ paused }) => paused !== null)?.paused ?? null,
    ...lastProcessing(parts),
    slots: {
      desired: Math.max(0, ...parts.map((part) => part.slots.desired)),
      held: Math.max(0, ...parts.map((part) => part.slots.held)),
    },
    shards: shards.length === 0 ? null : shardsOfPollers(shards),
    inFlight: parts.length === 0 ? null : sum(parts, (part) => part.inFlight),
    totals: parts.length === 0 ? null : sums(parts, 'totals', TOTALS),
    rates: parts.length === 0 ? null : sums(parts, 'rates', ['polled', 'filtered', 'succeeded', 'failed']),
    oldestAgeMs: worst(parts.map((part) => part.oldestAgeMs)),
    iteratorAgeMs: worst(parts.map((part) => part.iteratorAgeMs)),
    backlog: parts.find((part) => part.backlog !== null)?.backlog ?? null,
    problems: [...new Set(parts.flatMap((part) => (part.problem === null ? [] : [part.problem])))],
    gate: parts.map((part) => part.gate).find((gate) => gate !== null && gate.state !== 'closed') ?? parts[0]?.gate ?? null,
    lastFailure: parts.toSorted(byTime(({ lastFailure }) => lastFailure?.at ?? null))[0]?.lastFailure ?? null,
  };
}

/** The newest result that a poller tells; of a queue nobody tells one. */
function lastProcessing(parts: readonly MappingReport[]): Pick<FleetMappingReport, 'lastProcessingResult' | 'lastProcessedAt'> {
  const { lastProcessingResult, lastProcessedAt = null } = parts.toSorted(byTime((part) => part.lastProcessedAt ?? null))[0] ?? {};
  return lastProcessingResult === undefined ? {} : { lastProcessingResult, lastProcessedAt };
}

const TOTALS = ['polled', 'filtered', 'invoked', 'succeeded', 'failed', 'deleted', 'dropped', 'delivered'] as const;

/** The newest first, those without a time last. */
function byTime(read: (part: MappingReport) => string | null): (one: MappingReport, other: MappingReport) => number {
  return (one, other) => (read(other) ?? '').localeCompare(read(one) ?? '');
}

function worst(ages: readonly (number | null)[]): number | null {
  const told = ages.filter((age) => typeof age === 'number');
  return told.length === 0 ? null : Math.max(...told);
}

/** While a change spreads, pollers differ; the state on the way to the steady one is the news. */
function stateOf(parts: readonly MappingReport[]): MappingReport['state'] | undefined {
  return (parts.find(({ state }) => state !== 'Enabled' && state !== 'Disabled') ?? parts[0])?.state;
}

function sum(parts: readonly MappingReport[], read: (part: MappingReport) => number): number {
  return parts.reduce((total, part) => total + read(part), 0);
}

function sums<Group extends 'totals' | 'rates'>(
  parts: readonly MappingReport[],
  group: Group,
  names: readonly (keyof MappingReport[Group])[],
): MappingReport[Group] {
  const entries = names.map((name) => [name, sum(parts, (part) => part[group][name] as number)] as const);
  return Object.fromEntries(entries) as MappingReport[Group];
}
